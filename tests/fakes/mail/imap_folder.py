"""imap_folder: what lies in a mailbox that is read by IMAP, and what does a search find in it?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy

Token = str | list["Token"]


@dataclass
class Stored:
    """One mail of the folder."""

    uid: int
    raw: bytes = field(repr=False)
    flags: set[str]
    at: float

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def header(self, name: str) -> str:
        return str(message_from_bytes(self.raw, policy=policy.default).get(name, ""))


class Folder:
    """INBOX. Whoever watches it is told when something has changed."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.validity, self.next_uid = 1_764_000_000, 1
        self.mails: list[Stored] = []
        self.watchers: list[Callable[[], None]] = []

    def add(self, raw: bytes) -> Stored:
        """A mail arrives."""
        stored = Stored(self.next_uid, raw, {"\\Recent"}, self._now())
        self.next_uid += 1
        self.mails.append(stored)
        self.changed()
        return stored

    def remove(self, uids: Sequence[int]) -> None:
        self.mails = [mail for mail in self.mails if mail.uid not in uids]
        self.changed()

    def renumber(self) -> None:
        """A restore or a move to another server: UIDVALIDITY is new, and every mail has another UID."""
        self.validity += 1
        self.next_uid = 1
        for mail in self.mails:
            mail.uid = self.next_uid
            self.next_uid += 1

    def changed(self) -> None:
        for watcher in list(self.watchers):
            watcher()

    @property
    def unseen(self) -> list[Stored]:
        return [mail for mail in self.mails if "\\Seen" not in mail.flags]


# -- words of the protocol --------------------------------------------------------------------------------------

_TOKENS = re.compile(r'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|((?:[^\s()"\[]|\[[^\]]*\])+))')


def tokens(text: str) -> list[Token]:
    """The words, quoted strings and lists in parentheses of a command."""
    stack: list[list[Token]] = [[]]
    at = 0
    while at < len(text.rstrip()):
        found = _TOKENS.match(text, at)
        if found is None:
            raise ValueError(text[at : at + 20])
        at = found.end()
        opens, closes, quoted, atom = found.groups()
        if opens:
            stack.append([])
        elif closes:
            inner = stack.pop()
            stack[-1].append(inner)
        else:
            stack[-1].append(atom if atom is not None else re.sub(r"\\(.)", r"\1", quoted))
    if len(stack) != 1:
        raise ValueError("parentheses")
    return stack[0]


def numbers(text: str, highest: int) -> set[int]:
    """What a set like `1,3:5,7:*` names, `*` being the highest."""
    found: set[int] = set()
    for piece in text.split(","):
        ends = [highest if end == "*" else int(end) for end in piece.split(":")]
        found |= set(range(min(ends), max(ends) + 1))
    return found


_FLAGS = {
    "SEEN": "\\Seen",
    "FLAGGED": "\\Flagged",
    "DELETED": "\\Deleted",
    "ANSWERED": "\\Answered",
    "RECENT": "\\Recent",
}
_SET = re.compile(r"[\d*][\d:,*]*")


def search(mails: Sequence[Stored], keys: Sequence[Token]) -> list[Stored]:
    """The mails that all keys of a SEARCH fit. Raises ValueError for a key that is not known here."""
    words = iter(keys)
    tests: list[Callable[[int, Stored], bool]] = []
    while (test := _test(words, mails)) is not None:
        tests.append(test)
    return [mail for number, mail in enumerate(mails, 1) if all(test(number, mail) for test in tests)]


def _test(words: Iterator[Token], mails: Sequence[Stored]) -> Callable[[int, Stored], bool] | None:
    word = next(words, None)
    if word is None:
        return None
    if isinstance(word, list):
        inside = {mail.uid for mail in search(mails, word)}
        return lambda number, mail: mail.uid in inside
    key = word.upper()
    if key == "CHARSET":
        next(words)
        return lambda number, mail: True
    if key == "ALL":
        return lambda number, mail: True
    if key in _FLAGS:
        return lambda number, mail: _FLAGS[key] in mail.flags
    if key.removeprefix("UN") in _FLAGS:
        return lambda number, mail: _FLAGS[key.removeprefix("UN")] not in mail.flags
    if key in ("KEYWORD", "UNKEYWORD"):
        flag = str(next(words))
        return lambda number, mail: (flag in mail.flags) == (key == "KEYWORD")
    if key == "UID":
        uids = numbers(str(next(words)), max((mail.uid for mail in mails), default=0))
        return lambda number, mail: mail.uid in uids
    if _SET.fullmatch(key):
        chosen = numbers(key, len(mails))
        return lambda number, mail: number in chosen
    if key in ("SINCE", "BEFORE", "ON"):
        day = datetime.strptime(str(next(words)), "%d-%b-%Y").date()  # noqa: DTZ007  # a date
        signs = {"SINCE": 1, "BEFORE": -1, "ON": 0}
        return lambda number, mail: _compared(datetime.fromtimestamp(mail.at, UTC).date(), day, signs[key])
    if key in ("FROM", "TO", "SUBJECT", "HEADER"):
        name = str(next(words)) if key == "HEADER" else key
        wanted = str(next(words)).lower()
        return lambda number, mail: wanted in mail.header(name).lower()
    if key == "NOT":
        inner = _test(words, mails)
        assert inner
        return lambda number, mail: not inner(number, mail)
    if key == "OR":
        left, right = _test(words, mails), _test(words, mails)
        assert left
        assert right
        return lambda number, mail: left(number, mail) or right(number, mail)
    raise ValueError(key)


def _compared(day: object, other: object, sign: int) -> bool:
    if sign == 0:
        return day == other
    return day >= other if sign > 0 else day < other  # type: ignore[operator, no-any-return]  # two dates

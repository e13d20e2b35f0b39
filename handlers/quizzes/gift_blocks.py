"""Where does each question of a GIFT file begin and end?

Questions are separated by empty lines; a line that begins with // is a comment. An escape (`\\=`) hides its mark:
`masked` is as long as `raw` and has NULs where an escape stands, so that a mark is looked for in `masked`, and its
words are cut out of `raw` at the same place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from handlers.quizzes.gift_problems import Problem, ProblemId
from handlers.quizzes.rules import NOTHING, Format, Text

_ESCAPE: Final = re.compile(r"\\([\\:#={}~n])")
_FORMATS: Final[dict[str, Format]] = {
    "[html]": "html",
    "[moodle]": "moodle",
    "[plain]": "plain",
    "[markdown]": "markdown",
}
_CATEGORY: Final = "$CATEGORY:"


class Unreadable(Exception):
    """A question that cannot be read; it carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.id)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one question without its comments. `places` are offset and line number of each line."""

    raw: str
    masked: str
    places: tuple[tuple[int, int], ...]
    comments: str
    category: str

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        start, line = self.places[bisect_right(self.places, (offset, 1 << 60)) - 1]
        return line, offset - start + 1

    @property
    def line(self) -> int:
        """Where the question begins."""
        return self.places[0][1]

    def problem(self, problem: ProblemId, offset: int | None = None, **values: str | int) -> Problem:
        """A problem at an offset, or at the question as a whole."""
        if offset is None:
            return Problem(problem, self.line, None, values)
        return Problem(problem, *self.place(offset), values)

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """The same words without the space around them."""
        words = self.raw[start:end]
        start = end - len(words.lstrip())
        return (start, start + len(words.strip())) if words.strip() else (end, end)

    def split(self, start: int, end: int, marks: str) -> list[int]:
        """The offsets of all marks that are not escaped."""
        return [offset for offset in range(start, end) if self.masked[offset] in marks]

    def words(self, start: int, end: int) -> str:
        """Plain words: escapes resolved, trimmed."""
        return unescape(self.raw[start:end]).strip()

    def text(self, start: int, end: int, inherited: Format) -> Text:
        """Words that may begin with their format, else have the inherited one."""
        return formatted(self.raw[start:end], inherited)


def formatted(raw: str, inherited: Format) -> Text:
    """Raw words that may begin with `[html]` and the like."""
    raw = raw.strip()
    mark = next((each for each in _FORMATS if raw.startswith(each)), "")
    text = unescape(raw[len(mark) :]).strip()
    return Text(text, _FORMATS.get(mark, inherited)) if text else NOTHING


def unescape(raw: str) -> str:
    """What an author meant: `\\=` is =, `\\n` a new line, `\\\\` a backslash; any other backslash stays."""
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], raw)


def mask(raw: str) -> str:
    """The same length, with NULs in the place of escapes."""
    return _ESCAPE.sub("\0\0", raw)


def blocks(content: str) -> Iterator[Block]:
    """The questions in their order, each with the category above it; blocks of mere comments are left out."""
    category = ""
    # A byte order mark stands inside a file too when files were joined; no words ever need it.
    lines = re.split(r"\r\n|\r|\n", content.replace("\ufeff", ""))
    held: list[tuple[int, str]] = []
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            held.append((number, line.rstrip()))
            continue
        comments = "\n".join(line for _, line in held if line.lstrip().startswith("//"))
        held = [(number, line) for number, line in held if not line.lstrip().startswith("//")]
        # Moodle wants an empty line after $CATEGORY:, else the question becomes part of the name; we do not.
        while held and held[0][1].lstrip().startswith(_CATEGORY):
            category = held.pop(0)[1].lstrip().removeprefix(_CATEGORY).strip()
        if held:
            yield _block(held, comments, category)
        held = []


def _block(lines: list[tuple[int, str]], comments: str, category: str) -> Block:
    places, offset = [], 0
    for number, line in lines:
        places.append((offset, number))
        offset += len(line) + 1
    raw = "\n".join(line for _, line in lines)
    return Block(raw, mask(raw), tuple(places), comments, category)

"""Kinds: how each type of answer is read, kept in a draft, and shown again."""

from __future__ import annotations

import re
import types
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from bot.core.reply import Refused


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader may need to know: when and where it is, and the question's limits in characters."""

    now: datetime
    zone: ZoneInfo
    min_length: int = 0
    max_length: int = 4000
    files: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """`read` takes what a person typed (raises Refused with words), `keep` and `load` a draft's text."""

    read: Callable[[str, Reading], Any]
    keep: Callable[[Any], str] = str
    load: Callable[[str], Any] = str
    pieces: bool = False
    """May come in several messages, until 完."""
    sample: str = ""
    """The name of this kind in `conversation.problem`, for the words that explain what is expected."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that was handed in with an answer, by the number under which it is kept."""

    id: int
    name: str


class Prose(str):
    """Text of any length, in as many messages as one likes; where files are asked for, with `files`.

    It reads as `text` with a line 📎 for each file.
    """

    text: str
    files: tuple[Attached, ...]

    def __new__(cls, text: str, files: Iterable[Attached] = ()) -> Prose:
        held = tuple(files)
        whole = super().__new__(cls, "\n".join([*([text] if text else []), *(f"📎 {one.name}" for one in held)]))
        whole.text, whole.files = text, held
        return whole


class Lines(tuple[str, ...]):
    """Several short texts, one a line."""

    __slots__ = ()


class Pick(str):
    """The key of one of the question's choices."""

    __slots__ = ()


_UNSEEN = re.compile(  # half a surrogate pair can be neither stored nor sent, a noncharacter not be put into a docx
    r"[\ufdd0-\ufdef\ufffe\uffff\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
)


MARKS = 30
"""Marks that one letter may bear, as UAX #15 has it: more are in no language."""


def tamed(text: str) -> str:
    """The text with no more marks on a letter than can be put in order at once; 30,000 of them take seconds."""
    if len(text) <= MARKS or not any(map(unicodedata.combining, text)):
        return text
    kept, run = [], 0
    for sign in text:
        run = run + 1 if unicodedata.combining(sign) else 0
        if run <= MARKS:
            kept.append(sign)
    return "".join(kept)


def clean(text: str) -> str:
    """What a person meant to type: line ends as \\n, no control, direction or zero-width characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("", unicodedata.normalize("NFC", tamed(text))).strip()


def _bounded(text: str, at: Reading) -> str:
    if not text:
        raise Refused("conversation.empty")
    if len(text) < at.min_length:
        raise Refused("conversation.too_short", length=len(text), least=at.min_length)
    if len(text) > at.max_length:
        raise Refused("conversation.too_long", length=len(text), most=at.max_length)
    return text


def _read_line(text: str, at: Reading) -> str:
    return _bounded(" ".join(clean(text).split()), at)


_MARK = re.compile("\x02([0-9]+)\t([^\x02\x03]*)\x03\n?")  # nobody can type one: `clean` takes such signs out


def mark(file: Attached) -> str:
    """What stands for a file among the pieces of an answer."""
    return f"\x02{file.id}\t{clean(file.name)}\x03"


def pieces(text: str) -> Prose:
    """Pieces of text and marks of files, as the whole they make."""
    files = [Attached(int(number), name) for number, name in _MARK.findall(text)]
    return Prose(clean(_MARK.sub("", text)), files)


def _read_prose(text: str, at: Reading) -> Prose:
    if not at.files:
        return Prose(_bounded(clean(text), at))
    whole = pieces(text)
    if whole.files and len(whole.text) <= at.max_length:
        return whole  # a photo of a page needs no words beside it
    _bounded(whole.text, at)
    return whole


def _keep_prose(prose: Prose) -> str:
    return "\n".join([*([prose.text] if prose.text else []), *map(mark, prose.files)])


_NUMBERED = re.compile(r"^\s*(?:\d{1,2}\s*(?:[、)）]|\.(?!\d))|[-•·])\s*")  # 1. 王芳, and not 1.5万元


def _read_lines(text: str, at: Reading) -> Lines:
    lines = [_NUMBERED.sub("", line).strip() for line in clean(text).split("\n")]
    lines = [line for line in lines if line]
    if twice := {line for line in lines if lines.count(line) > 1}:
        raise Refused("conversation.twice", line=sorted(twice)[0])
    if not lines:
        raise Refused("conversation.empty")
    if len(lines) < at.min_length:
        raise Refused("conversation.too_few_lines", count=len(lines), least=at.min_length)
    if len(lines) > at.max_length:
        raise Refused("conversation.too_many_lines", count=len(lines), most=at.max_length)
    if long := next((line for line in lines if len(line) > 60), None):
        raise Refused("conversation.line_too_long", line=long[:20], most=60)
    return Lines(lines)


def _read_int(text: str, at: Reading) -> int:
    text = unicodedata.normalize("NFKC", clean(text))
    if not re.fullmatch(r"\d{1,9}", text):
        raise Refused("conversation.not_a_number")
    return int(text)


_WEEKDAYS = "一二三四五六日"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<m>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"(?:(?<=jan)uary|(?<=feb)ruary|(?<=mar)ch|(?<=apr)il|(?<=jun)e|(?<=jul)y|(?<=aug)ust"
    r"|(?<=sep)t(?:ember)?|(?<=oct)ober|(?<=nov|dec)ember)?\.?(?![a-z])"
)
_ENGLISH = (
    r"(?i:(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s*)?(?P<d>\d{1,2})(?:st|nd|rd|th)?[\s-]*"
    + _MONTH + r"(?:[\s,-]*(?P<y>\d{4})(?!\d))?,?)",
    r"(?i:" + _MONTH + r"\s*(?P<d>\d{1,2})(?:st|nd|rd|th)?(?![\d:])(?:[\s,]*(?P<y>\d{4})(?!\d))?,?)",
)  # fmt: skip
"""Sun 29 Feb 2000, which is how we write it, and February 29, 2000."""
_AFTERNOON = {"中午": range(1, 4), "下午": range(1, 12), "傍晚": range(1, 12), "晚上": range(5, 12)}
"""The hours of a twelve-hour clock that mean the afternoon: 中午11点 is 11:00, 晚上1点 the night that follows."""


def _day(text: str, today: date) -> tuple[date, str] | None:
    """A day at the start of a text, and what follows it."""
    for word, ahead in (("今天", 0), ("明天", 1), ("后天", 2), ("大后天", 3), ("today", 0), ("tomorrow", 1)):
        if text.lower().startswith(word):
            return today + timedelta(days=ahead), text[len(word) :]
    if found := re.match(r"(本|这|下)?(?:周|星期|礼拜)([一二三四五六日天])", text):
        weekday = _WEEKDAYS.index(found[2].replace("天", "日"))
        monday = today - timedelta(days=today.weekday()) + timedelta(days=7 if found[1] == "下" else 0)
        day = monday + timedelta(days=weekday)
        past = day < today and not found[1]  # 周一 said on a Tuesday is the next one, 本周一 is yesterday
        return (day + timedelta(days=7) if past else day), text[found.end() :]
    shapes = (
        r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?",
        r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?!\d)",
        r"(?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})(?:[日号]|(?![\d:]))",
        *_ENGLISH,
    )
    for shape in shapes:
        if found := re.match(shape, text):
            parts = {name: part for name, part in found.groupdict().items() if part}
            month = parts["m"].lower()
            try:
                number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
                day = date(int(parts.get("y") or today.year), number, int(parts["d"]))
            except ValueError:
                raise Refused("conversation.no_such_day", text=found[0]) from None
            if "y" not in parts and day < today:
                day = day.replace(year=today.year + 1) if (day.month, day.day) != (2, 29) else day
            return day, text[found.end() :]
    return None


def _read_day(text: str, at: Reading) -> date:
    text = unicodedata.normalize("NFKC", clean(text)).replace(" ", "")
    found = _day(text, at.now.astimezone(at.zone).date())
    if not found or found[1]:
        raise Refused("conversation.not_a_day")
    return found[0]


def _read_moment(text: str, at: Reading) -> datetime:
    """A day and a time of day in the organisation's zone. Raises Refused for one that is past."""
    local = at.now.astimezone(at.zone)
    text = unicodedata.normalize("NFKC", clean(text)).strip()
    text = re.sub(r"(?<=\d)T(?=\d)", " ", text)
    found = _day(text, local.date())
    day, rest = found if found else (local.date(), text)
    time = re.fullmatch(
        r"\s*(凌晨|早上|上午|中午|下午|傍晚|晚上)?\s*(\d{1,2})\s*(?:[::点时]\s*(半|\d{1,2})?)\s*分?\s*", rest
    )
    if not time:
        raise Refused("conversation.not_a_moment" if rest.strip() or not found else "conversation.no_time_of_day")
    hour, minute = int(time[2]), 30 if time[3] == "半" else int(time[3] or 0)
    days, minutes = 0, 60 * hour + minute
    if hour in _AFTERNOON.get(time[1], ()):
        minutes += 720
    elif time[1] == "凌晨" and hour == 12:
        minutes -= 720
    elif time[1] == "晚上" and hour in (0, 1, 2, 3, 4, 12):
        days, minutes = 1, minutes % 720
    if minute > 59 or minutes > 1440:  # 24:00 is the end of its day
        raise Refused("conversation.not_a_moment")
    try:
        midnight = datetime(day.year, day.month, day.day, tzinfo=at.zone)
        moment = (midnight + timedelta(days=days, minutes=minutes)).astimezone(UTC)
    except OverflowError:  # at either end of the calendar
        raise Refused("conversation.not_a_moment") from None
    if moment <= at.now:
        raise Refused("conversation.past", moment=moment)
    return moment


KINDS: dict[type, Kind] = {
    str: Kind(_read_line, sample="line"),
    Prose: Kind(_read_prose, _keep_prose, pieces, pieces=True, sample="prose"),
    Lines: Kind(_read_lines, "\n".join, lambda kept: Lines(kept.split("\n")), sample="lines"),
    Pick: Kind(lambda text, at: Pick(clean(text)), load=Pick, sample="pick"),
    int: Kind(_read_int, load=int, sample="number"),
    date: Kind(_read_day, date.isoformat, date.fromisoformat, sample="day"),
    datetime: Kind(_read_moment, datetime.isoformat, datetime.fromisoformat, sample="moment"),
}


def kind_of(hint: Any) -> Kind:
    """The kind of a field's type; `X | None` is that of X. Raises TypeError for a type nobody can be asked for."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    kind = KINDS.get(hint) or getattr(hint, "kind", None)
    if not isinstance(kind, Kind):
        raise TypeError(f"nobody can be asked for {hint!r}")
    return kind

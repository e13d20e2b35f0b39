"""The renderer: words become text in the reader's language. The only user of Jinja2 and Babel."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from fractions import Fraction
from functools import cache, lru_cache, partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemBytecodeCache, StrictUndefined, TemplateError
from jinja2.bccache import Bucket
from jinja2.loaders import FileSystemLoader
from jinja2.sandbox import SandboxedEnvironment

from bot.core.reply import Button, Key, Label, Message, Phrase, Reply, Words

LANGUAGES = ("zh", "en")
TEMPLATES = Path(__file__).parent.parent / "templates"
_WEEKDAYS = {"zh": "一二三四五六日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZONES = {"Asia/Shanghai": {"zh": "北京时间", "en": "Beijing time"}}

Block = Callable[[Mapping[str, object]], str]
"""One thing to say: from its values to its text."""


class Incomplete(Exception):
    """A template or a translation is missing."""


class Renderer:
    """Everything Tiexin says, in both languages, compiled when it is made. Raises Incomplete.

    `templates/<room>/<language>.j2` holds one `{% block %}` for each thing to say, so that a room's whole voice
    can be read on one page.
    """

    def __init__(self, zone: ZoneInfo, folder: Path = TEMPLATES) -> None:
        self._zone = zone
        self._written = lru_cache(256)(self._moment)  # a poll says the same moment to everybody
        self._rendered = lru_cache(256)(self._render)
        with (folder / "locale" / "en.po").open("rb") as file:
            self._english = {str(m.id): str(m.string) for m in read_po(file, locale="en") if m.id and m.string}
        self._blocks = {language: dict(self._compile(folder, language)) for language in LANGUAGES}
        self._always = {language: _Always(blocks) for language, blocks in self._blocks.items()}
        chinese, english = (set(self._blocks[language]) for language in LANGUAGES)
        if apart := chinese ^ english:
            raise Incomplete(f"not in both languages: {', '.join(sorted(apart))}")

    @property
    def names(self) -> set[str]:
        """Every block: `dues.owed` and so on."""
        return set(self._blocks["zh"])

    def check(self, phrases: Iterable[Phrase]) -> None:
        """Raises Incomplete for phrases that the catalogue does not translate."""
        if missing := {phrase.source for phrase in phrases if phrase.source not in self._english}:
            raise Incomplete(f"not translated: {', '.join(sorted(missing))}")

    def say(self, words: Words, language: str) -> str:
        """The text. Raises jinja2's UndefinedError for a value that was not given: a bug."""
        if not words.values:
            return self._always[language][words.template]
        return self._blocks[language][words.template](words.values)

    def phrase(self, source: str, language: str) -> str:
        return source if language == "zh" else self._english.get(source, source)

    def label(self, label: Label, language: str) -> str:
        if isinstance(label, Words):
            return self.say(label, language)
        return self.phrase(label.source, language) if isinstance(label, Phrase) else label

    def message(self, reply: Reply, language: str) -> Message:
        """A reply as its reader sees it. The very same reply is the very same message, and is rendered once."""
        return self._render(reply, language) if reply.sensitive else self._rendered(reply, language)

    def _render(self, reply: Reply, language: str) -> Message:
        return Message(
            self.say(reply.words, language),
            tuple(tuple(self._key(button, language) for button in row) for row in reply.buttons),
            self.say(reply.toast, language)[:200] if reply.toast else None,
            reply.replaces,
            reply.sensitive,
            reply.grade,
            self.say(reply.outside, language) if reply.outside else "",
            reply.hears.encode() if reply.hears else "",
            reply.taken_back,
        )

    def page(self, name: str, language: str, **values: object) -> str:
        """A page of `templates/web/`, escaped."""
        text: str = self._page_environments[language].get_template(name).render(values)
        return text

    def _key(self, button: Button, language: str) -> Key:
        payload = button.action.encode() if button.action else None
        light = button.action is not None and button.action.light
        return Key(self.label(button.label, language), payload, button.path, button.walk, light)

    def _compile(self, folder: Path, language: str) -> Iterator[tuple[str, Block]]:
        environment = self._environment(folder, language, escape=False)
        pages = self._environment(folder / "web", language, escape=True)
        self._page_environments = {**getattr(self, "_page_environments", {}), language: pages}
        for file in sorted(folder.glob(f"*/{language}.j2")):
            room = file.parent.name
            try:
                template = environment.get_template(f"{room}/{language}.j2")
            except TemplateError as error:
                raise Incomplete(f"{file}: {error}") from None
            known = dict(template.globals)
            for name, block in template.blocks.items():
                yield f"{room}.{name}", partial(_write, environment, known, block)

    def _environment(self, folder: Path, language: str, *, escape: bool) -> SandboxedEnvironment:
        environment = SandboxedEnvironment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=escape,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=partial(self._finalize, language),
            bytecode_cache=_Compiled(folder),
        )
        environment.filters |= {
            "yuan": yuan,
            "percent": percent,
            "bar": bar,
            "day": partial(self._day, language),
            "moment": partial(self._written, language),
            "term": partial(self._term, language),
        }
        environment.globals["zone"] = _ZONES.get(self._zone.key, {}).get(language, self._zone.key)
        environment.globals["language"] = language
        return environment

    def _finalize(self, language: str, value: object) -> object:
        """Words and phrases that are values of other words speak the same language."""
        if isinstance(value, Words | Phrase):
            return self.label(value, language)
        if isinstance(value, datetime):
            return self._written(language, value)
        if isinstance(value, date):
            return self._day(language, value)
        if isinstance(value, tuple | list):
            return ("、" if language == "zh" else ", ").join(str(self._finalize(language, v)) for v in value)
        return "" if value is None else value

    def _term(self, language: str, value: str) -> str:
        """A term of the organisation (正式党员) in the reader's language."""
        return self.phrase(value, language)

    @staticmethod
    def _day(language: str, day: date) -> str:
        weekday = _WEEKDAYS[language][day.weekday()]
        if language == "zh":
            return f"{day.year}年{day.month}月{day.day}日（周{weekday}）"
        return f"{weekday} {day.day} {_MONTHS[day.month - 1]} {day.year}"

    def _moment(self, language: str, moment: datetime) -> str:
        """A day and time in the organisation's zone, which is named: 2026年11月30日（周一）18:00（北京时间）."""
        local = moment.astimezone(self._zone)
        zone = _ZONES.get(self._zone.key, {}).get(language, self._zone.key)
        if language == "zh":
            return f"{self._day(language, local.date())}{local:%H:%M}（{zone}）"
        return f"{self._day(language, local.date())}, {local:%H:%M} ({zone})"


@cache
def renderer(zone: ZoneInfo) -> Renderer:
    """The renderer of a zone, made once in a process: it compiles everything Tiexin says."""
    return Renderer(zone)


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates are kept beside their sources, as Python keeps its modules: a start takes half the time.

    A source that has changed is compiled again. Where nothing can be written, nothing is kept.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder / "__pycache__"), f"%s.jinja-{jinja2.__version__}")

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except (OSError, EOFError, UnpicklingError):  # cut off when the power failed, for one
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


def _write(environment: Environment, known: Mapping[str, object], block: Any, values: Mapping[str, object]) -> str:
    """The text of a block. Its context is made here: Jinja2's own way copies every block of the page each time."""
    context = environment.context_class(environment, {**known, **values}, None, {})
    text = "\n".join([line.rstrip() for line in "".join(block(context)).strip().split("\n")])
    return re.sub(r"\n{3,}", "\n\n", text) if "\n\n\n" in text else text


class _Always(dict[str, str]):
    """What is said with no values is always the same: it is written once."""

    def __init__(self, blocks: Mapping[str, Block]) -> None:
        super().__init__()
        self._blocks = blocks

    def __missing__(self, name: str) -> str:
        return self.setdefault(name, self._blocks[name]({}))


def yuan(fen: int) -> str:
    """4500 → 45.00."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100}.{fen % 100:02d}"


def percent(part: Fraction | int, whole: int | None = None) -> str:
    """A share as a whole percentage, half up; of nothing it is 0 %."""
    share = Fraction(part) if whole is None else Fraction(part, whole) if whole else Fraction(0)
    return f"{int(share * 100 + Fraction(1, 2))}%"


def bar(part: int, whole: int, width: int = 10) -> str:
    """A bar of text; something is never shown as nothing."""
    full = 0 if not whole or not part else max(1, min(width, round(width * part / whole)))
    return "█" * full + "░" * (width - full)

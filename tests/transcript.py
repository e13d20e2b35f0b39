"""Transcripts: a conversation as a file, played on any channel.

::

    # a comment
    ! open poll                 prepare the house (a name in `PREPARE`)
    + 24h                       time passes (m, h, d), the clock ticks, what is due is delivered
    王芳 > 投票                  she types
    王芳 * 孙明                  she presses the button that says so
    王芳 ~ 推荐优秀党员           wait until something with these words has been delivered to her
    < 【投票】推荐优秀党员        Tiexin's answer, line by line; `…` stands for any number of lines
    = 王芳 | 孙明 | 吴强          the buttons under it, all of them
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

FOLDER = Path(__file__).parent / "transcripts"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Seat(Protocol):
    """Somebody in front of a channel."""

    async def say(self, text: str) -> None: ...

    async def tap(self, label: str) -> None: ...

    async def wait_for(self, text: str) -> None:
        """Until a message with this text has been delivered; it is then what was said last."""

    @property
    def text(self) -> str:
        """What Tiexin said last: a message, an edited message, or a toast."""

    @property
    def labels(self) -> list[str] | None:
        """The buttons under it; None where the channel shows it without (a toast)."""


class Stage(Protocol):
    """A house with people in front of one channel. `names` are words of a transcript that stand for others."""

    names: dict[str, str]

    async def seat(self, name: str) -> Seat: ...

    async def pass_time(self, **delta: float) -> None: ...

    async def prepare(self, work: Callable[..., object]) -> None: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript."""

    number: int
    kind: str
    who: str
    text: str


def read(file: Path) -> list[Line]:
    """The lines of a transcript. Raises ValueError naming the line that cannot be read."""
    lines = []
    for number, raw in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not raw.strip() or raw.startswith("#"):
            continue
        found = re.fullmatch(r"(?:(\S+) )?([!+<=>*~]) ?(.*)", raw)
        if not found or bool(found[1]) != (found[2] in ">*~"):
            raise ValueError(f"{file.name}:{number}: not a line of a transcript: {raw}")
        lines.append(Line(number, found[2], found[1] or "", found[3]))
    return lines


async def play(file: Path, stage: Stage, prepare: Mapping[str, Callable[..., object]]) -> None:
    """Play a transcript. Fails with the line that was not answered as written."""
    seat: Seat | None = None
    expected: list[str] = []

    def check() -> None:
        if expected:
            assert seat is not None
            actual = seat.text.splitlines()
            assert _matches(expected, [line for line in actual if line.strip()]), _difference(expected, seat.text)
            expected.clear()

    for line in read(file):
        where = f"{file.name}:{line.number}"
        if line.kind != "<":
            try:
                check()
            except AssertionError as error:
                raise AssertionError(f"before {where}: {error}") from None
        match line.kind:
            case "!":
                await stage.prepare(prepare[line.text])
            case "+":
                amount, unit = line.text[:-1], line.text[-1]
                await stage.pass_time(**{_UNITS[unit]: float(amount)})
            case ">":
                seat = await stage.seat(line.who)
                await seat.say(stage.names.get(line.text, line.text).replace("⏎", "\n"))
            case "*":
                seat = await stage.seat(line.who)
                await seat.tap(line.text)
            case "~":
                seat = await stage.seat(line.who)
                await seat.wait_for(line.text)
            case "<":
                expected.append(line.text)
            case "=":
                assert seat is not None, f"{where}: nobody has said anything yet"
                wanted = [label.strip() for label in line.text.split("|") if label.strip()]
                assert seat.labels in (None, wanted), f"{where}: the buttons are {seat.labels}"
    check()


def _matches(expected: list[str], actual: list[str]) -> bool:
    if not expected:
        return not actual
    if expected[0] == "…":
        return any(_matches(expected[1:], actual[skip:]) for skip in range(len(actual) + 1))
    return bool(actual) and actual[0].strip() == expected[0].strip() and _matches(expected[1:], actual[1:])


def _difference(expected: list[str], actual: str) -> str:
    return "expected\n  " + "\n  ".join(expected) + "\nheard\n  " + actual.replace("\n", "\n  ")

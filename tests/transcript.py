"""Transcripts: a conversation as a file, played on any channel.

::

    # a comment
    ! open poll                 prepare the house (a name in `PREPARE`)
    + 24h                       time passes (m, h, d), the clock ticks, what is due is delivered
    王芳 > 投票                  she types
    王芳 * 孙明                  she presses the button that says so
    王芳 ~ 推荐优秀党员           wait until something with these words has been delivered to her
    < 【投票】推荐优秀党员        Tiexin's answer, line by line; `…` is anything, alone any number of lines
    = 王芳 | 孙明 | 吴强          the buttons under it, all of them
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PATIENCE = 15.0
"""Seconds for an answer to appear on a channel that takes its time."""
FOLDER = Path(__file__).parent / "transcripts"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Shown:
    """Something on somebody's screen: its words and the buttons under them (None: a toast, which has none)."""

    text: str
    labels: list[str] | None


class Seat(Protocol):
    """Somebody in front of a channel. `slow`: an answer may take a moment to appear."""

    slow: bool

    async def say(self, text: str) -> None: ...

    async def tap(self, label: str) -> None: ...

    async def expect(self, text: str) -> None:
        """From now on look at a delivered message with this text."""

    async def screen(self) -> list[Shown]:
        """What may be the answer to the last act: a message, the message that was tapped, a toast."""


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
    lines = read(file)
    seats = {who: await stage.seat(who) for who in dict.fromkeys(line.who for line in lines if line.who)}
    seat: Seat | None = None
    shown: Shown | None = None
    for at, line in enumerate(lines):
        where = f"{file.name}:{line.number}"
        if line.who:
            seat, shown = seats[line.who], None
        match line.kind:
            case "!":
                await stage.prepare(prepare[line.text])
            case "+":
                await stage.pass_time(**{_UNITS[line.text[-1]]: float(line.text[:-1])})
            case ">":
                await seats[line.who].say(stage.names.get(line.text, line.text).replace("⏎", "\n"))
            case "*":
                await seats[line.who].tap(line.text)
            case "~":
                await seats[line.who].expect(line.text)
            case "<" if lines[at - 1].kind != "<":
                assert seat is not None, f"{where}: nobody has said anything yet"
                shown = await _answered(seat, _block(lines, at), where)
            case "=":
                assert shown is not None, f"{where}: there is no answer yet"
                wanted = [label.strip() for label in line.text.split("|") if label.strip()]
                assert shown.labels in (None, wanted), f"{where}: the buttons are {shown.labels}"


def _block(lines: list[Line], at: int) -> list[str]:
    """The lines of an answer that begins here."""
    block = []
    for line in lines[at:]:
        if line.kind != "<":
            break
        block.append(line.text)
    return block


async def _answered(seat: Seat, expected: list[str], where: str) -> Shown:
    """The answer, as soon as it stands there as written."""
    for _ in range(int(PATIENCE / 0.01)):
        screen = await seat.screen()
        for shown in screen:
            if _matches(expected, [line for line in shown.text.splitlines() if line.strip()]):
                return shown
        if not seat.slow:
            break
        await asyncio.sleep(0.01)
    heard = "\nor\n".join(shown.text for shown in screen)
    raise AssertionError(f"{where}: expected\n{chr(10).join(expected)}\nheard\n{heard}")


def _matches(expected: list[str], actual: list[str]) -> bool:
    if not expected:
        return not actual
    if expected[0] == "…":
        return any(_matches(expected[1:], actual[skip:]) for skip in range(len(actual) + 1))
    line = ".*".join(re.escape(part) for part in expected[0].strip().split("…"))
    return bool(actual) and bool(re.fullmatch(line, actual[0].strip())) and _matches(expected[1:], actual[1:])

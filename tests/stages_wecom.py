"""The stage of WeCom: the whole running house, with a company's WeCom before its door."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlmodel import col

from bot.core.event import Address
from bot.intake.wecom import CALLBACK
from storage import addresses
from storage.cards import Card
from tests.fakes.telegram.clock import Timer
from tests.fakes.wecom import AES_KEY, AGENT_ID, CORP_ID, SECRET, TOKEN, FakeWeCom, Limits, Line, Person
from tests.people import House, build_house
from tests.running import free_port
from tests.stages import _serving, _Stage
from tests.transcript import PATIENCE, Shown

CHOICE = re.compile(r"(\d+)\. (.+)")
STEP = re.compile(r"“([^”]+)”")
TYPISTS = Limits(member_minute=10_000, member_hour=100_000)
"""They type faster than people, so that the play is not longer than it has to be."""


def settings(wecom: FakeWeCom, **section: str) -> dict[str, str]:
    """The configuration that leads to this WeCom; `section` are further keys of [wecom]."""
    given = {
        "corp_id": CORP_ID, "agent_id": str(AGENT_ID), "secret": SECRET, "token": TOKEN, "aes_key": AES_KEY,
        "api_base": wecom.url, **section,
    }  # fmt: skip
    return {f"wecom__{name}": value for name, value in given.items()}


class StageClock:
    """The time of a stage, for what stands before its door."""

    virtual = False

    def __init__(self) -> None:
        self.stage: _Stage | None = None

    def now(self) -> float:
        assert self.stage
        moment: float = self.stage._now().timestamp()
        return moment

    def call_at(self, when: float, act: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(max(0.0, when - self.now()), act)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class WeComSeat:
    """Somebody with a phone."""

    person: Person
    under_way: Callable[[str], bool]
    """Whether something for a userid is still on its way, such as the card that follows a text."""
    wanted: str = ""
    slow: bool = True
    before: int = 0
    under: Line | None = None
    revised: int = 0

    async def say(self, text: str) -> None:
        self.wanted, self.under, self.before = "", None, len(self.person.lines)
        await self.person.says(text, wait=False)

    async def tap(self, label: str) -> None:
        """A card's button, an option of a list, or the number or word where there is only text."""
        for _ in range(int(PATIENCE / 0.01)):
            for line in reversed(self.person.lines):
                shown = _shown(line) if line.from_app else None
                if shown and shown.labels and (found := _best(shown.labels, label)):
                    await self._act(line, found)
                    return
            await asyncio.sleep(0.01)
        raise AssertionError(f"no button {label!r} in the chat")

    async def _act(self, line: Line, label: str) -> None:
        self.wanted, self.under, self.before, self.revised = "", line, len(self.person.lines), line.revised
        if line.look and label in [button.text for button in line.look.buttons]:
            await self.person.taps(label, on=line, wait=False)
        elif line.look and label in line.labels:
            await self.person.selects(label, on=line, wait=False)
        else:
            numbers = [place for place, said in CHOICE.findall(line.words) if said == label]
            await self.person.says(numbers[-1] if numbers else label, wait=False)

    async def expect(self, text: str) -> None:
        self.wanted, self.under, self.before = text, None, 0

    async def screen(self) -> list[Shown]:
        if await asyncio.to_thread(self.under_way, self.person.member.userid.lower()):
            return []
        lines = [line for line in self.person.lines[self.before :] if line.from_app]
        shown = [_shown(line) for line in lines]
        shown += [_together(*two) for two in itertools.pairwise(lines) if _belong(*two)]
        if self.under and self.under.revised > self.revised:
            shown.append(_shown(self.under))
        shown = [one for one in shown if self.wanted in one.text]
        shown.reverse()
        return shown


def _shown(line: Line) -> Shown:
    """The words, and what can be pressed: buttons, options, numbers, steps that are typed."""
    if line.look:
        words, _, last = line.words.rpartition("\n")
        steps = list(_labels(last)) if STEP.fullmatch(last.split("　")[0]) else []
        return Shown(words if steps else line.words, [*line.labels, *steps])
    body, _, tail = line.words.rpartition("\n\n")
    labels = list(_labels(tail))
    if body and labels and len(labels) == len(tail.replace("　", "\n").split("\n")):
        return Shown(body, labels)
    return Shown(line.words, [])


def _belong(first: Line, second: Line) -> bool:
    """Whether the second goes on with the first: a card begins with the words of the text before it."""
    title = second.look.title.removesuffix("…") if second.look else ""
    return first.look is None and first.words.startswith(title)


def _together(first: Line, second: Line) -> Shown:
    """A text and what follows it: the card that belongs to it, or the rest."""
    after = _shown(second)
    if second.look:
        words = _shown(first)
        return Shown(words.text, [*(after.labels or ()), *(words.labels or ())])
    return Shown(f"{first.words}\n{after.text}", after.labels)


def _labels(tail: str) -> Iterator[str]:
    for one in tail.replace("　", "\n").split("\n"):
        if found := CHOICE.fullmatch(one) or STEP.fullmatch(one):
            yield found[found.lastindex or 0]
        elif " http" in one:
            yield one.partition(" http")[0]


def _best(labels: list[str], label: str) -> str:
    return next((one for one in labels if one == label), "") or next((one for one in labels if label in one), "")


class WeComStage(_Stage):
    """Everybody holds a phone; their userid is what the company calls them."""

    def __init__(self, house: House, port: int, wecom: FakeWeCom) -> None:
        super().__init__(house, port)
        self.wecom, self._next = wecom, 7000

    async def seat(self, name: str) -> WeComSeat:
        self._next += 1
        person = self.wecom.person(f"U{self._next}", name)
        if name in self.house.ids:
            await asyncio.to_thread(self._bind, name, f"u{self._next}")
        return WeComSeat(person, self._under_way)

    def _under_way(self, key: str) -> bool:
        with self.house.app.database.read() as tx:
            waits = or_(col(Card.waiting).is_(True), col(Card.doubt).is_(True))
            found = tx.run(select(func.count()).select_from(Card).where(col(Card.key) == key, waits))
            return bool(found.scalar_one())

    def _bind(self, name: str, key: str) -> None:
        with self.house.app.database.write() as tx:
            addresses.bind(tx, self.house.ids[name], Address("wecom", key), self.house.now, consent="test")


@asynccontextmanager
async def wecom_stage(folder: Path, *, limits: Limits = TYPISTS, **section: str) -> AsyncIterator[WeComStage]:
    """A house with an application in WeCom; `section` are keys of [wecom]."""
    port, clock = free_port(), StageClock()
    section = {"rate_member": "6000"} | section if limits is TYPISTS else section
    async with FakeWeCom(clock=clock, limits=limits) as wecom:
        house = build_house(
            folder, server__port=str(port), server__public_url=f"http://127.0.0.1:{port}",
            **settings(wecom, **section),
        )  # fmt: skip
        stage = clock.stage = WeComStage(house, port, wecom)
        async with _serving(house, port):
            assert await wecom.register(f"{stage.url}{CALLBACK}")
            yield stage
            assert wecom.dropped == 0, "WeCom has dropped what came too fast"
            assert wecom.courier.bad_replies == []

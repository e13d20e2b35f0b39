"""The stage of WeChat: the whole running house, with an official account before its door.

Where WeChat lets through only a template, its reader opens the link in it and goes on in the web chat.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from bot.core.event import Address
from bot.intake.wechat import CALLBACK
from storage import addresses
from tests.fakes.telegram.clock import Timer
from tests.fakes.wechat import FakeWeChat, Limits, Line, Person
from tests.people import House, build_house
from tests.running import free_port
from tests.sites import Browser
from tests.stages import WebSeat, _serving, _Stage
from tests.transcript import PATIENCE, Shown
from tests.wechat_house import TEMPLATE, settings

MORE = re.compile(r"\n\n（\d+/\d+，回复“更多”接着看）$")
CHOOSE = "点一下，或者回复下面的字："
CHOICE = re.compile(r"(\d+)\. (.+)")
STEP = re.compile(r"“([^”]+)”")


class StageClock:
    """The time of a stage, for what stands before its door."""

    virtual = False

    def __init__(self) -> None:
        self.stage: WeChatStage | None = None

    def now(self) -> float:
        assert self.stage
        moment: float = self.stage._now().timestamp()
        return moment

    def call_at(self, when: float, act: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(max(0.0, when - self.now()), act)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class WeChatSeat:
    """Somebody with a phone, and a browser on it."""

    person: Person
    browser: Callable[[], Browser]
    wanted: str = ""
    slow: bool = True
    before: int = 0
    page: WebSeat | None = None
    """Their web chat, once a link has led them there; `None` again when they write into WeChat."""
    opened: set[str] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)
    _web: WebSeat | None = None

    async def say(self, text: str) -> None:
        self.wanted, self.page, self.before = "", None, len(self.person.chat)
        await self.person.says(text, wait=False)

    async def tap(self, label: str) -> None:
        """A link, a line of a msgmenu, a button on the page; or the number, where nothing can be tapped."""
        self.wanted = ""
        if self.page:
            await self.page.tap(label)
            return
        for line in reversed(self.person.messages):
            shown = _shown(line.text, line)
            if shown.labels and (found := [one for one in shown.labels if one == label] or [
                one for one in shown.labels if label in one
            ]):  # fmt: skip
                self.before = len(self.person.chat)
                await self._act(line, found[0])
                return
        raise AssertionError(f"no button {label!r} in the chat:\n{self.person.transcript()}")

    async def _act(self, line: Line, label: str) -> None:
        tappable = [one for one in line.labels if re.sub(r"^\d+\. ", "", one) == label]
        if tappable:
            await self.person.taps(tappable[0], on=line, wait=False)
            return
        numbers = [place for place, said in CHOICE.findall(line.text) if said == label]
        await self.person.says(numbers[-1] if numbers else label, wait=False)

    async def expect(self, text: str) -> None:
        self.wanted, self.before = text, 0

    async def screen(self) -> list[Shown]:
        if self.page and not self.wanted:
            return await self.page.screen()
        shown = [one for one in [*await self._chat()] if self.wanted in one.text]
        if self.wanted and not shown:
            shown = await self._behind_links()
        shown.reverse()
        return shown

    async def _chat(self) -> list[Shown]:
        """What the account wrote; texts in several parts are read to their end."""
        found: list[Shown] = []
        text = ""
        for place, line in enumerate(self.person.chat[self.before :], self.before):
            if not line.from_bot or line.via == "template":  # that only leads to the page
                continue
            text = f"{text}\n{line.text}" if text else line.text
            if MORE.search(text):
                text = MORE.sub("", text)
                if place not in self.asked:
                    self.asked.add(place)
                    await self.person.says("更多", wait=False)
                continue
            found.append(_shown(text, line))
            text = ""
        return found

    async def _behind_links(self) -> list[Shown]:
        """The web chat, where a template's link leads."""
        for line in self.person.messages:
            if line.via == "template" and line.url not in self.opened:
                self.opened.add(line.url)
                web = self._web = self._web or WebSeat(self.browser())
                await web.browser.open(urlsplit(line.url).path)
                await web.browser.enter(urlsplit(line.url).path, consent=True)
        if self._web is None:
            return []
        await self._web.expect(self.wanted)
        shown = await self._web.screen()
        if shown:
            self.page = self._web
        return shown


def _shown(text: str, line: Line) -> Shown:
    """The words and the buttons, which on WeChat stand beneath the words as numbers and links."""
    body, _, tail = text.rpartition("\n\n")
    if tail == CHOOSE:
        return Shown(body, [re.sub(r"^\d+\. ", "", label) for label in line.labels])
    labels = list(_labels(tail))
    if body and labels and len(labels) == len(tail.replace("　", "\n").split("\n")):
        return Shown(body, labels)
    return Shown(text, [])


def _labels(tail: str) -> Iterator[str]:
    for one in tail.replace("　", "\n").split("\n"):
        if found := CHOICE.fullmatch(one) or STEP.fullmatch(one):
            yield found[found.lastindex or 0]
        elif " http" in one:
            yield one.partition(" http")[0]


class WeChatStage(_Stage):
    """Everybody holds a phone."""

    def __init__(self, house: House, port: int, wechat: FakeWeChat, browser: Callable[[], Browser]) -> None:
        super().__init__(house, port)
        self._wechat, self._browser = wechat, browser

    async def seat(self, name: str) -> WeChatSeat:
        person = self._wechat.user(name)
        if name in self.house.ids:
            await asyncio.to_thread(self._bind, name, person.openid)
        return WeChatSeat(person, self._browser)

    def _bind(self, name: str, key: str) -> None:
        with self.house.app.database.write() as tx:
            addresses.bind(tx, self.house.ids[name], Address("wechat", key), self.house.now, consent="test")


@asynccontextmanager
async def wechat_stage(folder: Path, *, limits: Limits | None = None, **section: str) -> AsyncIterator[WeChatStage]:
    """A house with an official account; `section` are keys of [wechat]."""
    port, clock = free_port(), StageClock()
    sessions: list[aiohttp.ClientSession] = []

    def browser() -> Browser:
        jar = aiohttp.CookieJar(unsafe=True)
        sessions.append(aiohttp.ClientSession(cookie_jar=jar, headers={"Accept-Language": "zh-CN"}))
        return Browser(f"http://127.0.0.1:{port}", sessions[-1])

    async with FakeWeChat(clock=clock, limits=limits) as wechat:
        wechat.pace, wechat.patience = 0, PATIENCE
        wechat.template(TEMPLATE, "待办事项提醒", "thing1", "time2")
        house = build_house(
            folder, server__port=str(port), server__public_url=f"http://127.0.0.1:{port}",
            **settings(wechat, **section),
        )  # fmt: skip
        stage = clock.stage = WeChatStage(house, port, wechat, browser)
        async with _serving(house, port):
            await wechat.connect(f"http://127.0.0.1:{port}{CALLBACK}")
            yield stage
            for session in sessions:
                await session.close()

"""The stage of e-mail: the whole running house between a mail server and an MX, with people in front of their mail.

They answer with whatever program comes next in the list of real ones. Where the mail has only a link, they open it,
press the button of its page, and go on in the web chat until what they began there is done.
"""

from __future__ import annotations

import asyncio
import html
import itertools
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.core.event import Address
from storage import addresses
from tests.fakes.mail import FakeMail, Mail, Person
from tests.fakes.telegram import RealClock
from tests.people import House, build_house
from tests.running import free_port
from tests.sites import Browser
from tests.stages import WebSeat, _serving, _Stage
from tests.transcript import Shown

MARK = "——请在此线以上回复——"
MARK_EN = "—— Please reply above this line ——"
HOW = re.compile(r"直接回复这封邮件，.*|Reply to this mail .*")
CHOICE = re.compile(r"(\d+)\. (.+)")
STEP = re.compile(r"“([^”]+)”")
STEPS = {"上一步", "取消", "跳过", "写完了", "Back", "Cancel", "Skip", "Done"}
PROGRAMS = ("qq", "163", "foxmail", "outlook_zh", "gmail_zh", "ios_zh", "coremail", "huawei", "exmail", "bottom")


def shown(mail: Mail) -> list[Shown]:
    """A mail as its reader takes it in: the words, and what there is to choose from. Two readings where a list at
    the end may be either."""
    lines = mail.text.replace("\r\n", "\n").split("\n")
    assert lines[0] in (MARK, MARK_EN), f"a mail begins with our line, not with {lines[0]!r}"
    lines = lines[1 : lines.index("--")]
    words = [line for line in lines if not HOW.fullmatch(line)]
    while words and not words[-1].strip():
        words.pop()
    whole = "\n".join(words)
    labels: list[str] = []
    while words and (found := CHOICE.fullmatch(words[-1]) or words[-1].startswith(("“", "http"))):
        line = words.pop()
        if line.startswith("“"):
            labels = [*STEP.findall(line), *labels]
        elif line.startswith("http"):
            labels = [words.pop(), *labels]
        elif isinstance(found, re.Match):
            labels = [found[2], *labels]
    return [Shown("\n".join(words), labels), Shown(whole, [])]


def _link(mail: Mail) -> str:
    """The link of a mail to our own pages, that to end reminders apart; empty: it has none."""
    stop = mail.header("List-Unsubscribe").strip("<>")
    return next((url for _, url in mail.links if "/l/" in url and url != stop), "")


@dataclass
class EmailSeat:
    """Somebody with a mailbox and a browser."""

    person: Person
    stage: EmailStage
    programs: Iterator[str]
    wanted: str = ""
    slow: bool = True
    before: int = 0
    web: WebSeat | None = None
    on_web: bool = False
    page: str = ""
    followed: set[str] = field(default_factory=set)

    async def say(self, text: str) -> None:
        self.wanted = ""
        if self.on_web and self.web and await self._filling_in():
            await self.web.say(text)
            return
        self.on_web, self.before = False, len(self.person.mails)
        if self.person.mails:
            await self.person.replies(self.person.last, text, next(self.programs), wait=False)
        else:
            await self.person.writes(self.stage.sender, text, "", wait=False)

    async def tap(self, label: str) -> None:
        self.wanted = ""
        if self.page:
            await self._press_page(label)
            return
        if self.on_web and self.web:
            await self.web.tap(label)
            return
        mail = next((one for one in reversed(self.person.mails) if self._chosen(one, label)), None)
        assert mail, f"no mail with {label!r}, only {[one.text for one in self.person.mails]}"
        self.before = len(self.person.mails)
        await self.person.replies(mail, self._chosen(mail, label), next(self.programs), wait=False)

    async def expect(self, text: str) -> None:
        self.wanted, self.before, self.on_web = text, 0, False

    async def screen(self) -> list[Shown]:
        if not self.on_web:
            found = [mail for mail in self.person.mails[self.before :] if self._awaited(mail)]
            if not found:
                return await self._behind_links() if self.wanted else []
            mail = found[-1]
            link = _link(mail)
            if not link:
                return shown(mail)
            if mail.id not in self.followed:
                self.followed.add(mail.id)
                return await self._follow(link)
            if self.page:
                return [self._page()]
        assert self.web
        return await self.web.screen()

    def _awaited(self, mail: Mail) -> bool:
        """Whether this may be what is waited for: a delivery with certain words, or else an answer."""
        if self.wanted:
            return self.wanted in mail.text
        return "References" not in mail.parsed or mail.header("Auto-Submitted") == "auto-replied"

    async def _behind_links(self) -> list[Shown]:
        """What was delivered, where the mail may only say that there is something: what its link brings."""
        for mail in self.person.mails:
            if (link := _link(mail)) and "/l/m/" not in link and mail.id not in self.followed:
                self.followed.add(mail.id)
                brought = await self._follow(link)
                if any(self.wanted in one.text for one in brought):
                    return brought
                self.on_web = False
        return []

    # -- links -------------------------------------------------------------------------------------------------

    async def _follow(self, url: str) -> list[Shown]:
        path = url.removeprefix(self.stage.url)
        browser = self.web.browser if self.web else self.stage.browser()
        page = await browser.open(path)
        if "/l/m/" in path:
            self.web, self.page = WebSeat(browser), page
            return [self._page()]
        assert 'name="link"' in page, page
        await browser.enter(path, consent=True)
        self.web = self.web or WebSeat(browser)
        self.web._keep(browser.data["lines"])
        self.web.newest = max(line for line in self.web.lines if not self.web.lines[line]["mine"])
        self.web.wanted, self.on_web = "", True
        keys = [key for row in self.web.lines[self.web.newest]["keys"] for key in row]
        if "邮件里不能直接办" in self.web.lines[self.web.newest]["text"] and len(keys) == 1 and "press" in keys[0]:
            await self.web.tap(keys[0]["label"])  # what was asked for by mail begins here
        return await self.web.screen()

    def _page(self) -> Shown:
        words = re.findall(r"<p[^>]*>(.*?)</p>", self.page, re.DOTALL)[:-1]  # the last is the house's name
        buttons = re.findall(r"<button[^>]*>(.*?)</button>", self.page, re.DOTALL)
        return Shown("\n".join(html.unescape(one) for one in words), [html.unescape(one) for one in buttons])

    async def _press_page(self, label: str) -> None:
        assert self.web
        action = re.search(r'action="([^"]+)"', self.page)
        token = re.search(r'name="link" value="([^"]+)"', self.page)
        value = re.search(rf'value="(\w+)"[^>]*>{re.escape(label)}<', self.page)
        if not (action and token and value):
            raise AssertionError(f"no button {label!r} on the page:\n{self.page}")
        self.before, self.page = len(self.person.mails), ""
        await self.web.browser.submit(action[1], link=token[1], answer=value[1])

    async def _filling_in(self) -> bool:
        """Whether a dialogue is open in the web chat."""
        assert self.web
        labels = {label for one in await self.web.screen() for label in one.labels or []}
        return bool(labels & STEPS)

    @staticmethod
    def _chosen(mail: Mail, label: str) -> str:
        """What to write for a choice of a mail: its number, or the word of a step; empty: it has none such."""
        choices = shown(mail)[0].labels or []
        numbers = mail.numbered()
        found = label if label in choices else next((one for one in choices if label in one), "")
        return numbers.get(found, found)


class EmailStage(_Stage):
    """Everybody has a mailbox."""

    sender = "tiexin@party.example"

    def __init__(self, house: House, port: int, mail: FakeMail, browser: Callable[[], Browser]) -> None:
        super().__init__(house, port)
        self.mail, self.browser, self._next = mail, browser, 0

    async def seat(self, name: str) -> EmailSeat:
        self._next += 1
        address = f"p{self._next}@qq.com"
        if name in self.house.ids:
            await asyncio.to_thread(self._bind, name, address)
        return EmailSeat(self.mail.person(address, name), self, itertools.cycle(PROGRAMS))

    def _bind(self, name: str, address: str) -> None:
        with self.house.app.database.write() as tx:
            addresses.bind(tx, self.house.ids[name], Address("email", address), self.house.now, consent="test")


def settings(mail: FakeMail, lmtp_port: int, **more: str) -> dict[str, str]:
    """A configuration between these servers."""
    return {
        "email__smtp_host": mail.host, "email__smtp_port": str(mail.smtp_port), "email__smtp_security": "none",
        "email__sender": f"tiexin@{mail.domain}", "email__lmtp_port": str(lmtp_port),
        "email__authserv_id": mail.mx.authserv_id, "email__rate": "1000", "email__burst": "500",
        "email__answers_per_hour": "1000", **more,
    }  # fmt: skip


@asynccontextmanager
async def email_stage(folder: Path) -> AsyncIterator[EmailStage]:
    port, lmtp_port = free_port(), free_port()
    sessions: list[aiohttp.ClientSession] = []

    def browser() -> Browser:
        jar = aiohttp.CookieJar(unsafe=True)
        sessions.append(aiohttp.ClientSession(cookie_jar=jar, headers={"Accept-Language": "zh-CN"}))
        return Browser(f"http://127.0.0.1:{port}", sessions[-1])

    async with FakeMail("party.example", clock=RealClock()) as mail:
        house = build_house(
            folder, server__port=str(port), server__public_url=f"http://127.0.0.1:{port}", **settings(mail, lmtp_port)
        )
        mail.brings_to("127.0.0.1", lmtp_port)
        stage = EmailStage(house, port, mail, browser)
        async with _serving(house, port):
            try:
                yield stage
            finally:
                for session in sessions:
                    await session.close()

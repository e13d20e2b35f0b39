"""What do people do in the afternoon, each by the means of the channel on which they have read something?

A button in Telegram; a card in WeCom; a line to tap, a word or a number to type in WeChat; a word or a number mailed
back; the page of the web chat, be it their own or that behind the link of a mail or a WeChat notice.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from storage import web
from tests.afternoon import Town
from tests.afternoon_people import Member, Members, brought, words
from tests.fakes.mail import PROGRAMS, Mail
from tests.sites import Browser, new_id

REPLYING = sorted(set(PROGRAMS) - {"bare", "mutt"})
AGAIN = "改投"
CHOICE = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)
Heads = tuple[str, ...]
"""How a message begins; last, how it does in a mail, where that is something else."""


class Hand:
    """Whoever does something, in the town. `chance` decides what nobody else does."""

    def __init__(self, town: Town, members: Members, chance: random.Random) -> None:
        self._town, self._members, self._chance = town, members, chance
        self.ways: dict[str, int] = {}
        """How often each means was used."""
        self.by_link: set[int] = set()
        """Who has answered behind a link: that stands in the web chat once more, and is what was answered there."""
        self._spoke: dict[int, float] = {}
        """When each has last said something on WeChat: a word is understood under what has come since."""

    async def presses(self, member: Member, channel: str, heads: Heads, label: str) -> None:
        """Press what is called `label` under the message that begins like this."""
        await getattr(self, f"_{channel}")(member, heads, label)
        await self._town.rest()

    async def votes_anew(self, member: Member, channel: str, heads: Heads, label: str) -> None:
        """Vote once more, where the first vote stands."""
        await self.presses(member, channel, heads, AGAIN)
        await self.presses(member, channel, heads, label)

    def _used(self, means: str) -> None:
        self.ways[means] = self.ways.get(means, 0) + 1

    async def _telegram(self, member: Member, heads: Heads, label: str) -> None:
        assert member.telegram
        self._used("a button of Telegram's")
        await member.telegram.taps(label, on=None if label == AGAIN else heads[0])

    async def _wecom(self, member: Member, _heads: Heads, label: str) -> None:
        assert member.wecom
        self._used("a card of WeCom's")
        await member.wecom.taps(label)

    async def _wechat(self, member: Member, heads: Heads, label: str) -> None:
        assert member.wechat
        line = next(one for one in reversed(brought(member.wechat)) if words(one).startswith(heads))
        if line.via == "subscribe":
            self._used("the page of a WeChat notice")
            await self._behind(member, line.url, heads, label)
        elif heads[0].startswith("【投票】") and self._chance.random() < 0.3:
            self._used("a number in WeChat")
            await member.wechat.says("投票")
            for wanted in (AGAIN, label):  # whoever has voted elsewhere says first that it is to be another
                found = {said: number for number, said in CHOICE.findall(member.wechat.last.text)}
                if wanted in found:
                    await member.wechat.says(found[wanted])
        elif self._spoke.get(member.id, 0.0) < line.at and self._chance.random() < 0.5:
            self._used("a word in WeChat")
            await member.wechat.says(label)
        else:
            self._used("a line to tap in WeChat")
            await member.wechat.taps(label, on=line)
        self._spoke[member.id] = self._town.clock.now()

    async def _email(self, member: Member, heads: Heads, label: str) -> None:
        assert member.email
        mail = member.email.mail(heads[-1])
        numbers = mail.numbered()
        if label not in numbers:
            self._used("the page of a mail")
            await self._behind(member, _link(mail), heads, label)
            return
        word = self._chance.choice([label, numbers[label]])
        self._used("a word by mail" if word == label else "a number by mail")
        copies = 2 if self._chance.random() < 0.1 else 1
        await member.email.replies(mail, word, self._chance.choice(REPLYING), copies=copies)

    async def _web(self, member: Member, heads: Heads, label: str) -> None:
        self._used("the web chat")
        if member.browser is None:
            member.browser, token = await self._town.browser(), new_id()
            until = self._town.clock.instant() + timedelta(minutes=15)
            await self._town.writer.run(lambda tx: web.add_link(tx, token, member.id, until))
            await member.browser.submit(f"/l/{token}", link=token)
        await self._on_page(member.browser, heads, label)

    async def _behind(self, member: Member, url: str, heads: Heads, label: str) -> None:
        """Open a link, agree to the web chat where that is asked, and go on there."""
        member.browser = member.browser or await self._town.browser()
        path = urlsplit(url).path
        await member.browser.submit(path, link=path.removeprefix("/l/"), consent="yes")
        member.has_web = True
        self.by_link.add(member.id)
        self._members.by_key["web", f"p{member.id}"] = member
        await self._on_page(member.browser, heads, label)

    @staticmethod
    async def _on_page(browser: Browser, heads: Heads, label: str) -> None:
        await browser.open("/chat")
        lines: list[Mapping[str, Any]] = browser.data["lines"]
        labels = [(line, [key["label"] for row in line["keys"] for key in row]) for line in reversed(lines)]
        line = next(line for line, shown in labels if label in shown and (label == AGAIN or heads[0] in line["text"]))
        await browser.tap(dict(line), label)


def _link(mail: Mail) -> str:
    """Where the one link of a mail leads to our pages."""
    return next(url for _, url in mail.links if "/l/" in url and "/l/m/" not in url)

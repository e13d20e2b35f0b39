"""How does the afternoon go: what has been before it, what is told in it, and what do people do meanwhile?"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.notices import desk
from handlers.notices.desk import Draft
from handlers.voting import desk as voting
from handlers.voting.desk import Plan as Question
from storage import campaigns
from storage.audit import OPERATOR
from storage.house import Tx
from tests import wechat_house
from tests.afternoon import Town
from tests.afternoon_acts import Hand
from tests.afternoon_people import Copies, Member, Members, copies
from tests.fakes.mail import Mailbox
from tests.fakes.mail.faults import NO_SUCH_USER
from tests.people import NOW

TODAY = NOW - timedelta(hours=10)
"""Midnight in Beijing."""


def at(hour: float) -> datetime:
    """A time of the day, in Beijing."""
    return TODAY + timedelta(hours=hour)


DRILL, CANTEEN, LECTURE, VOTE = "周五消防演练", "食堂调整时间", "主题党日安排", "推荐优秀党员"
OPTIONS = ("王芳", "孙明", "吴强", "陈晓")
BY_MAIL = "您有一项投票"
"""What a mail says of a vote: it does not carry it."""
IN_PLACE = ("telegram", "wecom", "web")
"""Where a copy can be changed, so that one answer shows on the others."""


@dataclass(frozen=True)
class Told:
    """Something that was told: its heads, and whom it could reach when it was, by the platforms' own truth."""

    heads: tuple[str, ...]
    could: dict[int, list[str]]
    subject: int = 0
    campaign: int = 0


class Afternoon:
    """The afternoon, as it goes on: `await afternoon.goes_on_until(at(15))`, and what people do meanwhile is done."""

    def __init__(self, here: Town, members: Members, chance: random.Random) -> None:
        self.here, self.members, self.chance = here, members, chance
        self.hand = Hand(here, members, chance)
        self.votes: dict[int, int] = {}
        self.confirmed: set[int] = set()
        self._plans: list[tuple[datetime, int, Callable[[], Awaitable[object]]]] = []

    def plan(self, moment: datetime, act: Callable[[], Awaitable[object]]) -> None:
        self._plans.append((moment, len(self._plans), act))

    async def goes_on_until(self, moment: datetime) -> None:
        self._plans.sort(reverse=True)
        while self._plans and self._plans[-1][0] <= moment:
            when, _, act = self._plans.pop()
            await self.here.until(when)
            await act()
        await self.here.until(moment)

    def sometime(self, begin: float, end: float) -> datetime:
        return at(self.chance.uniform(begin, end))

    async def notice(self, title: str, *, ask: bool = False, channels: str = "all", scope: str = "all") -> Told:
        """It is sent; some minutes later it has arrived wherever it will."""
        draft = Draft(title, f"{title}，请留意。", scope, ask, channels)
        return await self._told(
            "notice", lambda tx, now: desk.send(tx, now, OPERATOR, None, draft), f"【通知】{title}"
        )

    async def vote(self, closes: datetime) -> Told:
        question = Question(VOTE, OPTIONS, "all", closes, secret=False)

        def work(tx: Tx, now: datetime) -> int:
            poll = voting.create(tx, now, OPERATOR, self.here.house.orgs["海川公司党委"], question)
            voting.open_(tx, now, OPERATOR, poll)
            return poll

        return await self._told("poll", work, f"【投票】{VOTE}", BY_MAIL)

    async def _told(self, kind: str, work: Callable[[Tx, datetime], int], *heads: str) -> Told:
        could = {member.id: member.open() for member in self.members}
        now = self.here.clock.instant()

        def decide(tx: Tx) -> tuple[int, int]:
            subject = work(tx, now)
            return subject, campaigns.about(tx, kind, subject)[0].id

        subject, campaign = await self.here.writer.run(decide)
        self.here.workers.wake()
        return Told(heads, could, subject, campaign)

    def copies(self, told: Told) -> Copies:
        return copies(self.here, self.members, *told.heads)


# -- before ------------------------------------------------------------------------------------------------------


def morning(afternoon: Afternoon) -> None:
    """What has been until half past one: who has written on WeChat and when, who allowed notices, who has gone."""
    here, members = afternoon.here, afternoon.members

    def each(trait: str, moment: Callable[[], datetime], act: Callable[[Member], Awaitable[object]]) -> None:
        for member in members.having(trait):
            afternoon.plan(moment(), lambda member=member: act(member))  # type: ignore[misc]  # bound at once

    async def greets(member: Member) -> None:
        assert member.wechat
        await member.wechat.says("你好")

    async def allows(member: Member) -> None:
        assert member.wechat
        await member.wechat.allows(wechat_house.NOTICE)

    async def leaves(member: Member) -> None:
        assert member.wechat
        await member.wechat.unfollows()

    async def comes_back(member: Member) -> None:
        assert member.wechat
        await member.wechat.follows()

    each("wechat:closes-at-three", lambda: at(13.5 - 46.72), greets)
    each("wechat:closes-in-the-evening", lambda: at(13.5 - 45), greets)
    each("wechat:lately", lambda: afternoon.sometime(9, 12), greets)
    each("wechat:used-up", lambda: at(10.5), greets)
    for number in range(9):
        each("wechat:credits", lambda number=number: at(9 + number / 60), allows)  # type: ignore[misc]  # bound at once
    each("wechat:one-credit", lambda: at(9), allows)
    each("wechat:left", lambda: at(9.5), leaves)
    each("wechat:followed-just-now", lambda: at(9.5), leaves)
    each("wechat:followed-just-now", lambda: at(13.5) - timedelta(seconds=20), comes_back)

    async def works() -> None:
        here.begin()

    async def four_notices() -> None:
        scope = ",".join(f"member:{member.number}" for member in members.having("wechat:used-up"))
        for number in range(4):
            await afternoon.notice(f"值班提醒{number}", scope=scope)

    afternoon.plan(at(10.9), works)
    afternoon.plan(at(11), four_notices)


def surprises(afternoon: Afternoon) -> None:
    """What the house finds out only by trying, or is told as it happens."""
    members = afternoon.members
    for member in members.having("telegram"):
        if member.email is None and member.wecom is None and afternoon.chance.random() < 0.05:
            assert member.telegram
            afternoon.plan(at(13.75), member.telegram.blocks)
    for member in members.having("wecom")[::25]:
        assert member.wecom
        afternoon.plan(at(13.75), _at_once(member.wecom.leaves))
    for member in members.having("wechat:lately")[::20]:
        assert member.wechat
        afternoon.plan(at(13.8), member.wechat.unfollows)
    for member in (*members.having("own")[::3], *members.having("email")[::30]):
        assert member.email
        afternoon.plan(at(13.8), _at_once(lambda box=member.email.mailbox: _closes(box)))  # type: ignore[misc]  # bound at once


def _at_once(act: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    async def later() -> None:
        act()

    return later


def _closes(box: Mailbox) -> None:
    box.bounces = ("failed", NO_SUCH_USER)


def chatter(afternoon: Afternoon) -> None:
    """In the very minute in which a notice goes out, some ask for something."""
    for member in afternoon.members.having("telegram")[:40]:
        assert member.telegram
        afternoon.plan(afternoon.sometime(13.5, 13.5 + 1 / 60), lambda one=member.telegram: one.says("通知"))  # type: ignore[misc]  # bound at once
    for member in afternoon.members.having("wecom")[30:50]:
        assert member.wecom
        afternoon.plan(afternoon.sometime(13.5, 13.5 + 1 / 60), lambda one=member.wecom: one.says("通知"))  # type: ignore[misc]  # bound at once


def answers(afternoon: Afternoon, told: Told, copies: Copies) -> None:
    """Three in four confirm, each by one of the ways on which they have read it; some once more by another."""
    for member, ways in _readers(afternoon, told, copies):
        moment = afternoon.sometime(14.91, 16.5)
        for channel in ways:
            afternoon.plan(moment, _confirms(afternoon, told, member, channel))
            moment += timedelta(minutes=afternoon.chance.uniform(1, 30))


def _readers(afternoon: Afternoon, told: Told, copies: Copies) -> Iterator[tuple[Member, list[str]]]:
    """Three in four of those who have read something, and on which channels each of them answers it.

    A second answer comes by a channel on which a copy cannot be changed, so that it still asks for one.
    """
    for member in afternoon.members:
        ways = [channel for channel in told.could[member.id] if copies[member.id, channel]]
        if ways and afternoon.chance.random() < 0.75:
            first = afternoon.chance.choice(ways)
            others = [channel for channel in ("wechat", "email") if channel in ways and channel != first]
            yield member, [first, *(others if afternoon.chance.random() < 0.3 else [])]


def _confirms(afternoon: Afternoon, told: Told, member: Member, channel: str) -> Callable[[], Awaitable[None]]:
    async def act() -> None:
        await afternoon.hand.presses(member, channel, told.heads, "收到")
        afternoon.confirmed.add(member.id)

    return act


def votes(afternoon: Afternoon, told: Told, copies: Copies) -> None:
    """Three in four vote; some by two ways, some anew where they have voted. The last one counts."""
    for member, ways in _readers(afternoon, told, copies):
        moment = afternoon.sometime(15.57, 16.7)
        for channel in ways:
            afternoon.plan(moment, _votes(afternoon, told, member, channel, anew=False))
            moment += timedelta(minutes=afternoon.chance.uniform(1, 30))
        if len(ways) == 1 and ways[0] in IN_PLACE and afternoon.chance.random() < 0.2:
            afternoon.plan(moment, _votes(afternoon, told, member, ways[0], anew=True))


def _votes(
    afternoon: Afternoon, told: Told, member: Member, channel: str, *, anew: bool
) -> Callable[[], Awaitable[None]]:
    async def act() -> None:
        place = afternoon.chance.randint(1, len(OPTIONS))
        if anew:
            await afternoon.hand.votes_anew(member, channel, told.heads, OPTIONS[place - 1])
        else:
            await afternoon.hand.presses(member, channel, told.heads, OPTIONS[place - 1])
        afternoon.votes[member.id] = place

    return act

"""Who are the 443 of the afternoon, by what can each of them be reached in truth, and what has really come to them?

Whether somebody can be reached is read off the platforms themselves: who has blocked us, whose window is open, whose
mailbox sends everything back. What the house believes about that is not asked here.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from bot.core.event import Address
from storage import addresses, people, preferences, web
from tests import wechat_house
from tests.afternoon import Town
from tests.fakes.mail import Person as Correspondent
from tests.fakes.mail.faults import NO_SUCH_USER
from tests.fakes.telegram import Message
from tests.fakes.telegram import Person as Telegrammer
from tests.fakes.wechat import Line
from tests.fakes.wechat import Person as Follower
from tests.fakes.wecom import Person as Colleague
from tests.sites import Browser

ORDER = ("wecom", "wechat", "telegram", "email", "web")
"""In which order channels are tried for whoever has chosen none."""
OWN_ORDER = ("email", "telegram")

MIX: Mapping[str, int] = {
    "telegram": 60, "telegram:blocked": 6, "wecom": 60, "wecom:left": 4, "wechat:lately": 30, "wechat:used-up": 8,
    "wechat:closes-at-three": 8, "wechat:closes-in-the-evening": 5, "wechat:followed-just-now": 3,
    "wechat:credits": 10, "wechat:one-credit": 10, "wechat:silent": 15, "wechat:left": 3, "email": 50,
    "email:bounces": 1, "web": 40,
    "telegram email": 22, "telegram:dead email": 3, "telegram email:bounces": 2, "telegram:blocked email": 6,
    "email telegram own": 3, "wecom wechat:silent": 25, "wecom:left web": 3, "wecom web": 12,
    "wechat:lately email": 20, "wechat:silent email": 7, "wecom telegram email": 8, "wecom telegram email own": 4,
    "wechat:lately telegram web": 5, "telegram:dead": 3,
}  # fmt: skip
"""What people have, and how many have it. The seven of the house itself have nothing, as happens."""

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏"
FIRST, SECOND = "建秀志桂", "华英强兰"

PROLOGUE = timedelta(hours=47)
"""How long before the afternoon the first of them say something."""


@dataclass(eq=False)
class Member:
    """Somebody, with what they hold in their hands."""

    id: int
    name: str
    number: str
    traits: frozenset[str]
    telegram: Telegrammer | None = None
    wecom: Colleague | None = None
    wechat: Follower | None = None
    email: Correspondent | None = None
    has_web: bool = False
    browser: Browser | None = None
    order: tuple[str, ...] = ORDER

    def open(self) -> list[str]:
        """The channels on which something sent now arrives, in the order in which they are tried."""
        can = {
            "telegram": self.telegram is not None and not self.telegram.room.blocked,
            "wecom": self.wecom is not None and self.wecom.member.active,
            "wechat": self.wechat is not None and self._wechat_takes(self.wechat),
            "email": self.email is not None and self.email.mailbox.bounces is None,
            "web": self.has_web,
        }
        return [channel for channel in self.order if can[channel]]

    @staticmethod
    def _wechat_takes(one: Follower) -> bool:
        credit = one.follower.credits[wechat_house.NOTICE] > 0
        return one.follower.following and (one.sends_left > 0 or credit)


@dataclass
class Members:
    """All of them, and who has which key."""

    everybody: list[Member] = field(default_factory=list)
    by_key: dict[tuple[str, str], Member] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[int, Member]:
        return {one.id: one for one in self.everybody}

    def having(self, trait: str) -> list[Member]:
        return [one for one in self.everybody if trait in one.traits]

    def __iter__(self) -> Iterator[Member]:
        return iter(self.everybody)


def settle(town: Town, chance: random.Random) -> Members:
    """Everybody takes a seat: 443 with the seven of the house."""
    app, now = town.house.app, town.clock.instant()
    found = Members([Member(id, name, "", frozenset()) for name, id in town.house.ids.items()])
    kinds = [kind for kind, count in MIX.items() for _ in range(count)]
    names = ["".join(pair) for pair in itertools.product(SURNAMES, FIRST, SECOND)][: len(kinds)]
    assert len(kinds) + len(found.everybody) == 443
    chance.shuffle(kinds)
    branches = [town.house.orgs[name].id for name in ("第一支部", "第二支部")]
    rows = [
        {"number": f"HC{n:04}", "name": name, "kind": "正式党员", "organisation_id": branches[n % 2]}
        for n, name in enumerate(names)
    ]
    with app.database.write() as tx:
        ids = people.add_many(tx, now, rows)
    for n, (id, name, kind) in enumerate(zip(ids, names, kinds, strict=True)):
        member = Member(id, name, f"HC{n:04}", frozenset(kind.split(" ")))
        found.everybody.append(member)
        for trait in kind.split(" "):
            if trait == "own":
                member.order = (*OWN_ORDER, *(channel for channel in ORDER if channel not in OWN_ORDER))
            else:
                found.by_key[_key(town, member, n, *trait.partition(":")[::2])] = member
    with app.database.write() as tx:
        for (channel, key), member in found.by_key.items():
            addresses.bind(tx, member.id, Address(channel, key), now, consent="test")
            if f"{channel}:dead" in member.traits:
                addresses.set_dead(tx, Address(channel, key), dead=True)
        for member in found.having("own"):
            preferences.put(tx, now, member.id, OWN_ORDER)
    return found


def _key(town: Town, member: Member, n: int, channel: str, state: str) -> tuple[str, str]:
    """Give somebody what they need for a channel; its key. What is wrong with it from the beginning, nobody knows."""
    match channel:
        case "telegram":
            member.telegram = town.telegram.user(7_000_000_000 + n, member.name)
            member.telegram.room.started, member.telegram.room.blocked = True, bool(state)
            return channel, str(member.telegram.id)
        case "wecom":
            member.wecom = town.wecom.person(f"HC{n:04}", member.name)
            member.wecom.member.active = not state
            return channel, f"hc{n:04}"
        case "wechat":
            member.wechat = town.wechat.user(member.name)
            return channel, member.wechat.openid
        case "email":
            domain = ("qq.com", "163.com", "haichuan.example")[n % 3]
            member.email = town.mail.person(f"hc{n:04}@{domain}", member.name)
            if state:
                member.email.mailbox.bounces = (("failed", "qq", "163")[n % 3], NO_SUCH_USER)
            return channel, member.email.address
    member.has_web = True
    return "web", f"p{member.id}"


# -- what has come -----------------------------------------------------------------------------------------------

Copies = Counter[tuple[int, str]]
"""How many copies of something have come: by person and channel."""


def copies(town: Town, members: Members, *heads: str) -> Copies:
    """Copies of what begins with one of these words, by the books of those who have carried them.

    An answer to somebody who has just said something is none of them.
    """
    carried = [
        *_telegram(town, heads), *_wecom(town, heads), *_wechat(town, heads), *_email(town, heads),
        *_web(town, members, heads),
    ]  # fmt: skip
    return Counter((members.by_key[channel, key].id, channel) for channel, key in carried)


def _telegram(town: Town, heads: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for call in town.telegram.called("sendMessage"):
        if call.via == "request" and call.status == 200 and call.params.text("text").startswith(heads):
            yield "telegram", call.params.text("chat_id")


def _wecom(town: Town, heads: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for call in town.wecom.called("message/send"):
        if call.errcode == 0 and _said_on_wecom(call.body).startswith(heads):
            yield "wecom", call.body["touser"]


def _said_on_wecom(message: dict[str, Any]) -> str:
    """What a message of WeCom's says first: its text, its Markdown without the bold, or the title of its card."""
    match message["msgtype"]:
        case "markdown":
            return str(message["markdown"]["content"]).replace("**", "")
        case "template_card":
            return str(message["template_card"]["main_title"]["title"])
        case _:
            return str(message.get("text", {}).get("content", ""))


def _wechat(town: Town, heads: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for person in town.wechat.people:
        for line in brought(person):
            if words(line).startswith(heads):
                yield "wechat", person.openid


def brought(person: Follower) -> list[Line]:
    """What we have sent to somebody on WeChat, answers apart."""
    return [line for line in person.messages if line.via != "passive"]


def words(line: Line) -> str:
    """What a line of WeChat's says; of a notice that was allowed, what it is about."""
    return line.fields.get("thing1", line.text)


def _email(town: Town, heads: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for mail in town.mail.mails:
        if any(head in mail.text for head in heads) and mail.header("Auto-Submitted") == "auto-generated":
            yield "email", mail.recipient


def _web(town: Town, members: Members, heads: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    with town.house.app.database.read() as tx:
        for member in members:
            if member.has_web:
                for line in web.lines(tx, f"p{member.id}"):
                    if not line.mine and str(line.body["text"]).startswith(heads):
                        yield "web", f"p{member.id}"


# -- how it looks now --------------------------------------------------------------------------------------------


def shown(town: Town, member: Member, channel: str, about: str) -> list[tuple[str, list[str]]]:
    """What stands before somebody now that names this, and what can be pressed there: where copies can be changed."""
    if channel == "telegram":
        assert member.telegram
        found = [(line.text, line.labels) for line in member.telegram.chat if isinstance(line, Message)]
    elif channel == "wecom":
        assert member.wecom
        found = [(line.words, line.labels) for line in member.wecom.lines]
    else:
        with town.house.app.database.read() as tx:
            bodies = [line.body for line in web.lines(tx, f"p{member.id}")]
        found = [(body["text"], [key["label"] for row in body["keys"] for key in row]) for body in bodies]
    return [(text, labels) for text, labels in found if about in text]

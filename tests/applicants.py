"""Applicants: somebody applies, the branch receives and records, and what stands in the roster then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from handlers.joining import branch
from handlers.joining.branch import Entry
from handlers.joining.guards import Facts
from handlers.joining.rules import Introducer
from storage import applications, campaigns, people
from storage.audit import Actor
from storage.house import Tx
from tests.people import Chat, House

T = TypeVar("T")
STATEMENT = "我志愿加入中国共产党，愿意为群众多做实事，接受党组织的教育和考验。" * 4


def work(house: House, act: Callable[[Tx], T]) -> T:
    with house.app.database.write() as tx:
        return act(tx)


def by(house: House, name: str) -> Actor:
    return Actor(house.ids[name], name, "chat")


def number(house: House, name: str) -> int:
    with house.app.database.read() as tx:  # a reader never waits, not even inside a transaction of its own
        filed = applications.latest_of(tx, house.ids[name])
    assert filed is not None
    return filed.id


def apply(house: House, name: str = "周敏", statement: str = STATEMENT, channel: str = "telegram") -> Chat:
    """Somebody hands in an application, in a chat."""
    if name not in house.ids:
        house.person(name, f"3{len(house.ids):03d}", kind="群众")
    chat = house.chat(name, channel)
    chat.say("我要入党")
    chat.tap("开始申请")
    chat.tap("我同意")
    chat.say("2000-02-29")
    chat.say(statement)
    chat.say("完")
    chat.tap("提交")
    return chat


def receive(house: House, day: str, *, name: str = "周敏", who: str = "李书记") -> None:
    """The branch receives an application."""
    application, on = number(house, name), date.fromisoformat(day)
    work(house, lambda tx: branch.receive(tx, house.now, by(house, who), application, on, ""))


def record(house: House, name: str, step: str, day: str, **facts: object) -> None:
    """A step is recorded by the secretary."""
    entry = Entry(step, date.fromisoformat(day), facts=Facts(**facts))  # type: ignore[arg-type]  # as written
    work(house, lambda tx: branch.record(tx, house.now, by(house, "李书记"), number(house, name), entry))


def kind(house: House, name: str) -> str:
    return work(house, lambda tx: people.get(tx, house.ids[name]).kind)


def told(house: House, name: str) -> list[str]:
    """What campaigns say to somebody now."""
    with house.app.database.read() as tx:
        tellings = campaigns.sent_by(tx, house.now)
        mine = [one for one in tellings if house.ids[name] in campaigns.recipients(tx, one.id)]
    return [message.text for one in mine if (message := house.compose(one, name))]


VOTES = {"expected": 22, "present": 20, "favour": 18}
TWO = (Introducer(True), Introducer(True))

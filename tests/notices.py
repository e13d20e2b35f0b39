"""Notices for the tests: sent, delivered as the outbox would, and how they stand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.core.reply import Refused
from handlers.notices import desk
from handlers.notices.desk import Draft
from handlers.notices.progress import Standing
from storage import campaigns, deliveries, notices
from storage.audit import OPERATOR, Actor
from storage.campaigns import Telling
from storage.deliveries import Outcome
from tests.people import House

CHANNELS = ("telegram", "web", "wechat")


def send(house: House, actor: Actor = OPERATOR, **changes: Any) -> int:
    """A notice that asks to be confirmed, to everybody unless `changes` say otherwise."""
    values: dict[str, Any] = {
        "title": "支部大会",
        "body": "周五下午三点开会。",
        "scope": "all",
        "ask_ack": True,
    } | changes
    with house.app.database.write() as tx:
        return desk.send(tx, house.now, actor, None, Draft(**values))


def refused(house: House, actor: Actor = OPERATOR, **changes: Any) -> Refused:
    """The no that such a notice gets; nothing of it is kept."""
    with pytest.raises(Refused) as no:
        send(house, actor=actor, **changes)
    with house.app.database.read() as tx:
        assert notices.listed(tx) == []
    return no.value


def person(house: House, name: str) -> Actor:
    return Actor(house.ids[name], name, "chat")


def standing(house: House, notice: int) -> Standing:
    with house.app.database.read() as tx:
        return desk.standing(tx, house.now, OPERATOR, notice)


def about(house: House, notice: int) -> list[Telling]:
    """The notice's campaigns: itself, and its nudges."""
    with house.app.database.read() as tx:
        return campaigns.about(tx, "notice", notice)


def names(house: House, telling: Telling) -> set[str]:
    """Whom a campaign goes to."""
    known = {person_id: name for name, person_id in house.ids.items()}
    with house.app.database.read() as tx:
        return {known[person_id] for person_id in campaigns.recipients(tx, telling.id)}


def deliver(house: House, outcome: str = "accepted", most: int = 100) -> int:
    """What the outbox does: write the deliveries that are due and send at most so many of each channel."""
    sent = 0
    with house.app.database.write() as tx:
        while campaigns.expand(tx, house.now):
            pass
        for channel in CHANNELS:
            due = deliveries.claim(tx, house.now, "me", channel, most, timedelta(minutes=1))
            deliveries.begin(tx, house.now, "me", [one.id for one in due])
            outcomes = [Outcome(one.id, outcome, f"m{one.id}" if outcome == "accepted" else None) for one in due]
            deliveries.finish(tx, house.now, "me", outcomes)
            sent += len(due)
    return sent


def by_state(house: House, notice: int, name: str) -> dict[str, str]:
    """The state of somebody's copies, by channel, of the notice itself."""
    first = about(house, notice)[0]
    statement = text("SELECT channel, state FROM delivery WHERE campaign_id = :campaign AND person_id = :person")
    with house.app.database.read() as tx:
        return {row[0]: row[1] for row in tx.run(statement, {"campaign": first.id, "person": house.ids[name]})}

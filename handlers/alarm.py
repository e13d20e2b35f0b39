"""Who is told when something of ours breaks? The operator named in the configuration, at most once an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.reply import Grade, Reply, words
from storage import campaigns, people, settings
from storage.campaigns import Telling
from storage.house import Tx

QUIET = timedelta(hours=1)
_LAST = "alarm.last"


def sound(tx: Tx, now: datetime, number: str) -> None:
    """Tell the operator that an error of ours has this number. Without one in the house, the log has to do."""
    operator = people.by_number(tx, tx.house.operator) if tx.house.operator else None
    last = settings.moment(tx, _LAST)
    if operator is None or operator.left_on or (last and now - last < QUIET):
        return
    settings.put(tx, _LAST, now.isoformat())
    campaigns.create(tx, now, "alarm", operator.id, [operator.id], number=number)


def tell(_tx: Tx, _now: datetime, telling: Telling, _person_id: int) -> Reply:
    """The alarm as the operator reads it."""
    return Reply(words("home.alarm", number=telling.values["number"]), grade=Grade.PUBLIC)

"""reminders: what has somebody still to do, and when are they told? Each reminder stops when its reason is gone."""

from __future__ import annotations

from collections.abc import Sequence

from handlers import Capability
from handlers.reminders.chat import reminders_router
from handlers.reminders.desk import CAMPAIGN, Desk


def capability(others: Sequence[Capability]) -> Capability:
    """The reminders of the other capabilities: their rounds, told at a good moment, in one message a person."""
    desk = Desk(others)
    return Capability(reminders_router(desk), due=desk.due, tell={CAMPAIGN: desk.tell})

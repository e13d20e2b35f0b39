"""acts: which buttons do reports have, and what is a period called on them?"""

from __future__ import annotations

from bot.core.action import Action
from bot.core.reply import Refused, Words, words
from handlers.reports.rules import Period


class Write(Action, tag="tw", light=True):
    """Hand in (another version of) a report for a period."""

    period: int


class Open(Action, tag="to", light=True):
    """Read a report."""

    report: int


class Status(Action, tag="ts", light=True):
    """Who has handed in for a period."""

    period: int


class Nudge(Action, tag="tn"):
    """Remind those of a branch who have not handed in."""

    period: int
    org: int


class Listed(Action, tag="tl", light=True):
    """The reports of a period that one may read."""

    period: int


class Comment(Action, tag="tc", light=True):
    """Say something to a report."""

    report: int


class Export(Action, tag="tx", light=True):
    """All reports of a branch for a period as one document."""

    period: int
    org: int


def named(period: Period) -> Words:
    """2026年11月, 2026年第4季度."""
    return words("reports.quarter" if period.quarterly else "reports.month", year=period.year, part=period.part)


def pressed(number: int) -> Period:
    """The period of a button: a claim. Raises Refused."""
    try:
        return Period.read(str(Period.numbered(number)))
    except ValueError:
        raise Refused("conversation.stale") from None

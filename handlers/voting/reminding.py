"""voting: who still has to vote in a poll that closes soon?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from bot.core.reply import Button, Phrase, words
from handlers import Item, Kind, Round
from handlers.closing import AHEAD, reminded_at
from handlers.voting.chat import Show, short
from storage import polls
from storage.house import Tx
from storage.polls import Ballot
from storage.reminders import Kept

KIND = "poll.closing"
TOO_LATE = timedelta(minutes=15)


def rounds(tx: Tx, now: datetime) -> Iterable[Round]:
    """A round for each poll that closes soon, for those on its roll who have not voted."""
    for poll in polls.closing(tx, now, now + AHEAD):
        at, until = reminded_at(tx, poll.opens_at, poll.closes_at), poll.closes_at - TOO_LATE
        if at <= now < until:
            yield Round(KIND, str(poll.id), poll.id, at, until, partial(_silent, tx, poll))


def line(tx: Tx, now: datetime, kept: Kept) -> Item | None:
    """The poll, as long as it is open and waits for this person."""
    poll, stand = polls.look(tx, kept.subject, kept.person_id)
    over = poll is None or poll.state != "open" or poll.closes_at <= now
    if over or poll is None or stand is None or stand.choice is not None:
        return None
    return Item(
        words("voting.closing", title=poll.title, closes=poll.closes_at), Button(short(poll.title), Show(poll.id))
    )


REMINDERS = {KIND: Kind(Phrase("投票即将截止"), line)}


def _silent(tx: Tx, poll: Ballot) -> list[int]:
    voted = polls.voters(tx, poll.id)
    return [person for person in polls.roll(tx, poll.id) if person not in voted]

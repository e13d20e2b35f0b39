"""voting: what members see, tap and are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from bot.core.action import Action, Code
from bot.core.reply import Button, Grade, Keyboard, Label, Refused, Reply, words
from handlers import Answer, Item, Router, Turn
from handlers.voting import desk
from storage import polls
from storage.campaigns import Telling
from storage.house import Tx
from storage.polls import Ballot, Stand

router = Router()

LONG = 14
"""Characters that a button of a phone shows; longer options are spelled out in the text above the buttons."""


class Show(Action, tag="vs", light=True):
    """Show a poll: its question, or where one stands."""

    poll: int


class Cast(Action, tag="v"):
    """Choose an option (of several: mark it, or take the mark off). The choice is of this person's own codes."""

    poll: int
    choice: Code


class Again(Action, tag="va"):
    """Vote anew, from the question on."""

    poll: int


class HandIn(Action, tag="vh"):
    """Hand in the marks."""

    poll: int


@router.command("/vote", "投票", "表决")
def vote(turn: Turn, _rest: str) -> Answer:
    """看看有哪些投票在等您，点一下就能投"""
    open_polls = polls.open_for(turn.tx, turn.member.id)
    if not open_polls:
        return Reply(words("voting.none"), grade=Grade.PUBLIC)
    if len(open_polls) == 1:
        return _view(turn.tx, turn.member.id, open_polls[0], _stand(turn, open_polls[0]))
    rows = [(poll, _stand(turn, poll).choice is not None) for poll in open_polls]
    keyboard = tuple((Button(short(poll.title), Show(poll.id)),) for poll in open_polls)
    return Reply(words("voting.several_polls", polls=rows), keyboard, grade=Grade.PERSONAL)


@router.pressed(Show)
def show(turn: Turn, press: Show) -> Answer:
    poll, stand = desk.may_vote(turn.tx, turn.now, turn.member.id, press.poll)
    return _view(turn.tx, turn.member.id, poll, stand)


@router.pressed(Again)
def again(turn: Turn, press: Again) -> Answer:
    poll, stand = desk.may_vote(turn.tx, turn.now, turn.member.id, press.poll)
    marking = stand.choice or () if poll.several else ()
    if poll.several:
        polls.mark(turn.tx, poll.id, turn.member.id, marking)
    return _question(turn.tx, turn.member.id, poll, marking, replaces=True)


@router.pressed(Cast)
def cast(turn: Turn, press: Cast) -> Answer:
    poll, stand = desk.may_vote(turn.tx, turn.now, turn.member.id, press.poll)
    place = desk.place_of(turn.tx, poll, turn.member.id, press.choice)
    if poll.several:
        marking = tuple(sorted(set(stand.marking) ^ {place}))
        if len(marking) > poll.choose_max:
            raise Refused("voting.bad_count", count=len(marking), least=poll.choose_min, most=poll.choose_max)
        polls.mark(turn.tx, poll.id, turn.member.id, marking)
        return _question(turn.tx, turn.member.id, poll, marking, replaces=True)
    desk.vote(turn.tx, turn.now, turn.member.id, poll, (place,), turn.address)
    return _recorded(poll, (place,))


@router.pressed(HandIn)
def hand_in(turn: Turn, press: HandIn) -> Answer:
    poll, stand = desk.may_vote(turn.tx, turn.now, turn.member.id, press.poll)
    if stand.choice is not None and not stand.marking:  # the same tap, seen twice
        return _recorded(poll, stand.choice)
    desk.vote(turn.tx, turn.now, turn.member.id, poll, stand.marking, turn.address)
    return _recorded(poll, stand.marking)


def sheet(turn: Turn) -> list[Item]:
    """The polls that wait for this person's vote, for 我的."""
    return [
        Item(words("voting.waits", title=poll.title, closes=poll.closes_at), Button(short(poll.title), Show(poll.id)))
        for poll in polls.open_for(turn.tx, turn.member.id)
        if _stand(turn, poll).choice is None
    ]


def told(tx: Tx, now: datetime, telling: Telling, person_id: int) -> Reply | None:
    """The question as it goes out, or as a copy of it should look now."""
    poll, stand = polls.look(tx, telling.subject, person_id)
    if poll is None or stand is None:
        return None
    if stand.choice is not None:
        return _voted(poll, stand.choice)
    if poll.state != "open" or poll.closes_at <= now:
        return None
    reply = _question(tx, person_id, poll, stand.marking)
    return replace(reply, words=words("voting.nudge", question=reply.words)) if telling.values.get("nudge") else reply


def waits(tx: Tx, now: datetime, telling: Telling, person_id: int) -> bool:
    """Whether this person may still vote, and has not."""
    poll, stand = polls.look(tx, telling.subject, person_id)
    over = poll is None or poll.state != "open" or poll.closes_at <= now
    return not over and stand is not None and stand.choice is None


def result_to(tx: Tx, _now: datetime, telling: Telling, _person_id: int) -> Reply | None:
    """The result, told to everybody on the roll."""
    poll, result = polls.get(tx, telling.subject), polls.result(tx, telling.subject)
    if poll is None or result is None:
        return None
    said = words("voting.result", poll=poll, result=result)
    grade = Grade.PERSONAL if poll.on_people else Grade.GENERAL
    return Reply(said, grade=grade, outside=words("voting.outside_result"))


# -- how it looks -------------------------------------------------------------------------------------------


def _stand(turn: Turn, poll: Ballot) -> Stand:
    _, stand = polls.look(turn.tx, poll.id, turn.member.id)
    return stand or Stand(None, ())


def _view(tx: Tx, person_id: int, poll: Ballot, stand: Stand) -> Reply:
    if stand.choice is not None:
        return _voted(poll, stand.choice)
    return _question(tx, person_id, poll, stand.marking)


def _question(tx: Tx, person_id: int, poll: Ballot, marking: tuple[int, ...], *, replaces: bool = False) -> Reply:
    spelled = any(len(label) > LONG for label in poll.options)
    rows: list[tuple[Button, ...]] = []
    for place, option in enumerate(poll.options, 1):
        label = f"{place}. {short(option)}" if spelled else option
        if poll.several:
            label = f"{'☑' if place in marking else '☐'} {label}"
        rows.append((Button(label, Cast(poll.id, desk.option_code(tx, poll.id, person_id, place))),))
    if poll.several and len(marking) >= poll.choose_min:
        rows.append((Button(words("voting.hand_in", count=len(marking)), HandIn(poll.id)),))
    turnout = polls.turnout(tx, poll.id) if poll.show_turnout else None
    return Reply(
        words("voting.question", poll=poll, spelled=spelled, turnout=turnout),
        tuple(rows),
        replaces=replaces,
        grade=_grade(poll),
        outside=words("voting.outside", closes=poll.closes_at),
    )


def _voted(poll: Ballot, chosen: tuple[int, ...]) -> Reply:
    return Reply(
        words("voting.voted", poll=poll, labels=_labels(poll, chosen)),
        _again(poll),
        grade=_grade(poll),
        outside=words("voting.outside_voted"),
    )


def _grade(poll: Ballot) -> Grade:
    return Grade.NOMINATION if poll.on_people else Grade.POLL


@lru_cache(256)
def _recorded(poll: Ballot, chosen: tuple[int, ...]) -> Reply:
    """Said to everybody who chose the same: the same reply, so that it is rendered once."""
    labels = _labels(poll, chosen)
    return Reply(
        words("voting.recorded", poll=poll, labels=labels),
        _again(poll),
        toast=words("voting.recorded_toast", labels=labels),
        replaces=True,
        grade=_grade(poll),
    )


def _again(poll: Ballot) -> Keyboard:
    return ((Button(words("voting.again"), Again(poll.id)),),)


def _labels(poll: Ballot, chosen: tuple[int, ...]) -> list[str]:
    return [poll.options[place - 1] for place in chosen]


def short(title: str) -> Label:
    """A title or an option as it fits on a button."""
    return title if len(title) <= LONG else f"{title[: LONG - 1]}…"

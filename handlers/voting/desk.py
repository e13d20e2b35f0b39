"""Voting, as use cases: create, open, vote, close, result. Secret polls are refused until there is a box."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.core.action import Code
from bot.core.event import Address
from bot.core.reply import Refused
from handlers import reaching, scope
from handlers.reaching import Named
from handlers.rights import Right, own_part, places, require
from storage import audit, campaigns, organisations, people, polls, reach
from storage.audit import Actor
from storage.house import Tx
from storage.organisations import Org
from storage.polls import Ballot, Stand
from storage.reach import Plan as Outlook

NAMED_RULES = ("plain", "recommendation", "honour")
"""What may be decided by name. Elections, admissions and evaluations are secret by their rules."""
RULES = (
    *NAMED_RULES,
    "evaluation",
    "general_meeting",
    "party_election",
    "admission",
    "confirmation",
    "union_election",
)
MOST_OPTIONS = 20
JUST_NOW = timedelta(minutes=1)
"""Two taps on “remind” within this are one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A poll as somebody wants it. `choose` is how many options one may pick: (least, most)."""

    title: str
    options: Sequence[str]
    electorate: str
    closes: datetime
    opens: datetime | None = None
    choose: tuple[int, int] = (1, 1)
    rule: str = "plain"
    secret: bool = True
    show_turnout: bool = True


def create(tx: Tx, now: datetime, actor: Actor, org: Org, plan: Plan) -> int:
    """A poll of an organisation, with its roll not yet frozen. Raises Refused for whatever is wrong with it."""
    require(tx, now, actor, Right.POLL, org)
    if plan.secret:
        raise Refused("voting.no_box")
    if plan.rule not in NAMED_RULES:
        raise Refused("voting.rule_is_secret" if plan.rule in RULES else "voting.no_such_rule", rule=plan.rule)
    if not plan.title.strip() or len(plan.title) > 200:
        raise Refused("voting.bad_title")
    if len(plan.options) < 2 or len(plan.options) > MOST_OPTIONS:
        raise Refused("voting.bad_options", count=len(plan.options), most=MOST_OPTIONS)
    if len(set(plan.options)) < len(plan.options) or not all(label.strip() for label in plan.options):
        raise Refused("voting.options_alike")
    least, most = plan.choose
    if not 1 <= least <= most <= len(plan.options):
        raise Refused("voting.bad_choose", least=least, most=most, count=len(plan.options))
    opens = plan.opens or now
    if plan.closes <= max(now, opens):
        raise Refused("voting.closes_too_early", closes=plan.closes)
    electorate(tx, now, actor, plan.electorate)
    poll_id = polls.add(
        tx, now, [label.strip() for label in plan.options], organisation_id=org.id, author_id=actor.person_id,
        title=plan.title.strip(), rule=plan.rule, secret=False, electorate=plan.electorate, choose_min=least,
        choose_max=most, opens_at=opens, closes_at=plan.closes, show_turnout=plan.show_turnout,
    )  # fmt: skip
    audit.record(tx, now, actor, "poll.create", f"poll {poll_id}", title=plan.title, rule=plan.rule)
    return poll_id


def electorate(tx: Tx, now: datetime, actor: Actor, written: str) -> list[int]:
    """Who would be on the roll. Raises Refused when the scope reaches too far, or reaches nobody."""
    roll = scope.resolve(tx, now, written, places(tx, now, actor, Right.POLL))
    if not roll:
        raise Refused("voting.empty_roll")
    return roll


def plan(tx: Tx, now: datetime, actor: Actor, written: str) -> Outlook:
    """Whom a poll of this electorate would reach now, on which channel. Raises Refused as `electorate` does."""
    return reach.plan(tx, now, electorate(tx, now, actor, written))


def open_(tx: Tx, now: datetime, actor: Actor, poll_id: int) -> Ballot:
    """Freeze the roll; at the opening time (which may be now) the question goes to every bound address."""
    poll = of(tx, now, actor, poll_id)
    if poll.state != "draft":
        raise Refused("voting.not_a_draft", title=poll.title)
    if poll.closes_at <= now:
        raise Refused("voting.closes_too_early", closes=poll.closes_at)
    if not polls.roll(tx, poll_id):
        polls.write_roll(tx, poll_id, electorate(tx, now, actor, poll.electorate))
        audit.record(tx, now, actor, "poll.open", f"poll {poll_id}", expected=len(polls.roll(tx, poll_id)))
    if poll.opens_at <= now:
        _begin(tx, now, poll)
    return of(tx, now, actor, poll_id)


def _begin(tx: Tx, now: datetime, poll: Ballot) -> None:
    if polls.set_state(tx, poll.id, "open", was="draft"):
        campaigns.create(tx, now, "poll", poll.id, polls.roll(tx, poll.id), due_at=poll.opens_at)


def of(tx: Tx, now: datetime, actor: Actor, poll_id: int) -> Ballot:
    """A poll, for somebody who runs it. Raises Refused without the right, or when there is none."""
    poll = polls.get(tx, poll_id)
    if poll is None:
        raise Refused("voting.no_such_poll", number=poll_id)
    require(tx, now, actor, Right.POLL, organisations.get(tx, poll.organisation_id))
    return poll


def seen_by(tx: Tx, now: datetime, actor: Actor) -> list[Ballot]:
    """The open polls in which an actor may see who has not voted, their own people at least; newest first."""
    area = places(tx, now, actor, Right.POLL)
    ids = [org.id for place in area for org in organisations.all_of(tx, below=place, closed=True)]
    return polls.open_from(tx, ids) if ids else []


def run_by(tx: Tx, now: datetime, actor: Actor) -> list[Ballot]:
    """The polls an actor may see to, newest first."""
    reach = {org.id for place in places(tx, now, actor, Right.POLL) for org in organisations.all_of(tx, below=place)}
    return [poll for poll in polls.listed(tx) if poll.organisation_id in reach]


# -- voting -------------------------------------------------------------------------------------------------


def _codes(tx: Tx, poll_id: int, person_id: int) -> Iterator[str]:
    """What stands for each option on one person's buttons; a digest has room for five."""
    for part in itertools.count():
        digest = tx.house.keys.digest("option", poll_id, person_id, part).hex()
        yield from (digest[at : at + 12] for at in range(0, 60, 12))


def option_code(tx: Tx, poll_id: int, person_id: int, place: int) -> Code:
    """What stands for an option on one person's buttons: of no meaning to anybody else."""
    return Code(next(itertools.islice(_codes(tx, poll_id, person_id), place - 1, None)))


def may_vote(tx: Tx, now: datetime, person_id: int, poll_id: int) -> tuple[Ballot, Stand]:
    """A poll that is open to this person. Raises Refused: over, not begun, or not on the roll."""
    poll, stand = polls.look(tx, poll_id, person_id)
    if poll is None or stand is None:
        raise Refused("voting.not_on_roll")
    if poll.state == "draft":
        raise Refused("voting.not_open_yet", title=poll.title, opens=poll.opens_at)
    if poll.state != "open" or poll.closes_at <= now:
        raise Refused("voting.over", title=poll.title, closes=poll.closed_at or poll.closes_at)
    return poll, stand


def place_of(tx: Tx, poll: Ballot, person_id: int, choice: Code) -> int:
    """The option behind a button. Raises Refused for a button that was made for somebody else."""
    for place, code in zip(range(1, len(poll.options) + 1), _codes(tx, poll.id, person_id), strict=False):
        if code == choice:
            return place
    raise Refused("voting.not_your_button")


def vote(tx: Tx, now: datetime, person_id: int, poll: Ballot, chosen: Sequence[int], at: Address) -> None:
    """Hand in a vote; until the close it may be handed in again. Raises Refused for too few or too many."""
    if not poll.choose_min <= len(chosen) <= poll.choose_max:
        raise Refused("voting.bad_count", count=len(chosen), least=poll.choose_min, most=poll.choose_max)
    polls.vote(tx, now, poll.id, person_id, sorted(chosen))
    campaigns.revise_copies(tx, "poll", poll.id, person_id, except_for=at)


# -- close --------------------------------------------------------------------------------------------------


def close(tx: Tx, now: datetime, actor: Actor, poll_id: int) -> dict[str, Any]:
    """Close an open poll before its time, or report the result of one that is closed."""
    poll = of(tx, now, actor, poll_id)
    if poll.state == "draft":
        raise Refused("voting.not_open_yet", title=poll.title, opens=poll.opens_at)
    if poll.state == "open":
        audit.record(tx, now, actor, "poll.close", f"poll {poll_id}", early=poll.closes_at > now)
        _end(tx, now, poll)
    return polls.result(tx, poll_id) or {}


def _end(tx: Tx, now: datetime, poll: Ballot) -> None:
    counted = count(poll, len(polls.roll(tx, poll.id)), [places for _, places in polls.choices(tx, poll.id)])
    if polls.close(tx, now, poll.id, counted):
        campaigns.create(
            tx, now, "poll_result", poll.id, polls.roll(tx, poll.id), due_at=min(now, poll.closes_at)
        )  # fmt: skip


def count(poll: Ballot, expected: int, votes: Sequence[Sequence[int]]) -> dict[str, Any]:
    """The result of a named poll. Its rules name no threshold: people decide what follows from the figures."""
    tally = Counter(place for chosen in votes for place in chosen)
    return {
        "expected": expected, "present": None, "issued": expected, "returned": len(votes), "valid": len(votes),
        "void": 0, "blank": 0, "quorum": None,
        "options": [{"label": label, "for": tally[place]} for place, label in enumerate(poll.options, 1)],
        "write_ins": [], "elected": [], "runoff": None, "vacant": 0, "explanation": "", "hashes": {},
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turnout:
    """How many have voted, of how many, and who has not, by branch: of all, or (not `whole`) of the actor's own."""

    poll: Ballot
    whole: bool
    voted: int
    expected: int
    missing: Named
    silent: frozenset[int]
    """Those whom a reminder would go to."""


def turnout(tx: Tx, now: datetime, actor: Actor, poll_id: int) -> Turnout:
    """How far a poll has come. Raises Refused for somebody who may see nobody in it."""
    poll = polls.get(tx, poll_id)
    if poll is None:
        raise Refused("voting.no_such_poll", number=poll_id)
    home, roll, voters = (
        organisations.get(tx, poll.organisation_id),
        polls.roll(tx, poll_id),
        polls.voters(tx, poll_id),
    )
    theirs = own_part(tx, now, actor, Right.POLL, home, roll if poll.state != "draft" else ())
    asked = set(roll) if theirs is None else theirs
    silent = [person for person in people.listed(tx, sorted(asked - voters)) if person.left_on is None]
    ids = frozenset(person.id for person in silent)
    return Turnout(poll, theirs is None, len(asked & voters), len(asked), reaching.by_branch(tx, ids), ids)


def nudge(tx: Tx, now: datetime, actor: Actor, poll_id: int) -> int:
    """Ask those who have not voted once more; how many. Raises Refused when everybody has, or they just were."""
    found = turnout(tx, now, actor, poll_id)
    if found.poll.state != "open":
        raise Refused("voting.over", title=found.poll.title, closes=found.poll.closed_at or found.poll.closes_at)
    if not found.silent:
        raise Refused("voting.everybody_voted")
    nudges = [one for one in campaigns.about(tx, "poll", poll_id) if one.values.get("nudge")]
    lately = [one.id for one in nudges if now - one.due_at < JUST_NOW]
    if any(not found.silent.isdisjoint(campaigns.recipients(tx, one)) for one in lately):
        raise Refused("voting.just_nudged")
    campaigns.create(tx, now, "poll", poll_id, sorted(found.silent), nudge=True)
    audit.record(tx, now, actor, "poll.nudge", f"poll {poll_id}", people=len(found.silent))
    return len(found.silent)


def due(tx: Tx, now: datetime) -> int:
    """Open the polls whose time has come, close those whose time is over."""
    opening, closing = polls.to_open(tx, now), polls.to_close(tx, now)
    for poll in opening:
        _begin(tx, now, poll)
    for poll in closing:
        _end(tx, now, poll)
    return len(opening) + len(closing)

"""Examinations, as use cases: open, close, remind, and what the clock does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.reply import Refused
from handlers import scope
from handlers.quizzes import banking, rules
from handlers.quizzes.paper import points
from handlers.quizzes.sitting import OPENING
from handlers.rights import Right, places, require
from storage import audit, banks, campaigns, organisations, people, quizzes, reach
from storage.audit import Actor
from storage.house import Tx
from storage.organisations import Org
from storage.quizzes import Exam
from storage.reach import Plan as Outlook

RESULT = "quiz_result"
"""The kind of campaign that tells everybody who has sat an examination that it is over."""
MOST = 50
"""Questions of an examination."""
BATCH = 500
"""Papers that are handed in by one tick, so that nobody has to wait for the others."""
JUST_NOW = timedelta(minutes=1)
"""Two taps on “remind” within this are one."""
PRACTICE = timedelta(days=7)
"""How long practice is kept that nobody finishes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An examination as somebody wants it. `category` empty: from everything; `pass_mark` in per cent."""

    title: str
    scope: str
    count: int
    closes: datetime
    category: str = ""
    opens: datetime | None = None
    pass_mark: int | None = None
    at_once: bool = False


def open_(tx: Tx, now: datetime, actor: Actor, org: Org, plan: Plan, *, seed: str = "") -> Exam:
    """Draw the questions, freeze them and the roll, and begin (now, or at the opening time).

    `seed` decides what is drawn; without one it is made of the house's key, so that nobody can foretell it. Raises
    Refused for whatever is wrong with the plan.
    """
    roll, pool = check(tx, now, actor, org, plan)
    opens = max(plan.opens or now, now)
    seed = seed or tx.house.keys.digest("examination", org.id, plan.title, now.isoformat()).hex()[:16]
    drawn = rules.draw(pool, plan.count, f"{seed}:draw")
    exam_id = quizzes.add(
        tx, now, [(one.id, one.gift) for one in drawn], roll, organisation_id=org.id, author_id=actor.person_id,
        title=plan.title.strip(), category=plan.category, scope=plan.scope, count=plan.count,
        pass_mark=plan.pass_mark, at_once=plan.at_once, seed=seed, opens_at=opens, closes_at=plan.closes,
    )  # fmt: skip
    audit.record(
        tx, now, actor, "quiz.open", f"examination {exam_id}", title=plan.title, scope=plan.scope, people=len(roll),
        questions=plan.count, category=plan.category,
    )  # fmt: skip
    if opens <= now:
        _begin(tx, now, exam_id, roll, opens)
    return of(tx, now, actor, exam_id)


def check(tx: Tx, now: datetime, actor: Actor, org: Org, plan: Plan) -> tuple[list[int], list[banks.Kept]]:
    """The roll and the questions to draw from. Raises Refused for whatever is wrong with the plan."""
    require(tx, now, actor, Right.QUIZ, org)
    if not 1 <= len(plan.title.strip()) <= 100:
        raise Refused("quizzes.bad_title")
    if plan.pass_mark is not None and not 1 <= plan.pass_mark <= 100:
        raise Refused("quizzes.bad_pass_mark")
    if plan.closes <= max(now, plan.opens or now):
        raise Refused("quizzes.closes_too_early", closes=plan.closes)
    pool = banking.pool(tx, now, org, plan.category)
    if not 1 <= plan.count <= min(MOST, len(pool)):
        raise Refused("quizzes.bad_count", count=plan.count, most=min(MOST, len(pool)))
    return roll(tx, now, actor, plan.scope), pool


def roll(tx: Tx, now: datetime, actor: Actor, written: str) -> list[int]:
    """Who would sit it. Raises Refused when the scope reaches too far, or reaches nobody."""
    meant = scope.resolve(tx, now, written, places(tx, now, actor, Right.QUIZ))
    if not meant:
        raise Refused("quizzes.nobody")
    return meant


def outlook(tx: Tx, now: datetime, actor: Actor, written: str) -> Outlook:
    """Whom an examination of this scope would reach now, on which channel. Raises Refused as `roll` does."""
    return reach.plan(tx, now, roll(tx, now, actor, written))


def organisation_of(tx: Tx, now: datetime, actor: Actor, written: str) -> Org:
    """Whose examination it is: the one organisation that the scope names, else the uppermost of the actor's."""
    head, _, name = written.replace("：", ":").partition(":")
    if head.strip() == "org" and not set(name) & set(",，&＆"):
        return scope.one_org(tx, name.strip())
    return banking.own_organisation(tx, now, actor)


def _begin(tx: Tx, now: datetime, exam_id: int, meant: Sequence[int], at: datetime) -> None:
    if quizzes.set_state(tx, exam_id, "open", was="waiting"):
        campaigns.create(tx, now, OPENING, exam_id, meant, due_at=at)


# -- seeing to it -----------------------------------------------------------------------------------------------


def of(tx: Tx, now: datetime, actor: Actor, exam_id: int) -> Exam:
    """An examination, for somebody who runs it. Raises Refused without the right, or when there is none."""
    exam = quizzes.get(tx, exam_id)
    if exam is None:
        raise Refused("quizzes.no_such_exam", number=exam_id)
    require(tx, now, actor, Right.QUIZ, organisations.get(tx, exam.organisation_id))
    return exam


def seen(tx: Tx, now: datetime, actor: Actor, exam_id: int) -> tuple[Exam, list[Org]]:
    """An examination, and the organisations whose people an actor may see in it: all of the roll for who runs it,
    their own for a branch secretary. Raises Refused where there are none."""
    exam = quizzes.get(tx, exam_id)
    if exam is None:
        raise Refused("quizzes.no_such_exam", number=exam_id)
    home = organisations.get(tx, exam.organisation_id)
    area = places(tx, now, actor, Right.QUIZ)
    if any(place.holds(home) for place in area):
        return exam, organisations.all_of(tx, closed=True)
    mine = [org for place in area for org in organisations.all_of(tx, below=place, closed=True)]
    theirs = {person.organisation_id for person in people.listed(tx, quizzes.roll(tx, exam_id))}
    mine = [org for org in mine if org.id in theirs]
    if not mine:
        require(tx, now, actor, Right.QUIZ, home)
    return exam, mine


def seen_by(tx: Tx, now: datetime, actor: Actor) -> list[Exam]:
    """The examinations that an actor may look at, newest first."""
    area = places(tx, now, actor, Right.QUIZ)
    ids = [org.id for place in area for org in organisations.all_of(tx, below=place, closed=True)]
    return quizzes.seen_from(tx, ids) if ids else []


def silent(tx: Tx, now: datetime, actor: Actor, exam_id: int) -> list[int]:
    """Those whom an actor may see who have not handed in, and are still here."""
    _, area = seen(tx, now, actor, exam_id)
    homes = {org.id for org in area}
    found = people.listed(tx, quizzes.silent(tx, exam_id))
    return [person.id for person in found if person.organisation_id in homes and person.left_on is None]


def nudge(tx: Tx, now: datetime, actor: Actor, exam_id: int) -> int:
    """Ask those who have not handed in once more; how many. Raises Refused when everybody has, or just now."""
    exam, _ = seen(tx, now, actor, exam_id)
    if not exam.running(now):
        raise Refused("quizzes.ended", title=exam.title, closes=exam.closes_at)
    missing = silent(tx, now, actor, exam_id)
    if not missing:
        raise Refused("quizzes.everybody_sat", title=exam.title)
    latest = max((t.due_at for t in campaigns.about(tx, OPENING, exam_id) if t.values.get("by") == actor.person_id
                  and t.values.get("nudge")), default=None)  # fmt: skip
    if latest is not None and now - latest < JUST_NOW:
        raise Refused("quizzes.just_nudged")
    campaigns.create(tx, now, OPENING, exam_id, missing, nudge=True, by=actor.person_id)
    audit.record(tx, now, actor, "quiz.nudge", f"examination {exam_id}", people=len(missing))
    return len(missing)


def close(tx: Tx, now: datetime, actor: Actor, exam_id: int) -> Exam:
    """End an examination before its time: what was answered is handed in. Raises Refused when it is over."""
    exam = of(tx, now, actor, exam_id)
    if exam.state == "closed" or exam.closes_at <= now:
        raise Refused("quizzes.ended", title=exam.title, closes=exam.closed_at or exam.closes_at)
    audit.record(tx, now, actor, "quiz.close", f"examination {exam_id}", early=True)
    if exam.state == "waiting":  # nobody has been told of it yet
        quizzes.set_state(tx, exam_id, "closed", was="waiting", closed_at=now, closes_at=now)
    else:
        quizzes.set_state(tx, exam_id, "open", was="open", closes_at=now)
        _end(tx, now, of(tx, now, actor, exam_id), "closing")
    return of(tx, now, actor, exam_id)


def due(tx: Tx, now: datetime) -> int:
    """Begin what is to begin, hand in and end what is over; how much that was."""
    done = banks.purge(tx, now) + quizzes.purge_practice(tx, now - PRACTICE)
    for exam in quizzes.to_open(tx, now):
        _begin(tx, now, exam.id, quizzes.roll(tx, exam.id), exam.opens_at)
        done += 1
    return done + sum(_end(tx, now, exam, "clock") for exam in quizzes.to_close(tx, now))


def _end(tx: Tx, now: datetime, exam: Exam, by: str) -> int:
    """Hand in some papers as they stand; once none is left, the examination is over. How much was done."""
    left = quizzes.left_open(tx, exam.id, most=BATCH + 1)
    for paper in left[:BATCH]:
        # One that is being written at this moment stays, and is handed in by the next tick.
        if quizzes.hand_in(tx, exam.closes_at, paper, points(paper.sheet, paper.answers), by):
            campaigns.revise_copies(tx, OPENING, exam.id, paper.person_id)
    if not quizzes.left_open(tx, exam.id, most=1) and quizzes.set_state(
        tx, exam.id, "closed", was="open", closed_at=now
    ):
        sat = [one.person_id for one in quizzes.standing(tx, exam.id) if one.paper is not None]
        if sat:
            campaigns.create(tx, now, RESULT, exam.id, sat)
        return len(left) + 1
    return len(left)

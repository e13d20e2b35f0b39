"""What is under way in the demonstration: who has applied to join, and how did the last examination go?"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from bot.cli.demo_people import PERSONAS, SEED

if TYPE_CHECKING:
    from handlers.quizzes.rules import Answer, Question
    from storage.audit import Actor
    from storage.house import Tx
    from storage.organisations import Org
    from storage.people import Somebody

APPLICATIONS, EXAMINATION = "demo.applications", "demo.examination"
"""Kept once the demonstration has them: they are made once."""
ACTIVIST = PERSONAS[4]
SECRETARY = PERSONAS[1]
STATEMENT = (
    "敬爱的党组织：我志愿加入中国共产党。参加工作以来，身边的党员同志总是把难活、急活揽在自己身上，"
    "系统出故障的那个晚上，是他们守到天亮，又耐心教我怎样把问题查到底。我很受触动，也想成为这样的人。",
    "我知道自己还有不足：做事有时急躁，理论学习不够系统。今后我会认真学习党的章程，踏实做好本职工作，"
    "主动为同事和群众做实事，接受党组织的教育和考验。请党组织在实践中考验我。",
)
"""Invented, as everything here."""


def add_affairs(tx: Tx, now: datetime) -> None:
    """What is not there yet; what is there, or was taken away again, is left alone."""
    from storage import settings

    for name, make in ((APPLICATIONS, _applications), (EXAMINATION, _examination)):
        if settings.get(tx, name) is None:
            make(tx, now)
            settings.put(tx, name, now.isoformat())


# -- applications -----------------------------------------------------------------------------------------------


def _applications(tx: Tx, now: datetime) -> None:
    """One that waits in the branch of the persona who is a secretary, one whose talk is due soon, and that of the
    persona who is an activist, half a year on his way."""
    from storage import people

    secretary, activist = people.by_number(tx, SECRETARY.number), people.by_number(tx, ACTIVIST.number)
    if secretary is not None and secretary.left_on is None:
        waiting, talked_to = _applicants(tx, secretary.organisation_id)
        _hand_in(tx, now - timedelta(days=2), waiting)
        _receive(tx, now, _actor(secretary), talked_to, days=25)
    if activist is not None and activist.kind == ACTIVIST.kind and activist.left_on is None:
        _accompany(tx, now, activist)


def _applicants(tx: Tx, org_id: int) -> tuple[Somebody | None, Somebody | None]:
    """Two of this branch who may apply and have not."""
    from storage import applications, organisations, people

    found = [
        person
        for kind in ("入党申请人", "群众")
        for person in people.roster(tx, organisations.get(tx, org_id))
        if person.kind == kind and applications.latest_of(tx, person.id) is None
    ]
    return (found[0] if found else None), (found[1] if len(found) > 1 else None)


def _hand_in(tx: Tx, then: datetime, person: Somebody | None) -> int:
    """Hand an application in at a moment; its number, or 0."""
    from bot.core.kinds import Prose
    from handlers.joining import desk

    if person is None:
        return 0
    return desk.hand_in(tx, then, person.id, Prose("\n\n".join(STATEMENT)), None).filed.id


def _receive(tx: Tx, now: datetime, actor: Actor, person: Somebody | None, *, days: int) -> None:
    """An application that was received so many days ago."""
    from handlers.joining import branch
    from handlers.rights import today

    if number := _hand_in(tx, now - timedelta(days=days), person):
        branch.receive(tx, now, actor, number, today(tx, now - timedelta(days=days)), "")


def _accompany(tx: Tx, now: datetime, person: Somebody) -> None:
    """An application on paper with the steps that were taken since: the year of education runs."""
    from handlers.joining import branch
    from handlers.joining.branch import Entry
    from handlers.joining.guards import Facts
    from handlers.months import months_later
    from handlers.rights import today
    from storage import offices, organisations, people

    day = today(tx, now)
    org = organisations.get(tx, person.organisation_id)
    held = offices.holders(tx, day, org=org, roles=("支部书记",))
    contacts = [one.number for one in people.roster(tx, org) if one.kind == "正式党员"][:2]
    if not held or not contacts:
        return
    actor = _actor(people.get(tx, held[0].person_id))

    def ago(months: int, days: int = 0) -> date:
        return months_later(day, -months) + timedelta(days=days)

    found = branch.register(tx, now, actor, person, ago(11), "")
    steps = (
        Entry("2", ago(11, 14), note="谈了入党动机和今后的打算。"),
        Entry("3", ago(7), "支部委员会"),
        Entry("4", ago(7, 6)),
        Entry("5", ago(7, 8), facts=Facts(contacts=tuple(contacts))),
        Entry("6", ago(1), note="工作踏实，按时参加组织生活，建议继续培养。"),
    )
    for entry in steps:
        branch.record(tx, now, actor, found.filed.id, entry)


def _actor(person: Somebody) -> Actor:
    from storage.audit import Actor

    return Actor(person.id, person.name, "chat")


# -- an examination that is over --------------------------------------------------------------------------------


def _examination(tx: Tx, now: datetime) -> None:
    """One of last week that nearly everybody has sat, some better than others."""
    from handlers.quizzes import desk, paper, rules, sitting
    from storage import organisations, people, quizzes
    from storage.audit import OPERATOR

    root = next(org for org in organisations.all_of(tx) if org.parent_id is None)
    week_ago = (now - timedelta(days=7)).astimezone(tx.house.zone)
    closed = week_ago.replace(hour=18, minute=0, second=0, microsecond=0).astimezone(now.tzinfo)
    opened = closed - timedelta(days=3)
    plan = desk.Plan("党费知识小测", "kind:member", 5, closed, category=_category(tx, now, root), pass_mark=60)
    exam = desk.open_(tx, opened, OPERATOR, root, plan, seed=f"demo {SEED}")
    chance = Random(SEED)  # noqa: S311  # invented answers, not secrets
    for person in people.listed(tx, quizzes.roll(tx, exam.id)):
        if person.number not in {persona.number for persona in PERSONAS} and chance.random() < 0.1:
            continue  # has not sat it
        mine = sitting.sit(tx, opened, person.id, exam.id)
        knows = 0.6 + 0.4 * chance.random()
        answers = {
            slot.place: paper.dump(_answer(chance, slot.question, rules.solution(slot.question), knows))
            for slot in sitting.slots(mine)
        }
        mine = quizzes.answer(tx, mine, answers) or mine
        quizzes.hand_in(tx, opened + timedelta(hours=1), mine, paper.points(mine.sheet, mine.answers), "self")
    desk.due(tx, closed)


def _answer(chance: Random, question: Question, right: Answer, knows: float) -> Answer:
    """The right answer, or what somebody says who does not know."""
    from handlers.quizzes.rules import MultipleChoice, SingleChoice, TrueFalse

    if chance.random() < knows:
        return right
    match question:
        case TrueFalse():
            return not question.correct
        case SingleChoice():
            return (int(right) + 1) % len(question.options) if isinstance(right, int) else None
        case MultipleChoice():
            return frozenset({0})
    return None


def _category(tx: Tx, now: datetime, org: Org) -> str:
    from handlers.quizzes import banking

    return next((name for name, _ in banking.categories(tx, now, org) if name.endswith("党费")), "")

"""joining, for the branch: 登记 – which step was taken, when, by whom, and what does the regulation ask about it?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from bot.core.action import Action, Code
from bot.core.form import Choice, Form, ask
from bot.core.kinds import Lines, Pick, Prose
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, Words, words
from bot.core.router import Begin
from handlers import Answer, Router, Turn, actor
from handlers.joining import branch, chat, desk, rules
from handlers.joining.branch import Entry
from handlers.joining.course import DISCUSSED, LISTED, MEETING
from handlers.joining.days import PastDay
from handlers.joining.desk import Case
from handlers.joining.guards import Facts
from handlers.joining.rules import Step
from handlers.joining.secretary import Look, Steps, whose
from handlers.joining.tables import table as stages
from handlers.organisation import members
from handlers.rights import Right, today
from storage.people import Somebody

router = Router()

_BETWEEN = re.compile(r"\s*[、，,；;]\s*|(?<=[\u4e00-\u9fff\d])\s+(?=[\u4e00-\u9fff\d])")
"""Between two people who were written in one line; a foreign name keeps its spaces."""


class Record(Action, tag="jq"):
    """Record a step."""

    application: int
    step: Code


def _of(*steps: str, **more: str) -> Callable[[Mapping[str, str]], bool]:
    """Whether a question is one of these steps', with these answers before it."""
    return lambda answers: answers.get("step") in steps and all(answers.get(k) == v for k, v in more.items())


def _picks(**labels: str) -> Callable[[Any], list[Choice]]:
    return lambda _turn: [Choice(Code(key), Phrase(label)) for key, label in labels.items()]


def _short(answers: Mapping[str, str]) -> bool:
    """Whether the training was shorter than the shipped table asks for; the table in force is asked later."""
    numbers = stages().numbers
    days, hours = answers.get("days", ""), answers.get("hours", "")
    told = answers.get("step") == "11" and days.isdecimal() and hours.isdecimal()
    return told and not rules.trained(int(days), int(hours), numbers)


def _steps(turn: Turn) -> list[Choice]:
    steps = desk.table(turn.tx).on(today(turn.tx, turn.now)).steps.values()
    return [Choice(Code(step.number), _named_step(step)) for step in steps]


def _named_step(step: Step) -> Words:
    return words("joining.step", number=step.number, name=Phrase(step.name))


class Recording(Form):
    """登记发展党员步骤"""

    decision = True
    apart = ("case", "step")
    grade = Grade.SENSITIVE

    case: Pick = ask("登记谁的？", title="申请人", choices=whose)
    step: Pick = ask("登记哪一步？", title="步骤", choices=_steps)
    on: PastDay = ask(
        "是哪一天？请写会议、谈话、决定的那一天。",
        title="日期",
        default=lambda turn: today(turn.tx, turn.now).isoformat(),
    )
    by: str = ask(
        "由哪个组织决定或办理？和条文写的一样，可以跳过。", title="决定、办理", optional=True, max_length=100
    )
    contacts: Lines = ask(
        "培养联系人是谁？一行一位，写员工号或姓名；一至两名正式党员。",
        title="培养联系人",
        max_length=2,
        when=_of("5"),
    )
    posted: PastDay = ask(
        "公示是哪一天开始的？2026年5月11日以后列为发展对象的，要先公示不少于五个工作日。",
        title="公示开始",
        optional=True,
        when=_of(LISTED),
    )
    objections: Pick = ask(
        "公示或征求意见的结果怎么样？",
        title="结果",
        choices=_picks(none="不影响列为发展对象", against="有影响列为发展对象的问题"),
        when=_of(LISTED),
    )
    introducers: Lines = ask(
        "入党介绍人是谁？一行一位，写员工号或姓名；两名正式党员。", title="入党介绍人", max_length=2, when=_of("9")
    )
    penalty: Pick = ask(
        "两位介绍人有没有受过党纪处分？",
        title="处分情况",
        choices=_picks(
            none="没有，或影响期已满",
            effect="有警告、严重警告或撤销党内职务，影响期未满",
            probation="有留党察看，尚未恢复党员权利",
        ),
        when=_of("9"),
    )
    cleared: Pick = ask(
        "政治审查有没有形成结论性材料，结论怎么样？",
        title="政审结论",
        choices=_picks(passed="有，合格", failed="有，不合格", missing="还没有"),
        when=_of("10"),
    )
    days: int = ask("培训了几天？", title="天数", when=_of("11"))
    hours: int = ask("一共多少学时？", title="学时", when=_of("11"))
    special: Pick = ask(
        "不到三天，也不到24学时。是不是经过批准、有记录的特殊情况？",
        title="特殊情况",
        choices=_picks(no="不是", yes="是，有记录"),
        when=_short,
    )
    leaves: date = ask(
        "近期会不会离开工作、学习单位？会的话写离开的日期，不会就跳过。",
        title="离开日期",
        optional=True,
        when=_of("13"),
    )
    expected: int = ask("应到会有表决权的党员多少名？", title="应到会", when=_of(MEETING, DISCUSSED))
    present: int = ask("实到会有表决权的党员多少名？", title="实到会", when=_of(MEETING, DISCUSSED))
    favour: int = ask("赞成多少票？会前正式提出书面赞成意见的也算在内。", title="赞成", when=_of(MEETING, DISCUSSED))
    outcome: Pick = ask(
        "大会的决定是什么？",
        title="决定",
        choices=_picks(confirm="按期转为正式党员", extend="延长预备期", cancel="取消预备党员资格"),
        when=_of(DISCUSSED),
    )
    months: int = ask(
        "延长几个月？不少于6个月，不超过12个月。", title="延长月数", when=_of(DISCUSSED, outcome="extend")
    )
    note: Prose = ask(
        "还有什么要记下来的？加密保存，只有办理的同志能看。没有就点“跳过”，写完了发“完”。",
        title="备注",
        optional=True,
        max_length=2000,
    )


@router.pressed(Steps)
def steps(turn: Turn, press: Steps) -> Answer:
    found = branch.one(turn.tx, turn.now, actor(turn), press.application)
    open_ = found.course.recordable(found.today)
    rows = [(Button(_named_step(step), Record(press.application, Code(step.number))),) for step in open_]
    back = (Button(words("joining.back_to_case"), Look(press.application)),)
    said = words("joining.which_step", name=found.person.name)
    return Reply(said, (*rows, back), sensitive=True, grade=Grade.SENSITIVE)


@router.pressed(Record)
def record(turn: Turn, press: Record) -> Answer:
    branch.one(turn.tx, turn.now, actor(turn), press.application)
    return Begin(Recording, {"case": str(press.application), "step": str(press.step)}, resumes=True)


def _named(turn: Turn, lines: Lines | None) -> list[Somebody]:
    """The people that these lines mean. Raises Refused for one whom nobody here can be."""
    names = [name for line in lines or () for name in _BETWEEN.split(line.strip()) if name]
    return [members.one(turn.tx, turn.now, actor(turn), Right.ROSTER, name) for name in names]


def _entry(turn: Turn, form: Recording) -> Entry:
    contacts, introducers = _named(turn, form.contacts), _named(turn, form.introducers)
    facts = Facts(
        contacts=tuple(person.number for person in contacts),
        contacts_full=all(person.kind == "正式党员" for person in contacts),
        introducers=branch.introducers([person.kind == "正式党员" for person in introducers], form.penalty or ""),
        posted_on=form.posted, objections=form.objections == "against",
        cleared={"passed": True, "failed": False}.get(form.cleared or ""),
        days=form.days or 0, hours=form.hours or 0, special=form.special == "yes", leaves_on=form.leaves,
        expected=form.expected, present=form.present, favour=form.favour,
        outcome=form.outcome or "", months=form.months or 0,
    )  # fmt: skip
    names = tuple(f"{person.name} {person.number}" for person in (*contacts, *introducers))
    return Entry(form.step, form.on, form.by or "", facts, form.note or "", names)


def _judged(turn: Turn, form: Recording) -> Reply:
    found = branch.one(turn.tx, turn.now, actor(turn), int(form.case))
    verdict = branch.judge(turn.tx, found, _entry(turn, form))
    if verdict.refused:
        first = verdict.refused[0]
        raise Refused(f"joining.{first.code}", **first.values)
    warned = [words(f"joining.{one.code}", **one.values) for one in verdict.warned]
    text = found.course.table.on(form.on)
    said = words(
        "joining.before_record", warned=warned, step=verdict.step, text=text, kind=verdict.step.kind,
        decision=verdict.step.decision,
    )  # fmt: skip
    return Reply(said)


@router.form(Recording, preview=_judged)
def recorded(turn: Turn, form: Recording) -> Answer:
    found, _ = branch.record(turn.tx, turn.now, actor(turn), int(form.case), _entry(turn, form))
    return _done(found)


def _done(found: Case) -> Reply:
    last = branch.last_record(found)
    said = words(
        "joining.recorded", name=found.person.name, record=chat.done(found, last) if last else None,
        ahead=chat.window(found.ahead, found.today) if found.ahead else None, kind=found.person.kind,
    )  # fmt: skip
    buttons = [Button(words("joining.back_to_case"), Look(found.filed.id))]
    if found.open:
        buttons.insert(0, Button(words("joining.record"), Steps(found.filed.id)))
    return Reply(said, (tuple(buttons),), sensitive=True, grade=Grade.SENSITIVE)

"""quizzes, for those who hold them: 组织考试, 考试情况, questions in a file."""

from __future__ import annotations

from datetime import datetime

from bot.core.action import Action, Code
from bot.core.event import Handed
from bot.core.form import Choice, Form, ask
from bot.core.kinds import Pick
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, words
from bot.core.router import Begin, Run
from handlers import Answer, Item, Router, Turn, actor, reaching
from handlers.quizzes import banking, desk, results
from handlers.rights import Right, may, places
from storage import organisations, quizzes

router = Router()

MOST_LINES = 5
"""Examinations on the desk."""
MOST_QUESTIONS = 1000
"""Questions that a chat takes at once."""


class Watch(Action, tag="qw", light=True):
    """Look after an examination: how many have sat it, by branch, and who has not."""

    exam: int


class Remind(Action, tag="qv"):
    """Ask those who have not handed in once more."""

    exam: int


class Close(Action, tag="qe"):
    """End it now; asked once more unless `sure`."""

    exam: int
    sure: bool


class Take(Action, tag="qa"):
    """Take a file of questions that waits, or (with nothing) forget it."""

    file: int
    nothing: bool


def _holds(turn: Turn) -> bool:
    return turn.sender is not None and may(turn.tx, turn.now, actor(turn), Right.QUIZ)


def _areas(turn: Turn) -> list[Choice]:
    """Where the sender's right reaches, each organisation with everything below it."""
    return [
        Choice(Code(str(org.id)), f"{'　' * (org.depth - place.depth)}{org.name}")
        for place in places(turn.tx, turn.now, actor(turn), Right.QUIZ)
        for org in organisations.all_of(turn.tx, below=place)
    ]


def _categories(turn: Turn) -> list[Choice]:
    area = places(turn.tx, turn.now, actor(turn), Right.QUIZ)
    found = banking.categories(turn.tx, turn.now, area[0]) if area else []
    whole = Choice(Code(banking.code_of("")), words("quizzes.whole_bank", count=sum(count for _, count in found)))
    named = [
        Choice(Code(banking.code_of(name)), words("quizzes.category", name=name.rpartition("/")[2], count=count))
        for name, count in found
        if name
    ]
    return [whole, *named]


class NewExamination(Form):
    """组织考试"""

    decision = True

    title: str = ask("这次考试叫什么？", title="名称", min_length=2, max_length=60)
    category: Pick = ask("从题库的哪一类里抽题？", title="题目", choices=_categories)
    count: int = ask("每人答几道题？请发一个数字。", title="题数")
    area: Pick = ask("请哪个范围的同志参加？包括它下面的组织。", title="参加范围", choices=_areas)
    who: Pick = ask(
        "范围里的哪些人参加？",
        title="参加人员",
        choices=lambda _turn: [
            Choice(Code("members"), Phrase("正式党员和预备党员")),
            Choice(Code("all"), Phrase("所有人（含申请人、积极分子、群众）")),
        ],
    )
    closes: datetime = ask("考到什么时候为止？例如“11月30日 18:00”。到时没交的会自动交卷。", title="结束时间")
    pass_mark: int | None = ask("多少分算及格（满分100）？不设及格线就点“跳过”。", title="及格线", optional=True)


_WHO = {"members": "&kind:member", "all": ""}


@router.command("/exam", "组织考试", shown=_holds)
def new(turn: Turn, _rest: str) -> Answer:
    """从题库抽题，组织一次考试，到时自动交卷"""
    return Begin(NewExamination)


def _plan(turn: Turn, form: NewExamination) -> desk.Plan:
    org = organisations.get(turn.tx, int(form.area))
    area = places(turn.tx, turn.now, actor(turn), Right.QUIZ)
    names = {banking.code_of(name): name for name, _ in banking.categories(turn.tx, turn.now, area[0])}
    return desk.Plan(
        form.title, f"org:{org.code}{_WHO[form.who]}", form.count, form.closes,
        category=names.get(str(form.category), ""), pass_mark=form.pass_mark,
    )  # fmt: skip


def _preview(turn: Turn, form: NewExamination) -> Reply:
    org, plan = organisations.get(turn.tx, int(form.area)), _plan(turn, form)
    _, pool = desk.check(turn.tx, turn.now, actor(turn), org, plan)
    outlook = desk.outlook(turn.tx, turn.now, actor(turn), plan.scope)
    said = words("quizzes.preview", people=outlook.total, pool=len(pool), outlook=reaching.outlook(outlook))
    return Reply(said)


@router.form(NewExamination, preview=_preview)
def create(turn: Turn, form: NewExamination) -> Answer:
    org = organisations.get(turn.tx, int(form.area))
    exam = desk.open_(turn.tx, turn.now, actor(turn), org, _plan(turn, form))
    expected = quizzes.counts(turn.tx, exam.id)[1]
    row = (Button(words("quizzes.watch"), Watch(exam.id)), Button(Phrase("工作台"), Run(Code("desk"))))
    return Reply(words("quizzes.opened", exam=exam, expected=expected), (row,))


@router.pressed(Watch)
def watch(turn: Turn, press: Watch) -> Answer:
    found = results.results(turn.tx, turn.now, actor(turn), press.exam)
    return Reply(results.told(found), _to_do(turn, found), grade=Grade.PERSONAL)


def _to_do(turn: Turn, found: results.Results) -> tuple[tuple[Button, ...], ...]:
    exam = found.exam
    if not exam.running(turn.now):
        return ()
    left, row = found.expected - found.done, []
    if left:
        row.append(Button(words("quizzes.remind", count=left), Remind(exam.id)))
    if may(turn.tx, turn.now, actor(turn), Right.QUIZ, organisations.get(turn.tx, exam.organisation_id)):
        row.append(Button(words("quizzes.close_now"), Close(exam.id, sure=False)))
    return (tuple(row),) if row else ()


@router.pressed(Remind)
def remind(turn: Turn, press: Remind) -> Answer:
    return Reply(words("quizzes.reminded", count=desk.nudge(turn.tx, turn.now, actor(turn), press.exam)))


@router.pressed(Close)
def close(turn: Turn, press: Close) -> Answer:
    exam = desk.of(turn.tx, turn.now, actor(turn), press.exam)
    if exam.running(turn.now) and not press.sure:
        done, expected = quizzes.counts(turn.tx, exam.id)
        row = (
            Button(words("quizzes.close_sure"), Close(exam.id, sure=True)),
            Button(words("quizzes.close_not"), Watch(exam.id)),
        )
        return Reply(words("quizzes.close_ask", exam=exam, done=done, expected=expected), (row,))
    desk.close(turn.tx, turn.now, actor(turn), press.exam)
    found = results.results(turn.tx, turn.now, actor(turn), press.exam)
    return Reply(results.told(found), replaces=True, grade=Grade.PERSONAL)


@router.command("/exams", "考试情况", shown=_holds)
def listed(turn: Turn, _rest: str) -> Answer:
    """看看各支部的考试情况，提醒还没参加的"""
    found = desk.seen_by(turn.tx, turn.now, actor(turn))[: 2 * MOST_LINES]
    if not found:
        return Reply(words("quizzes.no_exams"), grade=Grade.PUBLIC)
    mine = [results.results(turn.tx, turn.now, actor(turn), exam.id) for exam in found]
    rows = [(one.exam, one.done, one.expected) for one in mine]  # of those whom they may see, as in each of them
    buttons = tuple((Button(exam.title[:20], Watch(exam.id)),) for exam in found)
    return Reply(words("quizzes.exams", rows=rows), buttons, grade=Grade.PERSONAL)


def items(turn: Turn) -> list[Item]:
    """What a secretary's desk says about examinations."""
    if not _holds(turn):
        return []
    lines: list[Item] = []
    for exam in desk.seen_by(turn.tx, turn.now, actor(turn)):
        if exam.state == "open" and len(lines) < MOST_LINES:
            found = results.results(turn.tx, turn.now, actor(turn), exam.id)
            said = words("quizzes.desk_line", exam=exam, done=found.done, expected=found.expected)
            lines.append(Item(said, Button(exam.title[:20], Watch(exam.id))))
    return [*lines, Item(words("quizzes.desk_new"), Button(Phrase("组织考试"), Run(Code("exam"))))]


# -- questions in a file ----------------------------------------------------------------------------------------


@router.handed(".gift")
def file(turn: Turn, event: Handed) -> Answer:
    """Questions by somebody who may hold examinations: read them, keep them, show what would be taken."""
    who = actor(turn)
    banking.check_right(turn.tx, turn.now, who)
    reading = banking.read(event.content, event.filename)
    if len(reading.questions) > MOST_QUESTIONS:
        raise Refused("quizzes.too_many_for_chat", count=len(reading.questions), most=MOST_QUESTIONS)
    org = banking.own_organisation(turn.tx, turn.now, who)
    plan = banking.plan(turn.tx, turn.now, who, org, reading)
    said = words("quizzes.import_ask", org=org.name, plan=banking.told(plan), takes=plan.takes)
    if not plan.takes:
        banking.forget(turn.tx, turn.member.id)
        return Reply(said)
    number = banking.keep(turn.tx, turn.now, turn.member.id, reading)
    rows = (
        (Button(words("quizzes.take", count=plan.takes), Take(number, nothing=False)),),
        (Button(words("quizzes.take_nothing"), Take(number, nothing=True)),),
    )
    return Reply(said, rows)


@router.pressed(Take)
def take(turn: Turn, press: Take) -> Answer:
    reading = banking.kept(turn.tx, turn.now, turn.member.id, press.file)
    banking.forget(turn.tx, turn.member.id)
    if press.nothing:
        return Reply(words("quizzes.taken_nothing"), replaces=True)
    org = banking.own_organisation(turn.tx, turn.now, actor(turn))
    done = banking.take(turn.tx, turn.now, actor(turn), org, reading)
    row = (Button(Phrase("组织考试"), Run(Code("exam"))),)
    said = words("quizzes.taken", new=len(done.new), changed=len(done.changed))
    return Reply(said, (row,), replaces=True)

"""How does a form show itself: its question, its review, the buttons beneath?"""

from __future__ import annotations

from typing import TypeVar

from bot.core.action import Code
from bot.core.form import Form, Question
from bot.core.kinds import Prose, pieces
from bot.core.memory import Draft
from bot.core.reply import Button, Grade, Keyboard, Refused, Reply, Words, words
from bot.core.router import Turn, Use
from bot.core.step import Step, button, place

T = TypeVar("T")


def so_far(draft: Draft) -> Prose:
    """The pieces of an answer that have come."""
    return pieces("\n".join(draft.parts))


def filled(draft: Draft, form: type[Form]) -> Form:
    """The form with the answers that a draft has."""
    asked = {q.name for q in form.asked(draft.answers)}
    return form(
        **{
            name: q.kind.load(kept) if name in asked and (kept := draft.answers.get(name)) else None
            for name, q in form.questions.items()
        }
    )


def piece(draft: Draft, form: type[Form], question: Question) -> Reply:
    """A piece has been taken; more may come."""
    whole = so_far(draft)
    least = 0 if whole.files else question.min_length
    said = words("conversation.piece", length=len(whole.text), least=least, files=len(whole.files))
    keys = ((button("写完了", draft, "done"),), _walk(draft, form, question))
    return Reply(said, keys, grade=Grade.PUBLIC)


def asking(turn: Turn[T], draft: Draft, form: type[Form], question: Question, problem: Words | None) -> Reply:
    """A question, with what it was answered before. Raises Refused where there is nothing to choose from."""
    rows: list[tuple[Button, ...]] = []
    kept = draft.answers.get(question.name)
    if question.choices:
        choices = question.choices(turn)
        if kept and all(choice.key != kept for choice in choices):
            problem, kept = problem or words("conversation.no_longer_offered"), None
        if not choices:
            raise Refused("conversation.no_choices", question=question.title)
        rows += [(Button(c.label, Step(draft.id, Code("pick"), c.key, place(draft.at))),) for c in choices]
    elif question.default and (text := question.default(turn)):
        rows.append((button(text, draft, "default"),))
    if draft.parts:
        rows.append((button("写完了", draft, "done"),))
    rows.append(_walk(draft, form, question))
    asked = [q for q in form.asked(draft.answers) if q.name not in draft.given]
    return Reply(
        words(
            "conversation.ask",
            problem=problem,
            question=question.text,
            kept=_shown(turn, form, question, kept),
            have=so_far(draft) if draft.parts else None,
            step=asked.index(question) + 1 if question in asked else 0,
            steps=len(asked),
            form=form.called,
            pieces=question.kind.pieces,
        ),
        tuple(rows),
        grade=_grade(turn, form, question.name in draft.answers),
    )


def review(turn: Turn[T], draft: Draft, use: Use[T], problem: Words | None) -> Reply:
    """All answers, to be looked over, with what its owner shows before it is sent."""
    answered = [(q, draft.answers[q.name]) for q in use.form.asked(draft.answers)]
    preview: Words | None = None
    more: Keyboard = ()
    if use.preview:
        try:
            shown = use.preview(turn, filled(draft, use.form))
            preview, more = shown.words, shown.buttons
        except Refused as no:
            problem = no.words
    rows: list[tuple[Button, ...]] = []
    if preview is not None or use.preview is None:
        rows.append((button("提交", draft, "send", walk=False),))
    rows += more
    rows += _edits(draft, use.form)
    rows.append((button("上一步", draft, "back"), button("取消", draft, "cancel")))
    answers = [(q.title, _shown(turn, use.form, q, kept)) for q, kept in answered]
    return Reply(
        words("conversation.review", form=use.form.called, answers=answers, preview=preview, problem=problem),
        tuple(rows),
        grade=_grade(turn, use.form, repeated=True),
    )


def after_a_no(draft: Draft, form: type[Form]) -> Keyboard:
    """What can be done when a form that was sent is not taken."""
    return (*_edits(draft, form), (button("取消", draft, "cancel"),))


def _edits(draft: Draft, form: type[Form]) -> Keyboard:
    edits = [
        Button(words("conversation.edit", title=q.title), Step(draft.id, Code("edit"), Code(q.name)))
        for q in form.asked(draft.answers)
        if q.name not in draft.given
    ]
    return tuple(tuple(edits[i : i + 2]) for i in range(0, len(edits), 2))


def _walk(draft: Draft, form: type[Form], question: Question) -> tuple[Button, ...]:
    first = next(iter(q.name for q in form.asked(draft.answers) if q.name not in draft.given), "")
    steps = [] if question.name == first else [button("上一步", draft, "back")]
    if question.optional and not draft.parts:
        steps.append(button("跳过", draft, "skip"))
    return (*steps, button("取消", draft, "cancel"))


def _shown(turn: Turn[T], form: type[Form], question: Question, kept: str | None) -> object:
    """An answer as the review shows it: a choice by its label, anything else as its value, or how much it is."""
    if not kept:
        return None
    if question.choices:
        return next((c.label for c in question.choices(turn) if c.key == kept), kept)
    try:
        value = question.kind.load(kept)
    except ValueError:
        return None
    if form.answer_grade in turn.grades:
        return value
    whole = value if isinstance(value, Prose) else Prose(str(value))
    return words("conversation.not_repeated", length=len(whole.text), files=len(whole.files))


def _grade(turn: Turn[T], form: type[Form], repeated: bool) -> Grade:
    """How personal something is that may repeat an answer."""
    shows = repeated and form.answer_grade in turn.grades
    return max(form.grade, form.answer_grade) if shows else form.grade

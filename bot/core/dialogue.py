"""How a form is filled in: ask, 上一步, 取消, review and edit, resume."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from bot.core.action import Action, Code
from bot.core.event import Handed
from bot.core.form import Choice, Form, Question
from bot.core.kinds import Prose, Reading, clean, mark, pieces
from bot.core.memory import REVIEW, Draft, Memory
from bot.core.reply import Button, Grade, Keyboard, Phrase, Refused, Reply, Words, words
from bot.core.router import Answer, Router, Turn, Use

T = TypeVar("T")

WORDS = {
    "back": {"上一步", "返回", "back", "/back"},
    "cancel": {"取消", "算了", "cancel", "/cancel"},
    "skip": {"跳过", "skip"},
    "done": {"完", "完了", "写完了", "发完了", "done"},
    "send": {"提交", "确认", "确认提交", "submit"},
}
"""What may be typed instead of pressing a step's button."""
FILES = 9
"""Files with one answer at the most: a photo of each page of a long report."""


class Step(Action, tag="f", light=True):
    """A step in a dialogue. `draft` tells a button of this draft from one of an older; `at`, where it is not 0,
    the question it stood under: a double tap on 是 must not answer the next question as well."""

    draft: int
    do: Code
    arg: Code
    at: int = 0


class Dialogue(Generic[T]):
    """One idea: look at what we have; the first thing missing or wrong is what to say next."""

    def __init__(self, router: Router[T]) -> None:
        self._router = router

    def begin(
        self, turn: Turn[T], memory: Memory, form: type[Form], given: Mapping[str, str],
        drafted: Mapping[str, str] = MappingProxyType({}),
    ) -> Reply:  # fmt: skip
        number = _fresh(turn, memory)
        if memory.draft and memory.draft.form != form.__name__:
            memory.put_aside()
        memory.draft = Draft(
            id=number,
            form=form.__name__,
            expires=turn.now + form.lifetime,
            answers={**drafted, **given},
            given=dict(given),
        )
        return self.go_on(turn, memory)

    def go_on(self, turn: Turn[T], memory: Memory, problem: Words | None = None) -> Reply:
        """Say what comes next: a question, the review, or the handler's answer."""
        draft, use = self._draft(memory)
        memory.asking = draft.id
        if question := self._open(turn, draft, use.form):
            draft.come_to(question.name)
            return self._ask(turn, draft, use.form, question, problem)
        if not use.form.review:
            return self._submit(turn, memory)
        draft.at = REVIEW
        return self._review(turn, draft, use, problem)

    def step(self, turn: Turn[T], memory: Memory, do: str, arg: str = "", at: int = 0) -> Reply:
        """Do what a step's button or word says. An unknown one is answered like a stale button."""
        draft, use = self._draft(memory)
        draft.expires = turn.now + use.form.lifetime
        if at and at != _mark(draft.at):
            return self.go_on(turn, memory, words("conversation.not_now"))
        question = use.form.questions.get(draft.at)
        match do:
            case "resume":
                draft.id = _fresh(turn, memory)  # the question stands here now, and nowhere else any more
                return self.go_on(turn, memory)
            case "restart":
                self._let_go(turn, draft, use.form)
                return self.begin(turn, memory, use.form, draft.given)
            case "leave":
                memory.asking = 0
                return Reply(words("conversation.left", form=use.form.called), grade=Grade.PUBLIC)
            case "cancel":
                self._let_go(turn, draft, use.form)
                memory.draft, memory.asking = None, 0
                return Reply(words("conversation.cancelled", form=use.form.called), grade=Grade.PUBLIC)
            case "back":
                return self._back(turn, memory, draft, use.form)
            case "edit" if arg in use.form.questions:
                draft.at, draft.parts = arg, []
                return self.go_on(turn, memory)
            case "send" if draft.at == REVIEW and not self._open(turn, draft, use.form):
                return self._submit(turn, memory)
            case "pick" if question:
                return self._take(turn, memory, draft, question, arg)
            case "skip" if question and question.optional:
                draft.answers[question.name], draft.at, draft.parts = "", "", []
                return self.go_on(turn, memory)
            case "default" | "skip" if question and question.default and (text := question.default(turn)):
                return self._take(turn, memory, draft, question, text)
            case "done" if question and question.kind.pieces:
                return self._take(turn, memory, draft, question, "\n".join(draft.parts))
        return self.go_on(turn, memory, words("conversation.not_now"))

    def word(self, memory: Memory, text: str) -> str | None:
        """The step that a typed word stands for while a question is open here."""
        draft, use = self._draft(memory)
        text = text.lower().strip("。.!！ ")
        do = next((step for step, spellings in WORDS.items() if text in spellings), None)
        question = use.form.questions.get(draft.at)
        fits = {
            "send": draft.at == REVIEW,
            "skip": bool(question and (question.optional or question.default)),  # what is suggested stands
            "done": bool(question and question.kind.pieces),
        }
        return do if do and fits.get(do, True) else None

    def wants_text(self, memory: Memory) -> bool:
        """Whether a bare number typed now is an answer rather than the number of a button."""
        draft, use = self._draft(memory)
        question = use.form.questions.get(draft.at)
        return bool(question and not question.choices)

    def hear(self, turn: Turn[T], memory: Memory, text: str) -> Reply:
        """Take a typed answer to the open question."""
        draft, use = self._draft(memory)
        draft.expires = turn.now + use.form.lifetime
        question = use.form.questions.get(draft.at)
        if question is None:
            return self.go_on(turn, memory, words("conversation.send_or_edit"))
        if question.kind.pieces:
            draft.parts.append(clean(text))
            length = len(_so_far(draft).text)
            if length > question.max_length:
                draft.parts.pop()
                return self.go_on(
                    turn, memory, words("conversation.too_long", length=length, most=question.max_length)
                )
            return self._more(turn, memory, draft, use.form, question)
        return self._take(turn, memory, draft, question, text)

    def wants_file(self, memory: Memory) -> bool:
        """Whether the question that the draft has come to may be answered by a file."""
        draft, use = self._draft(memory)
        question = use.form.questions.get(draft.at)
        return bool(question and question.files)

    def hand(self, turn: Turn[T], memory: Memory, event: Handed) -> Reply:
        """Take a file as a piece of the answer to the open question. Raises Refused where it cannot be kept."""
        draft, use = self._draft(memory)
        draft.expires = turn.now + use.form.lifetime
        question = use.form.questions[draft.at]
        if self._router.keeper is None:
            raise RuntimeError("a form asks for files, and nobody keeps them")
        if len(_so_far(draft).files) >= FILES:
            raise Refused("conversation.too_many_files", most=FILES)
        caption = clean(event.text)
        if len(_so_far(draft).text) + len(caption) >= question.max_length:
            raise Refused("conversation.too_long", length=len(caption), most=question.max_length)
        try:
            kept = self._router.keeper.keep(turn, event)
        except Refused as no:
            if no.forgets:
                raise
            return self.go_on(turn, memory, no.words)  # and not a no alone, under which 写完了 would stand no more
        draft.parts += [*([caption] if caption else []), mark(kept)]
        return self._more(turn, memory, draft, use.form, question)

    # -- inside ----------------------------------------------------------------------------------------

    def _more(self, turn: Turn[T], memory: Memory, draft: Draft, form: type[Form], question: Question) -> Reply:
        """A piece has been taken; more may come."""
        memory.asking = draft.id
        keys = ((self._button("写完了", draft, "done"),), self._walk(draft, form, question))
        whole = _so_far(draft)
        least = 0 if whole.files else question.min_length
        said = words("conversation.piece", length=len(whole.text), least=least, files=len(whole.files))
        return Reply(said, keys, grade=Grade.PUBLIC)

    def _let_go(self, turn: Turn[T], draft: Draft, form: type[Form]) -> None:
        """Files that were handed in for a draft that is given up."""
        kept = [draft.answers.get(q.name, "") for q in form.questions.values() if q.files]
        files = [file.id for text in (*kept, *draft.pieces) for file in pieces(text).files]
        if files and self._router.keeper:
            self._router.keeper.drop(turn, files)

    def _draft(self, memory: Memory) -> tuple[Draft, Use[T]]:
        if memory.draft is None:
            raise RuntimeError("no dialogue is open")
        return memory.draft, self._router.forms[memory.draft.form]

    def _open(self, turn: Turn[T], draft: Draft, form: type[Form]) -> Question | None:
        asked = form.asked(draft.answers)
        for question in asked:
            if question.name == draft.at:
                return question
        return next((q for q in asked if not self._stands(turn, q, draft.answers.get(q.name))), None)

    def _stands(self, turn: Turn[T], question: Question, kept: str | None) -> bool:
        """Whether an answer given earlier still is one: a deploy or the world may have changed since."""
        if kept is None:
            return False
        if kept == "":
            return question.optional
        if question.choices:
            return any(choice.key == kept for choice in question.choices(turn))
        try:
            question.kind.load(kept)
        except ValueError:
            return False
        return True

    def _take(self, turn: Turn[T], memory: Memory, draft: Draft, question: Question, text: str) -> Reply:
        try:
            if question.choices:
                value = self._chosen(memory, draft, question.choices(turn), text)
            else:
                reading = Reading(turn.now, turn.zone, question.min_length, question.max_length, question.files)
                value = question.kind.read(text, reading)
        except Refused as no:
            return self.go_on(turn, memory, no.words)
        draft.answers[question.name] = question.kind.keep(value)
        draft.at, draft.parts = "", []
        return self.go_on(turn, memory)

    @staticmethod
    def _chosen(memory: Memory, draft: Draft, choices: list[Choice], text: str) -> Code:
        """The choice that is meant: by its key, its label, or the beginning that no other label has as well."""
        text, named = clean(text), {c.key: clean(c.label) for c in choices if isinstance(c.label, str)}
        shown = {offer.payload: clean(offer.label).lower() for offer in memory.offers}
        picks = {Step(draft.id, Code("pick"), c.key, _mark(draft.at)).encode(): c.key for c in choices}
        begun = [key for payload, key in picks.items() if shown.get(payload, "").startswith(text.lower())]
        exact = [c.key for c in choices if text in (c.key, named.get(c.key))]
        if exact or (len(begun) == 1 and len(text) > 1 and not text.isdecimal()):
            return (exact or begun)[0]
        raise Refused("conversation.not_a_choice")

    def _back(self, turn: Turn[T], memory: Memory, draft: Draft, form: type[Form]) -> Reply:
        asked = [q.name for q in form.asked(draft.answers) if q.name not in draft.given]
        place = asked.index(draft.at) if draft.at in asked else len(asked)
        if place == 0:
            return self.go_on(turn, memory, words("conversation.first_question"))
        draft.go_back(asked[place - 1])
        return self.go_on(turn, memory)

    def _ask(self, turn: Turn[T], draft: Draft, form: type[Form], question: Question, problem: Words | None) -> Reply:
        rows: list[tuple[Button, ...]] = []
        kept = draft.answers.get(question.name)
        if question.choices:
            choices = question.choices(turn)
            if kept and all(choice.key != kept for choice in choices):
                problem, kept = problem or words("conversation.no_longer_offered"), None
            if not choices:
                raise Refused("conversation.no_choices", question=question.title)
            rows += [(Button(c.label, Step(draft.id, Code("pick"), c.key, _mark(draft.at))),) for c in choices]
        elif question.default and (text := question.default(turn)):
            rows.append((self._button(text, draft, "default"),))
        if draft.parts:
            rows.append((self._button("写完了", draft, "done"),))
        rows.append(self._walk(draft, form, question))
        asked = [q for q in form.asked(draft.answers) if q.name not in draft.given]
        return Reply(
            words(
                "conversation.ask",
                problem=problem,
                question=question.text,
                kept=self._shown(turn, form, question, kept),
                have=_so_far(draft) if draft.parts else None,
                step=asked.index(question) + 1 if question in asked else 0,
                steps=len(asked),
                form=form.called,
                pieces=question.kind.pieces,
            ),
            tuple(rows),
            grade=self._grade(turn, form, question.name in draft.answers),
        )

    def _review(self, turn: Turn[T], draft: Draft, use: Use[T], problem: Words | None) -> Reply:
        filled = [(q, draft.answers[q.name]) for q in use.form.asked(draft.answers)]
        preview: Words | None = None
        more: Keyboard = ()
        if use.preview:
            try:
                shown = use.preview(turn, self._filled(draft, use.form))
                preview, more = shown.words, shown.buttons
            except Refused as no:
                problem = no.words
        rows: list[tuple[Button, ...]] = []
        if preview is not None or use.preview is None:
            rows.append((self._button("提交", draft, "send", walk=False),))
        rows += more
        edits = [
            Button(words("conversation.edit", title=q.title), Step(draft.id, Code("edit"), Code(q.name)))
            for q, _ in filled
            if q.name not in draft.given
        ]
        rows += [tuple(edits[i : i + 2]) for i in range(0, len(edits), 2)]
        rows.append((self._button("上一步", draft, "back"), self._button("取消", draft, "cancel")))
        answers = [(q.title, self._shown(turn, use.form, q, kept)) for q, kept in filled]
        return Reply(
            words("conversation.review", form=use.form.called, answers=answers, preview=preview, problem=problem),
            tuple(rows),
            grade=self._grade(turn, use.form, repeated=True),
        )

    def _submit(self, turn: Turn[T], memory: Memory) -> Reply:
        draft, use = self._draft(memory)
        try:
            answer: Answer = use.submit(turn, self._filled(draft, use.form))
        except Refused as no:  # nothing typed is lost: the form stays open, at its review or its last question
            last = use.form.asked(draft.answers)[-1]
            draft.at = REVIEW if use.form.review else last.name
            if not use.form.review and last.kind.pieces:  # what comes now is added to it, and does not replace it
                draft.parts = [draft.answers.pop(last.name)]
            no.buttons = self._after_a_no(draft, use.form)
            raise
        memory.draft, memory.asking = None, 0
        if isinstance(answer, Reply):
            return answer
        return self.begin(turn, memory, answer.form, answer.answers)

    def _after_a_no(self, draft: Draft, form: type[Form]) -> Keyboard:
        edits = [
            Button(words("conversation.edit", title=q.title), Step(draft.id, Code("edit"), Code(q.name)))
            for q in form.asked(draft.answers)
            if q.name not in draft.given
        ]
        rows = [tuple(edits[i : i + 2]) for i in range(0, len(edits), 2)]
        return (*rows, (self._button("取消", draft, "cancel"),))

    @staticmethod
    def _filled(draft: Draft, form: type[Form]) -> Form:
        asked = {q.name for q in form.asked(draft.answers)}
        return form(
            **{
                name: q.kind.load(kept) if name in asked and (kept := draft.answers.get(name)) else None
                for name, q in form.questions.items()
            }
        )

    @staticmethod
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

    @staticmethod
    def _grade(turn: Turn[T], form: type[Form], repeated: bool) -> Grade:
        """How personal something is that may repeat an answer."""
        shows = repeated and form.answer_grade in turn.grades
        return max(form.grade, form.answer_grade) if shows else form.grade

    def _walk(self, draft: Draft, form: type[Form], question: Question) -> tuple[Button, ...]:
        first = next(iter(q.name for q in form.asked(draft.answers) if q.name not in draft.given), "")
        steps = [] if question.name == first else [self._button("上一步", draft, "back")]
        if question.optional:
            steps.append(self._button("跳过", draft, "skip"))
        return (*steps, self._button("取消", draft, "cancel"))

    @staticmethod
    def _button(label: str, draft: Draft, do: str, *, walk: bool = True) -> Button:
        named = {"上一步", "取消", "跳过", "写完了", "提交"}
        text = Phrase(label) if label in named else label
        at = 0 if do == "cancel" else _mark(draft.at)
        return Button(text, Step(draft.id, Code(do), Code(""), at), walk=walk and label in named)


def _so_far(draft: Draft) -> Prose:
    """The pieces of an answer that have come."""
    return pieces("\n".join(draft.parts))


def _fresh(turn: Turn[T], memory: Memory) -> int:
    """The id of a draft: the time in milliseconds, and never one that a draft has or had before."""
    return max(int(turn.now.timestamp() * 1000), *(draft.id + 1 for draft in memory.drafts), 0)


def _mark(question: str) -> int:
    """A question's name (or that of the review) in few bytes; never 0."""
    return zlib.crc32(question.encode()) or 1

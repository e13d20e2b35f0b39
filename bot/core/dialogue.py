"""How a form is filled in: ask, 上一步, 取消, review and edit, resume."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from bot.core import leaving, showing
from bot.core.action import Code
from bot.core.event import Handed
from bot.core.form import Choice, Form, Question
from bot.core.kinds import Reading, clean, mark
from bot.core.memory import REVIEW, Draft, Memory
from bot.core.reply import Grade, Refused, Reply, Words, words
from bot.core.router import Answer, Router, Turn, Use
from bot.core.step import WORDS, Step, place, plain

T = TypeVar("T")

FILES = 9
"""Files with one answer at the most: a photo of each page of a long report."""


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
            brought=dict(drafted),
        )
        return self.go_on(turn, memory)

    def go_on(self, turn: Turn[T], memory: Memory, problem: Words | None = None) -> Reply:
        """Say what comes next: a question, the review, or the handler's answer."""
        draft, use = self._draft(memory)
        memory.asking = draft.id
        if question := self._open(turn, draft, use.form):
            draft.come_to(question.name)
            return showing.asking(turn, draft, use.form, question, problem)
        if not use.form.review:
            return self._submit(turn, memory)
        draft.at = REVIEW
        return showing.review(turn, draft, use, problem)

    def step(self, turn: Turn[T], memory: Memory, do: str, arg: str = "", at: int = 0) -> Reply:
        """Do what a step's button or word says. An unknown one is answered like a stale button."""
        draft, use = self._draft(memory)
        draft.expires = turn.now + use.form.lifetime
        if at and at != place(draft.at):
            return self.go_on(turn, memory, words("conversation.not_now"))
        question = use.form.questions.get(draft.at)
        match do:
            case "resume":
                draft.id = _fresh(turn, memory)  # the question stands here now, and nowhere else any more
                return self.go_on(turn, memory)
            case "cancel" | "restart" if sure := leaving.unsure(draft, use.form, do):
                return sure
            case "restart" | "anew":
                self._let_go(turn, draft, use.form)
                return self.begin(turn, memory, use.form, draft.given)
            case "leave":
                memory.asking = 0
                return Reply(words("conversation.left", form=use.form.called), grade=Grade.PUBLIC)
            case "cancel" | "drop":
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
            case "skip" if question and draft.parts:  # what was sent is kept; nothing else is added to it
                return self._take(turn, memory, draft, question, "\n".join(draft.parts))
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
        text = plain(text)
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
            length = len(showing.so_far(draft).text)
            if length > question.max_length:
                draft.parts.pop()
                return self.go_on(
                    turn, memory, words("conversation.too_long", length=length, most=question.max_length)
                )
            memory.asking = draft.id
            return showing.piece(draft, use.form, question)
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
        if len(showing.so_far(draft).files) >= FILES:
            raise Refused("conversation.too_many_files", most=FILES)
        caption = clean(event.text)
        if len(showing.so_far(draft).text) + len(caption) >= question.max_length:
            raise Refused("conversation.too_long", length=len(caption), most=question.max_length)
        try:
            kept = self._router.keeper.keep(turn, event)
        except Refused as no:
            if no.forgets:
                raise
            return self.go_on(turn, memory, no.words)  # and not a no alone, under which 写完了 would stand no more
        draft.parts += [*([caption] if caption else []), mark(kept)]
        memory.asking = draft.id
        return showing.piece(draft, use.form, question)

    # -- inside ----------------------------------------------------------------------------------------

    def _let_go(self, turn: Turn[T], draft: Draft, form: type[Form]) -> None:
        """Files that were handed in for a draft that is given up."""
        files = list(leaving.files(draft, form))
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
        picks = {Step(draft.id, Code("pick"), c.key, place(draft.at)).encode(): c.key for c in choices}
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

    def _submit(self, turn: Turn[T], memory: Memory) -> Reply:
        draft, use = self._draft(memory)
        try:
            answer: Answer = use.submit(turn, showing.filled(draft, use.form))
        except Refused as no:  # nothing typed is lost: the form stays open, at its review or its last question
            last = use.form.asked(draft.answers)[-1]
            draft.at = REVIEW if use.form.review else last.name
            if not use.form.review and last.kind.pieces:  # what comes now is added to it, and does not replace it
                draft.parts = [draft.answers.pop(last.name)]
            no.buttons = showing.after_a_no(draft, use.form)
            raise
        memory.draft, memory.asking = None, 0
        if isinstance(answer, Reply):
            return answer
        return self.begin(turn, memory, answer.form, answer.answers)


def _fresh(turn: Turn[T], memory: Memory) -> int:
    """The id of a draft: the time in milliseconds, and never one that a draft has or had before."""
    return max(int(turn.now.timestamp() * 1000), *(draft.id + 1 for draft in memory.drafts), 0)

"""The manners: what is said to whatever comes in."""

from __future__ import annotations

from typing import Generic, TypeVar

from bot.core import leaving
from bot.core.action import Action, BadPayload, Code, decode
from bot.core.dialogue import Dialogue
from bot.core.event import Event, Handed, Pressed
from bot.core.form import Form
from bot.core.kinds import clean
from bot.core.memory import Draft, Memory, Offer
from bot.core.nearmiss import NearMiss
from bot.core.reply import Button, Grade, Keyboard, Phrase, Refused, Reply, words
from bot.core.router import Answer, Begin, Command, Open, Router, Run, Turn
from bot.core.step import Step

T = TypeVar("T")


class Conversation(Generic[T]):
    """Answers one event at a time. Knows no channel and no table; what it remembers is handed in and changed.

    In this order, the first that makes sense: an offered button (its payload, number or label) · a command or
    one of its words · the answer to an open question · a draft begun elsewhere · a near miss.
    """

    def __init__(self, router: Router[T]) -> None:
        self.router: Router[T] = Router()
        self.router.include([router, manners()])
        self._dialogue = Dialogue(self.router)
        spellings = {word: c.name for c in self.router.commands.values() for word in (f"/{c.name}", *c.words)}
        self._near = NearMiss(spellings)

    def answer(self, turn: Turn[T], event: Event, memory: Memory) -> Reply:
        """The answer to one event. Raises Refused for a no; `memory` is right either way."""
        memory.aside = [draft for draft in memory.aside if self._lives(turn, draft)]
        if memory.draft and not self._lives(turn, memory.draft):
            was_open, memory.draft, memory.asking = memory.asking, None, 0
            self._take_up(memory)
            if was_open:
                return Reply(words("conversation.expired"), grade=Grade.PUBLIC)
        self._take_up(memory, memory.asking)
        if isinstance(event, Pressed):
            answer = self._press(turn, event.payload, memory)
        elif isinstance(event, Handed):
            answer = self._file(turn, event, memory)
        else:
            answer = self._say(turn, clean(event.text), memory)
        if isinstance(answer, Begin):
            if self._page_only(turn, answer.form):
                return _on_the_page(turn, answer.form, None)
            return self._begin(turn, memory, answer)
        self._take_up(memory)
        if not self._here(memory) and not _walks(answer):
            for row in self._waiting(turn, memory, walk=True):
                answer = answer.with_row(*row)
        return answer

    def _waiting(self, turn: Turn[T], memory: Memory, *, walk: bool) -> Keyboard:
        """A button for each form that is half filled in and may go on here, the latest first."""
        forms = [(self.router.forms[draft.form].form, draft) for draft in memory.drafts]
        return tuple((_resume(form, one, walk=walk),) for form, one in forms if not self._page_only(turn, form))

    def _begin(self, turn: Turn[T], memory: Memory, begun: Begin) -> Reply:
        form = begun.form

        def same(draft: Draft) -> bool:
            known = all(draft.answers.get(name) == begun.answers.get(name) for name in form.apart)
            return draft.form == form.__name__ and known

        if memory.draft and not same(memory.draft):
            memory.put_aside()
        for earlier in memory.aside:
            if not memory.draft and same(earlier):
                memory.bring(earlier)
                break
        draft = memory.draft
        if begun.resumes and draft and draft.form == form.__name__:
            reply = self._dialogue.step(turn, memory, "resume")
        else:
            reply = self._dialogue.begin(turn, memory, form, begun.answers, begun.drafted)
        if begun.said:
            reply = self._dialogue.hear(turn, memory, begun.said)
        return reply

    # -- the three things that come in -------------------------------------------------------------------

    def _press(self, turn: Turn[T], payload: str, memory: Memory) -> Answer:
        try:
            action = decode(payload)
        except BadPayload:
            return self._stale_here(turn, memory)
        if isinstance(action, Step):
            self._take_up(memory, action.draft)
            if memory.draft is None or memory.draft.id != action.draft:
                return self._stale_here(turn, memory)
            if action.do != "leave" and (form := self._page_only_draft(turn, memory)):
                return _on_the_page(turn, form, _resume(form, memory.draft))
            return self._dialogue.step(turn, memory, action.do, action.arg, action.at)
        memory.asking = 0
        if turn.light_only and not action.light:
            return _by_a_click()
        if isinstance(action, Run | Open):
            command = self.router.commands.get(action.command)
            return self._run(turn, command, "") if command else self._stale()
        return self._act(turn, action)

    def _say(self, turn: Turn[T], text: str, memory: Memory) -> Answer:
        if not text:
            return Reply(words("conversation.no_words"), grade=Grade.PUBLIC)
        if self.router.keeper:
            self.router.keeper.check(text)
        here = self._here(memory)
        if offer := self._offered(text, memory, here):
            return self._press(turn, offer.payload, memory)
        if here and memory.draft and (form := self._page_only_draft(turn, memory)):
            return _on_the_page(turn, form, _resume(form, memory.draft))
        if here and (do := self._dialogue.word(memory, text)):
            return self._dialogue.step(turn, memory, do)
        ear = next((offer.payload for offer in memory.offers if not offer.label), "")
        if found := self.router.find(text, whole=bool(ear) or (here and self._dialogue.wants_text(memory))):
            memory.asking = 0
            return self._run(turn, *found)
        if here:
            return self._dialogue.hear(turn, memory, text)
        if ear and turn.sender:
            return self._hear(turn, ear, text)
        if text.isdecimal() and len(text) <= 3 and (reply := self._once_more(memory)):
            return reply
        if memory.draft:
            return self._elsewhere(turn, memory)
        if turn.sender is None and self.router.stranger:
            return self.router.stranger(turn, text)
        return self._guess(turn, text)

    def _hear(self, turn: Turn[T], payload: str, text: str) -> Answer:
        """Words that were typed under a reply that hears them."""
        try:
            action = decode(payload)
        except BadPayload:
            return self._stale()
        ear = self.router.ears.get(type(action))
        if turn.light_only and not action.light:
            return _by_a_click()
        return ear(turn, action, text) if ear else self._stale()

    def _file(self, turn: Turn[T], event: Handed, memory: Memory) -> Answer:
        if turn.sender is None:
            raise Refused("conversation.no_file_wanted")
        keeper = self.router.keeper
        wanted = memory.draft is not None and self._dialogue.wants_file(memory)
        if keeper and wanted and memory.draft and (form := self._page_only_draft(turn, memory)):
            return _on_the_page(turn, form, _resume(form, memory.draft))
        if event.lost:
            raise Refused(f"conversation.file_{event.lost}")
        if keeper and wanted:
            if self._here(memory):
                return self._dialogue.hand(turn, memory, event)
            if keeper.accepts(event):
                return self._elsewhere(turn, memory, "conversation.file_elsewhere")
        taker = self.router.taker(event.filename)
        if taker is None:
            raise Refused("conversation.no_file_wanted")
        memory.asking = 0
        return taker(turn, event)

    def wants_file(self, turn: Turn[T], memory: Memory) -> bool:
        """Whether a file that comes now would answer a question: else no channel need fetch it."""
        draft = memory.draft
        if turn.sender is None or draft is None or draft.expires <= turn.now or draft.form not in self.router.forms:
            return False
        return self._dialogue.wants_file(memory)

    # -- the manners ----------------------------------------------------------------------------------------

    def _run(self, turn: Turn[T], command: Command[T], rest: str) -> Answer:
        if turn.sender is None and not command.strangers:
            return self._unknown_person(turn)
        if not command.shown(turn):
            raise Refused(command.closed, command=Phrase(command.words[0]))
        answer = command.run(turn, rest)
        if isinstance(answer, Begin) and self._page_only(turn, answer.form):
            word = Phrase(command.words[0])
            return _on_the_page(turn, answer.form, Button(word, Run(command.name)), Button(word, Open(command.name)))
        return answer

    def _act(self, turn: Turn[T], action: Action) -> Answer:
        press = self.router.presses.get(type(action))
        if press is None:
            return self._stale()
        if turn.sender is None and not press.strangers:
            return self._unknown_person(turn)
        answer = press.run(turn, action)
        if isinstance(answer, Begin) and self._page_only(turn, answer.form):
            return _on_the_page(turn, answer.form, Button(answer.form.called, action))
        return answer

    def _unknown_person(self, turn: Turn[T]) -> Answer:
        return self.router.stranger(turn, "") if self.router.stranger else self._stale()

    def _offered(self, text: str, memory: Memory, here: bool) -> Offer | None:
        if text.isdecimal() and len(text) <= 3:
            choices = [offer for offer in memory.offers if not offer.walk]
            digits_answer = here and self._dialogue.wants_text(memory) and not leaving.asked(memory)
            place = int(text)
            return choices[place - 1] if not digits_answer and 1 <= place <= len(choices) else None
        named = (offer for offer in memory.offers if clean(offer.label).lower() == text.lower())
        return next(named, None) or leaving.meant(memory, text)

    @staticmethod
    def _once_more(memory: Memory) -> Reply | None:
        """The choices that stand here, for a number that is none of them; else the next would mean something else."""
        most = sum(not offer.walk for offer in memory.offers)
        try:
            rows = tuple(
                (Button(one.label, decode(one.payload), walk=one.walk),) for one in memory.offers if one.label
            )
        except BadPayload:
            return None
        return Reply(words("conversation.no_such_number", most=most), rows, grade=Grade.PUBLIC) if most else None

    def _elsewhere(self, turn: Turn[T], memory: Memory, said: str = "conversation.elsewhere") -> Reply:
        draft = memory.draft
        assert draft is not None
        form = self.router.forms[draft.form].form
        waiting = self._waiting(turn, memory, walk=False)
        if said == "conversation.elsewhere" and len(waiting) > 1:
            leave = Button(Phrase("不理会"), Step(draft.id, Code("leave"), Code("")))
            return Reply(words("conversation.several", count=len(waiting)), (*waiting, (leave,)), grade=form.grade)
        row = tuple(
            Button(Phrase(label), Step(draft.id, Code(do), Code("")))
            for label, do in (("继续", "resume"), ("重新开始", "restart"), ("不理会", "leave"))
        )
        return Reply(words(said, form=form.called), (row,), grade=form.grade)

    def _guess(self, turn: Turn[T], text: str) -> Reply:
        near = [self.router.commands[name] for name in self._near.closest(text)]
        near = [command for command in near if command.shown(turn)]
        if not near:
            help_ = Button(Phrase("帮助"), Run(Code("help")))
            return Reply(words("conversation.unclear"), ((help_,),), grade=Grade.PUBLIC)
        row = tuple(Button(Phrase(command.words[0]), Run(command.name)) for command in near)
        said = words("conversation.did_you_mean", commands=[Phrase(c.words[0]) for c in near])
        return Reply(said, (row,), grade=Grade.PUBLIC)

    @staticmethod
    def _page_only(turn: Turn[T], form: type[Form]) -> bool:
        """Whether this form is filled in on our own pages, and not where the sender is now."""
        return (turn.light_only and form.decision) or form.grade not in turn.grades

    def _page_only_draft(self, turn: Turn[T], memory: Memory) -> type[Form] | None:
        """The form that is half filled in, where that goes on only on our own pages."""
        form = self.router.forms[memory.draft.form].form if memory.draft else None
        return form if form and self._page_only(turn, form) else None

    def _lives(self, turn: Turn[T], draft: Draft) -> bool:
        return draft.expires > turn.now and draft.form in self.router.forms

    @staticmethod
    def _take_up(memory: Memory, number: int = 0) -> None:
        """Have at hand the form of this number; of none, where none is at hand, the one put aside last."""
        for draft in reversed(memory.aside):
            if draft.id == number or memory.draft is None:
                memory.bring(draft)
                return

    @staticmethod
    def _here(memory: Memory) -> bool:
        return memory.draft is not None and memory.asking == memory.draft.id

    def _stale_here(self, turn: Turn[T], memory: Memory) -> Reply:
        """A question that stands open here is asked again, or its buttons would stand no more."""
        if self._here(memory):
            return self._dialogue.go_on(turn, memory, words("conversation.stale"))
        return self._stale()

    @staticmethod
    def _stale() -> Reply:
        return Reply(words("conversation.stale"), toast=words("conversation.stale"), grade=Grade.PUBLIC)


def _by_a_click(*buttons: Button) -> Reply:
    """What a mail cannot do: where it is done."""
    row = buttons or (Button(words("conversation.our_page"), path="/chat"),)
    return Reply(words("conversation.on_the_page"), (row,))


def _on_the_page(turn: Turn[T], form: type[Form], go_on: Button | None, click: Button | None = None) -> Reply:
    """A form that is filled in on our own pages. `go_on` stands there alone; `click` where a mail is no click."""
    if form.grade in turn.grades:
        return _by_a_click(*([click] if click else []))
    row = (go_on or Button(words("conversation.our_page"), path="/chat"),)
    return Reply(words("conversation.goes_on", form=form.called), (row,), grade=form.grade)


def _resume(form: type[Form], draft: Draft, *, walk: bool = False) -> Button:
    return Button(words("conversation.resume", form=form.called), Step(draft.id, Code("resume"), Code("")), walk=walk)


def _walks(answer: Reply) -> bool:
    """Whether a reply already offers a step of the dialogue."""
    return any(isinstance(button.action, Step) for row in answer.buttons for button in row)


def manners() -> Router[T]:
    """上一步 and 取消 as commands, for 帮助, and for when nothing is open."""
    router: Router[T] = Router()

    @router.command("/back", "上一步", strangers=True)
    def back(_turn: Turn[T], _rest: str) -> Answer:
        """填写时退回上一个问题"""
        return Reply(words("conversation.nothing_open"), grade=Grade.PUBLIC)

    @router.command("/cancel", "取消", strangers=True)
    def cancel(_turn: Turn[T], _rest: str) -> Answer:
        """放弃正在填写的内容"""
        return Reply(words("conversation.nothing_open"), grade=Grade.PUBLIC)

    return router

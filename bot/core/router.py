"""Router and Turn: who answers what."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from bot.core.action import Action, Code
from bot.core.event import Address, Handed
from bot.core.form import Form
from bot.core.kinds import Attached
from bot.core.reply import ANY, Grade, Phrase, Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who is speaking, once their address is bound."""

    id: int
    name: str


@dataclass(slots=True)
class Turn(Generic[T]):
    """One exchange: who speaks, from where, when; and the open transaction, which the core only hands on."""

    tx: T
    sender: Sender | None
    address: Address
    now: datetime
    zone: ZoneInfo
    language: str
    light_only: bool = False
    """The sender is known only by a mail: what is not light is shown here, and done on our own pages."""
    grades: frozenset[Grade] = ANY
    """How personal what is shown here may be; the rest is shown on our own pages."""

    @property
    def member(self) -> Sender:
        """The sender where the router has already made sure that there is one."""
        if self.sender is None:
            raise RuntimeError("a stranger reached a member's answer")
        return self.sender


@dataclass(frozen=True, slots=True)
class Begin:
    """Start a dialogue, with some of its questions answered already (texts, by field name)."""

    form: type[Form]
    answers: Mapping[str, str] = field(default_factory=dict)
    drafted: Mapping[str, str] = field(default_factory=dict)
    """Answers to begin with that may be changed, as those of a form that was filled in before."""
    resumes: bool = False
    """Goes on with a draft of the same form where there is one: nothing that was acknowledged is lost."""
    said: str = ""
    """Words that are taken as what was said to its question at once."""


Answer = Reply | Begin


class Keeper(Protocol[T]):
    """Keeps the files that a question asks for, and says what nobody may send at all."""

    def accepts(self, event: Handed) -> bool:
        """Whether this is a kind of file that is kept at all."""

    def keep(self, turn: Turn[T], event: Handed) -> Attached:
        """Keep a file for the sender. Raises Refused."""

    def drop(self, turn: Turn[T], files: Sequence[int]) -> None:
        """Let go files of the sender's that have come to nothing."""

    def check(self, text: str) -> None:
        """Raises Refused for words that may not be said here, of which nothing is to be kept."""


Handler = Callable[[Turn[T], str], Answer]


def _anybody(_turn: Turn[T]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Command(Generic[T]):
    """A word that is answered: `/dues` and 党费. `line` is its line in 帮助."""

    name: Code
    words: tuple[str, ...]
    line: Phrase
    run: Handler[T]
    rest: bool = False
    """The words that follow belong to it: `/start CODE`, 如果基数是5400."""
    strangers: bool = False
    shown: Callable[[Turn[T]], bool] = _anybody
    closed: str = "conversation.not_yours"
    """What those hear from whom it is hidden: the name of a template, which may name the `command`."""
    letters: bool = False
    """A mail with this word as its subject hands in what stands below it."""

    @property
    def public(self) -> bool:
        """Whether it is shown to everybody, whatever their rights."""
        return self.shown is _anybody


@dataclass(frozen=True, slots=True)
class Use(Generic[T]):
    """What is done with a form once it is complete, and what is shown before it is sent."""

    form: type[Form]
    submit: Callable[[Turn[T], Form], Answer]
    preview: Callable[[Turn[T], Form], Reply] | None = None


@dataclass(frozen=True, slots=True)
class Press(Generic[T]):
    """Who answers a button."""

    run: Callable[[Turn[T], Action], Answer]
    strangers: bool = False


@dataclass(frozen=True, slots=True)
class Taker(Generic[T]):
    """Who takes a file that a member hands over, by the end of its name; without endings, any other."""

    endings: tuple[str, ...]
    run: Callable[[Turn[T], Handed], Answer]


class Run(Action, tag="c", light=True):
    """A button that stands for a command. Showing is light; what the command shows may not be."""

    command: Code


class Open(Action, tag="cp"):
    """The same where the command begins something that is decided on our own pages only."""

    command: Code


F = TypeVar("F", bound=Form)
A = TypeVar("A", bound=Action)


class Router(Generic[T]):
    """The answers of one capability; `include` joins them. A word or an action claimed twice fails at import."""

    def __init__(self) -> None:
        self.commands: dict[str, Command[T]] = {}
        self.presses: dict[type[Action], Press[T]] = {}
        self.ears: dict[type[Action], Callable[[Turn[T], Action, str], Answer]] = {}
        self.forms: dict[str, Use[T]] = {}
        self.stranger: Handler[T] | None = None
        self.takers: list[Taker[T]] = []
        self.keeper: Keeper[T] | None = None
        self._spellings: dict[str, Command[T]] = {}

    def command(
        self,
        slash: str,
        *words: str,
        rest: bool = False,
        strangers: bool = False,
        shown: Callable[[Turn[T]], bool] = _anybody,
        letters: bool = False,
        closed: str = "conversation.not_yours",
    ) -> Callable[[Handler[T]], Handler[T]]:
        """Answer `/slash` and its Chinese words. The handler's docstring is its line in 帮助.

        With `rest`, the handler gets what follows the word, else an empty text. `shown` hides the command from
        those without the right, who hear `closed`; the use case behind it checks again. With `letters` too, a whole
        text may follow.
        """

        def register(handler: Handler[T]) -> Handler[T]:
            line = Phrase((inspect.getdoc(handler) or "").split("\n")[0])
            if not line.source:
                raise TypeError(f"{slash}: a command says in its docstring what it does")
            self._add(Command(Code(slash[1:]), words, line, handler, rest, strangers, shown, closed, letters))
            return handler

        return register

    def pressed(
        self, action: type[A], *, strangers: bool = False
    ) -> Callable[[Callable[[Turn[T], A], Answer]], Callable[[Turn[T], A], Answer]]:
        """Answer a button."""

        def register(handler: Callable[[Turn[T], A], Answer]) -> Callable[[Turn[T], A], Answer]:
            if action in self.presses:
                raise TypeError(f"{action.__name__} is answered twice")
            self.presses[action] = Press(handler, strangers)  # type: ignore[arg-type]  # found by the same type
            return handler

        return register

    def heard(
        self, action: type[A]
    ) -> Callable[[Callable[[Turn[T], A, str], Answer]], Callable[[Turn[T], A, str], Answer]]:
        """Answer words that were typed under a reply that hears them (`Reply.hears`)."""

        def register(handler: Callable[[Turn[T], A, str], Answer]) -> Callable[[Turn[T], A, str], Answer]:
            if action in self.ears:
                raise TypeError(f"{action.__name__} is heard twice")
            self.ears[action] = handler  # type: ignore[assignment]  # found by the same type
            return handler

        return register

    def form(
        self, form: type[F], *, preview: Callable[[Turn[T], F], Reply] | None = None
    ) -> Callable[[Callable[[Turn[T], F], Answer]], Callable[[Turn[T], F], Answer]]:
        """Take a completed form. `preview` is shown above its review (“这条通知将发给 23 人”)."""

        def register(handler: Callable[[Turn[T], F], Answer]) -> Callable[[Turn[T], F], Answer]:
            if form.__name__ in self.forms:
                raise TypeError(f"{form.__name__} is taken twice")
            self.forms[form.__name__] = Use(form, handler, preview)  # type: ignore[arg-type]  # the engine builds that form
            return handler

        return register

    def stranger_says(self, handler: Handler[T]) -> Handler[T]:
        """Answer whatever somebody says whom we do not know."""
        self.stranger = handler
        return handler

    def handed(
        self, *endings: str
    ) -> Callable[[Callable[[Turn[T], Handed], Answer]], Callable[[Turn[T], Handed], Answer]]:
        """Take a file that a member hands over, if its name ends so; without endings, whatever nobody else takes."""

        def register(handler: Callable[[Turn[T], Handed], Answer]) -> Callable[[Turn[T], Handed], Answer]:
            self._take(Taker(endings, handler))
            return handler

        return register

    def taker(self, filename: str) -> Callable[[Turn[T], Handed], Answer] | None:
        """Who takes a file of this name."""
        named = (one.run for one in self.takers if filename.lower().endswith(one.endings))
        others = (one.run for one in self.takers if not one.endings)
        return next(named, None) or next(others, None)

    def keeps(self, keeper: Keeper[T]) -> None:
        """Have the files that questions ask for kept by this."""
        self.keeper = keeper

    def include(self, others: Iterable[Router[T]]) -> None:
        for other in others:
            for command in other.commands.values():
                self._add(command)
            if twice := self.presses.keys() & other.presses.keys():
                raise TypeError(f"answered twice: {sorted(kind.__name__ for kind in twice)}")
            self.presses |= other.presses
            if overheard := self.ears.keys() & other.ears.keys():
                raise TypeError(f"heard twice: {sorted(kind.__name__ for kind in overheard)}")
            self.ears |= other.ears
            if again := self.forms.keys() & other.forms.keys():
                raise TypeError(f"taken twice: {sorted(again)}")
            self.forms |= other.forms
            self.stranger = self.stranger or other.stranger
            for taker in other.takers:
                self._take(taker)
            self.keeper = self.keeper or other.keeper

    def find(self, text: str, *, whole: bool = False) -> tuple[Command[T], str] | None:
        """The command that a text names, and the rest of the text.

        `whole`: a word is only a command if nothing follows it; “绑定银行卡的通知” may be an answer.
        """
        if command := self._spellings.get(text.lower()):
            return command, ""
        head, _, rest = text.partition(" ")
        command = self._spellings.get(head.lower().partition("@")[0])
        if command and (head.startswith("/") or (command.rest and not whole)):
            return command, rest.strip()
        if whole:
            return None
        if command := self.commands.get(text.lower()):  # its slash left out: dues
            return command, ""
        for spelling in sorted((s for s, c in self._spellings.items() if c.rest), key=len, reverse=True):
            if not spelling.isascii() and text.startswith(spelling):
                return self._spellings[spelling], text[len(spelling) :].strip(" ：:，,")
        return None

    def _take(self, taker: Taker[T]) -> None:
        if any(one.endings == taker.endings or set(one.endings) & set(taker.endings) for one in self.takers):
            raise TypeError(f"files are taken twice: {taker.endings}")
        self.takers.append(taker)

    def _add(self, command: Command[T]) -> None:
        for spelling in (f"/{command.name}", *command.words):
            if spelling in self._spellings:
                raise TypeError(f"the word {spelling} is claimed twice")
            self._spellings[spelling] = command
        self.commands[command.name] = command

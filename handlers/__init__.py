"""What can a member do? One package per capability, each exporting one `capability`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from bot.core import router as core
from bot.core.reply import Button, Grade, Phrase, Reply, Words
from storage.audit import Actor
from storage.campaigns import Telling
from storage.files import File
from storage.house import Tx
from storage.reminders import Kept

Turn: TypeAlias = core.Turn[Tx]
Router: TypeAlias = core.Router[Tx]
Answer = core.Answer


@dataclass(frozen=True, slots=True)
class Item:
    """A line of 我的, 工作台 or a reminder, with the button that leads to it."""

    words: Words
    button: Button | None = None
    grade: Grade = Grade.GENERAL
    """Of a reminder, which comes by itself: one that names others is personal."""


@dataclass(frozen=True, slots=True)
class Round:
    """A round of reminders that is due. It begins once, by (kind, key), however many clocks ask.

    From `at` on and before `until` it may be said. `people` is asked when the round begins. `regulated`: a Party
    regulation demands it, so no weekly cap holds it back and nobody can stop it.
    """

    kind: str
    key: str
    subject: int
    at: datetime
    until: datetime
    people: Callable[[], Sequence[int]]
    regulated: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of reminder: what it is called (“思想汇报”), and its line for a person *now*.

    The line is None where its reason is gone: then nothing is said.
    """

    called: Phrase
    line: Callable[[Tx, datetime, Kept], Item | None]
    stoppable: bool = True
    """False: every round of it is demanded by a Party regulation."""
    officers: bool = False
    """Only those who hold an office get it."""


@dataclass(frozen=True)
class Capability:
    """What one package does for everybody else.

    `due` does what is due at a moment and says how much it did; `sheet` are its lines of 我的, `desk` those of
    工作台; `tell` composes what a campaign of a kind says to a person *now* – None where it need not be said any
    more. It is asked when a message is about to leave, and again when a copy has to be brought up to date.
    `waits` says whether a campaign of a kind still waits for a person's word; kinds that never do are not in it.
    `rounds` are the reminders that are due at a moment, `reminders` their kinds by name.
    `opens` says whether a person may open a file that belongs to something of a kind, and writes the reading down.
    """

    router: Router
    due: Callable[[Tx, datetime], int] | None = None
    sheet: Callable[[Turn], list[Item]] | None = None
    desk: Callable[[Turn], list[Item]] | None = None
    tell: Mapping[str, Callable[[Tx, datetime, Telling, int], Reply | None]] = field(default_factory=dict)
    waits: Mapping[str, Callable[[Tx, datetime, Telling, int], bool]] = field(default_factory=dict)
    rounds: Callable[[Tx, datetime], Iterable[Round]] | None = None
    reminders: Mapping[str, Kind] = field(default_factory=dict)
    opens: Mapping[str, Callable[[Tx, datetime, int, File], bool]] = field(default_factory=dict)


def actor(turn: Turn) -> Actor:
    """The sender as the one responsible for a decision."""
    return Actor(turn.member.id, turn.member.name, "chat")

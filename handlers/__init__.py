"""What can a member do? One package per capability, each exporting one `capability`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from bot.core import router as core
from bot.core.reply import Button, Reply, Words
from storage.audit import Actor
from storage.campaigns import Telling
from storage.house import Tx

Turn: TypeAlias = core.Turn[Tx]
Router: TypeAlias = core.Router[Tx]
Answer = core.Answer


@dataclass(frozen=True, slots=True)
class Item:
    """A line of 我的 or 工作台, with the button that leads to it."""

    words: Words
    button: Button | None = None


@dataclass(frozen=True)
class Capability:
    """What one package does for everybody else.

    `due` does what is due at a moment and says how much it did; `sheet` are its lines of 我的, `desk` those of
    工作台; `tell` composes what a campaign of a kind says to a person *now* – None where it need not be said any
    more. It is asked when a message is about to leave, and again when a copy has to be brought up to date.
    """

    router: Router
    due: Callable[[Tx, datetime], int] | None = None
    sheet: Callable[[Turn], list[Item]] | None = None
    desk: Callable[[Turn], list[Item]] | None = None
    tell: Mapping[str, Callable[[Tx, datetime, Telling, int], Reply | None]] = field(default_factory=dict)


def actor(turn: Turn) -> Actor:
    """The sender as the one responsible for a decision."""
    return Actor(turn.member.id, turn.member.name, "chat")

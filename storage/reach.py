"""Reach: who can be told now, on which channel; who cannot, and why?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.event import Address
from storage import preferences
from storage.house import Tx
from storage.preferences import Way

BATCH = 500
REASONS = ("dead address", "channel off", "no such channel", "no address")
"""Why an address is not used, that which says the most first; before them all, what a channel itself says."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would come of telling people now. A guess: addresses die and windows close between two looks.

    `channels` counts the people for whom each would be used – each of theirs under `all`, the first that is open
    under `preferred`. `unreachable` are those who would hear nothing, each with the reason. `passed` counts the
    addresses that would be passed over although somebody is reached elsewhere, by (channel, reason).
    """

    total: int
    channels: Mapping[str, int]
    unreachable: Mapping[int, str]
    passed: Mapping[tuple[str, str], int]

    @property
    def reached(self) -> int:
        """How many people would be told."""
        return self.total - len(self.unreachable)

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why how many are not reached, the most frequent first."""
        return Counter(self.unreachable.values()).most_common()


def plan(tx: Tx, now: datetime, people: Sequence[int], channels: str = "all") -> Plan:
    """Whom a campaign with these channels (`all`, `preferred`, or names) would reach now."""
    used: Counter[str] = Counter()
    passed: Counter[tuple[str, str]] = Counter()
    unreachable: dict[int, str] = {}
    ways: dict[int, list[Way]] = {}
    for at in range(0, len(people), BATCH):
        ways |= preferences.ways(tx, people[at : at + BATCH], channels)
    shut = _shut(tx, now, ways.values(), one_each=channels == "preferred")
    for person, theirs in ways.items():
        found = [(way.address.channel, way.closed or shut.get(way.address, "")) for way in theirs]
        open_ = [channel for channel, why in found if not why]
        closed = [(channel, why) for channel, why in found if why]
        if not open_:
            unreachable[person] = _plainest([why for _, why in closed])
            continue
        going = open_[:1] if channels == "preferred" else open_
        used.update(set(going))
        passed.update(set(closed))
    return Plan(len(people), dict(used), unreachable, dict(passed))


def _shut(tx: Tx, now: datetime, ways: Iterable[Sequence[Way]], *, one_each: bool) -> dict[Address, str]:
    """The addresses to which their channel can send nothing now, each with its reason.

    A channel is asked for everybody at once, since what it has left is everybody's. `one_each`: what nobody is told
    by costs nothing, so an address is asked for only where those before it are shut.
    """
    shut: dict[Address, str] = {}
    waiting = [[way.address for way in theirs if not way.closed] for theirs in ways]
    asked: dict[str, list[Address]] = {}
    while waiting:
        for theirs in waiting:
            for address in theirs[:1] if one_each else theirs:
                asked.setdefault(address.channel, []).append(address)
        for channel, closed in tx.house.closed.items():
            if asked.get(channel):
                shut |= closed(tx, now, asked[channel])
        waiting = [theirs[1:] for theirs in waiting if theirs[1:] and theirs[0] in shut] if one_each else []
    return shut


def _plainest(reasons: Sequence[str]) -> str:
    """The reason that says the most."""
    return min(reasons, key=lambda why: REASONS.index(why) if why in REASONS else -1)

"""What does a channel look like from the outbox? A fake of what lies outside our walls, in any mood, that keeps
what it was handed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.event import Address
from bot.core.reply import Message, Parcel
from storage import addresses, campaigns, people
from storage.campaigns import Telling
from storage.house import Tx
from storage.rates import Limit
from storage.writer import Writer
from tests.people import House
from workers.outbox import Compose, Outbox


@dataclass
class Post:
    """One channel. `mood` is called for each sending and may raise what a channel raises."""

    house: House
    name: str = "telegram"
    repeatable: bool = False
    rates: Mapping[str, Limit] = field(default_factory=dict)
    per_key: Limit | None = None
    mood: Callable[[str, int], None] = lambda _key, _delivery: None
    gate: Callable[[Parcel], Parcel | str] = lambda parcel: parcel
    tried: list[tuple[datetime, str, int]] = field(default_factory=list)
    accepted: list[tuple[datetime, str, int]] = field(default_factory=list)
    revised: list[tuple[str, str, str]] = field(default_factory=list)

    def limits(self, key: str) -> Mapping[str, Limit]:
        return {**self.rates, **({f"{self.name}:{key}": self.per_key} if self.per_key else {})}

    def admit(self, tx: Tx, now: datetime, parcel: Parcel) -> Parcel | str:
        return self.gate(parcel)

    async def send(self, parcel: Parcel) -> str:
        assert parcel.message.text
        self.tried.append((self.house.now, parcel.key, parcel.delivery))
        self.mood(parcel.key, parcel.delivery)
        self.accepted.append((self.house.now, parcel.key, parcel.delivery))
        return f"m{parcel.delivery}"

    async def revise(self, parcel: Parcel, ref: str) -> None:
        self.mood(parcel.key, 0)
        self.revised.append((parcel.key, ref, parcel.message.text))

    @property
    def times(self) -> list[float]:
        """When each was accepted, in seconds since 1970."""
        return [at.timestamp() for at, _, _ in self.accepted]

    @property
    def keys(self) -> list[str]:
        """To whom, in no order."""
        return sorted(key for _, key, _ in self.accepted)


def telling(_tx: Tx, _now: datetime, told: Telling, person_id: int) -> Message | None:
    """The plainest words."""
    return Message(f"第{told.id}号通知，{person_id}")


def as_it_is(_tx: Tx, _now: datetime, message: Message, _address: Address, _person_id: int) -> Message:
    """These messages may go anywhere."""
    return message


def open_outbox(house: House, writer: Writer, *channels: Post, compose: Compose = telling) -> Outbox:
    """An outbox whose waiting is time that passes in the house."""

    async def sleep(seconds: float) -> None:
        house.now += timedelta(seconds=seconds)

    return Outbox(house.app.database, writer, compose, as_it_is, channels, lambda: house.now, sleep)


async def drain(outbox: Outbox, *channels: Post) -> None:
    """Everything that can be done now."""
    while any([await outbox.expand(), *[await outbox.drain(channel) for channel in channels]]):
        pass


def reach(house: House, count: int, channel: str = "telegram") -> list[int]:
    """So many new people, each with one address."""
    with house.app.database.write() as tx:
        org = house.orgs["第一支部"].id
        rows = [
            {"number": f"N{number:05}", "name": f"同志{number}", "kind": "群众", "organisation_id": org}
            for number in range(count)
        ]
        ids = people.add_many(tx, house.now, rows)
        bindings = [{"channel": channel, "key": f"k{one}", "person_id": one, "bound_at": house.now, "dead": False}
                    for one in ids]  # fmt: skip
        tx.run(addresses.Binding.__table__.insert(), bindings)  # type: ignore[attr-defined]  # SQLModel does not declare it
    return ids


def tell(house: House, ids: list[int], channels: str = "all") -> int:
    """Decide to tell these people something."""
    with house.app.database.write() as tx:
        return campaigns.create(tx, house.now, "test", 1, ids, channels=channels)


def states(house: House, campaign: int) -> dict[tuple[str, str], int]:
    """How many deliveries there are of each (channel, state)."""
    with house.app.database.read() as tx:
        return campaigns.progress(tx, [campaign])

"""channels: how soon is a notice over all five channels queued, and does a dead or a slow one delay the others?"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot.app import App
from bot.core.event import Address
from bot.core.reply import Parcel, Undelivered
from handlers.notices import desk
from handlers.notices.desk import Draft
from storage import addresses, campaigns, organisations
from storage.audit import OPERATOR
from storage.house import CHANNELS
from storage.rates import Limit
from storage.writer import open_writer
from tests.bench.members import open_app, settle
from tests.bench.outbox import BODY, Drain
from workers.outbox import Outbox

SLOW = 20.0
"""Messages a second of the slow channel: what we let WeChat have."""
QUICK = ("telegram", "web")
LAST = "wechat"
"""The channel that is not there, hangs, or is slow."""


class Sink(Drain):
    """A channel that takes each at once – or, where it `hangs`, none until it is let go."""

    def __init__(self, name: str, wanted: int, *, hangs: bool = False, rate: float = 0) -> None:
        super().__init__(wanted)
        self.name, self._rate = name, rate
        self.let_go = asyncio.Event()
        if not hangs:
            self.let_go.set()

    def limits(self, key: str) -> Mapping[str, Limit]:
        return {self.name: Limit(self._rate), f"{self.name}:{key}": Limit(1)} if self._rate else {}

    async def send(self, parcel: Parcel) -> str:
        if not self.let_go.is_set():
            await self.let_go.wait()
            raise Undelivered("it hung")
        return await super().send(parcel)


def channels(*, people: int = 443, crowd: int = 2000, rounds: int = 3) -> dict[str, float]:
    """Seconds until a notice to `people` is queued for all channels; and until two quick channels have taken another
    to a `crowd`, beside a third that is not there, hangs, or takes 20 a second: medians, and ratios of one run."""
    with tempfile.TemporaryDirectory() as folder:
        app = _town(Path(folder) / "all", people, CHANNELS)
        queued, copies = zip(*(_queue(app) for _ in range(rounds)), strict=True)
        app.database.close()
        home = Path(folder) / "crowd"
        _town(home, crowd, (*QUICK, LAST)).database.close()
        took: dict[str, list[float]] = defaultdict(list)
        accepted = 0
        for _ in range(rounds):
            for beside in ("nobody", "hanging", "slow"):
                seconds, arrived = asyncio.run(_drain(home, crowd, beside))
                took[beside].append(seconds)
                accepted += arrived
    median = {beside: statistics.median(found) for beside, found in took.items()}
    return {
        "queued_s": statistics.median(queued),
        "copies": max(copies),
        "alone_s": median["nobody"],
        "beside_hanging": median["hanging"] / median["nobody"],
        "beside_slow": median["slow"] / median["nobody"],
        "deliveries": crowd * len(QUICK) * len(took) * rounds,
        "accepted": accepted,
    }


def _town(folder: Path, people: int, names: tuple[str, ...]) -> App:
    """So many people, each with an address on each of these channels."""
    folder.mkdir()
    app = _open(folder)
    ids = settle(app, people)
    now = datetime.now(UTC)
    with app.database.write() as tx:
        for name in set(names) - {"telegram"}:
            for person in ids:
                addresses.bind(tx, person, Address(name, f"p{person}"), now, consent="bench")
    return app


def _open(folder: Path) -> App:
    """A house with every channel switched on, whatever it needs elsewhere."""
    app = open_app(folder)
    app.database.house = replace(app.database.house, channels=CHANNELS)
    return app


def _announce(app: App) -> int:
    """A notice to everybody; its campaign."""
    now = datetime.now(UTC)
    with app.database.write() as tx:
        committee = organisations.named(tx, "DW")[0]
        notice = desk.send(tx, now, OPERATOR, committee, Draft("支部党员大会", BODY, "all", ask_ack=True))
        return campaigns.about(tx, "notice", notice)[0].id


def _queue(app: App) -> tuple[float, int]:
    """Seconds from the decision until each copy is written down, as the outbox does it; how many there are."""
    started = time.perf_counter()
    campaign = _announce(app)
    covered = 1
    while covered:
        with app.database.write() as tx:
            covered = campaigns.expand(tx, datetime.now(UTC))
    took = time.perf_counter() - started
    with app.database.read() as tx:
        return took, sum(campaigns.progress(tx, [campaign]).values())


async def _drain(home: Path, people: int, beside: str) -> tuple[float, int]:
    """Seconds from the outbox's start until the quick channels have taken everything; how much is written down."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(home, folder, dirs_exist_ok=True)
        app = _open(Path(folder))
        campaign = _announce(app)
        writer, sinks = open_writer(app.database), [Sink(name, people) for name in QUICK]
        last = Sink(LAST, people, hangs=beside == "hanging", rate=SLOW if beside == "slow" else 0)
        box = Outbox(
            app.database, writer, app.reception.compose, app.reception.fit,
            [*sinks, *([] if beside == "nobody" else [last])], lambda: datetime.now(UTC),
        )  # fmt: skip
        started = time.perf_counter()
        await box.start()
        await asyncio.gather(*(sink.all_taken.wait() for sink in sinks))
        took = time.perf_counter() - started
        last.let_go.set()
        await box.stop()
        await writer.close()
        with app.database.read() as tx:
            found = campaigns.progress(tx, [campaign])
        app.database.close()
    return took, sum(found.get((name, "accepted"), 0) for name in QUICK)

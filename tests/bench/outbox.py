"""outbox: how many deliveries of a notice leave in a second, to a channel that takes each at once?"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.app import App
from bot.core.reply import Parcel
from handlers.notices import desk
from handlers.notices.desk import Draft
from storage import campaigns, organisations
from storage.audit import OPERATOR
from storage.house import Tx
from storage.rates import Limit
from storage.writer import open_writer
from tests.bench.members import open_app, settle
from workers.outbox import Outbox

BODY = "本周五下午两点在三楼会议室召开支部党员大会，请安排好工作，准时参加。因故不能参加的，请提前向支部书记请假。"


class Drain:
    """A channel without a bottom."""

    name = "telegram"
    repeatable = False

    def __init__(self, wanted: int) -> None:
        self.all_taken = asyncio.Event()
        self._left = wanted

    def limits(self, _key: str) -> Mapping[str, Limit]:
        return {}

    def admit(self, _tx: Tx, _now: datetime, parcel: Parcel) -> Parcel:
        return parcel

    async def send(self, parcel: Parcel) -> str:
        assert parcel.message.keys
        self._left -= 1
        if self._left == 0:
            self.all_taken.set()
        return str(parcel.delivery)

    async def revise(self, _parcel: Parcel, _ref: str) -> None:
        raise AssertionError("nobody has confirmed anything yet")


def outbox(people: int = 5000, rounds: int = 3) -> dict[str, float]:
    """Deliveries a second (the median of the rounds), and how many of them are written down as accepted."""
    with tempfile.TemporaryDirectory() as folder:
        app = open_app(Path(folder), telegram__token="1:none", telegram__mode="polling")
        settle(app, people)
        took, accepted = [], 0
        for _ in range(rounds):
            campaign = _announce(app)
            took.append(asyncio.run(_deliver(app, people)))
            with app.database.read() as tx:
                accepted += campaigns.progress(tx, [campaign]).get(("telegram", "accepted"), 0)
        app.database.close()
    return {
        "deliveries_per_s": people / statistics.median(took),
        "deliveries": people * rounds,
        "accepted": accepted,
    }


def _announce(app: App) -> int:
    """A notice that asks for a word back; its campaign."""
    now = datetime.now(UTC)
    with app.database.write() as tx:
        committee = organisations.named(tx, "DW")[0]
        notice = desk.send(tx, now, OPERATOR, committee, Draft("支部党员大会", BODY, "all", ask_ack=True))
        return campaigns.about(tx, "notice", notice)[0].id


async def _deliver(app: App, people: int) -> float:
    """Seconds from the outbox's start until everything has left and is written down."""
    writer, drain = open_writer(app.database), Drain(people)
    box = Outbox(app.database, writer, app.reception.compose, app.reception.fit, [drain], lambda: datetime.now(UTC))
    started = time.perf_counter()
    await box.start()
    await drain.all_taken.wait()
    await box.stop()
    took = time.perf_counter() - started
    await writer.close()
    return took

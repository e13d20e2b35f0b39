"""members: who votes in the benchmarks, and on what?

500 members of five branches, each bound to a Telegram account, and ten open named polls whose question has
reached everybody: the state of a house in which somebody is about to tap.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from bot.app import App, build
from bot.config import load
from bot.core.event import Address
from handlers.voting import desk
from handlers.voting.chat import Cast
from handlers.voting.desk import Plan
from storage import addresses, campaigns, organisations, people, polls
from storage.audit import OPERATOR
from storage.database import upgrade
from storage.house import Tx

FIRST_ACCOUNT = 700_000_000
OPTIONS = ("赞成", "反对", "弃权")


@dataclass(frozen=True, slots=True)
class Tap:
    """One member's tap on one button."""

    account: int
    payload: str


def open_app(folder: Path, **settings: str) -> App:
    """An empty installation in a folder, with its tables."""
    environment = {
        "TIEXIN_DATABASE__URL": f"sqlite:///{folder / 'tiexin.db'}",
        "TIEXIN_SECURITY__KEY_FILE": str(folder / "key"),
    }
    environment |= {f"TIEXIN_{name.upper()}": value for name, value in settings.items()}
    config = load(None, environment)
    upgrade(config.database.url)
    return build(config)


def settle(app: App, members: int) -> list[int]:
    """So many members, each bound to an account; their ids."""
    now = datetime.now(UTC)
    with app.database.write() as tx:
        root = organisations.add(tx, code="DW", name="海川公司党委", kind="党委", parent=None)
        branches = [
            organisations.add(tx, code=f"DW{n:02d}", name=f"第{n}支部", kind="党支部", parent=root) for n in range(5)
        ]
        rows = [
            {"number": f"{n:06d}", "name": f"党员{n}", "kind": "正式党员", "organisation_id": branches[n % 5].id}
            for n in range(members)
        ]
        ids = people.add_many(tx, now, rows)
        for n, person in enumerate(ids):
            addresses.bind(tx, person, Address("telegram", str(FIRST_ACCOUNT + n)), now, consent="bench")
    return ids


def open_polls(app: App, ids: list[int], count: int) -> list[Tap]:
    """Open polls whose question stands in everybody's chat; one tap of everybody on each, poll by poll."""
    now = datetime.now(UTC)
    taps = []
    with app.database.write() as tx:
        committee = organisations.named(tx, "DW")[0]
        for number in range(count):
            plan = Plan(f"第{number + 1}项表决", OPTIONS, "all", now + timedelta(days=3), secret=False)
            poll = desk.create(tx, now, OPERATOR, committee, plan)
            desk.open_(tx, now, OPERATOR, poll)
            for n, person in enumerate(ids):
                code = desk.option_code(tx, poll, person, 1 + (n + number) % len(OPTIONS))
                taps.append(Tap(FIRST_ACCOUNT + n, Cast(poll, code).encode()))
        while campaigns.expand(tx, now):
            pass
        tx.run(text("UPDATE delivery SET state = 'accepted', message = CAST(1000 + id AS TEXT)"))
    return taps


def counted(tx: Tx) -> int:
    """The votes that are in the store."""
    return sum(len(polls.voters(tx, poll.id)) for poll in polls.listed(tx))


def keep(taps: list[Tap], file: Path) -> None:
    """Write taps down for the process that sends them."""
    file.write_text(json.dumps([asdict(tap) for tap in taps]), encoding="utf-8")


def kept(file: Path) -> Iterator[Tap]:
    """Taps that were written down."""
    for tap in json.loads(file.read_text(encoding="utf-8")):
        yield Tap(**tap)

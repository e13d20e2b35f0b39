"""The people of the tests: 王芳 a member, 李书记 her branch secretary, 赵书记 the committee's, 周 a stranger.

A test reads like a chat: `wang = house.chat("王芳")`, `wang.say("党费")`, `wang.tap("收到")`. The core, the
storage and the words are the real ones; only the channel is left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Dialect

from bot.app import App, capabilities
from bot.app import house as make_house
from bot.config import load
from bot.core.event import Address, Event, Handed, Pressed, Said
from bot.core.reply import Key, Message
from bot.reception import Reception
from bot.render import renderer
from storage import addresses, offices, organisations, people
from storage.campaigns import Telling
from storage.database import Database, revisions, upgrade
from storage.house import CHANNELS, Tx
from storage.organisations import Org

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
"""Tuesday, 24 November 2026, 10:00 in Beijing."""


@dataclass
class House:
    """An installation with a committee, two branches and a few people, at a time that stands still."""

    app: App
    now: datetime = NOW
    orgs: dict[str, Org] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    counter: Iterator[int] = field(default_factory=itertools.count)

    def later(self, **delta: float) -> None:
        """Let time pass: `house.later(hours=3)`."""
        self.now += timedelta(**delta)

    def person(self, name: str, number: str, *, branch: str = "第一支部", kind: str = "正式党员", office: str = "",
               **values: object) -> int:  # fmt: skip
        with self.app.database.write() as tx:
            org = self.orgs[branch]
            new = people.add(tx, self.now, number=number, name=name, kind=kind, organisation_id=org.id, **values)
            if office:
                offices.appoint(tx, new, org, office, date(2026, 1, 1))
        self.ids[name] = new
        return new

    def chat(self, name: str, channel: str = "telegram", key: str = "") -> Chat:
        """A chat with somebody: bound if they are in the house, a stranger's otherwise."""
        address = Address(channel, key or (f"p{self.ids[name]}" if channel == "web" else f"{channel}-{name}"))
        if name in self.ids:
            with self.app.database.write() as tx:
                if addresses.find(tx, address) is None:
                    addresses.bind(tx, self.ids[name], address, self.now, consent="test")
        return Chat(self, address)

    def receive(self, event: Event) -> list[Message]:
        with self.app.database.write() as tx:
            return self.app.reception.receive(tx, event, self.now).messages

    def compose(self, telling: Telling, name: str) -> Message | None:
        """What a campaign would say to somebody now."""
        with self.app.database.read() as tx:
            return self.app.reception.compose(tx, self.now, telling, self.ids[name])

    def tick(self) -> int:
        """What the clock does now; how much."""
        with self.app.database.write() as tx:
            return self.app.reception.due(tx, self.now)


@dataclass
class Chat:
    """One address, as its owner sees it."""

    house: House
    address: Address
    heard: list[Message] = field(default_factory=list)
    language: str | None = None

    @property
    def text(self) -> str:
        """The last thing Tiexin said."""
        return self.heard[-1].text

    @property
    def labels(self) -> list[str]:
        """The buttons under it."""
        return [key.label for row in self.heard[-1].keys for key in row]

    def say(self, text: str, event_id: str = "") -> str:
        """Type something; what Tiexin answers."""
        return self._hear(Said(self.address, event_id or self._next(), text, self.language))

    def tap(self, label: str, event_id: str = "") -> str:
        """Press the newest button whose label contains this."""
        return self.press(self.key(label).payload or "", event_id)

    def press(self, payload: str, event_id: str = "") -> str:
        return self._hear(Pressed(self.address, event_id or self._next(), payload, self.language))

    def hand(self, filename: str, content: bytes) -> str:
        return self._hear(Handed(self.address, self._next(), filename, content, self.language))

    def key(self, label: str) -> Key:
        """The newest button whose label is this, or else contains it."""
        keys = [key for message in reversed(self.heard) for row in message.keys for key in row]
        exact = [key for key in keys if key.label == label]
        found = exact or [key for key in keys if label in key.label]
        assert found, f"no button {label!r}; there are {[key.label for key in keys]}"
        return found[0]

    def see(self, message: Message | None) -> str:
        """Something that was delivered to this address."""
        assert message is not None
        self.heard.append(message)
        return message.text

    def _next(self) -> str:
        return f"e{next(self.house.counter)}"

    def _hear(self, event: Event) -> str:
        self.heard += self.house.receive(event)
        return self.text


@dataclass(frozen=True, slots=True)
class Furnished:
    """A house as everybody finds it: its SQLite database, its key, its organisations and people by name."""

    database: bytes
    key: bytes
    orgs: dict[str, Org]
    ids: dict[str, int]


@cache
def furnished() -> Furnished:
    """What every house begins as; made once, and copied from then on."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        upgrade(f"sqlite:///{folder}/tiexin.db")
        house = _opened(folder, f"sqlite:///{folder}/tiexin.db", {})
        furnish(house)
        house.app.database.close()
        return Furnished(
            (folder / "tiexin.db").read_bytes(), (folder / "key").read_bytes(), house.orgs, house.ids
        )  # fmt: skip


def build_house(folder: Path, url: str = "", **settings: str) -> House:
    """A fresh house. `settings` are configuration, as in `policy__channels="strict"`.

    Elsewhere than in the folder the database is empty, or a copy of `furnished_on`.
    """
    first = furnished()
    key = folder / "key"
    key.touch(0o600)
    key.write_bytes(first.key)
    if not url:
        (folder / "tiexin.db").write_bytes(first.database)
        return replace(_opened(folder, "", settings), orgs=dict(first.orgs), ids=dict(first.ids))
    furnished_already = revisions(url)[0] is not None
    if not furnished_already:
        upgrade(url)
    house = _opened(folder, url, settings)
    if not furnished_already:
        furnish(house)
    return replace(house, orgs=dict(first.orgs), ids=dict(first.ids))


def furnished_on(url: str) -> None:
    """Make an empty database one that houses are copied from."""
    with TemporaryDirectory() as folder:
        build_house(Path(folder), url).app.database.close()


def _opened(folder: Path, url: str, settings: Mapping[str, str]) -> House:
    environment = {"TIEXIN_DATABASE__URL": url or f"sqlite:///{folder}/tiexin.db"}
    environment["TIEXIN_SECURITY__KEY_FILE"] = str(folder / "key")
    environment |= {f"TIEXIN_{name.upper()}": value for name, value in settings.items()}
    config = load(None, environment)
    its_house = replace(make_house(config), channels=CHANNELS)  # each is switched on, whatever it needs elsewhere
    reception = Reception(capabilities(), renderer(its_house.zone))
    database = Database(config.database.url, its_house)
    _share_compiled(database)
    return House(App(config, database, reception))


_DIALECTS: dict[str, Dialect] = {}
_COMPILED: dict[Any, Any] = {}


def _share_compiled(database: Database) -> None:
    """What one house has compiled need not be compiled for the next: it was a fifth of what most tests do.

    SQLAlchemy keeps compiled statements by engine and dialect, and each house has engines of its own.
    """
    for engine in (database.engine, database.reader):
        engine.dialect = _DIALECTS.setdefault(engine.dialect.name, engine.dialect)
        engine.update_execution_options(compiled_cache=_COMPILED)


def furnish(house: House) -> None:
    """Its organisations and people."""
    with house.app.database.write() as tx:
        house.orgs = found(tx)
    house.person("王芳", "1001")
    house.person("李书记", "1002", office="支部书记")
    house.person("孙明", "1003", kind="预备党员")
    house.person("陈晓", "1004", kind="入党积极分子")
    house.person("吴强", "2001", branch="第二支部")
    house.person("钱书记", "2002", branch="第二支部", office="支部书记")
    house.person("赵书记", "0001", branch="海川公司党委", office="党委书记")


def found(tx: Tx) -> dict[str, Org]:
    """海川公司党委 with 第一支部 and 第二支部 (invented)."""
    root = organisations.add(tx, code="DW", name="海川公司党委", kind="党委", parent=None)
    first = organisations.add(tx, code="DW01", name="第一支部", kind="党支部", parent=root)
    second = organisations.add(tx, code="DW02", name="第二支部", kind="党支部", parent=root)
    return {org.name: org for org in (root, first, second)}

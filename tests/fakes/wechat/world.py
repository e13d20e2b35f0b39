"""world: who follows the account, what has been said, and what was lost on the way?"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.telegram.clock import Clock
from tests.fakes.wechat.crypto import Seal
from tests.fakes.wechat.envelope import element, elements
from tests.fakes.wechat.errors import ApiError, Json
from tests.fakes.wechat.limits import Limits, Rates, Windows
from tests.fakes.wechat.model import Follower, Kind, Line, Mode, Push, QrCode, Template
from tests.fakes.wechat.tokens import Tokens


@dataclass
class Account:
    """The official account, as its owner sees it in the console."""

    appid: str
    secret: str
    token: str
    """The word that signs the pushes (not an access token)."""
    aes_key: str
    original_id: str = "gh_7f0a1b2c3d4e"
    kind: Kind = "service"
    verified: bool = True
    mode: Mode = "safe"
    url: str = ""
    """Where pushes go."""
    addresses: set[str] | None = None
    """From where tokens may be asked for; None for everywhere."""


@dataclass
class Receipts:
    """When and how often `TEMPLATESENDJOBFINISH` comes."""

    delay: float = 1.0
    times: int = 1
    before_answer: bool = False
    """Does it overtake the answer to the call?"""


@dataclass
class World:
    """All that WeChat remembers about one account."""

    clock: Clock
    limits: Limits
    account: Account
    rng: random.Random
    people: dict[str, Follower] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    media: dict[str, bytes] = field(default_factory=dict)
    """Pictures that people have sent, by their id."""
    codes: dict[str, QrCode] = field(default_factory=dict)
    menu: list[Json] | None = None
    receipts: Receipts = field(default_factory=Receipts)
    doubles: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)
    """When a client_msg_id was used for whom, and the msgid it got."""
    violations: Counter[str] = field(default_factory=Counter)
    """Each errcode returned, and each silent loss, with how often; the script's misfortunes are not counted."""
    early: list[Push] = field(default_factory=list)
    """Receipts that are to overtake the answer."""
    tell: Callable[[Push], object] = lambda _push: None

    def __post_init__(self) -> None:
        self.seal = Seal(self.account.aes_key, self.account.appid)
        self.tokens = Tokens(self.limits, self.rng)
        self.rates = Rates(self.limits)
        self._serial = 0
        self._watchers: deque[Callable[[], None]] = deque()

    # -- people ----------------------------------------------------------------------------------------------

    def add(self, openid: str, name: str, *, following: bool) -> Follower:
        person = Follower(openid, name, Windows(self.limits), following, self.clock.now())
        self.people[openid] = person
        return person

    def follower(self, openid: object, *, gone: int = 43004) -> Follower:
        """The person a message goes to. Raises ApiError 40003 (unknown), or `gone` if they have left."""
        person = self.people.get(openid) if isinstance(openid, str) else None
        if person is None:
            raise ApiError(40003)
        if not person.following:
            raise ApiError(gone)
        return person

    def show(self, person: Follower, line: Line) -> None:
        """Put a line into somebody's chat."""
        person.lines.append(line)
        self.changed()

    # -- what the account is told ----------------------------------------------------------------------------

    def message(self, person: Follower, kind: str, inside: str, *, menu_id: str | None = None) -> Push:
        """Tell of a message; `inside` is the XML of its kind."""
        xml = self._head(person.openid, kind) + inside + element("MsgId", self.serial())
        if menu_id is not None and self.account.kind != "sandbox":
            xml += element("bizmsgmenuid", menu_id)
        return self._told(person.openid, kind, xml)

    def event(self, person: Follower, event: str, inside: str = "", *, by_person: bool = True) -> Push:
        """Tell of an event."""
        push = self.make_event(person, event, inside, by_person=by_person)
        self.tell(push)
        return push

    def make_event(self, person: Follower, event: str, inside: str, *, by_person: bool) -> Push:
        xml = self._head(person.openid, "event") + element("Event", event) + inside
        return Push(self._next(), person.openid, event, xml, by_person)

    def raw(self, person: Follower, xml: str) -> Push:
        """Tell whatever stands here, as the inside of <xml>."""
        return self._told(person.openid, "raw", xml)

    def _told(self, openid: str, kind: str, xml: str) -> Push:
        push = Push(self._next(), openid, kind, xml)
        self.tell(push)
        return push

    def _head(self, openid: str, kind: str) -> str:
        return elements(
            [
                ("ToUserName", self.account.original_id),
                ("FromUserName", openid),
                ("CreateTime", int(self.clock.now())),
                ("MsgType", kind),
            ]
        )

    # -- numbers ---------------------------------------------------------------------------------------------

    def serial(self) -> int:
        """A number of the platform's, as a MsgId: large and rising."""
        return 24_000_000_000_000_000 + self._next()

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    # -- who watches -----------------------------------------------------------------------------------------

    def watch(self, look: Callable[[], None]) -> None:
        """Call `look` after every change, until `unwatch`."""
        self._watchers.append(look)

    def unwatch(self, look: Callable[[], None]) -> None:
        self._watchers.remove(look)

    def changed(self) -> None:
        for look in list(self._watchers):
            look()

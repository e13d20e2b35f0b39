"""visitors: who is looking, may they do this, and where do they sit?"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp import web

from bot.adapters.web import CHANNEL, person_of
from bot.config import Config
from bot.core.event import Address
from bot.server.front import No
from storage import addresses, people
from storage import web as chats
from storage.house import House, Tx
from storage.people import Somebody

LIFE = timedelta(days=30)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Seat:
    """A session's own corner of a browser. In the demonstration each persona has one, so that several are open
    side by side; elsewhere there is only the one at the root."""

    base: str = ""
    cookie: str = "tiexin"

    @property
    def guests(self) -> bool:
        """Whether somebody who is not signed in may sit here."""
        return not self.base


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever holds a cookie: a person, or a guest who may show a binding code."""

    digest: bytes
    key: str
    person: Somebody | None
    begun: bool
    """Whether the session is in the database; a guest's is not until they say something."""

    @property
    def address(self) -> Address:
        return Address(CHANNEL, self.key)


class Visitors:
    """Cookies, tokens and where a request comes from."""

    def __init__(self, config: Config, house: House) -> None:
        self._house = house
        self._public = urlsplit(house.public_url)
        self._secure = self._public.scheme == "https"
        self._proxies = config.server.trusted_proxies

    # -- who ------------------------------------------------------------------------------------------------

    def seat(self, request: web.Request) -> Seat:
        """Where this request sits. Raises No for a persona's seat outside the demonstration."""
        if person := request.match_info.get("person"):
            if not self._house.demo:
                raise No(404, "not_found")
            return self.seat_of(int(person))
        return Seat(cookie="__Host-tiexin" if self._secure else "tiexin")

    def seat_of(self, person_id: int) -> Seat:
        """Where somebody who signs in by a link will sit."""
        if self._house.demo:
            return Seat(f"/p/{person_id}", f"tiexin_{person_id}")
        return Seat(cookie="__Host-tiexin" if self._secure else "tiexin")

    def digest(self, request: web.Request) -> bytes | None:
        """What the browser's cookie is remembered by."""
        value = request.cookies.get(self.seat(request).cookie)
        return self.digest_of(value) if value else None

    def digest_of(self, value: str) -> bytes:
        return self._house.keys.digest("web session", value)

    def look(self, tx: Tx, digest: bytes, now: datetime) -> Visitor | None:
        """Who holds the cookie; None: their session is over, or they are no longer bound here."""
        session = chats.session(tx, digest, now)
        if session is None:
            return Visitor(digest, f"g{digest.hex()[:32]}", None, begun=False)
        if session.over:
            return None
        person_id = person_of(session.key)
        if person_id is None:
            return Visitor(digest, session.key, None, begun=True)
        person = people.get(tx, person_id)
        if person.left_on is not None or addresses.find(tx, Address(CHANNEL, session.key)) is None:
            return None
        return Visitor(digest, session.key, person, begun=True)

    def begin(self, tx: Tx, now: datetime, digest: bytes, key: str, device: str) -> None:
        """Write a session down."""
        chats.add_session(tx, digest, key, now, now + LIFE, device)

    def new_cookie(self) -> tuple[str, bytes]:
        """A cookie's value, 256 bits, and its digest."""
        value = secrets.token_urlsafe(32)
        return value, self.digest_of(value)

    def set_cookie(self, response: web.StreamResponse, seat: Seat, value: str) -> None:
        response.set_cookie(
            seat.cookie, value, max_age=int(LIFE.total_seconds()), path=seat.base or "/", httponly=True,
            samesite="Lax", secure=self._secure,
        )  # fmt: skip

    def drop_cookie(self, response: web.StreamResponse, seat: Seat) -> None:
        response.del_cookie(seat.cookie, path=seat.base or "/", httponly=True, samesite="Lax", secure=self._secure)

    def handle(self, key: str) -> str:
        """A name for a chat that a browser may know and store."""
        return self._house.keys.digest("web chat", key).hex()[:16]

    def session_handle(self, digest: bytes) -> str:
        """A name for a session that its owner may end it by."""
        return self._house.keys.digest("web session handle", digest.hex()).hex()[:16]

    # -- may they ---------------------------------------------------------------------------------------------

    def token(self, digest: bytes) -> str:
        """What a page of this session sends with everything that changes something."""
        return self._house.keys.digest("web form", digest.hex()).hex()

    def check(self, request: web.Request, token: object) -> bytes:
        """The digest of a session that may change something by this request. Raises No."""
        self.check_origin(request)
        digest = self.digest(request)
        if digest is None:
            raise No(401, "signed_out")
        if not isinstance(token, str) or not hmac.compare_digest(token.encode(), self.token(digest).encode()):
            raise No(403, "strange_form")
        return digest

    def check_origin(self, request: web.Request) -> None:
        """Raises No unless a page of ours is asking."""
        origin = request.headers.get("Origin")
        own = {(self._public.scheme, self._public.netloc), (request.scheme, request.host)}
        if origin in (None, "null"):
            ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
        else:
            parts = urlsplit(str(origin))
            ours = (parts.scheme, parts.netloc) in own
        if not ours:
            raise No(403, "strange_form")

    def place(self, request: web.Request) -> str:
        """Where on the network a request comes from: an address, of IPv6 the network of one household."""
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        place = request.remote or ""
        while hops and self._trusted(place):
            place = hops.pop()
        try:
            address = ip_address(place)
        except ValueError:
            return "unknown"
        return str(address) if address.version == 4 else str(ip_network((address, 64), strict=False))

    def _trusted(self, place: str) -> bool:
        try:
            return any(ip_address(place) in network for network in self._proxies)
        except ValueError:
            return False

    @staticmethod
    def local(request: web.Request) -> bool:
        """Whether it comes from this very machine, by a name that means it (not one that was rebound to it)."""
        host = urlsplit(f"//{request.host}").hostname
        return request.remote in LOOPBACK and host in LOOPBACK and "X-Forwarded-For" not in request.headers

    @staticmethod
    def device(request: web.Request) -> str:
        """What a browser calls itself, shortened to what its owner recognises."""
        agent = request.headers.get("User-Agent", "")
        system = next((name for mark, name in _SYSTEMS if mark in agent), "")
        browser = next((name for mark, name in _BROWSERS if mark in agent), "")
        return " · ".join(part for part in (browser, system) if part)


_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("HarmonyOS", "HarmonyOS"), ("Android", "Android"),
    ("Windows", "Windows"), ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
_BROWSERS = (
    ("MicroMessenger", "WeChat"), ("DingTalk", "DingTalk"), ("Edg/", "Edge"), ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip

"""tencent_callback: did WeChat or WeCom write this just now, and what does it say?

Both bring events the same way: a signature in the address, and XML that is encrypted for us. wechatpy has the cipher;
its own reading compares with `!=`, knows no age, takes a broken padding for a bug, and fails in eight ways on a
malformed message. Here a push is either read or refused, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.parsers import expat

from wechatpy.crypto.base import WeChatCipher
from wechatpy.crypto.pkcs7 import PKCS7Encoder

# Our own rules, not the platforms' figures.
BODY = 64 * 1024
"""Bytes of a push at the most."""
FRESH = 300
"""Seconds that the time in an address may lie from now, before or after."""
DEPTH = 6
"""Elements within elements; the platforms' own go three deep."""
REMEMBERED = 20_000
"""Signatures kept for the time in which they are fresh; the oldest give way."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_ENCRYPT = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?\s*</Encrypt>")
Value = Any
"""A part of a message: a text, an element's parts by name, or a list where an element stands several times."""


class Forged(Exception):
    """Not written by the platform, or not now. It is answered 403 and says nothing more to whoever wrote it."""


class Unreadable(Exception):
    """Written by the platform, and not to be understood: acknowledged, or it would come twice more."""


@dataclass(frozen=True, slots=True)
class Push:
    """A message that the platform brought: its elements by name."""

    values: Mapping[str, Value]
    age: float
    """Seconds since the platform wrote it, by its own clock."""

    def text(self, name: str) -> str:
        """An element that stands once and holds text; "" where it is missing. Raises Unreadable for any other."""
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Unreadable(name)
        return value

    def number(self, name: str) -> int:
        """An element that is a whole number. Raises Unreadable."""
        text = self.text(name)
        if not re.fullmatch(r"\d{1,20}", text, re.ASCII):
            raise Unreadable(name)
        return int(text)

    def parts(self, *path: str) -> list[Value]:
        """An element that stands never, once or several times, as a list; `path` leads down to it."""
        value: Value = self.values
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value if isinstance(value, list) else [] if value is None else [value]


class Callback:
    """One callback address. `receiver` is the app id or the corp id; with an AES key everything is encrypted."""

    def __init__(self, token: str, aes_key: str | None, receiver: str) -> None:
        self._token, self._receiver = token, receiver
        self._cipher = WeChatCipher(base64.b64decode(f"{aes_key}=")) if aes_key else None
        self._seen: OrderedDict[tuple[str, str, str], tuple[int, bytes]] = OrderedDict()

    @property
    def safe(self) -> bool:
        """Whether what is not encrypted is refused."""
        return self._cipher is not None

    def echo(self, query: Mapping[str, str], now: datetime) -> str:
        """The answer to the platform's look at our address. Raises Forged."""
        text = query.get("echostr", "")
        self._fresh(query, now)
        if "msg_signature" in query and self._cipher:  # WeCom encrypts the text as well
            self._signed(query, query["msg_signature"], text)
            return self._decrypt(text)
        self._signed(query, query.get("signature", ""))
        if not re.fullmatch(r"[A-Za-z0-9+/=_-]{1,256}", text):  # never a page that a browser would show
            raise Forged("echo")
        return text

    def open(self, query: Mapping[str, str], body: bytes, now: datetime) -> Push:
        """A push, decrypted and read. Raises Forged and Unreadable.

        The same push again is read again: the platform repeats what was not answered, and the store knows it.
        """
        if len(body) > BODY:
            raise Forged("size")
        written = self._fresh(query, now)
        if self._cipher is None:
            if query.get("encrypt_type", "raw") != "raw":
                raise Forged("encrypted, and we have no key")
            self._signed(query, query.get("signature", ""))
            self._first(query, query["signature"], body, written, now)
            return Push(_message(_text(body)), now.timestamp() - written)
        # The compatible mode carries the plain text as well: believing that, a forger needs no key.
        if query.get("encrypt_type", "aes") != "aes" or "msg_signature" not in query:
            raise Forged("not encrypted")
        sealed = _sealed(body)
        self._signed(query, query["msg_signature"], sealed)
        self._first(query, query["msg_signature"], body, written, now)
        return Push(_message(self._decrypt(sealed)), now.timestamp() - written)

    def write(self, xml: str, now: datetime) -> str:
        """An answer as the platform wants it: encrypted where we are."""
        if self._cipher is None:
            return xml
        sealed, time, nonce = self._encrypt(xml), str(int(now.timestamp())), secrets.token_hex(8)
        signature = _signature(self._token, time, nonce, sealed)
        return (
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{time}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        )

    # -- who wrote it, and when ---------------------------------------------------------------------------------

    def _signed(self, query: Mapping[str, str], shown: str, *more: str) -> None:
        wanted = _signature(self._token, query.get("timestamp", ""), query.get("nonce", ""), *more)
        if not hmac.compare_digest(wanted.encode(), shown.encode(errors="replace")):
            raise Forged("signature")

    @staticmethod
    def _fresh(query: Mapping[str, str], now: datetime) -> int:
        time = query.get("timestamp", "")
        if not re.fullmatch(r"\d{1,12}", time, re.ASCII) or abs(now.timestamp() - int(time)) > FRESH:
            raise Forged("time")
        return int(time)

    def _first(self, query: Mapping[str, str], signature: str, body: bytes, written: int, now: datetime) -> None:
        """A signature goes with one body: that of the plain mode covers none, and could be used for others."""
        used, digest = (query["timestamp"], query.get("nonce", ""), signature), hashlib.sha256(body).digest()
        if self._seen.setdefault(used, (written, digest))[1] != digest:
            raise Forged("used before")
        oldest = next(iter(self._seen))
        while len(self._seen) > REMEMBERED or self._seen[oldest][0] < now.timestamp() - FRESH:
            del self._seen[oldest]
            oldest = next(iter(self._seen))

    # -- encryption ---------------------------------------------------------------------------------------------

    def _decrypt(self, sealed: str) -> str:
        """16 bytes of chance, the length in four, the message, the receiver, padding to blocks of 32."""
        assert self._cipher is not None
        try:
            plain: bytes = self._cipher.decrypt(base64.b64decode(sealed, validate=True))
            padding = plain[-1]
            if not 1 <= padding <= 32 or plain[-padding:] != bytes([padding]) * padding:
                raise Forged("padding")
            content = plain[16:-padding]
            (length,) = struct.unpack_from("!I", content)
            message, receiver = content[4 : 4 + length], content[4 + length :]
        except (ValueError, IndexError, struct.error):
            raise Forged("cipher") from None
        if len(message) != length or not hmac.compare_digest(receiver, self._receiver.encode()):
            raise Forged("receiver")
        return _text(message)

    def _encrypt(self, xml: str) -> str:
        assert self._cipher is not None
        message = xml.encode()
        plain = secrets.token_bytes(16) + struct.pack("!I", len(message)) + message + self._receiver.encode()
        return base64.b64encode(self._cipher.encrypt(PKCS7Encoder.encode(plain))).decode()


def _signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(errors="replace")).hexdigest()  # noqa: S324  # their choice


# -- XML ------------------------------------------------------------------------------------------------------------


def allowed(text: str) -> str:
    """The text without what XML does not allow; members type it all the same."""
    return _CONTROL.sub("", text)


def _text(content: bytes) -> str:
    """Raises Unreadable."""
    try:
        return allowed(content.decode())
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None


def _sealed(body: bytes) -> str:
    """The encrypted part of a push. Nobody vouches for the XML around it, so nothing reads that. Raises Forged."""
    found = _ENCRYPT.findall(body)
    if len(found) != 1:
        raise Forged("form")
    return str(found[0], "ascii")


def _message(xml: str) -> Mapping[str, Value]:
    """The elements of a message by name, as wechatpy's parser has them. Raises Unreadable, and nothing else.

    In one pass, which that takes twice: it knows no depth (200,000 elements within each other take it seconds), and
    fails on malformed messages as ExpatError, KeyError, TypeError, AttributeError and ValueError.
    """
    around: list[dict[str, Value]] = [{}]
    said: list[list[str]] = [[]]

    def start(_name: str, _attributes: object) -> None:
        if len(around) > DEPTH:
            raise Unreadable("depth")
        around.append({})
        said.append([])

    def end(name: str) -> None:
        inside, text = around.pop(), "".join(said.pop()).strip()
        value: Value = inside or text or None
        siblings = around[-1]
        if name not in siblings:
            siblings[name] = value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]

    def doctype(*_declared: object) -> None:
        raise Unreadable("entities")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = lambda text: said[-1].append(text)
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(xml, True)
    except expat.ExpatError:
        raise Unreadable("XML") from None
    values = around[0].get("xml")
    if not isinstance(values, dict) or not isinstance(values.get("MsgType"), str):
        raise Unreadable("MsgType")
    return values

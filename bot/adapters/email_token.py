"""email_token: which mail of ours does an address or a Message-ID name?

A mail is known by its tag, eight random bytes. A token is the tag and a keyed digest of it, ten bytes, for one
purpose: where answers go (`r`), where bounces go (`b`), the Message-ID (`m`), the link that ends reminders (`s`). It
is written in base 32, because local parts lose their case on the way.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from email.utils import parseaddr

from storage.keys import Keys

TAG, MAC = 8, 10
"""Bytes: nobody guesses 80 bits, and the tag is no secret."""
LOCAL = 64
"""Octets of a local part at the most (RFC 5321, 4.5.3.1.1)."""
_TOKEN = re.compile(r"[a-z2-7]{29}")
_OURS = re.compile(r"(?P<base>[^+@]+)\+(?P<purpose>[rb])\.(?P<token>[a-z2-7]{29})@(?P<domain>[^@]+)")


def new_tag() -> bytes:
    """The tag of a new mail."""
    return secrets.token_bytes(TAG)


@dataclass(frozen=True, slots=True)
class Named:
    """What an address of ours names: a mail, and what the address is for (`r` or `b`)."""

    purpose: str
    tag: bytes


class Postmark:
    """Writes and reads our tokens. Raises ValueError for a sender that leaves no room for them.

    `plus` False: for a mailbox that knows no plus addresses; then only the Message-ID tells what is answered.
    """

    def __init__(self, keys: Keys, sender: str, *, plus: bool = True) -> None:
        self.sender = parseaddr(sender)[1].lower()
        self._base, at, self.domain = self.sender.rpartition("@")
        if not (self._base and at and self.domain) or len(f"{self._base}+r.") + 29 > LOCAL:
            raise ValueError("email.sender is an address such as tiexin@example.org, with a short name before the @")
        self._keys, self._plus = keys, plus

    def answers_to(self, tag: bytes) -> str:
        """Where the answers to a mail go: `tiexin+r.TOKEN@…`."""
        return self._address("r", tag)

    def bounces_to(self, tag: bytes) -> str:
        """The envelope sender of a mail, which names whom a bounce is about."""
        return self._address("b", tag)

    def message_id(self, tag: bytes) -> str:
        """The same for the same mail, however often it is sent."""
        return f"<{self.token('m', tag)}@{self.domain}>"

    def root(self, thread: str, person: int) -> str:
        """What the mails of a thread to one person refer to, so that their program shows them together."""
        digest = self._keys.digest("mail thread", thread, person)[:15]
        return f"<{base64.b32encode(digest).decode().lower()}@{self.domain}>"

    def token(self, purpose: str, tag: bytes) -> str:
        """29 letters and digits."""
        return base64.b32encode(tag + self._mac(purpose, tag)).decode().rstrip("=").lower()

    def open(self, purpose: str, token: str) -> bytes | None:
        """The tag of the mail that a token of this purpose names; None: forged or damaged."""
        token = token.lower()
        if not _TOKEN.fullmatch(token):
            return None
        whole = base64.b32decode(token.upper() + "===")
        tag, mac = whole[:TAG], whole[TAG:]
        return tag if hmac.compare_digest(mac, self._mac(purpose, tag)) else None

    def read(self, address: str) -> Named | None:
        """What an address of ours names; None: it is not ours, carries no token, or a forged one."""
        found = _OURS.fullmatch(address.strip().lower())
        if not found or found["base"] != self._base or found["domain"] != self.domain:
            return None
        tag = self.open(found["purpose"], found["token"])
        return Named(found["purpose"], tag) if tag else None

    def read_message_id(self, text: str) -> bytes | None:
        """The tag of the mail that has this Message-ID, if it is one of ours."""
        local, _, domain = text.strip().strip("<>").lower().rpartition("@")
        return self.open("m", local) if domain == self.domain else None

    def takes(self, address: str) -> bool:
        """Whether mail to this address is for us."""
        local, _, domain = address.strip().lower().rpartition("@")
        return domain == self.domain and (local == self._base or local.startswith(f"{self._base}+"))

    def _address(self, purpose: str, tag: bytes) -> str:
        if not self._plus:
            return self.sender
        return f"{self._base}+{purpose}.{self.token(purpose, tag)}@{self.domain}"

    def _mac(self, purpose: str, tag: bytes) -> bytes:
        return self._keys.digest("mail token", purpose, tag.hex())[:MAC]

"""mx: what does the mail server before the house do with a mail for it?

It judges who really sent it, hands it over by LMTP as Postfix does, keeps what was refused for now and tries again,
and returns what it cannot hand over. Without an LMTP address it puts the mail into the hosted mailbox instead.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.utils import parseaddr
from typing import Literal

from tests.fakes.mail import lmtp
from tests.fakes.mail.lmtp import Ending, Lost
from tests.fakes.mail.model import Attempt

FIRST_WAIT, LONGEST_WAIT, LIFETIME = 300.0, 4000.0, 5 * 86_400.0
"""Seconds: Postfix's minimal_backoff_time, maximal_backoff_time and maximal_queue_lifetime."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The server that really handed a mail in: its domain, whose SPF it passes, and the d= of its signature.

    dkim: `pass`; `fail` for a signature that was broken on the way; "" for none.
    """

    domain: str
    signs: str = ""
    dkim: Literal["pass", "fail", ""] = ""


def honest(address: str) -> Origin:
    """The server of this address, which signs for its own domain."""
    domain = address.rpartition("@")[2].lower()
    return Origin(domain, domain, "pass")


def unsigned(domain: str) -> Origin:
    """A company's server that does not sign; its SPF is in order."""
    return Origin(domain)


@dataclass
class Queued:
    """One mail for one or more of our addresses."""

    sender: str
    recipients: list[str]
    raw: bytes
    since: float
    tries: int = 0


@dataclass
class Mx:
    """Our own mail exchanger. `lmtp` is where the house listens."""

    authserv_id: str
    now: Callable[[], float]
    later: Callable[[float, Callable[[], Awaitable[None]]], None]
    """Do this in so many seconds; 0: at once, without waiting for it."""
    hosted: Callable[[str, str, bytes], None]
    returned: Callable[[Queued, str, str], None]
    """What was given up: which mail, for whom, and the last answer."""
    lmtp: tuple[str, int] | None = None
    style: Literal["rspamd", "milters"] = "rspamd"
    endings: list[Ending] = field(default_factory=list)
    """How the next hand-overs end; then they are whole."""
    attempts: list[Attempt] = field(default_factory=list)
    waiting: list[Queued] = field(default_factory=list)

    # -- taking in -------------------------------------------------------------------------------------------

    def receive(self, sender: str, recipients: list[str], raw: bytes, origin: Origin, *, copies: int = 1) -> None:
        """Somebody's server hands in a mail for us; it goes on at once."""
        judged = self.judged(sender, raw, origin)
        for _ in range(copies):
            queued = Queued(sender, list(recipients), judged, self.now())
            self.later(0, lambda queued=queued: self._hand_over(queued))  # type: ignore[misc]  # bound now

    def judged(self, sender: str, raw: bytes, origin: Origin) -> bytes:
        """The mail with our Authentication-Results and without any that pretends to be ours."""
        head, gap, body = raw.partition(b"\r\n\r\n")
        kept = [one for one in re.split(rb"\r\n(?![ \t])", head) if not self._pretends(one)]
        received = (
            f"Received: from {origin.domain} (unknown [203.0.113.7])\r\n\tby {self.authserv_id} (Postfix) with ESMTPS"
        )
        return b"\r\n".join([*(line.encode() for line in (*self._results(sender, raw, origin), received)), *kept]) + (
            gap + body
        )

    def _pretends(self, header: bytes) -> bool:
        name, _, value = header.decode("latin-1").partition(":")
        return name.strip().lower() == "authentication-results" and (
            value.split(";")[0].split()[:1] == [self.authserv_id]
            or value.strip().lower().startswith(self.authserv_id)
        )

    def _results(self, sender: str, raw: bytes, origin: Origin) -> list[str]:
        author = _domain(parseaddr(str(message_from_bytes(raw, policy=policy.compat32).get("From", "")))[1])
        spf = "none" if not sender else "pass" if _domain(sender) == origin.domain else "softfail"
        of = f"smtp.mailfrom={sender}" if sender else f"smtp.helo={origin.domain}"
        dkim = "dkim=none" if not origin.dkim else f"dkim={origin.dkim} header.d={origin.signs} header.s=s2026"
        aligned = (origin.dkim == "pass" and origin.signs == author) or (spf == "pass" and _domain(sender) == author)
        dmarc = f"dmarc={'pass' if aligned else 'fail'} (policy=none) header.from={author}"
        if self.style == "rspamd":
            return [f"Authentication-Results: {self.authserv_id};\r\n\t{dkim};\r\n\tspf={spf} {of};\r\n\t{dmarc}"]
        return [
            f"Authentication-Results: {self.authserv_id}; dmarc={dmarc.removeprefix('dmarc=')}",
            f"Authentication-Results: {self.authserv_id};\r\n\t{dkim} header.a=rsa-sha256;\r\n\tdkim-atps=neutral",
            f"Authentication-Results: {self.authserv_id}; spf={spf} (mailfrom) {of} (client-ip=203.0.113.7)",
        ]

    # -- handing over ----------------------------------------------------------------------------------------

    async def _hand_over(self, mail: Queued) -> None:
        if mail in self.waiting:
            self.waiting.remove(mail)
        if self.lmtp is None:
            for recipient in mail.recipients:
                self.hosted(mail.sender, recipient, mail.raw)
            return
        ending = self.endings.pop(0) if self.endings else "whole"
        try:
            said: list[str | None] = [
                *await lmtp.deliver(*self.lmtp, mail.sender, mail.recipients, mail.raw, ending=ending)
            ]
        except Lost:
            said = [None] * len(mail.recipients)
        self.attempts += [
            Attempt(recipient, answer, self.now()) for recipient, answer in zip(mail.recipients, said, strict=True)
        ]
        again = []
        for recipient, answer in zip(mail.recipients, said, strict=True):
            old = self.now() - mail.since > LIFETIME
            if answer is None or answer[0] == "4":
                if old:
                    self.returned(mail, recipient, answer or "451 4.4.2 lost connection")
                else:
                    again.append(recipient)
            elif answer[0] != "2":
                self.returned(mail, recipient, answer)
        if again:
            self._keep(Queued(mail.sender, again, mail.raw, mail.since, mail.tries + 1))

    def _keep(self, mail: Queued) -> None:
        self.waiting.append(mail)
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (mail.tries - 1))
        self.later(wait, lambda: self._hand_over(mail))


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip("<> ").lower()

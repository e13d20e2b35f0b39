"""server: what is the whole world of mail around one house?"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tests.fakes.mail.bounces import BOUNCES, SENDERS, Bounced
from tests.fakes.mail.certificate import server_context
from tests.fakes.mail.faults import NO_SUCH_USER, Answer, At, Fault
from tests.fakes.mail.imap import ImapServer
from tests.fakes.mail.imap_folder import Folder
from tests.fakes.mail.lmtp import Ending
from tests.fakes.mail.model import Attempt, Mail, Mailbox
from tests.fakes.mail.mx import Mx, Origin, Queued, honest, unsigned
from tests.fakes.mail.people import Person
from tests.fakes.mail.smtp import Security, SmtpServer
from tests.fakes.telegram.clock import Clock, Timer, VirtualClock

PATIENCE = 60.0
"""Seconds until `settled` gives up; a machine under load is slow, not broken."""


@dataclass
class _Scripted:
    fault: Fault
    to: str | None
    times: int


class FakeMail:
    """A server that takes our mails, the mailboxes behind it, and the MX that brings us theirs, at 127.0.0.1.

    Time is virtual unless a RealClock is given; see `advance`. Every mailbox exists, until `strict` or its `answer`
    says otherwise.
    """

    def __init__(
        self,
        domain: str = "party.example",
        *,
        clock: Clock | None = None,
        security: Security = "none",
        credentials: tuple[str, str] | None = None,
        strict: bool = False,
    ) -> None:
        self.domain, self.host, self.strict = domain, "127.0.0.1", strict
        self.clock: Clock = clock or VirtualClock()
        context = None if security == "none" else server_context()
        self.smtp = SmtpServer(self, security=security, context=context, credentials=credentials)
        self.mailboxes: dict[str, Mailbox] = {}
        self.mx = Mx(f"mx.{domain}", self.clock.now, self._later, self._hosted, self._returned)
        self.hosted = Folder(self.clock.now)
        """The hosted mailbox of our own domain, used as long as `mx.lmtp` is None; `imap` shows it."""
        self.imap = ImapServer(self.hosted, context=context, credentials=credentials)
        self._people: dict[str, Person] = {}
        self._script: list[_Scripted] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: list[Timer] = []
        self._serial = 0

    # -- life ------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> FakeMail:
        await self.smtp.open()
        await self.imap.open()
        if isinstance(self.clock, VirtualClock):
            self.clock.settles.append(self.settled)
        return self

    async def __aexit__(self, *_: object) -> None:
        if isinstance(self.clock, VirtualClock):
            self.clock.settles.remove(self.settled)
        for timer in self._timers:
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks)
        await self.imap.close()
        await self.smtp.close()

    @property
    def imap_port(self) -> int:
        return self.imap.port

    @property
    def smtp_port(self) -> int:
        return self.smtp.port

    def brings_to(self, host: str, port: int) -> None:
        """From now on the MX brings our mails to this LMTP port."""
        self.mx.lmtp = (host, port)

    # -- people ----------------------------------------------------------------------------------------------

    def person(self, address: str, name: str = "", program: str = "qq") -> Person:
        """The one with this address."""
        key = address.lower()
        if key not in self._people:
            self._people[key] = Person(self, self._mailbox(address), name, program)
        return self._people[key]

    def mailbox(self, address: str) -> Mailbox:
        """What lies before this address, whatever the case of its letters."""
        return self._mailbox(address)

    def _mailbox(self, address: str) -> Mailbox:
        return self.mailboxes.setdefault(address.lower(), Mailbox(address))

    @property
    def mails(self) -> list[Mail]:
        """Everything that arrived anywhere, in order."""
        return sorted((mail for box in self.mailboxes.values() for mail in box.mails), key=lambda mail: mail.at)

    # -- misfortune ------------------------------------------------------------------------------------------

    def script(self, fault: Fault, *, to: str | None = None, times: int = 1) -> None:
        """This fault meets the next `times` dialogues (for this recipient, if one is named)."""
        self._script.append(_Scripted(fault, to.lower() if to else None, times))

    def script_lmtp(self, *endings: Ending) -> None:
        """How the next hand-overs to the house end: `before_dot`, `after_dot` (the 250 is lost), `whole`."""
        self.mx.endings += endings

    # -- time ------------------------------------------------------------------------------------------------

    async def settled(self) -> None:
        """Until no mail is on its way; one that waits for its next try is not."""
        async with asyncio.timeout(PATIENCE):
            while self._tasks:
                await asyncio.wait(self._tasks)
                await asyncio.sleep(0)

    async def advance(self, seconds: float = 0, **delta: float) -> None:
        """Let time pass: late mails arrive, what was deferred is tried again."""
        assert isinstance(self.clock, VirtualClock)
        await self.clock.advance(seconds + timedelta(**delta).total_seconds())

    @property
    def attempts(self) -> list[Attempt]:
        """Every try of the MX to hand a mail over to the house."""
        return self.mx.attempts

    # -- what the servers ask --------------------------------------------------------------------------------

    def fault(self, at: At, recipient: str | None) -> Fault | None:
        for scripted in self._script:
            if scripted.fault.at == at and scripted.to in (None, recipient and recipient.lower()):
                scripted.times -= 1
                if scripted.times <= 0:
                    self._script.remove(scripted)
                return scripted.fault
        return None

    def refuses(self, recipient: str) -> Answer | None:
        box = self.mailboxes.get(recipient.lower())
        if box is None:
            return NO_SUCH_USER if self.strict else None
        return box.answer

    def take(self, sender: str, recipients: list[str], raw: bytes, fault: Fault | None) -> None:
        copies, delay = (fault.copies, fault.delay) if fault else (1, 0.0)
        for recipient in recipients:
            for _ in range(copies):
                if delay:
                    self._later(delay, lambda to=recipient: self._arrives(sender, to, raw))  # type: ignore[misc]  # bound now
                else:
                    self._arrive(sender, recipient, raw)

    async def _arrives(self, sender: str, recipient: str, raw: bytes) -> None:
        self._arrive(sender, recipient, raw)

    def _arrive(self, sender: str, recipient: str, raw: bytes) -> None:
        box, mail = self._mailbox(recipient), Mail(sender, recipient, raw, self.now())
        if box.bounces is not None and sender:
            kind, answer = box.bounces
            self.bounce(mail, kind, answer)
            if kind != "delayed":
                return
        box.mails.append(mail)
        person = self._people.get(recipient.lower())
        if person is not None and person.robot is not None:
            self._later(0, lambda: person.hears(mail))

    def bounce(self, mail: Mail, kind: str = "failed", answer: Answer = NO_SUCH_USER) -> None:
        """Send one of BOUNCES back to the sender of this mail, as its recipient's server does or ours for it."""
        domain = mail.recipient.rpartition("@")[2]
        ours = kind in ("failed", "delayed")
        host = self.mx.authserv_id if ours else f"mx.{domain}"
        raw = BOUNCES[kind](Bounced(mail, answer, host, self.now(), self.serial()))
        origin = unsigned(self.domain) if ours else honest(f"postmaster@{domain}")
        self._begin(lambda: self.posted(SENDERS.get(kind, ""), [mail.sender], raw, origin, wait=False))

    # -- what people and the MX ask --------------------------------------------------------------------------

    def now(self) -> float:
        return self.clock.now()

    def serial(self) -> int:
        self._serial += 1
        return self._serial

    async def posted(
        self,
        sender: str,
        recipients: Sequence[str],
        raw: bytes,
        origin: Origin,
        *,
        copies: int = 1,
        wait: bool = True,
    ) -> None:
        """Somebody sends a mail, to us or to anybody else."""
        ours = [one for one in recipients if one.lower().endswith(f"@{self.domain}")]
        if ours:
            self.mx.receive(sender, ours, raw, origin, copies=copies)
        for other in set(recipients) - set(ours):
            self._arrive(sender, other, raw)
        if wait:
            await self.settled()

    def _hosted(self, sender: str, recipient: str, raw: bytes) -> None:
        top = f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n".encode()
        self.hosted.add(top + raw)

    def _returned(self, mail: Queued, recipient: str, answer: str) -> None:
        """The MX gives a mail back to its sender; a bounce that cannot be delivered is dropped."""
        if mail.sender:
            code, _, words = answer.partition(" ")
            status, _, text = words.partition(" ")
            self.bounce(Mail(mail.sender, recipient, mail.raw, self.now()), "failed", Answer(int(code), status, text))

    def _later(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        if seconds:
            self._timers.append(self.clock.call_at(self.now() + seconds, lambda: self._begin(act)))
        else:
            self._begin(act)

    def _begin(self, act: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            await act()

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            task.get_loop().call_exception_handler(
                {"message": "the fake of mail failed", "exception": task.exception()}
            )

"""How does a hosted mailbox bring us mails? We wait at it by IMAP, and mark each as read once it is committed."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import threading
import time
from collections.abc import Awaitable, Sequence
from typing import Protocol

import structlog
from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted, MailMessageFlags

from bot.config import Email
from bot.logs import frames
from storage.writer import Busy

log = structlog.get_logger()

IDLE = 60.0
"""Seconds of waiting after which we look by ourselves: some proxies take IDLE and then say nothing."""
LOOK = 20.0
"""Seconds between two looks where IDLE is not offered."""
SLICE = 2.0
"""Seconds of it at a stretch, so that stopping does not take long."""
TIMEOUT = 30.0
MOST = 50
"""Mails fetched in one go."""
TRIES = 3
"""How often a mail is tried that fails by a mistake of ours; then it stays unread until the next start."""
LONGEST = 300.0
"""Seconds between two tries to connect at the most."""


class Take(Protocol):
    """Takes a mail: its bytes, its envelope (we are not told); `cut`: only its headers. Raises Busy."""

    def __call__(
        self, raw: bytes, mail_from: str | None, recipients: Sequence[str], *, cut: bool = False
    ) -> Awaitable[str]: ...


class Imap:
    """The mailbox, watched by a thread: its library blocks. Mails are handed to the loop one by one."""

    def __init__(self, take: Take, settings: Email, *, context: ssl.SSLContext | None = None) -> None:
        self._take, self._settings, self._context = take, settings, context
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failed: dict[tuple[str, str], int] = {}

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._watch, name="imap", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, SLICE + TIMEOUT)

    # -- in the thread ---------------------------------------------------------------------------------------

    def _watch(self) -> None:
        wait = 1.0
        while not self._stopping.is_set():
            try:
                mailbox = self._connected()
                try:
                    self._enter(mailbox)
                    wait = 1.0
                    self._stay(mailbox)
                    mailbox.logout()
                finally:
                    with contextlib.suppress(Exception):  # a line that broke leaves its socket to us
                        mailbox.client.shutdown()
            except Exception as error:
                if self._stopping.is_set():
                    return
                log.warning("mailbox lost", error=type(error).__name__, again_in=wait)
                self._stopping.wait(wait)
                wait = min(wait * 2, LONGEST)

    def _connected(self) -> BaseMailBox:
        host, port = self._settings.imap_host, self._settings.imap_port
        if self._settings.imap_security == "tls":
            context = self._context or ssl.create_default_context()
            return MailBox(host, port, timeout=TIMEOUT, ssl_context=context)
        return MailBoxUnencrypted(host, port, timeout=TIMEOUT)

    def _enter(self, mailbox: BaseMailBox) -> None:
        """Log in and open the folder."""
        settings, password = self._settings, self._settings.imap_password
        mailbox.login(settings.imap_user, password.get_secret_value() if password else "", settings.imap_folder)

    def _stay(self, mailbox: BaseMailBox) -> None:
        """Fetch what is there, wait for more, until the line breaks or we are asked to stop."""
        idles = "IDLE" in mailbox.client.capabilities
        while not self._stopping.is_set():
            self._fetch(mailbox)
            if idles:
                self._idle(mailbox)
            else:
                self._stopping.wait(LOOK)
                mailbox.client.noop()

    def _idle(self, mailbox: BaseMailBox) -> None:
        until = time.monotonic() + IDLE
        mailbox.idle.start()  # type: ignore[no-untyped-call]  # the library leaves these two without types
        while not self._stopping.is_set() and time.monotonic() < until:
            asked = time.monotonic()
            if mailbox.idle.poll(SLICE) or time.monotonic() - asked < SLICE / 2:
                break  # something is there; nothing at once is a line that has ended, of which the next call tells
        mailbox.idle.stop()  # type: ignore[no-untyped-call]  # as above

    def _fetch(self, mailbox: BaseMailBox) -> None:
        """Take every mail that nobody has marked as read; mark each once it is committed, and not before."""
        validity = str(mailbox.client.response("UIDVALIDITY")[1])
        again = True
        while again and not self._stopping.is_set():
            uids = [uid for uid in mailbox.uids("UNSEEN") if self._failed.get((validity, uid), 0) < TRIES]
            again = len(uids) > MOST
            for uid in uids[:MOST]:
                if self._stopping.is_set():
                    return
                if self._took(mailbox, validity, uid):
                    mailbox.flag([uid], [MailMessageFlags.SEEN], True)

    def _took(self, mailbox: BaseMailBox, validity: str, uid: str) -> bool:
        """Whether a mail is done with. One that fails by a mistake of ours keeps no other waiting."""
        raw, cut = _raw(mailbox, uid, self._settings.largest)
        if raw is None:
            log.warning("mail is gone", uid=uid)
            return True
        assert self._loop is not None
        while not self._stopping.is_set():
            taking = asyncio.run_coroutine_threadsafe(_awaited(self._take(raw, None, (), cut=cut)), self._loop)
            try:
                taking.result()
                return True
            except Busy:
                self._stopping.wait(2)
            except Exception as error:
                self._failed[validity, uid] = self._failed.get((validity, uid), 0) + 1
                log.error("mail failed", error=type(error).__name__, frames=frames(error))
                return False
        return False


async def _awaited(taking: Awaitable[str]) -> str:
    return await taking


def _raw(mailbox: BaseMailBox, uid: str, largest: int) -> tuple[bytes | None, bool]:
    """The bytes of a mail, which stays unread; None: there is none of this number any more.

    True: it is too large, and these are its headers: whoever wrote it has to be told.
    """
    _, sizes = mailbox.client.uid("FETCH", uid, "(RFC822.SIZE)")
    size = re.search(rb"RFC822\.SIZE (\d+)", sizes[0] if sizes and isinstance(sizes[0], bytes) else b"")
    if size is None:
        return None, False
    cut = int(size[1]) > largest
    _, parts = mailbox.client.uid("FETCH", uid, "(BODY.PEEK[HEADER])" if cut else "(BODY.PEEK[])")
    return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None), cut

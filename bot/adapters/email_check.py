"""email_check: would our mail leave, would answers come in, and if not, what is to be done?"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import NamedTuple

from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted

from bot.adapters.email_errors import What
from bot.adapters.email_post import MailServer, NotTaken
from bot.config import Email

PATIENCE = 10.0
"""Seconds for each server."""


class Found(NamedTuple):
    """Whether it works, what was found, and the remedy where it does not."""

    works: bool
    found: str
    remedy: str = ""


async def check(settings: Email, *, context: ssl.SSLContext | None = None) -> Found:
    """The way out, then the way in. Sends nothing and never raises."""
    if settings.sink is not None:
        return Found(True, f"mails are written into {settings.sink} as files, and none is sent")
    out = await _out(settings, context)
    if not out.works:
        return out
    into = await _in(settings, context)
    found = f"{out.found}, {into.found}"
    if not into.works:
        return Found(False, found, into.remedy)
    if not settings.authserv_id:
        remedy = "where your mail server writes Authentication-Results, put its name into email.authserv_id"
        return Found(True, f"{found}, and every mailed answer has to be confirmed by a link", remedy)
    return Found(True, f"{found}, at most {settings.rate:g} mails a second")


async def _out(settings: Email, context: ssl.SSLContext | None) -> Found:
    """Whether the server that sends for us would let us."""
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    server = MailServer(settings, timeout=PATIENCE, context=context)
    try:
        await server.greet()
    except NotTaken as no:
        if no.answer.what is What.LOCKED:
            return Found(False, f"{where} refuses the log-in", "correct email.smtp_user and email.smtp_password")
        remedy = (
            f"is it running, may this machine reach it, and is email.smtp_security {settings.smtp_security!r} right?"
        )
        return Found(False, f"{where} cannot be used ({no.answer.code})", remedy)
    return Found(True, f"{where} takes our mail")


async def _in(settings: Email, context: ssl.SSLContext | None) -> Found:
    """How answers come in."""
    if settings.imap_host:
        return await asyncio.to_thread(_mailbox, settings, context)
    if not settings.lmtp_port:
        return Found(False, "no answers and no bounces come in", "set email.lmtp_port, or email.imap_host")
    where = f"{settings.lmtp_host}:{settings.lmtp_port}"
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(settings.lmtp_host, settings.lmtp_port), PATIENCE)
    except (OSError, TimeoutError):
        return Found(True, f"answers come by LMTP to {where} while `tiexin serve` runs")
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return Found(True, f"answers come by LMTP to {where}")


def _mailbox(settings: Email, context: ssl.SSLContext | None) -> Found:
    where = f"{settings.imap_host}:{settings.imap_port}"
    password = settings.imap_password.get_secret_value() if settings.imap_password else ""
    mailbox: BaseMailBox
    try:
        if settings.imap_security == "tls":
            tls = context or ssl.create_default_context()
            mailbox = MailBox(settings.imap_host, settings.imap_port, timeout=PATIENCE, ssl_context=tls)
        else:
            mailbox = MailBoxUnencrypted(settings.imap_host, settings.imap_port, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        remedy = "correct email.imap_host, imap_port and imap_security"
        return Found(False, f"the mailbox at {where} cannot be reached ({type(error).__name__})", remedy)
    try:
        mailbox.login(settings.imap_user, password, settings.imap_folder)
        waiting = len(mailbox.uids("UNSEEN"))
        idles = "" if "IDLE" in mailbox.client.capabilities else ", looked into every 20 s (it has no IDLE)"
    except Exception as error:  # whatever the library makes of a server's answer
        remedy = "correct email.imap_user, imap_password and imap_folder"
        return Found(False, f"{where} refuses us ({type(error).__name__})", remedy)
    else:
        return Found(True, f"{waiting or 'no'} unread in {settings.imap_folder}{idles}")
    finally:
        with contextlib.suppress(Exception):
            mailbox.logout()
        with contextlib.suppress(Exception):
            mailbox.client.shutdown()

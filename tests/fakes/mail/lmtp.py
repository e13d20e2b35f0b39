"""lmtp: how does an MX hand a mail to the house? The client of RFC 2033, one answer for each recipient."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Literal

Ending = Literal["whole", "before_dot", "after_dot"]

PATIENCE = 60.0
"""Seconds until the fake gives the house up; Postfix waits ten minutes."""


class Lost(Exception):
    """The line broke, or nobody answered; `codes` is what had been heard until then."""


async def deliver(
    host: str, port: int, sender: str, recipients: list[str], raw: bytes, *, ending: Ending = "whole"
) -> list[str]:
    """Hand one mail over; the last word on each recipient. Raises Lost.

    ending: `before_dot` hangs up in the middle of the mail, `after_dot` sends it whole and hangs up once the
    house has answered: the answer is lost, and the house has committed.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                return await _dialogue(reader, writer, sender, recipients, raw, ending)
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
        raise Lost(type(error).__name__) from error


async def _dialogue(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    sender: str,
    recipients: list[str],
    raw: bytes,
    ending: Ending,
) -> list[str]:
    async def ask(line: str) -> str:
        writer.write(line.encode() + b"\r\n")
        await writer.drain()
        return await _answer(reader)

    greeting = await _answer(reader)
    hello = greeting if greeting[0] != "2" else await ask("LHLO mx.example")
    mail = hello if hello[0] != "2" else await ask(f"MAIL FROM:<{sender}> SIZE={len(raw)}")
    if mail[0] != "2":
        return [mail] * len(recipients)
    said = {}
    for recipient in recipients:
        said[recipient] = await ask(f"RCPT TO:<{recipient}>")
    taken = [recipient for recipient in recipients if said[recipient][0] == "2"]
    if not taken:
        await ask("QUIT")
        return [said[recipient] for recipient in recipients]
    go = await ask("DATA")
    if go[0] != "3":
        return [said[one] if one not in taken else go for one in recipients]
    stuffed = b"".join(b"." + line if line.startswith(b".") else line for line in _lines(raw))
    if ending == "before_dot":
        writer.write(stuffed[: len(stuffed) // 2])
        await writer.drain()
        raise ConnectionAbortedError
    writer.write(stuffed + b".\r\n")
    await writer.drain()
    for recipient in taken:
        said[recipient] = await _answer(reader)
    if ending == "after_dot":
        raise ConnectionAbortedError
    await ask("QUIT")
    return [said[recipient] for recipient in recipients]


async def _answer(reader: asyncio.StreamReader) -> str:
    """An answer of one or several lines, as one."""
    words = []
    while True:
        line = (await reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip("\r\n")
        words.append(line[4:])
        if line[3:4] != "-":
            return f"{line[:3]} {' '.join(words)}"


def _lines(raw: bytes) -> list[bytes]:
    """The lines of a mail, each with CR LF."""
    return [line + b"\r\n" for line in raw.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")]

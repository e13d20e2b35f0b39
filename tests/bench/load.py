"""load: who taps, how fast is each tap acknowledged, and who plays Telegram meanwhile?

A process of its own: `python -m tests.bench.load TAPS CONNECTIONS`. It prints the port on which it plays the
Bot API; then a line on its standard input starts the taps, and it prints what it measured. One member's taps
stay on one connection, since Telegram never has two updates of one person under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.members import Tap, kept
from tests.bench.peer import PATH, SECRET

FIRST_UPDATE = 800_000_000
PATIENCE = 120.0
"""Seconds for everything that was acknowledged to be answered as well."""
_BOT = {"id": 110201543, "is_bot": True, "first_name": "贴心", "username": "tiexin_bot"}
_SENT = {"message_id": 1, "date": 1764000000, "chat": {"id": 1, "type": "private"}, "text": "…"}


def update(number: int, tap: Tap) -> dict[str, Any]:
    """A tap as Telegram brings it."""
    chat = {"id": tap.account, "type": "private", "first_name": "党员"}
    keyboard = [[{"text": label, "callback_data": tap.payload}] for label in ("赞成", "反对", "弃权")]
    return {
        "update_id": FIRST_UPDATE + number,
        "callback_query": {
            "id": str(4_000_000_000_000_000_000 + number),
            "from": {"id": tap.account, "is_bot": False, "first_name": "党员", "language_code": "zh-hans"},
            "message": {
                "message_id": 1000 + number,
                "from": _BOT,
                "chat": chat,
                "date": 1764000000,
                "text": "【投票】第1项表决\n\n请选一项。记名投票：您的选择会和姓名一起记录。",
                "reply_markup": {"inline_keyboard": keyboard},
            },
            "chat_instance": "-3223872987654321",
            "data": tap.payload,
        },
    }


def request(port: int, number: int, tap: Tap) -> bytes:
    body = json.dumps(update(number, tap)).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Talk(asyncio.Protocol, ABC):
    """One end of a keep-alive connection, which is handed whole messages: (first line, body)."""

    transport: asyncio.Transport
    _kept = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._kept += data
        while (end := self._kept.find(b"\r\n\r\n")) >= 0:
            head = self._kept[:end].lower()
            start = end + 4
            if b"transfer-encoding: chunked" in head:
                last = self._kept.find(b"0\r\n\r\n", start)
                if last < 0:
                    return
                stop = last + 5
            else:
                _, found, length = head.partition(b"content-length:")
                stop = start + (int(length.split(b"\r\n", 1)[0]) if found else 0)
                if len(self._kept) < stop:
                    return
            first, body, self._kept = self._kept[: head.find(b"\r\n")], self._kept[start:stop], self._kept[stop:]
            self.told(first, body)

    @abstractmethod
    def told(self, first: bytes, body: bytes) -> None:
        """A whole message."""


@dataclass
class Tally:
    """What is measured: the seconds of each acknowledgement, those that did not say 已记录, calls made to us."""

    waits: list[float] = field(default_factory=list)
    acknowledged: int = 0
    recorded: int = 0
    answers: int = 0
    last_answer: float = 0.0
    wanted: int = 0
    all_answered: asyncio.Event = field(default_factory=asyncio.Event)


class Sink(Talk):
    """The Bot API, to which everything is fine at once."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def told(self, first: bytes, _body: bytes) -> None:
        method = first.split(b" ")[1].rpartition(b"/")[2].lower()
        if method == b"answercallbackquery":
            self._tally.answers += 1
            self._tally.last_answer = time.perf_counter()
            if self._tally.answers == self._tally.wanted:
                self._tally.all_answered.set()
        result: object = {b"getme": _BOT, b"sendmessage": _SENT, b"editmessagetext": _SENT}.get(method, True)
        body = json.dumps({"ok": True, "result": result}).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)


class Finger(Talk):
    """Taps one button after the other, each when the last was acknowledged."""

    def __init__(self, requests: list[bytes], tally: Tally, done: asyncio.Future[None]) -> None:
        self._requests, self._tally, self._done = requests[::-1], tally, done
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._next()

    def told(self, first: bytes, body: bytes) -> None:
        self._tally.waits.append(time.perf_counter() - self._sent)
        self._tally.acknowledged += b" 200 " in first
        self._tally.recorded += "已记录".encode() in body or b"\\u5df2\\u8bb0\\u5f55" in body
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("the server hung up"))

    def _next(self) -> None:
        if not self._requests:
            if not self._done.done():
                self._done.set_result(None)
            return
        self._sent = time.perf_counter()
        self.transport.write(self._requests.pop())


async def tap_all(port: int, requests: list[list[bytes]], tally: Tally, kind: type[Finger] = Finger) -> float:
    """Tap everything on as many connections as there are lists; the seconds until the last acknowledgement."""
    loop = asyncio.get_running_loop()
    done = [loop.create_future() for _ in requests]
    started = time.perf_counter()
    for mine, future in zip(requests, done, strict=True):
        await loop.create_connection(lambda mine=mine, future=future: kind(mine, tally, future), "127.0.0.1", port)  # type: ignore[misc]  # bound at once
    await asyncio.gather(*done)
    return time.perf_counter() - started


async def main(file: Path, connections: int) -> None:
    loop, tally = asyncio.get_running_loop(), Tally()
    sink = await loop.create_server(lambda: Sink(tally), "127.0.0.1", 0)
    print(sink.sockets[0].getsockname()[1], flush=True)
    port, calls = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    shares: list[list[bytes]] = [[] for _ in range(connections)]
    for number, tap in enumerate(kept(file)):
        shares[tap.account % connections].append(request(port, number, tap))
    shares = [share for share in shares if share]
    total = sum(map(len, shares))
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    started = time.perf_counter()
    took = await tap_all(port, shares, tally)
    if calls and tally.answers < total:
        tally.wanted = total
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(tally.all_answered.wait(), PATIENCE)
    handled = tally.last_answer - started if calls else took
    waits = sorted(tally.waits)
    measured = {
        "taps": total,
        "acknowledged": tally.acknowledged,
        "answered": tally.answers if calls else tally.recorded,
        "acks_per_s": total / took,
        "updates_per_s": total / handled,
        "p50_ms": waits[len(waits) // 2] * 1000,
        "p99_ms": waits[len(waits) * 99 // 100] * 1000,
    }
    print(json.dumps(measured), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))

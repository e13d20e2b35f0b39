"""wechat: how many encrypted pushes of WeChat's are committed and answered in a second, also while notices go out?

Three processes: the house as `tiexin serve` opens it (`serve`), whoever taps and plays WeChat meanwhile (`tap`), and
this one, which furnishes the house and counts the votes afterwards.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from bot.app import build
from bot.config import load
from bot.logs import configure
from bot.serve import run
from tests.bench import members
from tests.bench.load import Finger, Talk, Tally, tap_all
from tests.bench.members import Tap, kept
from tests.bench.taps import HOUSE, Measured, Target, _cpu, _peak, _serving
from tests.fakes.wechat.crypto import Seal, signature
from tests.running import free_port

APP, TOKEN, KEY = "wx0123456789abcdef", "wordThatSignsPushes", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE"
TEMPLATE = "invented-template-of-a-task"


def wechat(*, people: int = 500, polls: int = 10, connections: int = 32, deliveries: int = 20) -> dict[str, Measured]:
    """What was measured in a calm hour, and while `deliveries` templates for each of the people go out."""
    with tempfile.TemporaryDirectory() as folder:
        home, file = Path(folder) / "furnished", Path(folder) / "taps.json"
        home.mkdir()
        app = members.open_app(home, **section("http://127.0.0.1:9"))
        ids = members.settle(app, people)
        with app.database.write() as tx:
            tx.run(text("UPDATE binding SET channel = 'wechat', key = 'o' || key"))
        members.keep(members.open_polls(app, ids, polls), file)
        members.open_polls(app, ids, max(deliveries - polls, 0))
        app.database.close()
        found = {}
        for name, state in (("calm", "accepted"), ("draining", "queued")):
            with tempfile.TemporaryDirectory() as empty:
                shutil.copytree(home, empty, dirs_exist_ok=True)
                app = members.open_app(Path(empty), **section("http://127.0.0.1:9"))
                with app.database.write() as tx:
                    tx.run(text("UPDATE delivery SET state = :state, message = NULL"), {"state": state})
                app.database.close()
                found[name] = _once(Path(empty), file, connections)
        return found


def _once(folder: Path, taps: Path, connections: int) -> Measured:
    port = free_port()
    fingers = [sys.executable, "-m", "tests.bench.wechat", "tap", str(taps), str(connections)]
    target = Target("Tiexin on WeChat", "tests.bench.wechat", _votes, furnished=True)
    with subprocess.Popen(fingers, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdin
        assert client.stdout
        sink = f"http://127.0.0.1:{client.stdout.readline().strip()}"
        with _serving(target, folder, port, sink) as server:
            before = _cpu(server)
            print(port, file=client.stdin, flush=True)
            measured: Measured = json.loads(client.stdout.readline())
            measured["cpu_us"] = (_cpu(server) - before) / measured["taps"] * 1e6
            measured["peak_mb"] = _peak(server)
    measured["committed"] = _votes(folder)
    measured["lost"] = measured["acknowledged"] - measured["committed"]
    return measured


def _votes(folder: Path) -> int:
    app = members.open_app(folder)
    try:
        with app.database.read() as tx:
            return members.counted(tx)
    finally:
        app.database.close()


# -- the house ------------------------------------------------------------------------------------------------


def section(api: str) -> dict[str, str]:
    """An official account in safe mode, whose API is there."""
    keys = {
        "app_id": APP, "app_secret": "invented", "token": TOKEN, "aes_key": KEY, "api_base": api,
        "template_id": TEMPLATE, "rate": "1000",
    }  # fmt: skip
    return {f"wechat__{name}": value for name, value in keys.items()}


def serve(folder: Path, port: int, sink: str) -> None:
    """The whole product."""
    settings = {
        "database__url": f"sqlite:///{folder / 'tiexin.db'}",
        "security__key_file": str(folder / "key"),
        "server__port": str(port),
        **section(sink),
    }
    configure()
    run(build(load(None, {f"TIEXIN_{name.upper()}": value for name, value in settings.items()})))


# -- who taps, and WeChat --------------------------------------------------------------------------------------


def push(seal: Seal, number: int, tap: Tap, port: int) -> bytes:
    """A tap on a msgmenu link, as WeChat brings it."""
    stamp, nonce = str(int(time.time())), f"n{number}"
    closed = seal.close(
        f"<xml><ToUserName><![CDATA[gh_7f0a1b2c3d4e]]></ToUserName><FromUserName><![CDATA[o{tap.account}]]>"
        f"</FromUserName><CreateTime>{stamp}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>"
        f"<![CDATA[赞成]]></Content><MsgId>{24_000_000_000_000_000 + number}</MsgId>"
        f"<bizmsgmenuid><![CDATA[{tap.payload}]]></bizmsgmenuid></xml>"
    )
    body = f"<xml><ToUserName><![CDATA[gh_7f0a1b2c3d4e]]></ToUserName><Encrypt><![CDATA[{closed}]]></Encrypt></xml>"
    query = (
        f"signature={signature(TOKEN, stamp, nonce)}&timestamp={stamp}&nonce={nonce}&openid=o{tap.account}"
        f"&encrypt_type=aes&msg_signature={signature(TOKEN, stamp, nonce, closed)}"
    )
    head = (
        f"POST /wechat/callback?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: text/xml\r\n"
        f"Content-Length: {len(body.encode())}\r\n\r\n"
    )
    return (head + body).encode()


class Tapping(Finger):
    """A finger that keeps what it was answered: whether the vote was recorded is sealed."""

    bodies: list[bytes]

    def told(self, first: bytes, body: bytes) -> None:
        self._tally.answers += 1
        ANSWERS.append(body)
        super().told(first, body)


ANSWERS: list[bytes] = []


class Api(Talk):
    """WeChat's API, to which everything is fine at once."""

    sent = 0

    def told(self, first: bytes, _body: bytes) -> None:
        result: dict[str, object] = {"errcode": 0, "errmsg": "ok"}
        if b"stable_token" in first:
            result = {"access_token": "invented", "expires_in": 7200}
        elif b"template/send" in first:
            Api.sent += 1
            result["msgid"] = Api.sent
        body = json.dumps(result).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)


async def tap(file: Path, connections: int) -> None:
    """Print the port of the API; read that of the house; tap everything; print what was measured."""
    loop, tally, seal = asyncio.get_running_loop(), Tally(), Seal(KEY, APP)
    api = await loop.create_server(Api, "127.0.0.1", 0)
    print(api.sockets[0].getsockname()[1], flush=True)
    port = int(await loop.run_in_executor(None, sys.stdin.readline))
    shares: list[list[bytes]] = [[] for _ in range(connections)]
    for number, one in enumerate(kept(file)):
        shares[one.account % connections].append(push(seal, number, one, port))
    took = await tap_all(port, [share for share in shares if share], tally, Tapping)
    waits, total = sorted(tally.waits), len(tally.waits)
    recorded = sum("已记录" in _opened(seal, body) for body in ANSWERS)
    measured = {
        "taps": total,
        "acknowledged": tally.acknowledged,
        "answered": recorded,
        "pushes_per_s": total / took,
        "p50_ms": waits[total // 2] * 1000,
        "p99_ms": waits[total * 99 // 100] * 1000,
        "worst_ms": waits[-1] * 1000,
        "sent_meanwhile": Api.sent,
    }
    print(json.dumps(measured), flush=True)


def _opened(seal: Seal, body: bytes) -> str:
    found = re.search(r"<Encrypt><!\[CDATA\[(.*?)\]\]>", body.decode())
    return seal.open(found[1]) if found else ""


if __name__ == "__main__":
    if sys.argv[1] == "tap":
        asyncio.run(tap(Path(sys.argv[2]), int(sys.argv[3])))
    else:
        serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

"""peer: what do the bots beside Tiexin have in common? One table, one insert for a tap, and the same promise."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
SECRET = "bench-secret"
PATH = "/telegram/webhook"
RECORDED = "已记录"


def open_table(folder: Path) -> Callable[[int, int, str], object]:
    """A table of votes in a file, as durable as Tiexin's; what inserts one: (update, account, payload)."""
    connection = sqlite3.connect(folder / "peer.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE IF NOT EXISTS vote (id INTEGER PRIMARY KEY, account INTEGER, choice TEXT)")

    def insert(update: int, account: int, payload: str) -> object:
        return connection.execute("INSERT INTO vote VALUES (?, ?, ?)", (update, account, payload))

    return insert


def count(folder: Path) -> int:
    """The votes in the file."""
    connection = sqlite3.connect(folder / "peer.db")
    try:
        return int(connection.execute("SELECT count(*) FROM vote").fetchone()[0])
    finally:
        connection.close()


async def serve(application: web.Application, port: int) -> None:
    """Open the door."""
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=75)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()

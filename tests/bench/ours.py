"""ours: the house as `tiexin serve` opens it, with Telegram's webhook, some minutes after its start.

In the first minutes a tap may have waited long, and is then answered by a message as well; a clock that is
behind until the doors are open leaves that out.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from bot.app import build, now
from bot.config import load
from bot.intake.telegram import LATE
from bot.logs import configure
from bot.serve import run
from tests.bench.peer import SECRET, TOKEN


def main(folder: Path, port: int, sink: str) -> None:
    settings = {
        "database__url": f"sqlite:///{folder / 'tiexin.db'}",
        "security__key_file": str(folder / "key"),
        "server__port": str(port),
        "telegram__token": TOKEN,
        "telegram__webhook_secret": SECRET,
        "telegram__api_base": sink,
    }
    opened: list[str] = []

    def clock() -> datetime:
        return now() if opened else now() - LATE

    configure()
    config = load(None, {f"TIEXIN_{name.upper()}": value for name, value in settings.items()})
    run(build(config, clock=clock), opened=opened.append)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

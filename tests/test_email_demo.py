"""Does the demonstration show what a member gets by mail?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from bot.app import build
from bot.cli.demo import create, settings
from bot.cli.tables import migrate
from bot.serve import serve
from storage.keys import Keys
from tests.fakes.mail import Mail
from tests.running import free_port

PATIENCE = 60.0


async def test_what_the_travelling_member_gets_lies_in_a_folder(tmp_path: Path) -> None:
    port = free_port()
    config = settings(tmp_path, port)
    Keys.from_file(config.security.key_file)
    migrate(config.database.url, datetime.now(UTC), postgres=False)
    app = build(config, demo=True)
    create(app, datetime.now(UTC))
    create(app, datetime.now(UTC))  # safe to run again
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(app, port=port, until=stop.wait()))
    try:
        for _ in range(int(PATIENCE / 0.1)):
            files = sorted((tmp_path / "mail").glob("*.eml"))
            mails = [Mail("", "", file.read_bytes()) for file in files]
            if all(any(about in mail.subject for mail in mails) for about in ("召开党员大会", "一项投票")):
                break
            assert not serving.done()
            await asyncio.sleep(0.1)
    finally:
        stop.set()
        await serving
    assert {mail.header("To") for mail in mails} == {"u10003@example.com"}
    notice = next(mail for mail in mails if "召开党员大会" in mail.subject)
    assert notice.numbered() == {"收到": "1"}
    ballot = next(mail for mail in mails if "一项投票" in mail.subject)
    assert ballot.link("打开网页").startswith(f"http://127.0.0.1:{port}/l/")

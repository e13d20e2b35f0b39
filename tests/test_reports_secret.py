"""Is a report's text anywhere in the open: in the log, the inbox, the outbox, the bytes of the database?"""

from __future__ import annotations

import io
import json
from pathlib import Path

from bot import logs
from storage.database import sqlite_file
from tests.fakes.telegram import FakeTelegram, RealClock
from tests.people import House
from tests.reports import PHOTO
from tests.running import Running, free_port
from tests.sites import running, signed_in
from tests.test_reports_kill import Phone, furnish

CANARY = "金丝雀甲乙丙丁"
"""What stands in nothing that is not sealed."""
SPELLINGS = (
    CANARY.encode(), CANARY.encode("utf-16-le"), CANARY.encode("gb18030"),
    json.dumps(CANARY).strip('"').encode(),
)  # fmt: skip
"""As text, and as JSON writes it."""


def bytes_of(house: House) -> bytes:
    """The database as it lies on the disk, and what has not come into it yet."""
    file = sqlite_file(house.app.database.url)
    assert file
    return b"".join(one.read_bytes() for one in sorted(file.parent.glob(f"{file.name}*")) if one.is_file())


def test_what_was_written_lies_nowhere_in_the_open(house: House) -> None:
    text = f"{CANARY}。" + "这个月的思想和工作。" * 10
    chen = house.chat("陈晓")
    chen.say("思想汇报")
    chen.say(text)
    chen.hand(f"{CANARY}.png", PHOTO + CANARY.encode())
    assert not any(one in bytes_of(house) for one in SPELLINGS), "while it is written"
    chen.say("完")
    chen.tap("看一看")
    assert CANARY in chen.text
    li = house.chat("李书记", "web")
    li.say("汇报情况")
    li.tap("读2026年11月的汇报")
    li.tap("陈晓")
    assert CANARY in li.text
    li.tap("写评语")
    li.say(f"{CANARY}写得好。")
    li.say("完")
    li.say("汇报情况")
    li.tap("导出2026年11月的汇报")
    house.later(days=1)
    for _ in range(3):
        house.tick()
    wang = house.chat("王芳")
    wang.say("学习心得")
    wang.say(text)
    wang.say("完")
    wang.tap("分享")
    li.say("支部小结")
    li.tap("2026年11月")
    for _ in range(2):
        li.say(text)
        li.say("完")
    li.tap("提交")
    assert "收到第一支部" in li.text
    raw = bytes_of(house)
    assert len(raw) > 100_000, "or nothing was looked at"
    assert b"report.read" in raw, "or it is not the database that was looked at"
    assert not any(one in raw for one in SPELLINGS)


async def test_no_log_tells_of_it(house: House) -> None:
    out = io.StringIO()
    logs.configure(stream=out)
    async with running(house) as site:
        chen = await signed_in(site, house, "陈晓")
        await chen.say("思想汇报")
        await chen.say(f"{CANARY}。" + "这个月的思想和工作。" * 10)
        await chen.say("完")
    assert "request" in out.getvalue(), "or nothing was logged at all"
    assert CANARY not in out.getvalue()
    assert not any(one in bytes_of(house) for one in SPELLINGS)


async def test_the_whole_process_logs_nothing_of_it(tmp_path: Path) -> None:
    async with FakeTelegram(clock=RealClock()) as telegram:
        port = free_port()
        house, config = furnish(tmp_path, telegram, port)
        server = Running(config, port)
        await server.start()
        async with Phone(server.url, house, "陈晓") as phone:
            await phone.says("思想汇报")
            await phone.says(f"{CANARY}。" + "这个月的思想和工作。" * 10)
            assert "第1版" in await phone.says("完")
        assert server.stop() == 0
        logged = server.log.read_bytes()
        assert b"request" in logged or b"telegram" in logged, "or nothing was logged at all"
        assert not any(one in logged + bytes_of(house) for one in SPELLINGS)
        house.app.database.close()

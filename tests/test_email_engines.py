"""Does mail go the same way on both databases?"""

from __future__ import annotations

from pathlib import Path

from storage import mailbox, mails
from tests.email_house import email_house, said
from tests.fakes.mail import faults


async def test_a_notice_out_an_answer_in_a_bounce_back_and_an_address_bound(
    tmp_path: Path, database_url: str
) -> None:
    async with email_house(tmp_path, url=database_url) as house:
        wang, sun = await house.seat("王芳"), await house.seat("孙明")
        notice = await house.notice("支部大会")
        await wang.replies(wang.last, "收到", copies=2)
        await house.answers()
        assert house.confirmed(notice) == ["王芳"]
        assert "✓ 已确认" in wang.last.text
        house.mail.bounce(sun.last, "failed", faults.NO_SUCH_USER)
        await house.mail.settled()
        assert house.dead(sun.address)
        phone = house.house.chat("吴强")
        phone.say("邮箱")
        phone.say("wuqiang@qq.com")
        await house.answers()
        wu = house.mail.person("wuqiang@qq.com")
        await wu.presses(wu.last, "看说明", "同意并绑定")
        await house.answers()
        assert "绑定好了" in said(wu.last)
        await house.pass_time(days=100)
        with house.house.app.database.read() as tx:
            assert mails.due(tx, house.house.now) == []
            assert mailbox.returns(tx, sun.address) == []


async def test_after_a_restore_no_answer_is_sent_that_may_have_left(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        await wang.replies(wang.last, "收到")
        with house.house.app.database.write() as tx:
            assert mails.after_restore(tx) == 1
        await house.answers()
        assert len(wang.mails) == 1


async def test_an_answer_written_to_the_address_for_bounces_is_an_answer(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        await wang.replies(wang.last, "收到", to=wang.last.sender)
        assert house.confirmed(notice) == ["王芳"]

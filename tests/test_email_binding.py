"""How does a mail address become somebody's? By who asks, by the link that is mailed to it, and by consent."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.event import Address
from handlers.binding import desk
from handlers.binding.codes import spaced
from storage import addresses, people
from storage.audit import OPERATOR
from tests.email_house import SENDER, EmailHouse, email_house, said
from tests.fakes.mail import Browser, Scanner

PRIVATE = "wang.fang@private.example"


def bound(house: EmailHouse, name: str) -> list[str]:
    with house.house.app.database.read() as tx:
        return [b.address.key for b in addresses.of_person(tx, house.house.ids[name]) if b.address.channel == "email"]


async def _asked(house: EmailHouse, address: str = PRIVATE) -> str:
    """王芳 asks in another chat; what she is answered."""
    wang = house.house.chat("王芳")
    wang.say("邮箱")
    answer = wang.say(address)
    await house.answers()
    return answer


async def test_she_asks_in_a_chat_and_presses_the_link_in_her_mailbox(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        assert f"已往 {PRIVATE} 发了一封信" in await _asked(house)
        mailbox = house.mail.person(PRIVATE, "王芳")
        page = await mailbox.opens(mailbox.last, "看说明，决定是否绑定")
        assert "单独同意" in page.text
        assert PRIVATE in page.text
        assert bound(house, "王芳") == []
        told = await page.presses("同意并绑定")
        assert "王芳同志，邮箱绑定好了" in told.text
        assert bound(house, "王芳") == [PRIVATE]
        await house.answers()
        assert "绑定好了" in said(mailbox.last)
        assert mailbox.last.numbered() == {"我的": "1", "帮助": "2"}
        await mailbox.replies(mailbox.last, "1")
        await house.answers()
        assert "王芳同志（1001）" in said(mailbox.last)


async def test_her_other_chats_hear_of_the_new_address(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        await _asked(house)
        mailbox = house.mail.person(PRIVATE)
        await mailbox.presses(mailbox.last, "看说明", "同意并绑定")
        await house.deliver()
        assert any("绑定了一个新的聊天：邮件" in text for _, text in house.phone.texts)


async def test_a_scanner_binds_nothing(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        await _asked(house)
        mailbox = house.mail.person(PRIVATE)
        assert set(await Scanner().visits(mailbox.last, scripts=True)) == {200}
        assert bound(house, "王芳") == []


async def test_no_consent_no_binding_and_the_link_is_over(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        await _asked(house)
        mailbox = house.mail.person(PRIVATE)
        told = await mailbox.presses(mailbox.last, "看说明", "不同意")
        assert "没有绑定" in told.text
        assert bound(house, "王芳") == []
        assert (await mailbox.opens(mailbox.last, "看说明")).status == 410


async def test_whoever_gets_her_mail_by_a_mistyped_address_does_not_learn_her_name(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        await _asked(house, "somebody@else.example")
        somebody = house.mail.person("somebody@else.example")
        page = await somebody.opens(somebody.last, "看说明")
        for words in (somebody.last.text, somebody.last.subject, page.text):
            assert "王芳" not in words
        assert "王*" in page.text


async def test_a_page_of_another_site_cannot_press_for_her(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        await _asked(house)
        mailbox = house.mail.person(PRIVATE)
        url = mailbox.last.link("看说明")
        token = url.rpartition("/")[2]
        forged = await Browser().post(url, {"link": token, "answer": "yes"}, "https://evil.example/page")
        assert forged.status == 403
        assert bound(house, "王芳") == []


async def test_the_link_is_good_for_a_day(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        await _asked(house)
        mailbox = house.mail.person(PRIVATE)
        page = await mailbox.opens(mailbox.last, "看说明")
        await house.mail.advance(hours=25)
        told = await page.presses("同意并绑定")
        assert "已经用过，或者过期了" in told.text
        assert bound(house, "王芳") == []


async def test_the_roster_only_proposes_an_address(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        with house.house.app.database.write() as tx:
            people.change(tx, house.house.ids["王芳"], email=PRIVATE)
        assert bound(house, "王芳") == []
        wang = house.house.chat("王芳")
        wang.say("邮箱")
        assert PRIVATE in wang.labels
        wang.tap(PRIVATE)
        await house.answers()
        assert "申请，用这个邮箱接收通知" in said(house.mail.person(PRIVATE).last)


@pytest.mark.parametrize("text", ["没有邮箱", "wang@", "@qq.com", "wang@localhost", "a b@qq.com", "王芳@例子.中国"])
async def test_what_is_no_address_is_asked_for_again(tmp_path: Path, text: str) -> None:
    async with email_house(tmp_path) as house:
        assert "不像一个邮箱地址" in await _asked(house, text)
        assert house.mail.mails == []


async def test_an_address_is_one_persons_only(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        sun = await house.seat("孙明")
        assert "已经绑定" in await _asked(house, sun.address.upper())
        assert len(sun.mails) == 0


async def test_nobody_is_pestered_with_confirmations(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        answers = [await _asked(house) for _ in range(4)]
        assert "刚发过几封确认信了" in answers[-1]
        assert len(house.mail.person(PRIVATE).mails) == 3


# -- by a code that is mailed -----------------------------------------------------------------------------------


def code_for(house: EmailHouse, name: str) -> str:
    with house.house.app.database.write() as tx:
        return spaced(desk.issue(tx, house.house.now, OPERATOR, people.get(tx, house.house.ids[name])))


@pytest.mark.parametrize("as_subject", [False, True])
async def test_a_stranger_mails_a_code_and_binds_by_the_link_that_comes_back(
    tmp_path: Path, as_subject: bool
) -> None:
    async with email_house(tmp_path) as house:
        code = code_for(house, "吴强").lower()
        wu = house.mail.person("wuqiang@qq.com", "吴强")
        await wu.writes(SENDER, code if as_subject else "绑定", "" if as_subject else code)
        await house.answers()
        assert "绑定码有效" in said(wu.last)
        page = await wu.presses(wu.last, "看说明，决定是否绑定", "同意并绑定")
        assert "吴强同志，邮箱绑定好了" in page.text
        assert bound(house, "吴强") == ["wuqiang@qq.com"]


async def test_a_code_mailed_under_a_forged_name_binds_only_who_reads_that_mailbox(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        code = code_for(house, "吴强")
        evil = house.mail.person("evil@evil.example")
        await evil.writes(SENDER, "绑定", code, author="victim@qq.com")
        await house.answers()
        assert evil.mails == []
        assert "绑定码有效" in said(house.mail.person("victim@qq.com").last)
        assert bound(house, "吴强") == []


async def test_a_code_binds_one_address_and_no_second(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        code = code_for(house, "吴强")
        first, second = house.mail.person("wuqiang@qq.com"), house.mail.person("other@qq.com")
        for one in (first, second):
            await one.writes(SENDER, code, "")
        await house.answers()
        await first.presses(first.last, "看说明", "同意并绑定")
        told = await second.presses(second.last, "看说明", "同意并绑定")
        assert "绑定码已经失效" in told.text or "已经失效" in told.text
        assert bound(house, "吴强") == ["wuqiang@qq.com"]


async def test_wrong_codes_are_counted_by_mail_too(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        zhou = house.mail.person("zhou@qq.com", "周")
        for number in range(6):
            await zhou.writes(SENDER, f"0000{number}-00000", "")
        await house.answers()
        assert ["绑定码不对" in said(mail) for mail in zhou.mails] == [True] * 5 + [False]
        assert "错了5次" in said(zhou.last)


async def test_a_stranger_learns_how_to_begin_and_nothing_else(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        zhou = house.mail.person("zhou@qq.com", "周")
        await zhou.writes(SENDER, "党费", "")
        await house.answers()
        assert "请发送支部书记给您的绑定码" in said(zhou.last)


async def test_unbinding_ends_it_and_a_code_begins_anew(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        with house.house.app.database.write() as tx:
            found = addresses.find(tx, Address("email", wang.address))
            assert found
            desk.release(tx, house.house.now, OPERATOR, found)
        await wang.writes(SENDER, "党费", "")
        await house.answers()
        assert "绑定码" in said(wang.last)


async def test_reminders_come_back_when_she_asks_for_them(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        from storage import mailbox

        with house.house.app.database.write() as tx:
            mailbox.set_quiet(tx, house.house.now, wang.address)
        phone = house.house.chat("王芳")
        assert "现在不往那里发提醒邮件" in phone.say("邮箱")
        phone.tap("恢复提醒邮件")
        with house.house.app.database.read() as tx:
            assert not mailbox.quiet(tx, wang.address)

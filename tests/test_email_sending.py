"""What becomes of a mail that a server refuses, puts off, or leaves in doubt?"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.event import Address
from bot.core.reply import Message, Parcel, Undelivered
from handlers.notices import desk
from storage import addresses, campaigns, mails
from storage.audit import OPERATOR
from storage.house import Tx
from tests.email_house import EmailHouse, email_house, said
from tests.fakes.mail import Browser, answers, breaks_after_the_dot, breaks_before_the_dot, faults
from tests.fakes.mail.faults import Answer


def states(house: EmailHouse) -> dict[str, int]:
    """How many mails of the first campaign are in which state."""
    with house.house.app.database.read() as tx:
        progress = campaigns.progress(tx, [1])
    return {state: count for (channel, state), count in progress.items() if channel == "email"}


async def test_a_notice_goes_over_one_connection_to_each_by_themselves(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        people = [await house.seat(name) for name in ("王芳", "李书记", "孙明")]
        await house.notice("支部大会")
        assert [len(person.mails) for person in people] == [1, 1, 1]
        assert len({person.last.sender for person in people}) == 3, "a bounce names one person"
        (dialogue,) = house.mail.smtp.dialogues
        assert [line.split(":")[0] for line in dialogue].count("RCPT TO") == 3
        assert dialogue[-1] == "QUIT"
        assert states(house) == {"accepted": 3}


LATER = (faults.BUSY, faults.GREYLISTED, faults.LOCAL_ERROR, faults.FULL_FOR_NOW, faults.FULL, faults.QQ_TOO_OFTEN)


@pytest.mark.parametrize("answer", LATER, ids=str)
async def test_what_is_put_off_comes_later_as_the_same_mail(tmp_path: Path, answer: Answer) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        house.mail.script(answers(answer), to=wang.address, times=2)
        await house.notice("支部大会")
        assert wang.mails == []
        assert states(house) == {"queued": 1}
        for _ in range(6):
            await house.pass_time(minutes=2)
        assert len(wang.mails) == 1
        assert states(house) == {"accepted": 1}
        assert not house.dead(wang.address)


@pytest.mark.parametrize("answer", [faults.GREYLISTED, faults.FULL], ids=str)
async def test_after_a_day_it_is_another_channels_turn_and_the_address_lives(tmp_path: Path, answer: Answer) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        wang.mailbox.answer = answer
        await house.notice("支部大会")
        for _ in range(26):
            await house.pass_time(hours=1)
        assert states(house) == {"failed": 1}
        assert not house.dead(wang.address)


@pytest.mark.parametrize(
    "answer", [faults.NO_SUCH_USER, faults.QQ_NO_SUCH_USER, faults.NETEASE_NO_SUCH_USER], ids=str
)
async def test_no_such_address_marks_this_one_dead_and_tells_those_who_have_to_know(
    tmp_path: Path, answer: Answer
) -> None:
    async with email_house(tmp_path) as house:
        wang, sun = await house.seat("王芳", phone=True), await house.seat("孙明")
        li = await house.seat("李书记")
        wang.mailbox.answer = answer
        await house.notice("支部大会")
        await house.deliver()
        assert (house.dead(wang.address), house.dead(sun.address)) == (True, False)
        assert "王芳同志（1001）绑定的邮箱收不到信了" in said(li.last)
        assert any(key == "t-王芳" and "收不到信了" in text for key, text in house.phone.texts)
        assert states(house)["failed"] == 1


@pytest.mark.parametrize("answer", [faults.NOT_ALLOWED, faults.SPAM, faults.NETEASE_SPAM], ids=str)
async def test_refused_by_policy_leaves_the_address_alive(tmp_path: Path, answer: Answer) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        house.mail.script(answers(answer, "dot"), to=wang.address)
        await house.notice("支部大会")
        assert states(house) == {"failed": 1}
        assert not house.dead(wang.address)


async def test_refused_one_after_the_other_stops_the_channel_and_calls_the_operator(tmp_path: Path) -> None:
    async with email_house(tmp_path, org__operator="0001") as house:
        with house.house.app.database.write() as tx:
            phone = Address("telegram", "t-赵书记")
            addresses.bind(tx, house.house.ids["赵书记"], phone, house.house.now, consent="test")
        for number in range(8):
            house.house.person(f"同志{number}", f"N{number}")
            await house.seat(f"同志{number}", address=f"n{number}@strict.example")
        house.mail.script(answers(faults.SPAM, "dot"), times=5)
        began = house.house.now
        await house.notice("支部大会")
        await house.pass_time(hours=1)
        assert states(house) == {"failed": 4, "accepted": 4}, "the rest waits until somebody may have looked"
        assert min(mail.at for mail in house.mail.mails) - began.timestamp() > 600
        assert any(key == "t-赵书记" and "SPF" in text for key, text in house.phone.texts)


@pytest.mark.parametrize("answer", [faults.LOGIN_WRONG, Answer(530, "5.7.0", "Authentication required")], ids=str)
async def test_a_wrong_log_in_stops_everything_and_loses_nothing(tmp_path: Path, answer: Answer) -> None:
    async with email_house(tmp_path, org__operator="0001") as house:
        await house.seat("赵书记", address="zhao@qq.com", phone=True)
        people = [await house.seat(name) for name in ("王芳", "孙明", "李书记")]
        house.mail.script(answers(answer, "sender"), times=2)
        began = house.house.now
        await house.notice("支部大会")
        await house.pass_time(minutes=20)
        assert [len(person.mails) for person in people] == [1, 1, 1]
        assert people[0].last.at - began.timestamp() >= 600, "it does not knock again at once"
        alarms = [text for key, text in house.phone.texts if key == "t-赵书记" and "smtp_password" in text]
        assert len(alarms) == 1


async def test_too_big_is_our_mistake_and_not_repeated(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        house.mail.script(answers(faults.TOO_BIG, "dot"), to=wang.address)
        await house.notice("支部大会")
        await house.pass_time(hours=2)
        assert (states(house), len(wang.mails)) == ({"failed": 1}, 0)
        assert not house.dead(wang.address)


async def test_lost_after_the_dot_is_repeated_once_as_the_very_same_mail(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        house.mail.script(breaks_after_the_dot(), to=wang.address)
        await house.notice("支部大会")
        first, second = wang.mails
        assert first.raw == second.raw
        assert first.id == second.id
        assert states(house) == {"accepted": 1}


async def test_lost_before_the_dot_arrives_once(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        house.mail.script(breaks_before_the_dot(), to=wang.address)
        await house.notice("支部大会")
        assert len(wang.mails) == 1
        assert states(house) == {"accepted": 1}


async def test_lost_twice_is_unknown_and_left_to_people(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        house.mail.script(breaks_after_the_dot(), to=wang.address, times=2)
        notice = await house.notice("支部大会")
        assert (states(house), len(wang.mails)) == ({"unknown": 1}, 2)
        await house.pass_time(hours=3)
        assert len(wang.mails) == 2
        with house.house.app.database.write() as tx:
            assert desk.retry(tx, house.house.now, OPERATOR, notice) == 1
        await house.deliver()
        assert (states(house), len(wang.mails)) == ({"accepted": 1}, 3)


async def test_a_server_that_is_down_loses_nothing(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.mail.smtp.close()
        await house.notice("支部大会")
        assert states(house) == {"queued": 1}
        await house.mail.smtp.open()
        await house.pass_time(minutes=2)
        assert len(wang.mails) == 1


@pytest.mark.parametrize("died", ["before it left", "while it left", "after it was taken"])
async def test_a_process_that_dies_repeats_only_what_may_be_lost(tmp_path: Path, died: str) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        with house.house.app.database.write() as tx:
            parcel = _parcel(house, tx)
        with house.house.app.database.write() as tx:
            admitted = house.part.channel.admit(tx, house.house.now, parcel)
        assert isinstance(admitted, Parcel)
        with house.house.app.database.write() as tx:
            letter = mails.of_delivery(tx, parcel.delivery)
            assert letter
            if died != "before it left":
                mails.leave(tx, letter.tag)
            if died == "after it was taken":
                mails.mark(tx, letter.tag, "accepted")
        for expected in {"before it left": [1], "while it left": [1, 1], "after it was taken": [0, 0]}[died]:
            with house.house.app.database.write() as tx:
                again = house.part.channel.admit(tx, house.house.now, parcel)
            assert isinstance(again, Parcel)
            await house.part.channel.send(again)
            assert len(wang.mails) == expected


async def test_what_was_repeated_once_is_not_repeated_again_after_another_death(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        await house.seat("王芳")
        with house.house.app.database.write() as tx:
            parcel = _parcel(house, tx)
            house.part.channel.admit(tx, house.house.now, parcel)
            letter = mails.of_delivery(tx, parcel.delivery)
            assert letter
            mails.leave(tx, letter.tag)
            mails.leave(tx, letter.tag)
            assert house.part.channel.admit(tx, house.house.now, parcel) == "it may have arrived"


def _parcel(house: EmailHouse, tx: Tx) -> Parcel:
    """A delivery that waits for 王芳."""
    person = house.house.ids["王芳"]
    campaigns.create(tx, house.house.now, "test", 1, [person], channels="email")
    campaigns.expand(tx, house.house.now)
    return Parcel(1, "wangfang@qq.com", Message("【通知】支部大会"), person, "notice-1")


async def test_an_answer_is_put_off_like_any_mail_and_arrives_once(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        house.mail.script(answers(faults.GREYLISTED), to=wang.address)
        await wang.replies(wang.last, "收到")
        await house.answers()
        assert len(wang.mails) == 1
        await house.pass_time(minutes=2)
        assert "✓ 已确认" in wang.last.text
        await house.pass_time(hours=2)
        assert len(wang.mails) == 2


async def test_whoever_wants_no_reminders_gets_notices_all_the_same(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        assert wang.last.header("List-Unsubscribe") == ""
        await _nudge(house, notice)
        reminder = wang.last
        assert "还在等您确认" in reminder.text
        stop = reminder.header("List-Unsubscribe").strip("<>")
        assert reminder.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
        page = await Browser().get(stop)
        assert "不再往 wangfang@qq.com 发提醒邮件？" in page.text
        await Browser().post(stop, {"List-Unsubscribe": "One-Click"})  # as a mail program does, with no page open
        await house.mail.advance(minutes=5)
        await _nudge(house, notice)
        assert wang.last is reminder
        await house.notice("植树活动")
        assert "植树活动" in wang.last.text


async def _nudge(house: EmailHouse, notice: int) -> None:
    with house.house.app.database.write() as tx:
        desk.nudge(tx, house.house.now, OPERATOR, notice)
    await house.deliver()


async def test_the_channel_says_what_it_waits_for_in_a_few_words(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        await house.seat("王芳")
        with house.house.app.database.write() as tx:
            admitted = house.part.channel.admit(tx, house.house.now, _parcel(house, tx))
        assert isinstance(admitted, Parcel)
        house.mail.script(answers(faults.GREYLISTED))
        with pytest.raises(Undelivered, match=r"451 4\.7\.1") as no:
            await house.part.channel.send(admitted)
        assert no.value.again == 60

"""What does a mail that comes back do to the address it was sent to, and to no other?"""

from __future__ import annotations

from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.adapters.email_bounce import Verdict, judge
from storage import campaigns, mails
from storage.campaigns import Delivery
from storage.writer import open_writer
from tests.email_house import EmailHouse, email_house, said
from tests.fakes.mail import BOUNCES, faults
from tests.fakes.mail.bounces import Bounced
from tests.fakes.mail.faults import Answer
from tests.fakes.mail.model import Mail
from tests.people import House
from tests.posts import Post, drain, open_outbox, tell

STANDARD = ("failed", "exchange", "qmail")
CHINESE = ("qq", "163")


def states(house: EmailHouse) -> dict[str, int]:
    with house.house.app.database.read() as tx:
        progress = campaigns.progress(tx, [1])
    return {state: count for (channel, state), count in progress.items() if channel == "email"}


@pytest.mark.parametrize("kind", [*STANDARD, *CHINESE])
async def test_no_such_address_marks_exactly_this_one_and_is_told(tmp_path: Path, kind: str) -> None:
    async with email_house(tmp_path) as house:
        wang, sun, li = [await house.seat(name) for name in ("王芳", "孙明", "李书记")]
        wang.mailbox.bounces = (kind, faults.NO_SUCH_USER)
        await house.notice("支部大会")
        await house.mail.settled()
        await house.deliver()
        assert house.done["bounce"] == 1
        assert [house.dead(person.address) for person in (wang, sun, li)] == [True, False, False]
        assert states(house) == {"failed": 1, "accepted": 2}
        assert "王芳同志（1001）绑定的邮箱收不到信了" in said(li.last)
        assert "没有绑定别的聊天" in said(li.last)
        assert sun.last.subject == "【通知】支部大会"


@pytest.mark.parametrize("kind", [*STANDARD, *CHINESE])
async def test_a_full_mailbox_is_as_good_as_before(tmp_path: Path, kind: str) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        wang.mailbox.bounces = (kind, faults.FULL)
        await house.notice("支部大会")
        await house.mail.settled()
        assert (house.done["bounce"], house.dead(wang.address)) == (1, False)
        assert states(house) == {"failed": 1}


@pytest.mark.parametrize("kind", STANDARD)
async def test_refused_as_spam_is_no_verdict_on_the_address(tmp_path: Path, kind: str) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        wang.mailbox.bounces = (kind, faults.NOT_ALLOWED)
        await house.notice("支部大会")
        await house.mail.settled()
        assert (house.done["bounce"], house.dead(wang.address)) == (1, False)


async def test_delayed_is_no_bounce(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        wang.mailbox.bounces = ("delayed", faults.NO_SUCH_USER)
        await house.notice("支部大会")
        await house.mail.settled()
        assert house.dead(wang.address) is False
        assert states(house) == {"accepted": 1}


async def test_a_bounce_nobody_can_read_counts_on_two_different_days(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        for hours, dead in ((0, False), (1, False), (24, True)):
            await house.mail.advance(hours=hours)
            await house.notice(f"通知{hours}")
            await _puzzles(house, wang.last, hours)
            assert house.dead(wang.address) is dead


async def test_the_same_bounce_twice_counts_once(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        await _puzzles(house, wang.last, 0)
        await house.mail.advance(hours=24)
        await _puzzles(house, wang.last, 0)
        assert house.done == {"bounce": 1, "again": 1}
        assert house.dead(wang.address) is False


async def _puzzles(house: EmailHouse, mail: Mail, number: int) -> None:
    """Something comes back, and says nothing."""
    raw = (
        f"From: MAILER-DAEMON@qq.com\r\nTo: {mail.sender}\r\nSubject: Undeliverable mail\r\n"
        f"Message-ID: <puzzle{number}@qq.com>\r\n\r\nX7 / Q9\r\n"
    )
    assert house.mail.mx.lmtp
    house.mail.mx.receive("", [mail.sender], raw.encode(), house.mail.person("x@qq.com").origin)
    await house.mail.settled()


async def test_a_forged_bounce_without_our_token_does_nothing(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        forged = Mail("tiexin+b.aaaaaaaaaaaaaaaaaaaaaaaaaaaaa@party.example", wang.address, wang.last.raw)
        house.mail.bounce(forged, "failed", faults.NO_SUCH_USER)
        await house.mail.settled()
        assert house.dead(wang.address) is False


async def test_a_mail_from_a_dead_address_brings_it_back_to_life(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        mail = wang.last
        house.mail.bounce(mail, "failed", faults.NO_SUCH_USER)
        await house.mail.settled()
        assert house.dead(wang.address)
        await wang.replies(mail, "收到")
        assert not house.dead(wang.address)


async def test_without_plus_addresses_the_returned_mail_tells_which_it_was(tmp_path: Path) -> None:
    async with email_house(tmp_path, email__plus_addresses="false") as house:
        wang, sun = await house.seat("王芳"), await house.seat("孙明")
        await house.notice("支部大会")
        house.mail.bounce(wang.last, "failed", faults.NO_SUCH_USER)
        house.mail.bounce(sun.last, "exchange", faults.FULL)
        await house.mail.settled()
        assert (house.dead(wang.address), house.dead(sun.address)) == (True, False)
        assert house.done["bounce"] == 2


async def test_a_bounce_that_is_here_before_we_have_noted_the_sending_still_says_why(house: House) -> None:
    house.chat("王芳", "email")

    def back_at_once(_key: str, delivery: int) -> None:
        with house.app.database.write() as tx:
            mails.came_back(tx, house.now, delivery, "bounced: dead")

    writer, post = open_writer(house.app.database), Post(house, "email", mood=back_at_once)
    tell(house, [house.ids["王芳"]])
    await drain(open_outbox(house, writer, post), post)
    await writer.close()
    with house.app.database.read() as tx:
        assert tx.run(select(col(Delivery.state), col(Delivery.reason))).all() == [("failed", "bounced: dead")]


# -- what a bounce says -----------------------------------------------------------------------------------------

SENT = Mail("tiexin+b.x@party.example", "wangfang@qq.com", b"Subject: x\r\nMessage-ID: <a@b>\r\n\r\nx\r\n", 0)


def verdict(kind: str, answer: Answer) -> Verdict:
    raw = BOUNCES[kind](Bounced(SENT, answer, "mx.example", 1795485600, 7))
    return judge(message_from_bytes(raw))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (faults.NO_SUCH_USER, Verdict.DEAD),
        (Answer(550, "5.1.2", "Host unknown"), Verdict.DEAD),
        (Answer(550, "5.1.8", "Sender domain does not exist"), Verdict.FAILED),
        (faults.FULL, Verdict.FULL),
        (Answer(452, "4.2.2", "Over quota"), Verdict.FULL),
        (faults.SPAM, Verdict.REFUSED),
        (Answer(550, "5.7.26", "DMARC"), Verdict.REFUSED),
        (faults.TOO_BIG, Verdict.MALFORMED),
        (Answer(554, "5.6.0", "bad MIME"), Verdict.MALFORMED),
        (Answer(451, "4.4.7", "Delivery time expired"), Verdict.FAILED),
        (Answer(550, "", "User not found"), Verdict.DEAD),
        (Answer(550, "", "something else"), Verdict.FAILED),
    ],
    ids=str,
)
def test_a_standard_report_is_read_by_its_status(answer: Answer, expected: Verdict) -> None:
    assert verdict("failed", answer) is expected


@pytest.mark.parametrize("kind", [*CHINESE, "qmail"])
@pytest.mark.parametrize(
    ("answer", "expected"), [(faults.NO_SUCH_USER, Verdict.DEAD), (faults.FULL, Verdict.FULL)], ids=str
)
def test_a_bounce_in_words_is_read_by_the_code_it_quotes(kind: str, answer: Answer, expected: Verdict) -> None:
    assert verdict(kind, answer) is expected


@pytest.mark.parametrize(
    "raw",
    [
        b"From: wang@qq.com\r\nSubject: =?utf-8?b?6Ieq5Yqo5Zue5aSN?=\r\n\r\nI am away until Monday\r\n",
        b"From: wang@qq.com\r\nSubject: Re: user not found\r\n\r\n550 5.1.1 user unknown\r\n",
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n",
    ],
)
def test_what_is_no_bounce_says_nothing_about_an_address(raw: bytes) -> None:
    assert judge(message_from_bytes(raw)) in (Verdict.NONE, Verdict.UNREADABLE)

"""Do the people of the fake of mail, their programs and their machines write what such write?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

import pytest
from aiohttp import web
from flufl.bounce import all_failures

from tests.fakes.mail import BOUNCES, PROGRAMS, ROBOTS, FakeMail, Person, Scanner, faults
from tests.letters import REPLY, VERP, WANG, Door, door, notice

NOBODY = "<>"  # aiosmtpd's spelling of the null sender


@asynccontextmanager
async def told(name: str = "王芳") -> AsyncIterator[tuple[FakeMail, Person, Door]]:
    """王芳 has a notice of ours before her."""
    async with FakeMail() as mail, door(mail) as house:
        wang = mail.person(WANG, name)
        mail.take(VERP, [WANG], notice().as_bytes(policy=policy.SMTP), None)
        yield mail, wang, house


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def words(message: EmailMessage, kind: str) -> str:
    """The text of a part; whatever it calls its Chinese character set, it is read as GB18030."""
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    label = str(part.get_content_charset())
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode("gb18030" if label.startswith("gb") else label)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_every_program_carries_her_name_her_answer_and_the_thread(program: str) -> None:
    async with told("王镕㐂") as (_, wang, house):
        await wang.replies(wang.last, "1", program)
        envelope, message = house.envelopes[0], parsed(house.raw)
        assert (envelope.mail_from, envelope.rcpt_tos) == (WANG, [REPLY])
        assert message["To"] == REPLY
        assert message["From"].addresses[0].addr_spec == WANG
        if PROGRAMS[program].threads:
            assert message["In-Reply-To"] == "<n1@party.example>"
            assert message["References"].split() == ["<root@party.example>", "<n1@party.example>"]
        for kind in PROGRAMS[program].parts:
            text = words(message, kind)
            assert "1" in text
            assert ("王芳同志，您是否参加？" in text) == (program != "bare")


async def test_a_rare_character_is_written_in_the_set_that_only_calls_itself_gb2312() -> None:
    async with told() as (_, wang, house):
        await wang.replies(wang.last, "我是王镕", "foxmail")
        assert b'charset="GB2312"' in house.raw
        assert "我是王镕" in words(parsed(house.raw), "plain")
        with pytest.raises(UnicodeDecodeError):
            parsed(house.raw).get_body(("plain",)).get_payload(decode=True).decode("gb2312")  # type: ignore[union-attr]


async def test_who_answers_below_the_quote_answers_last() -> None:
    async with told() as (_, wang, house):
        await wang.replies(wang.last, "1", "bottom")
        lines = [line for line in words(parsed(house.raw), "plain").splitlines() if line.strip()]
        assert lines[0].endswith("wrote:")
        assert lines[-1] == "1"


async def test_a_tap_on_a_choice_is_the_number_before_it() -> None:
    async with told() as (_, wang, house):
        await wang.taps("不参加", program="ios_zh")
        assert words(parsed(house.raw), "plain").splitlines()[0] == "2"
        with pytest.raises(AssertionError, match="弃权"):
            await wang.taps("弃权")


async def test_a_prepared_mail_is_sent_as_it_was_prepared() -> None:
    async with told() as (_, wang, house):
        await wang.mails_to(f"mailto:{REPLY.replace('+', '%2B')}?subject=%E6%94%B6%E5%88%B0&body=%E6%94%B6%E5%88%B0")
        assert house.envelopes[0].rcpt_tos == [REPLY]
        assert parsed(house.raw)["Subject"] == "收到"
        assert words(parsed(house.raw), "plain").strip() == "收到"


# -- links ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def page() -> AsyncIterator[tuple[str, list[str]]]:
    """A page with a button, and what was asked of it."""
    asked: list[str] = []

    async def show(request: web.Request) -> web.Response:
        asked.append(request.method)
        form = '<input type="hidden" name="link" value="T"><button>进入</button>'
        return web.Response(text=f'<form method="post" action="/l/T">{form}</form>', content_type="text/html")

    async def take(request: web.Request) -> web.Response:
        asked.append(f"POST {(await request.post())['link']!s}")
        return web.Response(text="欢迎")

    application = web.Application()
    application.router.add_get("/l/T", show)
    application.router.add_post("/l/T", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/l/T", asked
    finally:
        await runner.cleanup()


async def test_who_presses_a_link_opens_it_and_presses_the_button_of_the_page() -> None:
    async with page() as (url, asked), FakeMail() as mail:
        wang = mail.person(WANG)
        mail.take(VERP, [WANG], notice(url=url).as_bytes(policy=policy.SMTP), None)
        assert (await wang.opens(wang.last, "去投票")).forms
        assert (await wang.presses(wang.last, "去投票", "进入")).text == "欢迎"
        assert asked == ["GET", "GET", "POST T"]


async def test_a_scanner_opens_everything_and_presses_nothing() -> None:
    async with page() as (url, asked), FakeMail() as mail:
        wang = mail.person(WANG)
        mail.take(VERP, [WANG], notice(url=url).as_bytes(policy=policy.SMTP), None)
        assert set(await Scanner().visits(wang.last, scripts=True)) == {200}
        assert set(asked) == {"HEAD", "GET"}


# -- bounces ----------------------------------------------------------------------------------------------------


def facts(status: Message) -> list[tuple[str, str]]:
    """Action and Status of each group of a delivery report."""
    return [(part["Action"], part["Status"]) for part in status.walk() if part is not status]


@pytest.mark.parametrize("kind", BOUNCES)
async def test_a_mailbox_that_bounces_sends_it_to_the_envelope_s_sender(kind: str) -> None:
    async with FakeMail() as mail, door(mail) as house:
        wang = mail.person(WANG)
        wang.mailbox.bounces = (kind, faults.NO_SUCH_USER)
        mail.take(VERP, [WANG], notice().as_bytes(policy=policy.SMTP), None)
        await mail.settled()
        assert house.envelopes[0].rcpt_tos == [VERP]
        assert house.envelopes[0].mail_from == ("Postmaster@163.com" if kind == "163" else NOBODY)
        assert len(wang.mails) == (1 if kind == "delayed" else 0)


async def test_a_failed_report_says_who_and_why_to_everybody_who_reads_the_standard() -> None:
    async with FakeMail() as mail, door(mail) as house:
        mail.person(WANG).mailbox.bounces = ("failed", faults.NO_SUCH_USER)
        mail.take(VERP, [WANG], notice().as_bytes(policy=policy.SMTP), None)
        await mail.settled()
        passing, lasting = all_failures(message_from_bytes(house.raw))
        assert (set(passing), set(lasting)) == (set(), {WANG.encode()})
        report = parsed(house.raw)
        assert (report.get_content_type(), report.get_param("report-type")) == ("multipart/report", "delivery-status")
        _, status, original = report.iter_parts()
        assert facts(status)[1:] == [("failed", "5.1.1")]
        assert list(original.walk())[1]["Message-ID"] == "<n1@party.example>"


async def test_a_delayed_report_is_no_failure_to_anybody() -> None:
    async with FakeMail() as mail, door(mail) as house:
        mail.person(WANG).mailbox.bounces = ("delayed", faults.BUSY)
        mail.take(VERP, [WANG], notice().as_bytes(policy=policy.SMTP), None)
        await mail.settled()
        assert all_failures(message_from_bytes(house.raw))[1] == set()
        _, status, _ = parsed(house.raw).iter_parts()
        assert facts(status)[1:] == [("delayed", "4.2.1")]


@pytest.mark.parametrize("kind", ["qq", "163"])
async def test_a_bounce_in_chinese_is_no_report_and_names_who_was_not_reached(kind: str) -> None:
    async with FakeMail() as mail, door(mail) as house:
        mail.person(WANG).mailbox.bounces = (kind, faults.QQ_NO_SUCH_USER)
        mail.take(VERP, [WANG], notice().as_bytes(policy=policy.SMTP), None)
        await mail.settled()
        message = parsed(house.raw)
        assert "退信" in message["Subject"]
        assert WANG in words(message, "plain")
        assert not any(all_failures(message_from_bytes(house.raw)))


# -- robots -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["qq", "163", "simple", "yes_man", "read_receipt", "mirror"])
async def test_a_robot_answers_every_notice(kind: str) -> None:
    async with FakeMail() as mail, door(mail) as house:
        mail.person(WANG, "王芳").robot = ROBOTS[kind]
        mail.take(VERP, [WANG], notice().as_bytes(policy=policy.SMTP), None)
        await mail.settled()
        assert [envelope.rcpt_tos for envelope in house.envelopes] == [[REPLY]]
        assert house.envelopes[0].mail_from == (NOBODY if kind == "read_receipt" else WANG)


@pytest.mark.parametrize(("kind", "mark"), [("vacation", "Auto-Submitted: auto-generated"),
                                            ("exchange", "X-Auto-Response-Suppress: OOF, AutoReply")])  # fmt: skip
async def test_a_robot_with_manners_is_silent_where_it_is_asked_to_be(kind: str, mark: str) -> None:
    async with FakeMail() as mail, door(mail) as house:
        mail.person(WANG, "王芳").robot = ROBOTS[kind]
        raw = notice().as_bytes(policy=policy.SMTP)
        mail.take(VERP, [WANG], mark.encode() + b"\r\n" + raw, None)
        await mail.settled()
        assert house.envelopes == []
        mail.take(VERP, [WANG], raw, None)
        await mail.settled()
        assert [envelope.rcpt_tos for envelope in house.envelopes] == [[VERP]]
        assert house.envelopes[0].mail_from == NOBODY


async def test_two_robots_that_answer_each_other_stop_at_last() -> None:
    async with FakeMail() as mail:
        wang, li = mail.person(WANG, "王芳"), mail.person("li@163.com", "李书记")
        wang.robot = li.robot = ROBOTS["simple"]
        await wang.writes(li.address, "在吗", "在吗")
        await mail.settled()
        assert (wang.robotic, li.robotic) == (50, 50)

"""What does a mail say, and who says it? Read as its author meant it, or asked back; never guessed."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.email_html import plain
from bot.adapters.email_in import decode, decoded, one_address, read
from bot.adapters.email_quote import own_words
from bot.adapters.email_trust import signed
from tests.fakes.mail import PROGRAMS
from tests.fakes.mail.programs import Original, encoded_header, part, written

OURS = "tiexin@party.example"
QUESTION = "——请在此线以上回复——\n\n【通知】支部大会\n\n您同意吗？\n\n1. 同意\n2. 不同意\n\n--\n贴心"
ASKED = Original(
    datetime(2026, 11, 24, 10, 0), "海川公司党委", "tiexin+r.abc@party.example", "王芳", "wangfang@qq.com",  # noqa: DTZ001 - local time, as programs show it
    "【通知】支部大会", QUESTION,
)  # fmt: skip
SAID = ("收到", "不同意", "1", "第一行。\n第二行，同意。\n\n王芳")


def raw(body: str, subject: str = "Re: x", more: str = "") -> bytes:
    return f"From: wangfang@qq.com\r\nSubject: {subject}\r\n{more}MIME-Version: 1.0\r\n{body}".encode()


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("said", SAID)
def test_the_own_words_of_every_program_and_no_others(program: str, said: str) -> None:
    style = PROGRAMS[program]
    whole = read(raw(written(style, said, ASKED), encoded_header(style.prefix + "支部大会", style)), OURS)
    assert (whole.own.whole, whole.own.first) == (said, said.split("\n")[0])
    assert whole.subject == "支部大会"
    assert whole.replying is bool(style.prefix)
    for kind in style.parts:
        text = style.text if kind == "plain" else style.html
        assert read(raw(part(kind, text(said, ASKED), style)), OURS).own.whole == said, f"the {kind} part alone"


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name != "bare"])
def test_an_answer_without_a_word_says_nothing(program: str) -> None:
    style = PROGRAMS[program]
    assert read(raw(written(style, "", ASKED)), OURS).own.first == ""


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("收到\n\n-- \n王芳\n研发部", "收到"),
        ("收到\n\n发自我的iPhone", "收到"),
        ("发自我的 HUAWEI 手机\n\n", ""),
        ("收到\n——请在此线以上回复——\n不同意", "收到"),
        ("收到\n\n> ——请在此线以上回复——\n> 不同意", "收到"),
        ("> 旧的\n\n收到", "收到"),
        ("在会上，小王写道：我同意。", "在会上，小王写道：我同意。"),
        ("发件人都很好。\n收件人也好。", "发件人都很好。\n收件人也好。"),
        ("11月28日开会\n-----\n研发部", "11月28日开会"),
        ("\u3000\u3000收到\u00a0\n", "收到"),
        ("收到\n\nOn Tue, Nov 24, 2026 at 10:00 AM 海川 <tiexin@party.example>\nwrote:\n\n> 不同意", "收到"),
        ("", ""),
    ],
)
def test_where_own_words_end(text: str, whole: str) -> None:
    assert own_words(text).whole == whole


@given(st.text(max_size=500))
def test_no_text_is_too_strange(text: str) -> None:
    own = own_words(text)
    assert own.first == own.whole.split("\n")[0]
    plain(text)


@given(st.binary(max_size=2000))
def test_no_mail_is_too_strange(content: bytes) -> None:
    read(content, OURS)


NESTED = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(1200))
MANY = 20_000
STRANGE = {
    "parts in parts": NESTED,
    "mails in mails": "Content-Type: message/rfc822\r\n\r\n" * 2000,
    "parameters": "Content-Type: text/plain" + '; "' * MANY + "\r\n\r\n",
    "numbered parameters": f"Content-Type: text/plain{''.join(f'; n*{n}=a' for n in range(MANY))}\r\n\r\n",
    "comments": f"Content-Type: text/html\r\n\r\n{'<!--' * MANY}",
    "declarations": f"Content-Type: text/html\r\n\r\n{'<!d' * MANY}",
    "sections": "Content-Type: text/html\r\n\r\n<![<![x",
    "attributes": f"Content-Type: text/html\r\n\r\n{'<a ' * MANY}",
    "ends": f"Content-Type: text/html\r\n\r\n{'</a' * MANY}",
}


@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE.keys())
def test_a_mail_made_to_keep_us_busy_is_read_at_once_and_its_author_answered(body: str) -> None:
    """In the time that these took (a few minutes, or for ever: they ended in an error) nobody else was answered."""
    found = read(raw(body, "党费"), OURS)
    assert (found.sender, found.subject) == ("wangfang@qq.com", "党费")


def test_an_author_made_to_keep_us_busy_is_nobody() -> None:
    for sign in ('"\\\\', "(\\\\"):
        assert read(f"From: {sign * MANY} <wangfang@qq.com>\r\n\r\n收到".encode(), OURS).sender == ""
        assert not signed(
            [f"mx.party.example; {sign * MANY} dkim=pass header.d=qq.com"], "mx.party.example", "qq.com"
        )


def test_a_verdict_that_is_too_long_to_be_one_is_not_cut_to_one() -> None:
    verdict = "mx.party.example; dkim=pass header.d=qq.com"
    assert signed([verdict], "mx.party.example", "qq.com")
    assert not signed([f"{verdict}{'.evil' * 1000}.example"], "mx.party.example", "qq.com")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<!--[if mso]><p>不同意</p><![endif]-->\n<p>收到</p>", "收到"),
        ("<!--[if !mso]><!--><p>收到</p><!--<![endif]-->", "收到"),
        ("<![if !supportLists]>收到<![endif]>", "收到"),
        ("<p>1 < 2", "1 < 2"),
        ("收到", "收到"),
    ],
)
def test_what_programs_write_for_each_other_is_passed_over(html: str, text: str) -> None:
    assert plain(html).strip() == text


# -- character sets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label", ["gb2312", "GBK", "x-gbk", "GB_2312-80", "gb18030", "cp936", "x-gb2312", "CSGB2312"]
)
def test_every_gb_is_read_with_all_its_names(label: str) -> None:
    name = "朱镕基 㐂 你好"
    assert decode(name.encode("gb18030"), label) == name
    body = f"Content-Type: text/plain; charset={label}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    mail = b"From: a@b.cn\r\nSubject: x\r\n" + body.encode() + name.encode("gb18030")
    assert read(mail, OURS).own.first == name


@pytest.mark.parametrize("label", ["unknown-8bit", "", "no-such-set", "utf-8", "us-ascii"])
@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_what_nobody_or_somebody_wrongly_declared_is_read_all_the_same(label: str, codec: str) -> None:
    assert decode("王芳收到".encode(codec), label) == "王芳收到"


def test_bytes_that_are_nothing_do_not_stop_anybody() -> None:
    assert decode(b"\xff\xfe\x81", "utf-8")


@pytest.mark.parametrize("label", ["base64", "zlib", "bz2", "hex", "quopri", "rot13", "undefined", "a\x00b"])
def test_a_set_that_is_none_of_characters_does_not_stop_anybody(label: str) -> None:
    """Python knows codecs by these names that make bytes of bytes: a stranger's mail went back to the server."""
    content = raw(f'Content-Type: text/plain; charset="{label}"\r\n\r\n4141', f"=?{label}?Q?4141?=")
    found = read(content, OURS)
    assert (found.own.first, found.subject) == ("4141", "4141")


def test_a_character_that_is_cut_between_two_words_is_whole() -> None:
    data = "镕镕镕".encode("gb18030")
    import base64

    words = " ".join(f"=?gb2312?B?{base64.b64encode(data[at : at + 3]).decode()}?=" for at in (0, 3))
    assert decoded(words) == "镕镕镕"


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("=?UTF-8?Q?=E6=94=B6=E5=88=B0?=", "收到"),
        ("Re: =?gbk?B?zsTMqA==?= x", "Re: 文台 x"),
        ("=?x-unknown?B?5pS25Yiw?=", "收到"),
        ("plain", "plain"),
        ("=?utf-8?B?!!!?=", ""),
    ],
)
def test_headers_in_words(header: str, text: str) -> None:
    assert decoded(header) == text


# -- who ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("wangfang@qq.com", "wangfang@qq.com"),
        ("王芳 <WangFang@QQ.com>", "wangfang@qq.com"),
        ('"王芳, 研发部" <wangfang@qq.com>', "wangfang@qq.com"),
        ('"z@org" <evil@x.example>', "evil@x.example"),
        ('"a \\" <b@c.d>" <evil@x.example>', "evil@x.example"),
        ("wangfang@qq.com (王芳)", "wangfang@qq.com"),
        ("=?utf-8?B?546L6Iqz?= <wangfang@qq.com>", "wangfang@qq.com"),
        ("wangfang@qq.com <WangFang@qq.com>", "wangfang@qq.com"),
        ("wangfang@qq.com <evil@x.example>", ""),
        ("wangfang@qq.com evil@x.example <evil@x.example>", ""),
        ("wangfang@qq.com, evil@x.example", ""),
        ("group: wangfang@qq.com;", ""),
        ("<wangfang@qq.com> <evil@x.example>", ""),
        ("王芳 <wangfang@qq.com> evil", ""),
        ("wangfаng@qq.com", ""),
        ("<>", ""),
        ("", ""),
        ("undisclosed-recipients:;", ""),
        ("@qq.com", ""),
    ],
)
def test_one_author_with_one_address_or_nobody(header: str, address: str) -> None:
    assert one_address(header) == address


@pytest.mark.parametrize(
    ("more", "machine"),
    [
        ("Auto-Submitted: auto-replied", True),
        ("Auto-Submitted: auto-generated; owner=x", True),
        ("Auto-Submitted: no", False),
        ("Precedence: bulk", True),
        ("Precedence: auto_reply", True),
        ("Precedence: first-class", False),
        ("List-Id: <x.example>", True),
        ("X-Autoreply: yes", True),
        ("X-Autorespond: x", True),
        ("X-Loop: tiexin@party.example", True),
        ("X-Loop: somebody@else.example", False),
        ("Return-Path: <>", True),
        ("Return-Path: <wangfang@qq.com>", False),
        ("X-Auto-Response-Suppress: All", False),
        ("Content-Type: multipart/report; boundary=x", True),
        ("X-Priority: 3", False),
    ],
)
def test_machines_say_so_in_their_headers(more: str, machine: bool) -> None:
    assert bool(read(raw("\r\n收到", "x", f"{more}\r\n"), OURS).machine) is machine


@pytest.mark.parametrize(
    ("subject", "machine"),
    [
        ("自动回复: 通知", True), ("Automatic reply: x", True), ("Out of Office: x", True), ("已读: x", True),
        ("未送达: x", True), ("系统退信", True), ("来自qq.com的退信", True), ("Undelivered Mail", True),
        ("Re: 自动回复怎么设置", False), ("通知：自动回复", False), ("我已读", False),
    ],
)  # fmt: skip
def test_and_in_their_subjects(subject: str, machine: bool) -> None:
    assert bool(read(raw("\r\n收到", subject), OURS).machine) is machine


@pytest.mark.parametrize(
    "sender", ["MAILER-DAEMON@qq.com", "postmaster@qq.com", "no-reply@x.example", "noreply@x.cn"]
)
def test_and_in_their_addresses(sender: str) -> None:
    assert read(f"From: {sender}\r\nSubject: x\r\n\r\n收到".encode(), OURS).machine


def test_the_null_sender_of_the_envelope_is_a_machine() -> None:
    assert read(raw("\r\n收到"), OURS, mail_from="").machine
    assert not read(raw("\r\n收到"), OURS, mail_from=None).machine


# -- the same mail ------------------------------------------------------------------------------------------------


def test_the_same_mail_is_known_again_whatever_servers_add() -> None:
    once = raw("\r\n收到\r\n", more="Message-ID: <a@b>\r\n")
    again = b"Received: from x by y; Tue\r\nDelivered-To: x\r\nX-Spam-Score: 1\r\n" + once
    assert read(once, OURS).digest == read(again, OURS).digest == read(once.replace(b"\r\n", b"\n"), OURS).digest


@pytest.mark.parametrize(
    "change", [(b"<a@b>", b"<c@d>"), ("收到".encode(), "同意".encode()), (b"wangfang", b"lihua")]
)
def test_another_mail_is_another(change: tuple[bytes, bytes]) -> None:
    once = raw("\r\n收到\r\n", more="Message-ID: <a@b>\r\n")
    assert read(once, OURS).digest != read(once.replace(*change), OURS).digest

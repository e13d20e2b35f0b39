"""Forged mail: what does each get as its answer? None acts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.adapters.email_trust import signed
from tests.email_house import DOMAIN, EmailHouse, chat, email_house, said
from tests.fakes.mail import Mail, Origin, Person, unsigned

MX = f"mx.{DOMAIN}"
EVIL = Origin("evil.example", "evil.example", "pass")


@dataclass(frozen=True, slots=True)
class Forgery:
    """What somebody does with a notice that 王芳 got; what becomes of it; where an answer goes, with which words."""

    how: Callable[[EmailHouse, Person, Mail], Awaitable[object]]
    becomes: str
    answered: str = ""
    words: str = ""


def _writer(house: EmailHouse) -> Person:
    """Somebody with a server of their own."""
    person = house.mail.person("evil@evil.example", "坏人")
    person.origin = EVIL
    return person


WANG = "wangfang@qq.com"
CONFIRM = "邮件的发件人容易被冒用"

FORGERIES: dict[str, Forgery] = {
    "her address from another server": Forgery(
        lambda house, wang, mail: wang.replies(mail, "收到", sender="evil@evil.example", origin=EVIL),
        "to confirm", WANG, CONFIRM,
    ),
    "her address from a server that does not sign": Forgery(
        lambda house, wang, mail: wang.replies(mail, "收到", sender="", origin=unsigned("evil.example")),
        "machine",
    ),
    "a signature of another domain": Forgery(
        lambda house, wang, mail: wang.replies(
            mail, "收到", sender="evil@evil.example", origin=Origin("evil.example", "evil.example", "pass")
        ),
        "to confirm", WANG, CONFIRM,
    ),
    "a signature of a domain below hers": Forgery(
        lambda house, wang, mail: wang.replies(
            mail, "收到", sender="x@mail.qq.com", origin=Origin("mail.qq.com", "mail.qq.com", "pass")
        ),
        "to confirm", WANG, CONFIRM,
    ),
    "a broken signature": Forgery(
        lambda house, wang, mail: wang.replies(
            mail, "收到", sender="x@evil.example", origin=Origin("evil.example", "qq.com", "fail")
        ),
        "to confirm", WANG, CONFIRM,
    ),
    "a verdict that she wrote herself": Forgery(
        lambda house, wang, mail: wang.replies(
            mail, "收到", sender="evil@evil.example", origin=EVIL,
            headers={"Authentication-Results": f"{MX}; dkim=pass header.d=qq.com"},
        ),
        "to confirm", WANG, CONFIRM,
    ),
    "the verdict of another server": Forgery(
        lambda house, wang, mail: wang.replies(
            mail, "收到", sender="evil@evil.example", origin=EVIL,
            headers={"Authentication-Results": "mx.elsewhere.example; dkim=pass header.d=qq.com"},
        ),
        "to confirm", WANG, CONFIRM,
    ),
    "an address that looks like hers": Forgery(
        lambda house, wang, mail: _writer(house).replies(mail, "收到", author="王芳 <wangfang@qq.com.evil.example>"),
        "other sender", "wangfang@qq.com.evil.example", "这个邮箱没有绑定",
    ),
    "a zero for an o": Forgery(
        lambda house, wang, mail: _writer(house).replies(mail, "收到", author="王芳 <wangfang@qq.c0m>"),
        "other sender", "wangfang@qq.c0m", "这个邮箱没有绑定",
    ),
    "her address as a name": Forgery(
        lambda house, wang, mail: _writer(house).replies(mail, "收到", author=f'"{WANG}" <evil@evil.example>'),
        "other sender", "evil@evil.example", "这个邮箱没有绑定",
    ),
    "her address as a name without quotes": Forgery(
        lambda house, wang, mail: _writer(house).replies(mail, "收到", author=f"{WANG} <evil@evil.example>"),
        "no one sender",
    ),
    "two authors in one header": Forgery(
        lambda house, wang, mail: _writer(house).replies(mail, "收到", author=f"{WANG}, evil@evil.example"),
        "no one sender",
    ),
    "two From headers": Forgery(
        lambda house, wang, mail: _writer(house).replies(
            mail, "收到", author=f"evil@evil.example\r\nFrom: {WANG}"
        ),
        "no one sender",
    ),
    "no author": Forgery(
        lambda house, wang, mail: _writer(house).replies(mail, "收到", author=""),
        "no one sender",
    ),
    "the notice forwarded to another": Forgery(
        lambda house, wang, mail: _writer(house).replies(mail, "收到"),
        "other sender", "evil@evil.example", "这个邮箱没有绑定",
    ),
    "a token with a letter changed": Forgery(
        lambda house, wang, mail: wang.replies(mail, "收到", to=_changed(mail.reply_to), threads=False),
        "to confirm", WANG, CONFIRM,
    ),
    "the bounce's token as an answer's": Forgery(
        lambda house, wang, mail: wang.replies(
            mail, "收到", to=mail.sender.replace("+b.", "+r."), threads=False
        ),
        "to confirm", WANG, CONFIRM,
    ),
}  # fmt: skip


def _changed(address: str) -> str:
    place = address.index("+r.") + 10
    return address[:place] + ("a" if address[place] != "a" else "b") + address[place + 1 :]


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_mail_acts_on_nothing_and_gets_this_answer(tmp_path: Path, name: str) -> None:
    forgery = FORGERIES[name]
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        everybody = len(house.mail.mails)
        await forgery.how(house, wang, wang.last)
        await house.answers()
        assert house.confirmed(notice) == []
        assert house.done == {forgery.becomes: 1}
        answers = house.mail.mails[everybody:]
        assert [mail.recipient for mail in answers] == ([forgery.answered] if forgery.answered else [])
        if answers:
            assert forgery.words in said(answers[0])
            assert (answers[0].sender, answers[0].header("Auto-Submitted")) == ("", "auto-replied")
        if forgery.answered != WANG and answers:
            assert "支部大会" not in said(answers[0]), "whoever is not her learns nothing of what she gets"


async def test_the_token_of_a_colleague_acts_for_neither(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang, sun = await house.seat("王芳"), await house.seat("孙明")
        notice = await house.notice("支部大会")
        await sun.replies(wang.last, "收到")  # she has forwarded her mail to him
        assert house.confirmed(notice) == []
        assert house.done == {"to confirm": 1}


async def test_a_token_that_is_too_old_has_to_be_confirmed(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        mail = wang.last
        await house.mail.advance(days=61)
        await wang.replies(mail, "收到")
        await house.answers()
        assert house.confirmed(notice) == []
        assert "一封过期的邮件" in said(wang.last)


async def test_somebody_who_has_left_is_a_stranger(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        from storage import people

        with house.house.app.database.write() as tx:
            people.change(tx, house.house.ids["王芳"], left_on=house.house.now.date())
        await wang.replies(wang.last, "收到")
        assert house.confirmed(notice) == []
        assert house.done == {"other sender": 1}


async def test_without_a_name_for_our_server_nothing_is_believed(tmp_path: Path) -> None:
    async with email_house(tmp_path, email__authserv_id="") as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        await wang.replies(wang.last, "收到")
        assert house.confirmed(notice) == []
        assert house.done == {"to confirm": 1}


# -- the link that asks whether a mail was meant ----------------------------------------------------------------


async def _asked_back(house: EmailHouse, wang: Person, text: str = "收到") -> Mail:
    """王芳's company does not sign, so her answer has to be confirmed."""
    wang.origin = unsigned("relay.example")
    await wang.replies(wang.last, text)
    await house.answers()
    return wang.last


async def test_the_press_of_the_page_does_what_the_mail_said(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        asked = await _asked_back(house, wang)
        page = await wang.opens(asked, "是我写的，去确认")
        assert "王芳" in page.text
        assert "您要办的是：“收到”（回复「【通知】支部大会」）" in page.text
        assert house.confirmed(notice) == [], "a page that was opened has done nothing"
        shown = await page.presses()
        assert house.confirmed(notice) == ["王芳"]
        assert "✓ 已确认" in chat(shown)[-1]


async def test_it_does_it_once(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        asked = await _asked_back(house, wang)
        await wang.presses(asked, "是我写的，去确认")
        again = await wang.opens(asked, "是我写的，去确认")
        assert again.status == 410
        assert "已经用过，或者过期了" in again.text


async def test_a_link_that_is_over_is_sent_anew_to_the_bound_address(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        asked = await _asked_back(house, wang)
        await house.mail.advance(days=4)
        page = await wang.opens(asked, "是我写的，去确认")
        assert page.status == 410
        told = await page.presses("把新链接寄到我的邮箱")
        assert "新的链接已经寄过去了" in told.text
        await house.answers()
        await wang.presses(wang.last, "打开")
        assert house.confirmed(notice) == ["王芳"]


async def test_a_free_word_confirmed_by_link_is_understood_as_if_typed_there(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        asked = await _asked_back(house, wang, "党费")
        shown = await wang.presses(asked, "是我写的，去确认")
        assert "党费计算基数还没有核定" in chat(shown)[-1]


# -- what our server's verdict is worth -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("results", "good"),
    [
        ([f"{MX}; dkim=pass header.d=qq.com"], True),
        ([f"{MX}; dkim=pass header.d=QQ.com header.s=s1"], True),
        ([f"{MX}; spf=pass smtp.mailfrom=wangfang@qq.com"], True),
        ([f"{MX}; spf=pass smtp.mailfrom=qq.com"], True),
        ([f"{MX}; dmarc=pass (p=none) header.from=qq.com"], True),
        ([f"{MX} 1; dkim=pass (2048-bit key) header.d=qq.com"], True),
        ([f"{MX}; dkim=fail header.d=qq.com; dkim=pass header.d=qq.com"], True),
        ([f"{MX}; dkim=pass header.d=mail.qq.com"], False),
        ([f"{MX}; dkim=pass header.d=com"], False),
        ([f"{MX}; dkim=pass header.d=evil.example"], False),
        ([f"{MX}; dkim=pass header.i=@qq.com"], False),
        ([f"{MX}; dkim=fail header.d=qq.com"], False),
        ([f"{MX}; dkim=none"], False),
        ([f"{MX}; none"], False),
        ([f"{MX}; dkim=none (dkim=pass header.d=qq.com)"], False),
        ([f'{MX}; dkim=none reason="x; dkim=pass header.d=qq.com"'], False),
        ([f"{MX}.evil.example; dkim=pass header.d=qq.com"], False),
        (["evil.example; dkim=pass header.d=qq.com"], False),
        ([f"{MX} 2; dkim=pass header.d=qq.com"], False),
        ([f"{MX}; arc=pass header.d=qq.com"], False),
        ([f"{MX}; dkim=none", f"{MX}; dkim=pass header.d=qq.com"], False),
        ([f"{MX}; dkim=none", f"{MX}; spf=pass smtp.mailfrom=a@qq.com"], True),
        ([f"{MX}; dkim=pass header.d=evil.example header.d=qq.com"], False),
        ([f"{MX}; " + "(" * 1000 + "dkim=pass header.d=qq.com"], False),
        ([], False),
    ],
)
def test_only_our_own_server_vouches_and_only_for_the_very_domain(results: list[str], good: bool) -> None:
    assert signed(results, MX, "qq.com") is good


def test_nobody_vouches_where_our_server_has_no_name() -> None:
    assert not signed(["; dkim=pass header.d=qq.com"], "", "qq.com")

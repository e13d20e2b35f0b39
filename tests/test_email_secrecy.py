"""What becomes of a mail that bears a mark of secrecy? It is refused, and no word of it stays or goes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import mails
from tests.email_house import SENDER, EmailHouse, email_house, said
from tests.fakes.mail import Person, unsigned

MARKED = {
    "in the subject": ("机密★10年 某某项目", "见附件。"),
    "in the text": ("你好", "看看这个\n机密★一年\n某某项目"),
    "below a command": ("思想汇报", "【机密】某某项目"),
}


async def _writes(house: EmailHouse, who: Person, subject: str, text: str) -> None:
    await who.writes(SENDER, subject, text)
    await house.answers()
    assert house.done == {"forbidden": 1}
    assert "这里带有密级标记“机密”" in said(who.last)
    assert who.last.header("In-Reply-To"), "it stands below what it answers"
    whole = f"{who.last.subject}\n{who.last.text}\n{who.last.html}"
    assert not any(word in whole for word in ("某某项目", "10年", "/l/"))
    with house.house.app.database.read() as tx:
        kept = mails.by_tag(tx, house.part.postmark.read_message_id(who.last.header("Message-ID")) or b"")
    assert kept
    assert kept.body.subject == ""


@pytest.mark.parametrize("where", MARKED)
async def test_nothing_of_it_is_kept_its_subject_neither(tmp_path: Path, where: str) -> None:
    async with email_house(tmp_path) as house:
        await _writes(house, await house.seat("王芳"), *MARKED[where])


@pytest.mark.parametrize("where", MARKED)
async def test_it_does_not_wait_behind_a_link_to_be_confirmed(tmp_path: Path, where: str) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        wang.origin = unsigned("relay.example")
        await _writes(house, wang, *MARKED[where])


async def test_a_stranger_is_told_the_same(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        await _writes(house, house.mail.person("zhou@elsewhere.example", "周"), *MARKED["in the subject"])


async def test_whoever_keeps_writing_such_mails_is_not_answered_for_ever(tmp_path: Path) -> None:
    async with email_house(tmp_path, email__answers_per_hour="1") as house:
        wang = await house.seat("王芳")
        for number in range(3):
            await wang.writes(SENDER, f"机密★{number}年", "")
        await house.answers()
        assert (len(wang.mails), house.done["too many"]) == (1, 2)

"""Machines write mails too. Which of them is answered, and does it ever end?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.email_house import SENDER, email_house, said
from tests.fakes.mail import ROBOTS

MOST = 4
"""Answers in an hour, in this house."""


@pytest.mark.parametrize("robot", [name for name in ROBOTS if name != "simple"])
async def test_what_a_machine_says_in_her_name_acts_on_nothing_and_is_not_answered(
    tmp_path: Path, robot: str
) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        wang.robot = ROBOTS[robot]
        notice = await house.notice("支部大会")
        await house.mail.settled()
        await house.answers()
        await house.mail.settled()
        assert house.confirmed(notice) == []
        assert len(wang.mails) == 1
        assert set(house.done) <= {"machine", "bounce"}


async def test_a_machine_that_answers_every_answer_falls_silent_after_so_many(tmp_path: Path) -> None:
    async with email_house(tmp_path, email__answers_per_hour=str(MOST)) as house:
        wang = await house.seat("王芳")
        wang.robot = ROBOTS["simple"]
        await house.notice("支部大会")
        for _ in range(20):
            await house.mail.settled()
            await house.answers()
        assert len(wang.mails) == 1 + MOST
        assert "您这一小时的来信已经有4封了" in said(wang.last)
        before = len(house.mail.attempts)
        for _ in range(5):
            await house.pass_time(minutes=5)
        assert len(house.mail.attempts) == before, "it has stopped by itself"


async def test_it_does_not_begin_anew_every_hour_for_ever(tmp_path: Path) -> None:
    async with email_house(tmp_path, email__answers_per_hour=str(MOST)) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        for _ in range(20):
            await wang.writes(SENDER, "您的来信已收到", "我们会尽快处理。")
            await house.answers()
            await house.mail.advance(minutes=30)
        assert len(wang.mails) - 1 == 3 * MOST


async def test_whoever_has_written_too_often_still_confirms(tmp_path: Path) -> None:
    async with email_house(tmp_path, email__answers_per_hour="1") as house:
        wang = await house.seat("王芳")
        first, second = await house.notice("支部大会"), await house.notice("植树活动")
        await wang.replies(wang.mail("支部大会"), "收到")
        await wang.replies(wang.mail("植树活动"), "收到")
        await house.answers()
        assert (house.confirmed(first), house.confirmed(second)) == (["王芳"], ["王芳"])
        assert house.done == {"answered": 1, "not answered": 1}


async def test_strangers_get_no_more_than_so_many_words_either(tmp_path: Path) -> None:
    async with email_house(tmp_path, email__answers_per_hour=str(MOST)) as house:
        zhou = house.mail.person("zhou@elsewhere.example", "周")
        for number in range(MOST + 3):
            await zhou.writes(SENDER, f"你好{number}", "请问")
        await house.answers()
        assert len(zhou.mails) == MOST
        assert house.done == {"stranger": MOST, "too many": 3}


async def test_our_own_mail_is_not_answered_when_it_comes_back(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        await house.mail.posted(wang.address, [SENDER], wang.last.raw, wang.origin)
        assert house.done == {"machine": 1}

"""On WeCom: does everything work as elsewhere, with cards to tap, and once?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from storage import people
from tests.fakes.wecom import bad_gateway, lost, refused
from tests.notices import send
from tests.polls import open_poll, votes
from tests.wecom_house import WeComHouse, wecom_house


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[WeComHouse]:
    async with wecom_house(tmp_path) as built:
        yield built
        assert built.wecom.courier.bad_replies == []


async def test_words_ride_in_the_answer_and_cost_no_call(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    await wang.says("投票")
    assert "眼下没有等您投的票" in wang.last.words
    assert wang.last.passive
    assert house.wecom.calls == []


async def test_a_vote_is_a_tap_and_the_card_says_so(house: WeComHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    card = wang.last
    assert card.look.kind == "button_interaction"
    assert card.labels == ["王芳", "孙明", "吴强"]
    await wang.taps("孙明")
    assert votes(house.house, poll)[house.house.ids["王芳"]] == (2,)
    assert wang.last is card
    assert card.words.startswith("已记录：孙明")
    assert card.labels == ["改投"]


async def test_a_tap_brought_twice_is_counted_once_and_answered_alike(house: WeComHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    house.wecom.courier.lose_answers = 1
    await wang.taps("孙明")
    push = house.wecom.courier.pushes[-1]
    assert push.statuses == [0, 200]
    assert house.done["again"] == 1
    assert len(votes(house.house, poll)) == 1
    assert wang.last.words.startswith("已记录：孙明")


async def test_a_word_brought_twice_leads_to_one_card(house: WeComHouse) -> None:
    open_poll(house.house)
    wang = await house.seat("王芳")
    msgid = await wang.says("投票")
    await wang.says("投票", msgid=msgid)
    assert len(wang.cards) == 1
    assert house.done["again"] == 1


async def test_two_taps_within_one_second_are_two(house: WeComHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    card = wang.last
    await wang.taps("孙明")
    await wang.taps("改投")
    await wang.taps("吴强")
    assert votes(house.house, poll)[house.house.ids["王芳"]] == (3,)
    assert card.words.startswith("已记录：吴强")


async def test_ten_options_are_a_list_with_one_button(house: WeComHouse) -> None:
    names = tuple(f"候选人{n}" for n in range(10))
    poll = open_poll(house.house, options=names)
    wang = await house.seat("王芳")
    await wang.says("投票")
    assert wang.last.look.kind == "vote_interaction"
    await wang.selects("候选人7")
    assert votes(house.house, poll)[house.house.ids["王芳"]] == (8,)


async def test_several_are_chosen_at_once(house: WeComHouse) -> None:
    poll = open_poll(house.house, options=("甲", "乙", "丙", "丁"), choose=(1, 3))
    wang = await house.seat("王芳")
    await wang.says("投票")
    assert wang.last.look.questions[0].several
    assert wang.last.labels == ["甲", "乙", "丙", "丁"]
    await wang.selects("丁", "乙")
    assert votes(house.house, poll)[house.house.ids["王芳"]] == (2, 4)
    assert "已记录" in wang.cards[-1].words


async def test_an_old_list_leaves_no_mark_of_another_day(house: WeComHouse) -> None:
    """She marked 甲 and 丙 on the web; the list in WeCom, older than that, brings what it shows, and only that."""
    poll = open_poll(house.house, options=("甲", "乙", "丙", "丁"), choose=(1, 3))
    wang = await house.seat("王芳")
    await wang.says("投票")
    web = house.house.chat("王芳", channel="web")
    web.say("投票")
    web.tap("甲")
    web.tap("丙")
    await wang.selects("乙", "丙")
    assert votes(house.house, poll)[house.house.ids["王芳"]] == (2, 3)


async def test_too_many_chosen_are_refused_and_nothing_is_counted(house: WeComHouse) -> None:
    poll = open_poll(house.house, options=("甲", "乙", "丙", "丁"), choose=(1, 2))
    wang = await house.seat("王芳")
    await wang.says("投票")
    await wang.selects("甲", "乙", "丙")
    assert votes(house.house, poll) == {}
    assert "应当选1到2项" in wang.last.words


async def test_nothing_chosen_is_nothing_done(house: WeComHouse) -> None:
    open_poll(house.house, options=("甲", "乙", "丙"), choose=(1, 2))
    wang = await house.seat("王芳")
    await wang.says("投票")
    before = len(wang.lines)
    await wang.selects()
    assert len(wang.lines) == before
    assert house.done["ignored"] == 1


async def test_an_old_button_is_answered(house: WeComHouse) -> None:
    open_poll(house.house, hours=1)
    wang = await house.seat("王芳")
    await wang.says("投票")
    await house.pass_time(hours=2)
    await wang.taps("孙明", on=wang.cards[0])
    assert "这一票没有计入" in wang.last.words


async def test_a_button_that_no_card_has_is_answered(house: WeComHouse) -> None:
    open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    await wang.person.forges(wang.last, "x" * 1000)
    await house.settle()
    assert house.done["answered"] == 2
    assert "按钮" in wang.last.words


async def test_a_picture_is_answered_in_words(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    await wang.person.sends_image()
    assert wang.last.from_app


async def test_opening_the_application_needs_no_answer(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    await wang.person.enters()
    assert wang.lines == []
    assert house.done == {"looked at": 1, "ignored": 1}


async def test_words_that_would_end_the_xml_come_back_whole(house: WeComHouse) -> None:
    with house.app.database.write() as tx:
        people.change(tx, house.house.ids["王芳"], name="王]]><芳")
    wang = await house.seat("王芳")
    await wang.says("我的")
    assert "王]]><芳同志" in wang.last.words


async def test_a_long_answer_comes_in_parts_and_whole(house: WeComHouse) -> None:
    lines = "\n".join(f"第{n}项：{'很长的内容' * 9}" for n in range(60))
    send(house.house, body=lines)
    wang = await house.seat("王芳")
    await house.deliver()
    texts = [line for line in wang.lines if line.kind == "text"]
    assert all(len(line.text.encode()) <= 2048 for line in texts)
    said = "".join(line.text for line in texts).replace("\n", "")
    assert all(f"第{n}项：" in said for n in range(60))
    assert wang.cards[-1].labels == ["收到"]


async def test_a_notice_is_confirmed_on_its_card(house: WeComHouse) -> None:
    send(house.house)
    wang = await house.seat("王芳")
    await house.deliver()
    await wang.taps("收到")
    assert "✓ 已确认" in wang.cards[-1].words
    assert wang.cards[-1].labels == []


async def test_a_long_notice_is_not_said_again_when_it_is_confirmed(house: WeComHouse) -> None:
    send(house.house, body="\n".join(f"第{n}条，请大家务必按时参加。" for n in range(40)))
    wang = await house.seat("王芳")
    await house.deliver()
    before = len(wang.lines)
    await wang.taps("收到")
    assert len(wang.lines) == before
    assert "✓ 已确认" in wang.cards[-1].words
    assert "第3条" not in wang.cards[-1].words


async def test_a_minute_that_is_full_is_answered_in_words_and_numbers(house: WeComHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    for _ in range(40):
        await wang.says("投票")
    assert [line.passive for line in wang.lines if line.from_app].count(True) == 30
    assert "1. 王芳" in wang.last.words
    await wang.says("2")
    assert votes(house.house, poll)[house.house.ids["王芳"]] == (2,)


async def test_an_answer_that_is_lost_on_the_way_comes_once(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    house.wecom.script(lost(), "message/send")
    await wang.says("语言")
    assert len(wang.cards) == 1
    await house.pass_time(seconds=6)
    assert len(wang.cards) == 1
    assert house.wecom.world.duplicates == 1
    await house.pass_time(seconds=60)
    assert len(house.wecom.called("message/send")) == 2


async def test_an_answer_waits_for_wecom_to_come_back(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    house.wecom.script(bad_gateway(), "message/send", times=2)
    house.wecom.script(refused(-1), "message/send")
    await wang.says("语言")
    assert wang.cards == []
    for _ in range(3):
        await house.pass_time(seconds=6)
    assert len(wang.cards) == 1


async def test_what_was_answered_before_a_stop_is_sent_after_it(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    house.wecom.script(bad_gateway(), "message/send")
    await wang.says("语言")
    await house.down()
    await house.up()
    await house.settle()
    assert len(wang.cards) == 1


async def test_while_nothing_can_be_written_wecom_is_asked_to_come_again(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    await house.down()
    await wang.person.says("帮助")
    assert house.wecom.courier.pushes[-1].statuses == [503, 503, 503]
    await house.up()
    await wang.says("帮助")
    assert "我能帮您做这些事" in wang.last.words


async def test_a_number_belongs_to_what_its_writer_was_looking_at(tmp_path: Path) -> None:
    """Without cards choices are numbers. A poll that comes in between must not take one for a vote."""
    async with wecom_house(tmp_path, cards="false") as house:
        wang = await house.seat("王芳")
        await wang.says("语言")
        assert "2. English" in wang.last.words
        poll = open_poll(house.house)
        await house.deliver()
        assert "“王芳”　“孙明”　“吴强”" in wang.last.words
        await wang.says("2")
        assert votes(house.house, poll) == {}
        assert "I shall answer you in English" in wang.last.words


async def test_without_cards_a_poll_is_answered_by_its_words(tmp_path: Path) -> None:
    async with wecom_house(tmp_path, cards="false") as house:
        wang = await house.seat("王芳")
        poll = open_poll(house.house)
        await house.deliver()
        await wang.says("孙明")
        assert votes(house.house, poll)[house.house.ids["王芳"]] == (2,)
        assert wang.cards == []

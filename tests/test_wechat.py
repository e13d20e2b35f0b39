"""On WeChat: is everything answered as elsewhere, in the answer to the push itself, and does it count once?"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from wechatpy.replies import create_reply

from handlers.binding import desk as binding
from handlers.binding.codes import spaced
from storage import addresses, people
from storage.audit import OPERATOR
from tests.fakes.wechat import SORRY, Limits
from tests.fakes.wechat.envelope import element
from tests.notices import send
from tests.polls import open_poll, votes
from tests.wechat_house import WeChatHouse, wechat_house


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[WeChatHouse]:
    async with wechat_house(tmp_path) as built:
        yield built


def code_for(house: WeChatHouse, name: str) -> str:
    with house.app.database.write() as tx:
        return binding.issue(tx, house.clock.instant(), OPERATOR, people.get(tx, house.house.ids[name]))


def bound(house: WeChatHouse, name: str) -> list[str]:
    with house.app.database.read() as tx:
        return [one.address.key for one in addresses.of_person(tx, house.house.ids[name])]


def dead(house: WeChatHouse, name: str) -> bool:
    with house.app.database.read() as tx:
        found = addresses.find(tx, house.address(name))
    assert found
    return found.dead


def choice(house: WeChatHouse, poll: int, name: str) -> tuple[int, ...] | None:
    return votes(house.house, poll).get(house.house.ids[name])


# -- voting ---------------------------------------------------------------------------------------------------


async def test_a_vote_is_two_taps_and_costs_no_call(house: WeChatHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    assert wang.last.labels == ["王芳", "孙明", "吴强"]
    assert wang.last.text.endswith("1. 王芳\n2. 孙明\n3. 吴强"), "numbered all the same"
    await wang.taps("孙明")
    assert wang.last.text.startswith("已记录：孙明")
    assert choice(house, poll, "王芳") == (2,)
    assert house.wechat.calls == []
    assert not house.wechat.violations


async def test_a_number_votes_where_nothing_can_be_tapped(tmp_path: Path) -> None:
    async with wechat_house(tmp_path, kind="subscription", verified=False) as house:
        poll = open_poll(house.house)
        wang = await house.seat("王芳")
        house.wechat.limits.text_links = False
        await wang.says("投票")
        await wang.says("2")
        assert choice(house, poll, "王芳") == (2,)


async def test_a_push_that_comes_twice_is_counted_once_and_answered_alike(house: WeChatHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    house.wechat.repeat_next()
    await wang.taps("孙明")
    first, second = house.wechat.attempts[-2:]
    assert first.push.serial == second.push.serial
    assert first.reply == second.reply != ""
    assert house.done["again"] == 1
    assert choice(house, poll, "王芳") == (2,)


async def test_an_answer_lost_on_the_way_is_given_again(house: WeChatHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    house.wechat.lose_next_reply()
    await wang.taps("孙明")
    await house.wechat.advance(3)
    assert wang.last.text.startswith("已记录：孙明")
    assert choice(house, poll, "王芳") == (2,)
    assert SORRY not in wang.transcript()


async def test_a_house_that_is_down_is_asked_again(house: WeChatHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    await house.down()
    await wang.taps("孙明", wait=False)
    await house.wechat.advance(0.5)
    await house.up()
    await house.wechat.advance(3)
    assert wang.last.text.startswith("已记录：孙明")
    assert choice(house, poll, "王芳") == (2,)


async def test_a_database_that_is_locked_is_no_acknowledgement(house: WeChatHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    with house.app.database.engine.connect() as other:
        other.execute(text("PRAGMA busy_timeout=0"))
        other.rollback()
        with house.app.database.engine.connect() as connection, connection.begin():
            connection.execute(text("PRAGMA user_version"))
            await wang.taps("孙明", wait=False)
            await house.wechat.until(lambda: house.done["busy"] > 0, "a refusal")
    await house.wechat.advance(5)
    assert house.wechat.attempts[-2].status == 503
    assert choice(house, poll, "王芳") == (2,)


async def test_two_taps_of_the_menu_in_one_second_are_two(house: WeChatHouse) -> None:
    house.wechat.world.menu = [
        {"type": "click", "name": "我的", "key": "c:me"}, {"type": "click", "name": "帮助", "key": "c:help"}
    ]  # fmt: skip
    wang = await house.seat("王芳")
    house.wechat.pace = 0
    await wang.taps_menu("我的")
    await wang.taps_menu("帮助")
    assert house.done == {"looked at": 1, "answered": 2}
    mine, help_ = wang.messages[-2:]
    assert mine.text.startswith("王芳同志（1001）")
    assert help_.text.startswith("我能帮您")


async def test_a_forged_choice_counts_for_nobody(house: WeChatHouse) -> None:
    """What is tapped is a claim: the id of another's button is not theirs to press."""
    poll = open_poll(house.house)
    wang, sun = await house.seat("王芳"), await house.seat("孙明")
    await wang.says("投票")
    stolen = next(one for one in wang.last.choices if one.label == "吴强")
    await sun.forges_tap("吴强", stolen.id)
    assert "没有计票" in sun.last.text
    await sun.forges_tap("赞成", "nonsense of somebody's")
    assert "已经过期了" in sun.last.text
    assert votes(house.house, poll) == {}


async def test_the_words_of_a_tap_prove_nothing(house: WeChatHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    await wang.forges_tap("吴强", next(one.id for one in wang.last.choices if one.label == "孙明"))
    assert choice(house, poll, "王芳") == (2,)


async def test_a_picture_and_a_voice_are_answered_with_words(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    for kind in ("image", "voice", "video", "location", "link"):
        await wang.sends_other(kind)
        assert wang.last.text.startswith("这条消息里没有我能读的文字"), wang.last.text


async def test_the_plain_mode_answers_in_plain_words(tmp_path: Path) -> None:
    async with wechat_house(tmp_path, mode="plain") as house:
        wang = await house.seat("王芳")
        await wang.says("我的")
        assert wang.last.text.startswith("王芳同志（1001）")


# -- binding --------------------------------------------------------------------------------------------------


async def test_a_code_that_is_typed_binds_after_consent(house: WeChatHouse) -> None:
    wu = house.wechat.user("Wu Qiang", following=False)
    await wu.follows()
    assert "请发送支部书记给您的绑定码" in wu.last.text
    await wu.says(spaced(code_for(house, "吴强")).lower())
    assert "单独同意" in wu.last.text
    assert bound(house, "吴强") == []
    await wu.taps("同意并绑定")
    assert wu.last.text.startswith("吴强同志，绑定好了。")
    assert bound(house, "吴强") == [wu.openid]


@pytest.mark.parametrize("following", [False, True])
async def test_a_scan_proves_nothing_the_code_is_asked_for(house: WeChatHouse, *, following: bool) -> None:
    """A code on a wall can be photographed: whoever scans it is nobody yet."""
    made = await house.part.channel.call(
        lambda client: client.post("qrcode/create", data={
            "expire_seconds": 600, "action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "a-scene"}},
        })
    )  # fmt: skip
    assert made["ticket"]
    wu = house.wechat.user("Wu Qiang", following=following)
    await wu.scans("a-scene")
    assert "请发送支部书记给您的绑定码" in wu.last.text
    assert bound(house, "吴强") == []
    await wu.says(code_for(house, "吴强"))
    await wu.says("1")
    assert bound(house, "吴强") == [wu.openid]


async def test_who_leaves_is_not_written_to_until_they_come_back(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    await wang.says("我的")
    await wang.unfollows()
    assert dead(house, "王芳")
    await wang.follows()
    assert not dead(house, "王芳")


async def test_an_old_farewell_that_comes_late_does_not_undo_a_return(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    gone = await wang.unfollows()
    await wang.follows()
    house.wechat.world.tell(gone)
    await house.wechat.settled()
    assert not dead(house, "王芳")


# -- long and odd texts ---------------------------------------------------------------------------------------


async def long_notice(house: WeChatHouse, body: str) -> None:
    send(house.house, title="学习材料", body=body)


BODY = "".join(f"第{number}段，请各支部认真组织学习，并在月底前把情况报上来。\n" for number in range(1, 80))


async def test_a_long_answer_is_read_part_by_part(house: WeChatHouse) -> None:
    await long_notice(house, BODY)
    wang = await house.seat("王芳")
    await wang.says("通知")
    await wang.says("1")
    parts = [wang.last]
    while "更多" in parts[-1].labels:
        await wang.taps("更多")
        parts.append(wang.last)
    assert len(parts) > 2
    assert all(len(part.text.encode()) <= 2_000 for part in parts)
    whole = "\n".join(re.sub(r"\n\n（\d+/\d+，回复“更多”接着看）$", "", part.text) for part in parts)
    assert BODY.strip() in whole
    assert not house.wechat.violations
    await wang.says("更多")
    assert "第1段" not in wang.last.text, "there is no more"
    assert wang.sends_left == 5


async def test_a_part_that_got_lost_comes_again_and_not_the_next(house: WeChatHouse) -> None:
    await long_notice(house, BODY)
    wang = await house.seat("王芳")
    await wang.says("通知")
    await wang.says("1")
    house.wechat.lose_next_reply()
    await wang.says("更多")
    await house.wechat.advance(3)
    assert "（2/" in wang.last.text


async def test_more_of_what_was_long_ago_answered_by_something_else_is_not_dug_out(house: WeChatHouse) -> None:
    await long_notice(house, BODY)
    wang = await house.seat("王芳")
    await wang.says("通知")
    await wang.says("1")
    await wang.says("我的")
    await wang.says("更多")
    assert "（2/" not in wang.last.text


async def test_what_is_typed_cannot_break_the_answer(house: WeChatHouse) -> None:
    """wechatpy puts a text into its XML as it is; `]]>` ends what it stands in."""
    evil = "hi]]></Content><MsgType><![CDATA[image]]></MsgType><Content><![CDATA["
    naive = create_reply(evil).render()
    assert naive.count("<MsgType>") == 2
    for typed in (evil, "]]>", "<a href='http://evil.example/'>点我</a>", "\x0b\x1b同意"):
        open_poll(house.house, title=f"推荐{typed}")
    wang = await house.seat("王芳")
    await wang.says("投票")
    for _ in range(4):
        await wang.says("1")
    assert "推荐hi]]>＜/Content>" in wang.transcript(), "it stands there as it was written"
    assert not house.wechat.violations
    assert "http://evil.example/" not in [line.url for line in wang.messages], "no link that was not ours"
    assert SORRY not in wang.transcript()


async def test_what_a_member_sends_oddly_is_answered_or_passed_over(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    await wang.sends_raw("<Content><![CDATA[我\x00\x0b的]]></Content>")
    assert wang.last.text.startswith("王芳同志（1001）")
    before = len(wang.messages)
    await wang.sends_raw(element("Content", "我的") + element("Content", "投票"))
    assert len(wang.messages) == before
    assert house.wechat.attempts[-1].status == 200
    await wang.says("")
    assert house.wechat.attempts[-1].status == 200


async def test_what_nobody_wrote_is_not_answered(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    person = wang.follower
    for event, inside in (
        ("LOCATION", "<Latitude>39.9</Latitude><Longitude>116.4</Longitude><Precision>1</Precision>"),
        ("VIEW", element("EventKey", "https://example.com/")),
        ("MASSSENDJOBFINISH", "<MsgID>1</MsgID>" + element("Status", "send success")),
        ("something_new", ""),
    ):
        house.wechat.world.event(person, event, inside, by_person=False)
    await house.wechat.settled()
    assert wang.messages == []
    assert house.done["ignored"] == 4


async def test_a_slow_start_is_no_late_answer(house: WeChatHouse) -> None:
    """WeChat's clock and ours may differ by minutes; by more than five it is not WeChat any more."""
    wang = await house.seat("王芳")
    house.app.clock.__self__._now -= timedelta(minutes=4).total_seconds()  # type: ignore[attr-defined]  # one clock
    await wang.says("我的")
    assert wang.last.text.startswith("王芳同志（1001）")


async def test_a_platform_that_does_not_retry_on_errors_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    async with wechat_house(tmp_path, limits=Limits(retry_on_error=False, retry_repeats_nonce=True)) as house:
        poll = open_poll(house.house)
        wang = await house.seat("王芳")
        await wang.says("投票")
        house.wechat.repeat_next()
        await wang.taps("孙明")
        assert house.done["forbidden"] == 0, "the same address again is WeChat's own repetition"
        assert choice(house, poll, "王芳") == (2,)

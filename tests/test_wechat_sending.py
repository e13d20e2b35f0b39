"""On WeChat: is nothing attempted that cannot arrive, and does whoever cannot be reached go to the next channel?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from bot.adapters.wechat_ways import Ways
from storage import addresses, windows
from storage.windows import Allowance
from tests.fakes.wechat import busy, html_page, lost, refused, silence
from tests.notices import about, send, standing
from tests.polls import open_poll, votes
from tests.wechat_house import NOTICE, WeChatHouse, wechat_house

TO_WANG = "member:1001"
UNWELCOME = ("45015", "45047", "45009", "45011", "43101")


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[WeChatHouse]:
    async with wechat_house(tmp_path) as built:
        yield built


async def told(house: WeChatHouse, **changes: Any) -> list[tuple[str, str]]:
    """A notice to 王芳, delivered: its state and the reason on WeChat."""
    notice = send(house.house, scope=TO_WANG, **changes)
    await house.deliver()
    return states(house, notice)


def states(house: WeChatHouse, notice: int) -> list[tuple[str, str]]:
    return house.outcomes(about(house.house, notice)[0].id)


def is_dead(house: WeChatHouse, name: str) -> bool:
    with house.app.database.read() as tx:
        found = addresses.find(tx, house.address(name))
    assert found
    return found.dead


def calls(house: WeChatHouse) -> Counter[str]:
    """What was called, tokens left out."""
    return Counter(call.path for call in house.wechat.calls if "token" not in call.path)


# -- which way ------------------------------------------------------------------------------------------------


async def test_who_has_just_written_gets_the_notice_itself_and_confirms_it_with_a_tap(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    await wang.says("我的")
    notice = send(house.house, scope=TO_WANG)
    await house.deliver()
    assert (wang.last.via, wang.last.labels) == ("custom", ["收到"])
    assert wang.last.text.startswith("【通知】支部大会\n\n周五下午三点开会。")
    await wang.taps("收到")
    assert "✓ 已确认" in wang.last.text
    assert standing(house.house, notice).confirmed == 1
    assert not house.wechat.violations


async def test_a_number_belongs_to_what_was_asked_and_a_word_to_what_has_come_meanwhile(house: WeChatHouse) -> None:
    """There were numbers under a notice too; typed, they meant what stood there before it."""
    wang = await house.seat("王芳")
    await wang.says("你好")
    notice, poll = send(house.house, scope=TO_WANG), open_poll(house.house)
    await house.deliver()
    assert wang.last.labels in (["王芳", "孙明", "吴强"], ["收到"]), "they leave together, and either may arrive last"
    await wang.says("1")
    assert "我能帮您做这些事" in wang.last.text, "the button under the answer to 你好"
    assert (standing(house.house, notice).confirmed, votes(house.house, poll)) == (0, {})


async def test_the_words_of_what_has_come_can_be_typed(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    await wang.says("你好")
    notice, poll = send(house.house, scope=TO_WANG), open_poll(house.house)
    await house.deliver()
    await wang.says("孙明")
    assert votes(house.house, poll) == {house.house.ids["王芳"]: (2,)}
    again = send(house.house, scope=TO_WANG)
    await house.deliver()
    await wang.says("收到")
    assert (standing(house.house, notice).confirmed, standing(house.house, again).confirmed) == (0, 1)


async def test_words_that_answer_an_open_question_are_no_vote(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    await wang.says("思想汇报")
    poll = open_poll(house.house)
    await house.deliver()
    await wang.says("孙明")
    assert votes(house.house, poll) == {}
    await wang.taps("孙明", on="【投票】")
    assert votes(house.house, poll) == {house.house.ids["王芳"]: (2,)}


async def test_who_has_been_silent_gets_a_template_with_a_link(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    assert await told(house, title="关于召开支部大会讨论年终民主评议的通知，请准时参加") == [("accepted", "")]
    assert (wang.last.via, len(wang.last.fields["thing1"])) == ("template", 20)
    assert wang.last.fields["thing1"].endswith("…"), "what WeChat cuts off, nobody sees"
    assert wang.last.fields["time2"] == "2026年11月24日 10:00"
    assert wang.last.url.startswith(f"{house.app.house.public_url}/l/")
    assert calls(house) == {"message/template/send": 1}
    assert not house.wechat.violations


async def test_the_sixth_notice_goes_another_way_before_wechat_says_no(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    await wang.says("我的")
    for _ in range(7):
        assert await told(house) in ([("accepted", "")], [("delivered", "")])
    assert calls(house) == {"message/custom/send": 5, "message/template/send": 2}
    assert not house.wechat.violations


async def test_a_tap_opens_a_minute_and_no_more(house: WeChatHouse) -> None:
    house.wechat.world.menu = [{"type": "click", "name": "我的", "key": "c:me"}]
    wang = await house.seat("王芳")
    await wang.taps_menu("我的")
    await told(house)
    await house.wechat.advance(56)
    await told(house)
    assert calls(house) == {"message/custom/send": 1, "message/template/send": 1}
    assert not house.wechat.violations


@pytest.mark.parametrize(
    ("kind", "verified", "section", "reason"),
    [
        ("subscription", False, "subscription", "this kind of account only answers"),
        ("service", False, "service", "this kind of account only answers"),
        ("subscription", True, "verified_subscription", "has not written lately, and there is no template"),
    ],
)
async def test_an_account_that_may_not_write_does_not_try(
    tmp_path: Path, kind: Any, verified: bool, section: str, reason: str
) -> None:
    async with wechat_house(tmp_path, kind=kind, verified=verified) as house:
        ways = Ways(house.app.config.wechat.model_copy(update={"kind": section}))  # type: ignore[union-attr]
        house.part.channel.ways = ways
        await house.seat("王芳")
        assert await told(house) == [("skipped", reason)]
        assert house.wechat.calls == []


async def test_an_account_that_may_only_answer_still_answers_everything(tmp_path: Path) -> None:
    async with wechat_house(tmp_path, kind="subscription", verified=False) as house:
        wang = await house.seat("王芳")
        notice = send(house.house, scope=TO_WANG)
        await wang.says("通知")
        await wang.says("1")
        await wang.taps("收到")
        assert standing(house.house, notice).confirmed == 1


async def test_a_long_notice_comes_in_one_sending_and_is_read_on_for_nothing(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    await wang.says("我的")
    await told(house, body="请认真学习。" * 400)
    assert wang.last.text.endswith("回复“更多”接着看）")
    assert calls(house) == {"message/custom/send": 1}
    await wang.says("更多")
    assert "请认真学习。" in wang.last.text
    assert wang.last.via == "passive"
    assert not house.wechat.violations


async def test_choices_that_a_kind_of_account_cannot_show_are_words(tmp_path: Path) -> None:
    async with wechat_house(tmp_path, kind="sandbox") as house:
        wang = await house.seat("王芳")
        await wang.says("我的")
        assert await told(house) == [("accepted", "")]
        assert wang.last.text.endswith("“收到”")
        await told(house)
        assert house.wechat.violations == {"40200": 1}, "asked once, and not again for days"


# -- credits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("others", [(), ("another-template",)], ids=["an object", "a list"])
async def test_a_notice_that_was_asked_for_is_sent_once(tmp_path: Path, others: tuple[str, ...]) -> None:
    async with wechat_house(tmp_path, template_id="", subscription_id=NOTICE) as house:
        house.wechat.template("another-template", "别的", "thing1", one_time=True)
        wang = await house.seat("王芳")
        house.wechat.repeat_next()
        await wang.allows(NOTICE, *others)
        assert await told(house) in ([("accepted", "")], [("delivered", "")])
        assert wang.last.via == "subscribe"
        assert await told(house) == [("skipped", "has not written lately, and there is no template")]
        await house.wechat.settled()
        assert not house.wechat.violations


async def test_who_wants_no_more_notices_gets_none(tmp_path: Path) -> None:
    async with wechat_house(tmp_path, template_id="", subscription_id=NOTICE) as house:
        wang = await house.seat("王芳")
        await wang.allows(NOTICE)
        await wang.revokes(NOTICE)
        assert (await told(house))[0][0] == "skipped"
        await wang.allows(NOTICE)
        wang.follower.credits.clear()  # and nobody told us
        assert await told(house) == [("skipped", "43101 no subscription")]
        assert (await told(house))[0][0] == "skipped"
        assert house.wechat.violations == {"43101": 1}


# -- receipts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "receipts",
    [{}, {"times": 2}, {"before_answer": True}, {"delay": 3_600.0}],
    ids=["soon", "twice", "before", "late"],
)
async def test_a_receipt_says_that_it_is_there(house: WeChatHouse, receipts: dict[str, Any]) -> None:
    for name, value in receipts.items():
        setattr(house.wechat.receipts, name, value)
    await house.seat("王芳")
    notice = send(house.house, scope=TO_WANG)
    await house.deliver()
    await house.wechat.advance(3_601)
    assert states(house, notice) == [("delivered", "")]


async def test_who_wants_no_templates_is_left_to_other_channels(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    wang.blocks_templates()
    notice = send(house.house, scope=TO_WANG)
    await house.deliver()
    await house.wechat.advance(5)
    assert states(house, notice) == [("failed", "refused by its reader")]
    assert is_dead(house, "王芳")
    await wang.says("我的")
    assert not is_dead(house, "王芳")


async def test_who_wants_no_templates_hears_of_it_on_the_channel_that_comes_next(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    wang.blocks_templates()
    house.house.chat("王芳", "web")
    send(house.house, scope=TO_WANG, channels="preferred")
    await house.deliver()
    await house.wechat.advance(5)
    with house.app.database.read() as tx:
        found = tx.run(text("SELECT channel, state FROM delivery ORDER BY id")).all()
    assert [tuple(row) for row in found] == [("wechat", "failed"), ("web", "queued")]


async def test_what_wechat_could_not_bring_is_sent_again_under_another_id(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    wang.misses_templates()
    notice = send(house.house, scope=TO_WANG)
    await house.deliver()
    await house.wechat.advance(5)
    wang.gets_templates()
    await house.pass_time(minutes=2)
    await house.wechat.advance(5)
    assert states(house, notice) == [("delivered", "")]
    ids = [call.params["client_msg_id"] for call in house.wechat.called("message/template/send")]
    assert len(set(ids)) == 2, "the same would not be sent within ten minutes"


async def test_what_wechat_can_never_bring_is_given_up(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    wang.misses_templates()
    notice = send(house.house, scope=TO_WANG)
    for _ in range(6):
        await house.pass_time(minutes=2)
    assert states(house, notice) == [("failed", "the platform failed")]
    assert len(house.wechat.called("message/template/send")) == 3


# -- refusals -------------------------------------------------------------------------------------------------

TEMPLATED = [("accepted", "")]
TABLE: list[tuple[Any, list[tuple[str, str]], bool, dict[str, int]]] = [
    (refused(45015), TEMPLATED, False, {"message/custom/send": 1, "message/template/send": 1}),
    (refused(45047), TEMPLATED, False, {"message/custom/send": 1, "message/template/send": 1}),
    (refused(45009), TEMPLATED, False, {"message/custom/send": 1, "message/template/send": 1}),
    (refused(48001), TEMPLATED, False, {"message/custom/send": 1, "message/template/send": 1}),
    (refused(43004), [("failed", "does not follow")], True, {"message/custom/send": 1}),
    (refused(50005), [("failed", "does not follow")], True, {"message/custom/send": 1}),
    (refused(43019), [("failed", "refuses messages")], True, {"message/custom/send": 1}),
    (refused(48002), [("failed", "refuses messages")], True, {"message/custom/send": 1}),
    (refused(40003), [("failed", "openid of another account")], True, {"message/custom/send": 1}),
    (refused(45002), [("failed", "errcode 45002")], False, {"message/custom/send": 1}),
    (refused(47003), [("failed", "errcode 47003")], False, {"message/custom/send": 1}),
    (refused(45065), [("accepted", "")], False, {"message/custom/send": 1}),
    (busy(), [("accepted", "")], False, {"message/custom/send": 2}),
    (refused(45011), [("accepted", "")], False, {"message/custom/send": 2}),
    (refused(40164), [("accepted", "")], False, {"message/custom/send": 2}),
    (html_page(), [("unknown", "no answer")], False, {"message/custom/send": 1}),
    (lost(), [("unknown", "no answer")], False, {"message/custom/send": 1}),
]


@pytest.mark.parametrize(
    ("fault", "becomes", "dead", "called"), TABLE, ids=[str(fault.error or fault.ending)[:12] for fault, *_ in TABLE]
)
async def test_a_refusal_has_its_consequence(
    house: WeChatHouse, fault: Any, becomes: list[tuple[str, str]], dead: bool, called: dict[str, int]
) -> None:
    wang = await house.seat("王芳")
    await wang.says("我的")
    house.wechat.script(fault, path="message/custom/send")
    notice = send(house.house, scope=TO_WANG)
    await house.deliver()
    for _ in range(12):  # a channel that rests looks again
        if states(house, notice) == [("queued", "paused")]:
            await house.pass_time(seconds=30)
    assert [(state, reason) for state, reason in states(house, notice)] in (becomes, [("accepted", "paused")])
    assert (is_dead(house, "王芳"), calls(house)) == (dead, called)


async def test_a_sending_that_was_refused_is_not_counted(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    await wang.says("我的")
    house.wechat.script(busy(), path="message/custom/send", times=8)
    await told(house)
    for _ in range(12):
        await house.pass_time(seconds=30)
    with house.app.database.read() as tx:
        left = windows.left(tx, house.clock.instant(), house.address("王芳"), Allowance())
    assert left == wang.sends_left == 4


async def test_a_template_whose_answer_was_lost_is_sent_once(house: WeChatHouse) -> None:
    """Its id makes that possible; a customer-service message has none."""
    wang = await house.seat("王芳")
    house.wechat.script(lost(), path="message/template/send")
    assert await told(house) in ([("accepted", "")], [("delivered", "")])
    assert len([line for line in wang.messages if line.via == "template"]) == 1
    assert len(house.wechat.called("message/template/send")) == 2


async def test_an_account_that_is_refused_makes_one_alarm_and_no_storm(
    house: WeChatHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("王芳", "李书记", "孙明"):
        await house.seat(name)
    house.wechat.endless_40001 = True
    notice = send(house.house, scope="all")
    await house.outbox.expand()
    for _ in range(10):  # five minutes
        await house.outbox.drain(house.part.channel)
    assert {state for state, _ in states(house, notice)} == {"queued"}
    assert len(house.wechat.calls) < 40
    assert capsys.readouterr().out.count("wechat refuses the account") == 1
    house.wechat.endless_40001 = False
    for _ in range(5):
        await house.pass_time(seconds=61)
    assert {state for state, _ in states(house, notice)} <= {"accepted", "delivered"}


async def test_who_left_while_nobody_told_us_is_not_tried_twice(house: WeChatHouse) -> None:
    wang = await house.seat("王芳")
    wang.follower.following = False
    assert await told(house) == [("failed", "does not follow")]
    assert await told(house) == [("skipped", "dead address")]
    assert house.wechat.violations == {"43004": 1}


async def test_wechat_that_hangs_holds_up_nobody_who_writes(house: WeChatHouse) -> None:
    """No call is made while a member waits, and those under way are in threads of their own."""
    wang, li = await house.seat("王芳"), await house.seat("李书记")
    await wang.says("我的")
    house.wechat.script(silence(), path="message/custom/send")
    send(house.house, scope=TO_WANG)
    delivering = asyncio.create_task(house.deliver())
    await house.wechat.until(lambda: bool(house.wechat.called("message/custom/send")), "the call")
    await li.says("我的")
    assert li.last.text.startswith("李书记同志（1002）")
    assert not delivering.done()
    await delivering

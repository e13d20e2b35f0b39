"""Does what leaves for WeCom arrive once, at a pace at which nothing is dropped?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.core.event import Address
from bot.core.reply import Undelivered
from handlers.notices import changing
from storage import addresses, campaigns, people
from storage.audit import OPERATOR
from tests.fakes.wecom import SECRET, Limits, bad_gateway, lost, page, refused
from tests.notices import about, by_state, send, standing
from tests.people import NOW
from tests.polls import open_poll
from tests.wecom_house import QUARTER_PAST, WeComHouse, wecom_house


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[WeComHouse]:
    async with wecom_house(tmp_path) as built:
        yield built
        assert built.wecom.courier.bad_replies == []


def notice(house: WeComHouse, **changes: Any) -> int:
    """Send a notice; the campaign that carries it."""
    return about(house.house, send(house.house, **changes))[-1].id


async def test_a_member_who_has_left_is_written_to_no_more(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    wang.leaves()
    first = notice(house)
    await house.deliver()
    assert house.outcomes(first) == [("failed", "not in the company")]
    second = notice(house)
    await house.deliver()
    assert house.outcomes(second) in ([], [("skipped", "dead address")])
    assert len(house.wecom.called("message/send")) == 1


async def test_a_member_without_a_licence_is_told_elsewhere_and_the_secretary_sees_why(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    wang.member.licensed = False
    house.house.chat("王芳", channel="web")
    number = send(house.house, scope="member:1001", channels="preferred")
    await house.deliver()
    assert house.outcomes(about(house.house, number)[-1].id) == [("failed", "no licence")]
    assert by_state(house.house, number, "王芳") == {"wecom": "failed", "web": "queued"}
    seen = house.app.reception.renderer.say(standing(house.house, number).by_channel, "zh")
    assert "企业微信：没发成 1（没有企业微信接口许可，请管理员补上）" in seen, "so that somebody can see to it"


async def test_capitals_in_a_userid_make_no_difference(house: WeComHouse) -> None:
    wang = await house.seat("王芳", userid="WangFang")
    house.bind("王芳", "wangfang")
    notice(house)
    await house.deliver()
    assert "支部大会" in wang.last.words


async def test_an_expired_token_costs_one_retry(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    notice(house, title="一")
    await house.deliver()
    await house.pass_time(minutes=5)
    house.wecom.expire_tokens()
    notice(house, title="二")
    await house.deliver()
    assert "二" in wang.last.words
    assert [call.errcode for call in house.wecom.called("message/send")] == [0, 42001, 0]
    assert house.wecom.token_fetches == 2


async def test_a_token_refused_for_ever_costs_three_requests_and_a_pause(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    notice(house, title="一")
    await house.deliver()
    await house.pass_time(minutes=5)
    house.wecom.script(refused(40001), "message/send", times=1000)
    campaign, before = notice(house, title="二"), house.wecom.token_fetches
    await house.outbox.expand()
    await house.outbox.drain(house.part.channel)
    assert len(house.wecom.called("message/send")) == 1 + 2
    assert house.wecom.token_fetches == before + 1
    assert house.outcomes(campaign) == [("queued", "paused")]
    assert len(wang.cards) == 1


@pytest.mark.parametrize("errcode", [60020, 45009])
async def test_a_refusal_of_the_application_pauses_everybody_and_loses_nothing(
    house: WeComHouse, errcode: int
) -> None:
    people = [await house.seat(name) for name in ("王芳", "孙明", "陈晓")]
    house.wecom.script(refused(errcode), "message/send")
    notice(house)
    await house.pass_time(seconds=1)
    await house.pass_time(seconds=59)
    assert all(person.cards for person in people) is False
    await house.pass_time(seconds=2)
    assert all(len(person.cards) == 1 for person in people)


async def test_an_answer_that_got_lost_brings_no_second_copy(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    house.wecom.script(lost(), "message/send")
    campaign = notice(house)
    await house.deliver()
    assert house.outcomes(campaign) == [("queued", "no answer")]
    await house.pass_time(seconds=10)
    assert house.outcomes(campaign) == [("accepted", "")]
    assert len(wang.cards) == 1
    assert house.wecom.world.duplicates == 1


async def test_what_is_sent_again_is_what_was_sent(house: WeComHouse) -> None:
    """The question shows how many have voted. Written anew for the second attempt it would be another message."""
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    house.wecom.script(lost(), "message/send")
    await house.deliver()
    sun = house.house.chat("孙明")
    sun.say("投票")
    sun.tap("吴强")
    await house.pass_time(seconds=10)
    assert len(wang.cards) == 1
    assert "已投：0/7人" in wang.cards[0].words
    assert poll


@pytest.mark.parametrize("fault", [page(), bad_gateway()], ids=["a page", "a gateway"])
async def test_a_page_of_some_proxy_is_no_success(house: WeComHouse, fault: object) -> None:
    wang = await house.seat("王芳")
    house.wecom.script(fault, "message/send")  # type: ignore[arg-type]  # one of the two above
    notice(house)
    await house.deliver()
    assert wang.cards == []
    await house.pass_time(seconds=10)
    assert len(wang.cards) == 1


async def test_two_notices_alike_are_two(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    for _ in range(2):
        notice(house, ask_ack=False)
        await house.deliver()
    assert len([line for line in wang.lines if "支部大会" in line.words]) == 2
    assert house.wecom.world.duplicates == 0


async def test_a_text_in_doubt_for_hours_is_not_sent_again(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    house.wecom.script(lost(), "message/send", times=8)
    campaign = notice(house, ask_ack=False)
    for _ in range(20):
        await house.pass_time(minutes=10)
    assert house.outcomes(campaign)[0][0] == "failed"
    await house.pass_time(hours=2)
    with house.app.database.write() as tx:
        campaigns.retry(tx, house.clock.instant(), campaign)
    await house.deliver()
    assert house.outcomes(campaign) == [("unknown", "in doubt for too long")]
    assert len(wang.lines) == 1


async def test_a_card_in_doubt_for_hours_is_known_by_its_name(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    house.wecom.script(lost(), "message/send", times=8)
    campaign = notice(house)
    for _ in range(30):
        await house.pass_time(minutes=10)
    with house.app.database.write() as tx:
        campaigns.retry(tx, house.clock.instant(), campaign)
    await house.deliver()
    assert house.outcomes(campaign) == [("accepted", "")]
    assert len(wang.cards) == 1


async def test_a_refusal_we_do_not_know_is_given_up(house: WeComHouse) -> None:
    await house.seat("王芳")
    house.wecom.script(refused(40058), "message/send")
    campaign = notice(house)
    await house.deliver()
    assert house.outcomes(campaign) == [("failed", "errcode 40058")]


# -- changes ------------------------------------------------------------------------------------------------------


async def test_a_vote_elsewhere_changes_the_card_once(house: WeComHouse) -> None:
    open_poll(house.house)
    wang = await house.seat("王芳")
    await house.deliver()
    web = house.house.chat("王芳", channel="web")
    web.say("投票")
    web.tap("孙明")
    await house.deliver()
    assert wang.cards[0].words.startswith("您已投「推荐优秀党员」：孙明")
    web.tap("改投")
    web.tap("吴强")
    await house.deliver()
    assert wang.cards[0].words.startswith("您已投「推荐优秀党员」：孙明"), "one code is one change"
    await wang.taps("改投")
    await wang.taps("王芳")
    web.say("投票")
    web.tap("改投")
    web.tap("孙明")
    await house.deliver()
    assert wang.cards[0].words.startswith("您已投「推荐优秀党员」：孙明"), "a tap has brought another code"
    assert len(house.wecom.called("message/update_template_card")) == 2


async def test_after_three_days_a_card_stays_as_it_is(house: WeComHouse) -> None:
    open_poll(house.house, hours=100)
    wang = await house.seat("王芳")
    await house.deliver()
    await house.pass_time(hours=73)
    web = house.house.chat("王芳", channel="web")
    web.say("投票")
    web.tap("孙明")
    await house.deliver()
    assert wang.cards[0].words.startswith("【投票】")
    assert house.wecom.called("message/update_template_card") == []


async def test_a_card_that_looks_so_already_costs_no_call(house: WeComHouse) -> None:
    send(house.house)
    wang = await house.seat("王芳")
    await house.deliver()
    await wang.taps("收到")
    await house.deliver()
    assert "✓ 已确认" in wang.cards[0].words
    assert house.wecom.called("message/update_template_card") == []


async def test_a_message_is_taken_back_within_a_day(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    campaign = notice(house)
    await house.deliver()
    ref = _ref(house, campaign)
    await house.part.channel.recall(ref)
    assert wang.lines == []
    campaign = notice(house)
    await house.deliver()
    await house.pass_time(hours=25)
    with pytest.raises(Undelivered):
        await house.part.channel.recall(_ref(house, campaign))


async def test_all_parts_of_a_long_message_are_taken_back(house: WeComHouse) -> None:
    """Only the card with the button went, and the whole text stayed."""
    wang = await house.seat("王芳")
    number = send(house.house, scope="member:1001", body="很长的内容。" * 250)
    await house.deliver()
    assert len(wang.lines) == 4
    with house.app.database.write() as tx:
        changing.recall(tx, house.house.now, OPERATOR, number)
    house.wecom.script(refused(45011), "message/recall")
    await house.deliver()
    assert len(wang.lines) == 1, "one part that cannot be taken back now keeps no other"
    await house.pass_time(seconds=30)
    assert wang.lines == []


def _ref(house: WeComHouse, campaign: int) -> str:
    from sqlalchemy import text

    with house.app.database.read() as tx:
        statement = text("SELECT message FROM delivery WHERE campaign_id = :c AND channel = 'wecom'")
        return str(tx.run(statement, {"c": campaign}).scalar_one())


# -- pace ---------------------------------------------------------------------------------------------------------


def crowd(house: WeComHouse, count: int) -> None:
    """So many members of the company who are in the house."""
    with house.app.database.write() as tx:
        org = house.house.orgs["第一支部"].id
        rows = [
            {"number": f"N{n:05}", "name": f"同志{n}", "kind": "群众", "organisation_id": org} for n in range(count)
        ]
        for person, row in zip(people.add_many(tx, house.clock.instant(), rows), rows, strict=True):
            key = str(row["number"]).lower()
            addresses.bind(tx, person, Address("wecom", key), house.clock.instant(), consent="test")
            house.wecom.person(str(row["number"]))


async def test_443_cards_are_out_within_a_minute(house: WeComHouse) -> None:
    crowd(house, 443)
    started = house.clock.instant()
    campaign = notice(house)
    await house.deliver()
    assert house.outcomes(campaign) == [("accepted", "")] * 443
    assert house.clock.instant() - started < timedelta(seconds=60)
    assert len(house.wecom.world.cards) == 443


async def test_the_full_hour_is_left_to_others(tmp_path: Path) -> None:
    async with wecom_house(tmp_path, start=NOW + timedelta(seconds=55)) as house:
        crowd(house, 200)
        notice(house)
        await house.deliver()
        sent = [call.at - NOW.timestamp() for call in house.wecom.called("message/send")]
        assert len(sent) == 200
        assert len([at for at in sent if at < 75]) < 50, "somebody who waits for a code is not kept waiting"
        assert max(sent) < 90


async def test_one_member_never_gets_more_than_is_shown(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    for number in range(45):
        notice(house, title=f"第{number}号")
    await house.deliver()
    assert len(wang.cards) == 45
    assert house.wecom.world.budgets.busiest <= 20


async def test_an_hour_has_room_for_nine_hundred(tmp_path: Path) -> None:
    """Even where somebody has set the minute too high."""
    async with wecom_house(tmp_path, rate_member="29", limits=Limits(member_hour=905)) as house:
        channel = house.part.channel
        from storage import rates

        with house.app.database.write() as tx:
            passed = 0
            for second in range(3600):
                at = QUARTER_PAST + timedelta(seconds=second)
                passed += rates.reserve(tx, at, channel.member("u1")) == 0
        assert 880 <= passed <= 901


async def test_a_message_in_three_parts_takes_three_places(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    for number in range(8):
        notice(house, title=f"第{number}号", body="很长的内容。" * 250)
        await house.deliver()
    assert len(wang.cards) == 8
    assert house.wecom.world.budgets.busiest <= 20


async def test_neither_secret_nor_token_nor_words_are_logged(
    house: WeComHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    await house.seat("王芳")
    for fault in (refused(40001), refused(40001), refused(60020), refused(45009), page(), lost(), refused(40058)):
        house.wecom.script(fault, "message/send")
        notice(house, title="保密的标题")
        await house.pass_time(minutes=3)
    said = capsys.readouterr()
    logged = said.out + said.err
    assert "errcode" in logged
    for secret in (SECRET, "access_token", "保密的标题", *house.wecom.tokens):
        assert secret not in logged

"""the fake WeChat: what becomes of notices, and of calls on a bad day?

王芳 and 赵明 hold the phones; the account calls by hand and listens with a bare `Listener`.
"""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from tests.fakes.wechat import Person, busy, html_page, lost, refused, silence
from tests.fakes.wechat.caller import CREDIT, NOTICE, VALUES, Caller, connected
from tests.fakes.wechat.errors import Json


async def subscribe(caller: Caller, person: Person, **values: str) -> int:
    data = {name: {"value": value} for name, value in values.items()}
    body: Json = {"touser": person.openid, "template_id": CREDIT[0], "data": data}
    return int((await caller.post("message/subscribe/bizsend", body))["errcode"])


# -- notices -----------------------------------------------------------------------------------------------------


async def test_a_template_message_needs_no_window_and_loses_what_is_too_long_in_silence() -> None:
    async with connected() as (wechat, _, caller):
        wang = wechat.user("王芳")
        answer = await caller.notifies(wang, NOTICE[0], **VALUES)
        assert (answer["errcode"], wang.last.fields) == (0, VALUES)
        assert not wechat.violations
        long = VALUES | {"thing1": "关于召开2026年第四季度支部党员大会的通知", "first": "您好"}
        await caller.notifies(wang, NOTICE[0], **long)
        assert wang.last.fields["thing1"] == "关于召开2026年第四季度支部党员大会的"
        await caller.notifies(wang, NOTICE[0], **(VALUES | {"thing1": "一\n二🎉"}))
        assert wang.last.fields["thing1"] == "一二"
        assert wechat.violations == {"field cut: thing1": 1, "field dropped: first": 1, "field stripped: thing1": 1}


@pytest.mark.parametrize(
    "wrong", [{"thing1": ""}, {"thing1": " "}, {"time2": "明天晚上"}, {"phrase3": "一二三四五六"}, {"phrase3": "ok"}]
)
async def test_a_field_of_the_wrong_sort_is_refused(wrong: dict[str, str]) -> None:
    async with connected() as (wechat, _, caller):
        wang = wechat.user("王芳")
        assert (await caller.notifies(wang, NOTICE[0], **(VALUES | wrong)))["errcode"] == 47003
        assert (await caller.notifies(wang, NOTICE[0], thing1="会议"))["errcode"] == 47003
        assert (await caller.notifies(wang, "TM-none", **VALUES))["errcode"] == 40037
        assert (await caller.notifies(wang, CREDIT[0], **VALUES))["errcode"] == 40037
        assert wang.chat == []


async def test_a_client_msg_id_is_good_once_in_ten_minutes_for_each_person() -> None:
    async with connected() as (wechat, account, caller):
        wang, zhao = wechat.user("王芳"), wechat.user("赵明")
        first = await caller.notifies(wang, NOTICE[0], "n1", **VALUES)
        assert await caller.notifies(wang, NOTICE[0], "n1", **VALUES) == first
        await caller.notifies(zhao, NOTICE[0], "n1", **VALUES)
        assert (len(wang.messages), len(zhao.messages)) == (1, 1)
        await wechat.advance(600)
        assert await caller.notifies(wang, NOTICE[0], "n1", **VALUES) != first
        assert len(account.heard) == 2


async def test_a_template_message_reports_how_it_ended_in_three_ways() -> None:
    async with connected() as (wechat, account, caller):
        wang = wechat.user("王芳")
        told = []
        for prepare in (wang.gets_templates, wang.blocks_templates, wang.misses_templates):
            prepare()
            answer = await caller.notifies(wang, NOTICE[0], **VALUES)
            assert answer["errcode"] == 0
            await wechat.advance(1)
            assert account.heard[-1]["MsgID"] == str(answer["msgid"])
            told.append((account.heard[-1]["Event"], account.heard[-1]["Status"]))
        assert told == [
            ("TEMPLATESENDJOBFINISH", "success"),
            ("TEMPLATESENDJOBFINISH", "failed:user block"),
            ("TEMPLATESENDJOBFINISH", "failed: system failed"),
        ]
        assert len(wang.messages) == 1


async def test_the_report_comes_late_twice_or_before_the_answer() -> None:
    async with connected() as (wechat, account, caller):
        wang = wechat.user("王芳")
        wechat.receipts.delay, wechat.receipts.times = 3_600, 2
        await caller.notifies(wang, NOTICE[0], **VALUES)
        await wechat.advance(3_599)
        assert account.heard == []
        await wechat.advance(1)
        assert [heard["Status"] for heard in account.heard] == ["success", "success"]
        assert len({heard["MsgID"] for heard in account.heard}) == 1
        wechat.receipts.before_answer, wechat.receipts.times = True, 1
        answer = await caller.notifies(wang, NOTICE[0], **VALUES)
        assert account.heard[-1]["MsgID"] == str(answer["msgid"])


async def test_a_subscription_notice_costs_a_credit_and_every_change_is_told() -> None:
    async with connected() as (wechat, account, caller):
        wang = wechat.user("王芳")
        values = {"thing1": "11月党费", "amount2": "30.00元"}
        assert await subscribe(caller, wang, **values) == 43101
        await wang.allows(CREDIT[0])
        await wang.allows(CREDIT[0], refuses=(NOTICE[0],))
        assert [body.count("<List>") for body in account.bodies] == [1, 2]
        assert account.heard[0]["SubscribeStatusString"] == "accept"
        assert await subscribe(caller, wang, **values) == 0
        await wechat.advance(1)
        assert (account.heard[-1]["Event"], account.heard[-1]["ErrorStatus"]) == (
            "subscribe_msg_sent_event",
            "success",
        )
        assert [await subscribe(caller, wang, **values) for _ in range(2)] == [0, 43101]
        await wang.allows(CREDIT[0])
        await wang.revokes(CREDIT[0])
        assert account.heard[-1]["Event"] == "subscribe_msg_change_event"
        assert await subscribe(caller, wang, **values) == 43101
        assert wang.transcript() == "\n".join(["< (subscribe) 党费提醒\n11月党费\n30.00元"] * 2)


# -- misfortune --------------------------------------------------------------------------------------------------


async def test_misfortune_meets_whom_it_is_meant_for_and_is_no_violation() -> None:
    async with connected() as (wechat, _, caller):
        wang, zhao = wechat.user("王芳"), wechat.user("赵明")
        for person in (wang, zhao):
            await person.says("您好")
        wechat.script(refused(45047), to=zhao)
        wechat.script(busy(), path="message/custom/send", times=2)
        assert [await caller.says(wang, "一"), await caller.says(zhao, "二")] == [-1, 45047]
        assert [await caller.says(wang, "一"), await caller.says(wang, "三")] == [-1, 0]
        assert not wechat.violations
        assert [call.scripted for call in wechat.called("message/custom/send")] == [True, True, True, False]


async def test_an_answer_may_be_html_or_lost_though_the_message_is_there() -> None:
    async with connected() as (wechat, _, caller):
        wang = wechat.user("王芳")
        await wang.says("您好")
        await caller.refresh()
        for page in (html_page(), html_page(accepted=True)):
            wechat.script(page)
            with pytest.raises(json.JSONDecodeError):
                await caller.says(wang, "页")
        wechat.script(lost())
        with pytest.raises(aiohttp.ClientError):
            await caller.says(wang, "丢")
        wechat.script(silence())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(caller.says(wang, "静"), 0.2)
        assert [line.text for line in wang.messages] == ["页", "丢", "静"]
        assert wang.sends_left == 2

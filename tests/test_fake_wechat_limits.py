"""the fake WeChat: does it refuse where the real one does?

王芳 and 赵明 hold the phones; the account calls by hand.
"""

from __future__ import annotations

import json

import pytest

from tests.fakes.wechat import Limits, Person
from tests.fakes.wechat.caller import NOTICE, OWNER, VALUES, Caller, connected
from tests.fakes.wechat.errors import Json
from tests.fakes.wechat.listener import Heard
from tests.fakes.wechat.model import Kind


async def many(caller: Caller, person: Person, count: int) -> list[int]:
    await caller.refresh()
    return [await caller.says(person, f"第{number}条") for number in range(count)]


# -- customer-service messages -----------------------------------------------------------------------------------


async def test_after_a_message_five_may_be_sent_in_48_hours() -> None:
    async with connected() as (wechat, _, caller):
        wang = wechat.user("王芳")
        assert await many(caller, wang, 1) == [45015]
        await wang.says("您好")
        assert await many(caller, wang, 6) == [0, 0, 0, 0, 0, 45047]
        await wang.says("您好")
        assert await many(caller, wang, 4) == [0, 0, 0, 0]
        await wechat.advance(48 * 3600 - 1)
        assert await many(caller, wang, 1) == [0]
        await wang.says("您好")
        await wechat.advance(48 * 3600)
        assert await many(caller, wang, 1) == [45015]
        assert wechat.violations == {"45015": 2, "45047": 1}
        assert len(wang.messages) == 10


@pytest.mark.parametrize("act", ["follow", "scan", "menu", "choice", "link"])
async def test_after_a_tap_a_follow_or_a_scan_three_may_be_sent_in_a_minute(act: str) -> None:
    async with connected() as (wechat, account, caller):
        wang = wechat.user("王芳")
        scene: Json = {"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": 7}}}
        await caller.post("qrcode/create", scene)
        await caller.post("menu/create", {"button": [{"type": "click", "name": "投票", "key": "vote"}]})

        async def offer(heard: Heard) -> str:
            return '<a href="weixin://bizmsgmenu?msgmenucontent=好&msgmenuid=k1">回</a>' if "Content" in heard else ""

        account.answer = offer
        await wang.says("投票")
        await caller.offers(wang, "第3号议题", "同意")
        await wechat.advance(48 * 3600)
        assert wang.sends_left == 0
        if act == "follow":
            await wang.unfollows()
            await wang.follows()
        elif act == "scan":
            await wang.scans("7")
        elif act == "menu":
            await wang.taps_menu("投票")
        else:
            await wang.taps("同意" if act == "choice" else "回")
        assert await many(caller, wang, 2) == [0, 0]
        await wechat.advance(59)
        assert await many(caller, wang, 2) == [0, 45047]
        await wechat.advance(1)
        assert await many(caller, wang, 1) == [45015]


async def test_quotas_do_not_add_up() -> None:
    async with connected() as (wechat, _, caller):
        wang = wechat.user("王芳")
        await wang.says("投票")
        await caller.offers(wang, "第3号议题", "同意")
        assert wang.sends_left == 4
        await wang.taps("同意")
        assert wang.sends_left == 4
        assert await many(caller, wang, 5) == [0, 0, 0, 0, 45047]
        await wang.taps("同意")
        assert await many(caller, wang, 4) == [0, 0, 0, 45047]
        await wechat.advance(60)
        assert await many(caller, wang, 1) == [45047]


async def test_each_persons_quota_is_their_own() -> None:
    async with connected() as (wechat, _, caller):
        wang, zhao = wechat.user("王芳"), wechat.user("赵明")
        await wang.says("您好")
        assert await many(caller, zhao, 1) == [45015]
        assert await many(caller, wang, 6) == [0, 0, 0, 0, 0, 45047]
        await zhao.says("您好")
        assert await many(caller, zhao, 1) == [0]


async def test_who_has_left_or_is_unknown_gets_nothing() -> None:
    async with connected() as (wechat, _, caller):
        wang = wechat.user("王芳")
        await wang.says("您好")
        await wang.unfollows()
        assert await caller.says(wang, "在吗") == 43004
        assert (await caller.notifies(wang, NOTICE[0], **VALUES))["errcode"] == 43004
        wechat.limits.unfollowed = 45015
        assert await caller.says(wang, "在吗") == 45015
        await wang.follows()
        assert wang.sends_left == 3
        assert await caller.says(wang, "欢迎") == 0
        body = {"touser": "o6_nobody", "msgtype": "text", "text": {"content": "您好"}}
        assert (await caller.post("message/custom/send", body))["errcode"] == 40003


async def test_a_text_has_2048_bytes_and_a_refused_one_costs_nothing() -> None:
    async with connected() as (wechat, _, caller):
        wang = wechat.user("王芳")
        await wang.says("您好")
        assert await caller.says(wang, "同" * 683) == 45002
        assert await caller.says(wang, " ") == 44004
        assert await caller.sends(wang, msgtype="poem") == 40008
        assert wang.sends_left == 5
        assert await caller.says(wang, "同" * 682 + "ab") == 0


async def test_escapes_are_shown_as_they_are_and_counted() -> None:
    async with connected() as (wechat, _, caller):
        wang = wechat.user("王芳")
        await wang.says("您好")
        body: Json = {"touser": wang.openid, "msgtype": "text", "text": {"content": "同\n\x0b"}}
        assert (await caller.post("message/custom/send", json.dumps(body).encode()))["errcode"] == 0
        assert wang.last.text == "\\u540c\n\x0b"
        assert wechat.violations == {"escapes shown as they are": 1}
        assert (await caller.post("message/custom/send", b"{"))["errcode"] == 47001


# -- tokens ------------------------------------------------------------------------------------------------------


async def test_a_token_ends_after_two_hours_and_stable_token_gives_the_next_before() -> None:
    async with connected() as (wechat, _, caller):
        first = await caller.refresh()
        assert await caller.refresh() == first
        await wechat.advance(7_200 - 300)
        second = await caller.refresh()
        assert second != first
        caller.access_token = first
        assert "errcode" not in await caller.get("user/get")
        await wechat.advance(300)
        assert (await caller.get("user/get"))["errcode"] == 40001
        caller.access_token = second
        await wechat.advance(7_200 - 300)
        assert (await caller.get("user/get"))["errcode"] == 42001
        caller.access_token = "invented"
        assert (await caller.get("user/get"))["errcode"] == 40001
        assert wechat.tokens_issued == 2


async def test_each_call_of_token_ends_the_previous_one_after_five_minutes_but_no_stable_one() -> None:
    async with connected() as (wechat, _, caller):
        stable = await caller.refresh()
        first = (await caller.get("token", **OWNER))["access_token"]
        second = (await caller.get("token", **OWNER))["access_token"]
        caller.access_token = first
        await wechat.advance(299)
        assert "errcode" not in await caller.get("user/get")
        await wechat.advance(1)
        assert (await caller.get("user/get"))["errcode"] == 40001
        for good in (second, stable):
            caller.access_token = good
            assert "errcode" not in await caller.get("user/get")


async def test_a_foreign_refresh_ends_our_token_and_40001_can_be_without_end() -> None:
    async with connected() as (wechat, _, caller):
        await caller.refresh()
        wechat.foreign_refresh()
        assert (await caller.get("user/get"))["errcode"] == 40001
        await caller.refresh()
        assert "errcode" not in await caller.get("user/get")
        wechat.endless_40001 = True
        await caller.refresh(force=True)
        assert (await caller.get("user/get"))["errcode"] == 40001
        assert wechat.violations == {"40001": 2}


async def test_a_refresh_is_forced_twenty_times_a_day_and_thirty_seconds_apart() -> None:
    async with connected() as (wechat, _, caller):
        first = await caller.refresh(force=True)
        await wechat.advance(29)
        assert await caller.refresh(force=True) == first
        for _ in range(19):
            await wechat.advance(30)
            await caller.refresh(force=True)
        assert wechat.tokens_issued == 20
        await wechat.advance(30)
        assert (await caller.post("stable_token", OWNER | {"force_refresh": True}))["errcode"] == 45009
        assert "errcode" not in await caller.post("stable_token", OWNER)


async def test_who_asks_for_a_token_must_be_the_owner_and_come_from_a_listed_address() -> None:
    async with connected() as (wechat, _, caller):
        for wrong, errcode in (("appid", 40013), ("secret", 40125), ("grant_type", 40002)):
            assert (await caller.get("token", **(OWNER | {wrong: "x"})))["errcode"] == errcode
        wechat.account.addresses = {"203.0.113.7"}
        assert (await caller.post("stable_token", OWNER))["errcode"] == 40164
        wechat.account.addresses.add("127.0.0.1")
        assert "errcode" not in await caller.post("stable_token", OWNER)


# -- calls -------------------------------------------------------------------------------------------------------


async def test_calls_are_counted_by_the_day_and_by_the_minute() -> None:
    limits = Limits(daily={"user/get": 3}, per_minute={"user/get": 2})
    async with connected(limits) as (wechat, _, caller):
        await caller.refresh()

        async def ask() -> int:
            return int((await caller.get("user/get")).get("errcode", 0))

        assert [await ask() for _ in range(3)] == [0, 0, 45011]
        await wechat.advance(60)
        assert [await ask() for _ in range(2)] == [0, 45009]
        left = await caller.post("openapi/quota/get", {"cgi_path": "/cgi-bin/user/get"})
        assert left["quota"] == {"daily_limit": 3, "used": 3, "remain": 0}
        await caller.post("clear_quota", {"appid": OWNER["appid"]})
        assert await ask() == 0
        await wechat.advance(86_400)
        await caller.refresh()
        assert await ask() == 0
        cleared = [(await caller.post("clear_quota", {"appid": OWNER["appid"]}))["errcode"] for _ in range(10)]
        assert cleared == [0] * 9 + [48006]


@pytest.mark.parametrize(
    ("kind", "verified", "granted"),
    [
        ("subscription", False, []),
        ("service", False, ["menu/get"]),
        ("subscription", True, ["menu/get", "user/get"]),
        ("service", True, ["menu/get", "user/get", "qrcode/create"]),
    ],
)
async def test_what_an_account_may_depends_on_its_kind(kind: Kind, verified: bool, granted: list[str]) -> None:
    async with connected(kind=kind, verified=verified) as (_, _, caller):
        answers = {
            "menu/get": await caller.get("menu/get"),
            "user/get": await caller.get("user/get"),
            "qrcode/create": await caller.post("qrcode/create", {"action_name": "?"}),
        }
        assert [path for path, answer in answers.items() if answer.get("errcode") != 48001] == granted


async def test_a_menu_has_its_measures() -> None:
    key = {"type": "click", "name": "投票", "key": "v"}
    wrong: list[tuple[Json, int]] = [
        ({"button": []}, 40016),
        ({"button": [key] * 4}, 40016),
        ({"button": [key | {"name": "一二三四五六"}]}, 40018),
        ({"button": [key | {"key": "同" * 43}]}, 40019),
        ({"button": [{"type": "view", "name": "网页", "url": "h" * 1025}]}, 40020),
        ({"button": [{"name": "更多", "sub_button": [key] * 6}]}, 40023),
        ({"button": [{"name": "更多", "sub_button": [key | {"name": "一" * 21}]}]}, 40025),
        ({"button": [{"type": "poem", "name": "诗"}]}, 40017),
    ]
    async with connected() as (wechat, _, caller):
        for menu, errcode in wrong:
            assert (await caller.post("menu/create", menu))["errcode"] == errcode
        wechat.violations.clear()
        assert (await caller.post("menu/create", {"button": [key | {"name": "一二三四五"}]}))["errcode"] == 0
        assert wechat.violations == {"menu name cut": 1}


async def test_a_scene_has_its_measures() -> None:
    async with connected() as (_, _, caller):

        async def made(action: str, scene: Json, **more: int) -> int:
            body: Json = {"action_name": action, "action_info": {"scene": scene}, **more}
            return int((await caller.post("qrcode/create", body)).get("errcode", 0))

        assert await made("QR_STR_SCENE", {"scene_str": "x" * 64}, expire_seconds=2_592_000) == 0
        assert await made("QR_STR_SCENE", {"scene_str": "x" * 65}) == 40053
        assert await made("QR_STR_SCENE", {"scene_str": ""}) == 40053
        assert await made("QR_STR_SCENE", {"scene_str": "x"}, expire_seconds=2_592_001) == 40053
        assert await made("QR_LIMIT_SCENE", {"scene_id": 100_000}) == 0
        assert await made("QR_LIMIT_SCENE", {"scene_id": 100_001}) == 40053

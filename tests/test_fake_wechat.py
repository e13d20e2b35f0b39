"""the fake WeChat: does it tell, repeat, lose and show as the real one does?

王芳 and 赵明 hold the phones; the account at the other end is a bare `Listener`.
"""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from tests.fakes.wechat import SORRY, FakeWeChat, Limits, RealClock
from tests.fakes.wechat.caller import connected
from tests.fakes.wechat.crypto import Broken, Seal, signature
from tests.fakes.wechat.envelope import element
from tests.fakes.wechat.listener import Heard, Listener, fail
from tests.fakes.wechat.model import Mode

MENU = {
    "button": [
        {"type": "click", "name": "投票", "key": "vote"},
        {"name": "更多", "sub_button": [{"type": "view", "name": "网页", "url": "https://example.com/chat"}]},
    ]
}


async def never(heard: Heard) -> web.StreamResponse:
    """Say nothing, for longer than anybody waits."""
    await asyncio.Event().wait()
    return web.Response()


async def echo(heard: Heard) -> str:
    return f"听到：{heard.get('Content', heard.get('Event', ''))}"


# -- the address, and what is told -------------------------------------------------------------------------------


async def test_an_address_is_taken_only_if_it_knows_the_word_and_returns_the_echo() -> None:
    async with FakeWeChat() as wechat, Listener(wechat) as account:
        assert await wechat.check(account.url) is None
        assert await wechat.check(account.url, token="another word") == "HTTP 403"
        with pytest.raises(AssertionError, match="not taken"):
            await wechat.connect(wechat.url)


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_text_is_told_in_each_mode_and_its_answer_stands_in_the_chat(mode: Mode) -> None:
    async with connected(mode=mode) as (wechat, account, _):
        account.answer = echo
        wang = wechat.user("王芳")
        await wang.says("投票")

        assert wang.transcript() == "> 投票\n< 听到：投票"
        query, heard = account.queries[0], account.heard[0]
        assert query["signature"] == signature(wechat.account.token, query["timestamp"], query["nonce"])
        assert (query.get("encrypt_type"), "msg_signature" in query) == (
            (None, False) if mode == "plain" else ("aes", True)
        )
        assert (heard["FromUserName"], heard["MsgType"], int(heard["CreateTime"])) == (
            wang.openid,
            "text",
            wechat.clock.now(),
        )
        assert not wechat.violations


async def test_only_the_compatible_mode_carries_the_plain_text_too() -> None:
    for mode, plain in (("plain", True), ("compatible", True), ("safe", False)):
        async with connected(mode=mode) as (wechat, _, _):  # type: ignore[arg-type]  # the three of Mode
            push = await wechat.user("王芳").says("同意")
            query, body = wechat.attempts[0].push.sealed or ({}, b"")
            assert (b"<Content>" in body) == plain
            assert (b"<Encrypt>" in body) == (mode != "plain")
            assert push.tries == 1
            assert query["openid"] == wechat.user("王芳").openid


def test_a_seal_opens_what_it_closed_and_nothing_else() -> None:
    ours = Seal("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE", "wx1")
    theirs = Seal("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE", "wx2")
    for length in range(70):
        assert ours.open(ours.close("同" * length)) == "同" * length
    for broken in (theirs.close("同意"), "", "AAAA", "A" * 64, ours.close("同意")[:-24]):
        with pytest.raises(Broken):
            ours.open(broken)


# -- five seconds, three times -----------------------------------------------------------------------------------


async def test_silence_is_cut_after_five_seconds_told_three_times_and_then_excused() -> None:
    async with connected() as (wechat, account, _):
        account.answer = never
        wang, then = wechat.user("王芳"), wechat.clock.now()
        await wang.says("投票", wait=False)
        await wechat.until(lambda: len(account.heard) == 1, "the first telling")
        for told in (2, 3):
            await wechat.advance(5, settle=False)
            await wechat.until(lambda told=told: len(account.heard) == told, "the next telling")  # type: ignore[misc]
        assert wang.transcript() == "> 投票"
        await wechat.advance(5, settle=False)
        await wechat.until(lambda: len(wechat.given_up) == 1, "the end of patience")

        assert [(one.number, one.at - then, one.note) for one in wechat.attempts] == [
            (1, 0, "timeout"), (2, 5, "timeout"), (3, 10, "timeout"),
        ]  # fmt: skip
        assert len({heard["MsgId"] for heard in account.heard}) == 1
        assert len({heard["CreateTime"] for heard in account.heard}) == 1
        assert len({query["nonce"] for query in account.queries}) == 3
        assert wang.transcript() == f"> 投票\n! {SORRY}"
        assert wechat.violations == {"push given up": 1}


async def test_the_third_answer_is_as_good_as_the_first() -> None:
    async with connected(limits=Limits(retry_repeats_nonce=True)) as (wechat, account, _):
        answers: list[str | web.StreamResponse] = [web.Response(status=503), web.Response(status=503), "好"]

        async def hesitate(heard: Heard) -> str | web.StreamResponse:
            return answers.pop(0)

        account.answer = hesitate
        wang = wechat.user("王芳")
        await wang.says("投票")
        await wechat.advance(5)
        assert wang.transcript() == "> 投票\n< 好"
        assert [one.status for one in wechat.attempts] == [503, 503, 200]
        assert len({query["nonce"] for query in account.queries}) == 1
        assert not wechat.violations


async def test_whether_an_error_is_told_again_can_be_chosen() -> None:
    async with connected(limits=Limits(retry_on_error=False)) as (wechat, account, _):
        account.answer = fail
        await wechat.user("王芳").says("投票")
        await wechat.advance(60)
        assert len(account.heard) == 1
        await account.close()
        await wechat.user("王芳").says("投票")
        assert [one.note for one in wechat.attempts] == ["HTTP 500", "connection refused"]


async def test_a_lost_answer_and_a_doubled_telling_both_repeat_the_msgid() -> None:
    async with connected() as (wechat, account, _):
        account.answer = echo
        wang = wechat.user("王芳")
        wechat.lose_next_reply()
        await wang.says("一")
        assert wang.messages == []
        await wechat.advance(5)
        wechat.repeat_next()
        await wang.says("二")
        assert account.words == ["一", "一", "二", "二"]
        assert len({heard["MsgId"] for heard in account.heard}) == 2
        assert wang.transcript() == "> 一\n< 听到：一\n> 二\n< 听到：二"


async def test_a_slow_answer_holds_nothing_else_up() -> None:
    async with connected() as (wechat, account, _):
        go = asyncio.Event()

        async def patient(heard: Heard) -> str:
            if heard["Content"] == "慢":
                await go.wait()
            return f"听到：{heard['Content']}"

        account.answer = patient
        wang = wechat.user("王芳")
        await wang.says("慢", wait=False)
        await wang.says("快", wait=False)
        await wang.sees("听到：快")
        go.set()
        await wang.sees("听到：慢")
        assert [line.text for line in wang.messages] == ["听到：快", "听到：慢"]


async def test_on_a_real_clock_the_same_happens_in_real_seconds() -> None:
    async with FakeWeChat(clock=RealClock(), limits=Limits(push_timeout=0.05)) as wechat, Listener(wechat) as account:
        await wechat.connect(account.url)
        account.answer = never
        await wechat.user("王芳").says("投票")
        await wechat.until(lambda: bool(wechat.given_up), "three times")
        assert [one.number for one in wechat.attempts] == [1, 2, 3]


# -- answers WeChat cannot read ----------------------------------------------------------------------------------


HEAD = "<ToUserName>{openid}</ToUserName><FromUserName>gh_7f0a1b2c3d4e</FromUserName><CreateTime>1</CreateTime>"
TEXT = HEAD + "<MsgType>text</MsgType>"


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        (TEXT + "<Content><![CDATA[hi]]]]></Content>", None),
        (TEXT + "<Content><![CDATA[a]]> b ]]></Content>", "XML"),
        (TEXT + "<Content><![CDATA[hi]]></Content><Content><![CDATA[ho]]></Content>", "two <Content>"),
        (TEXT + "<Content>hi</Content><MsgType>image</MsgType>", "two <MsgType>"),
        (TEXT + "<Content><![CDATA[\x0b]]></Content>", "XML"),
        (TEXT + "<Content></Content>", "empty Content"),
        (HEAD.replace("{openid}", "o6_other") + "<MsgType>text</MsgType><Content>hi</Content>", "names"),
        (HEAD + "<MsgType>poem</MsgType><Content>hi</Content>", "MsgType"),
        (TEXT.replace(">1<", "><") + "<Content>hi</Content>", "CreateTime"),
    ],
)
async def test_an_answer_that_cannot_be_read_is_excused_at_once(inside: str, why: str | None) -> None:
    async with connected() as (wechat, account, _):
        wang = wechat.user("王芳")

        async def answer(heard: Heard) -> web.StreamResponse:
            return web.Response(text=account.sealed(inside.format(openid=wang.openid)))

        account.answer = answer
        await wang.says("投票")
        await wechat.advance(60)
        assert len(wechat.attempts) == 1
        if why is None:
            assert wang.last.text == "hi]]"
        else:
            assert why in wechat.attempts[0].note
            assert wang.chat[-1].text == SORRY
            assert wechat.violations == {"unreadable answer": 1}


async def test_safe_mode_takes_no_plain_answer_and_no_json() -> None:
    async with connected() as (wechat, account, _):
        wang = wechat.user("王芳")
        for body in (f"<xml>{TEXT}<Content>hi</Content></xml>".format(openid=wang.openid), '{"errcode":0}', "ok"):

            async def answer(heard: Heard, body: str = body) -> web.StreamResponse:
                return web.Response(text=body)

            account.answer = answer
            await wang.says("投票")
        assert wechat.violations == {"unreadable answer": 3}


@pytest.mark.parametrize("long_reply", ["cut", "fail"])
async def test_a_passive_text_beyond_2048_bytes_is_cut_or_fails_and_is_counted(long_reply: str) -> None:
    async with connected(limits=Limits(long_reply=long_reply)) as (wechat, account, _):  # type: ignore[arg-type]
        texts = ["同" * 682 + "ab", "同" * 683]

        async def answer(heard: Heard) -> str:
            return texts.pop(0)

        account.answer = answer
        wang = wechat.user("王芳")
        await wang.says("一")
        assert wang.last.text == "同" * 682 + "ab"
        assert not wechat.violations
        await wang.says("二")
        assert wechat.violations == {"passive text too long": 1}
        assert wang.chat[-1].text == ("同" * 682 if long_reply == "cut" else SORRY)


# -- what people do ----------------------------------------------------------------------------------------------


async def test_a_msgmenu_and_a_text_link_come_back_as_text_with_an_id() -> None:
    async with connected() as (wechat, account, caller):

        async def answer(heard: Heard) -> str:
            link = '<a href="weixin://bizmsgmenu?msgmenucontent=%E5%8F%8D%E5%AF%B9&amp;msgmenuid=k+2">反对</a>'
            return f'第3号议题\n{link} <a href="https://example.com/">详情</a>' if heard["Content"] == "投票" else ""

        account.answer = answer
        wang = wechat.user("王芳")
        await wang.says("投票")
        assert (wang.last.text, wang.last.labels, wang.last.url) == (
            "第3号议题\n反对 详情", ["反对"], "https://example.com/",
        )  # fmt: skip
        await wang.taps("反对")
        assert (account.heard[-1]["Content"], account.heard[-1]["bizmsgmenuid"]) == ("反对", "k+2")
        assert await caller.offers(wang, "第3号议题", "同意", "不同意") == 0
        await wang.taps("同意")
        assert (account.heard[-1]["MsgType"], account.heard[-1]["bizmsgmenuid"]) == ("text", "c1")
        await wang.forges_tap("同意", "c99")
        assert account.heard[-1]["bizmsgmenuid"] == "c99"
        with pytest.raises(AssertionError, match="nothing “弃权” to tap"):
            await wang.taps("弃权")


async def test_links_are_mere_words_where_they_do_not_work() -> None:
    async with connected(limits=Limits(text_links=False)) as (wechat, account, caller):
        link = '<a href="weixin://bizmsgmenu?msgmenucontent=同意&msgmenuid=k1">同意</a>'

        async def answer(heard: Heard) -> str:
            return link

        account.answer = answer
        wang = wechat.user("王芳")
        await wang.says("投票")
        assert await caller.says(wang, link) == 0
        assert [(line.text, line.labels) for line in wang.messages] == [("同意", []), ("同意", [])]


async def test_two_taps_in_one_second_differ_in_their_msgid_alone() -> None:
    async with connected() as (wechat, account, caller):
        wang = wechat.user("王芳")
        await wang.says("投票")
        await caller.offers(wang, "第3号议题", "同意", "不同意")
        await wang.taps("同意")
        await wang.taps("不同意")
        first, second = account.heard[-2:]
        assert first["CreateTime"] == second["CreateTime"]
        assert first["MsgId"] != second["MsgId"]


async def test_following_scanning_and_leaving_are_told_as_events() -> None:
    async with connected() as (wechat, account, caller):
        zhou = wechat.user("周", following=False)
        body = {
            "expire_seconds": 600,
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": "bind-7"}},
        }
        ticket = (await caller.post("qrcode/create", body))["ticket"]
        with pytest.raises(AssertionError, match="has to follow first"):
            await zhou.says("您好")
        await zhou.scans("bind-7")
        await zhou.scans(ticket)
        await zhou.unfollows()
        await zhou.follows()
        await wechat.advance(600)
        assert await zhou.scans("bind-7") is None
        assert account.words == ["subscribe qrscene_bind-7", "SCAN bind-7", "unsubscribe", "subscribe"]
        assert account.heard[0]["Ticket"] == account.heard[1]["Ticket"] == ticket
        assert "MsgId" not in account.heard[0]
        assert zhou.transcript() == "! 二维码已失效"


async def test_a_phone_shows_a_new_menu_after_five_minutes_and_a_parent_tells_nothing() -> None:
    async with connected() as (wechat, account, caller):
        wang = wechat.user("王芳")
        assert (await caller.get("menu/get"))["errcode"] == 46003
        assert wang.menu == []
        assert (await caller.post("menu/create", MENU))["errcode"] == 0
        assert wang.menu == []
        await wechat.advance(300)
        await wang.taps_menu("投票")
        assert await wang.taps_menu("更多") is None
        await wang.taps_menu("网页")
        assert account.words == ["CLICK vote", "VIEW https://example.com/chat"]
        got = await caller.get("menu/get")
        assert [one["name"] for one in got["menu"]["button"]] == ["投票", "更多"]
        await caller.get("menu/delete")
        assert (await caller.get("menu/get"))["errcode"] == 46003


async def test_a_members_text_arrives_as_it_was_typed_whatever_it_is() -> None:
    async with connected() as (wechat, account, _):
        wang = wechat.user("王芳")
        await wang.says("hi]]></Content><MsgType><![CDATA[image]]>")
        assert account.words == ["hi]]></Content><MsgType><![CDATA[image]]>"]
        await wang.says("a\x0bb")
        assert "a\x0bb" in account.bodies[-1]
        await wang.sends_raw(element("Content", "一") + element("Content", "二"))
        assert account.bodies[-1].count("<Content>") == 2
        await wechat.tell_raw(wang, "<MsgType>text</MsgType>")
        assert account.bodies[-1] == "<xml><MsgType>text</MsgType></xml>"
        await wang.sends_other("image")
        assert account.heard[-1]["MsgType"] == "image"


async def test_a_sandbox_account_has_no_msgmenu_and_loses_its_ids() -> None:
    async with connected(kind="sandbox") as (wechat, account, caller):
        wang = wechat.user("王芳")
        await wang.says("投票")
        assert await caller.offers(wang, "第3号议题", "同意") == 40200
        await wang.forges_tap("同意", "c1")
        assert "bizmsgmenuid" not in account.heard[-1]

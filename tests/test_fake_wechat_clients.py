"""the fake WeChat before strangers: does code that knows nothing of it take it for the real one?

wechatpy, unmodified but for the one address it has written down; and under Node wechat-crypto, co-wechat,
co-wechat-api and wechat-api, which were written against the real platform by others.
"""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from wechatpy import WeChatClient, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException, WeChatClientException
from wechatpy.replies import ArticlesReply, TextReply
from wechatpy.utils import check_signature

from tests.fakes.wechat import AES_KEY, APPID, SECRET, TOKEN, FakeWeChat, Person, html_page, lost
from tests.fakes.wechat.caller import CREDIT, NOTICE, VALUES, connected
from tests.fakes.wechat.crypto import Broken, Seal, signature
from tests.fakes.wechat.envelope import element
from tests.fakes.wechat.model import Mode
from tests.node import ask, running

MESSAGE = "<xml><Content><![CDATA[同意]]></Content><MsgId>1234567890123456</MsgId></xml>"
KINDS = ("Popup", "Popup", "Change")
MENU = {
    "button": [
        {"type": "click", "name": "投票", "key": "vote"},
        {"name": "更多", "sub_button": [{"type": "view", "name": "网页", "url": "https://example.com/"}]},
    ]
}


# -- wechatpy at the other end of a push -------------------------------------------------------------------------


@asynccontextmanager
async def wechatpy_account(wechat: FakeWeChat) -> AsyncIterator[list[Any]]:
    """An account written with wechatpy, connected; the messages it parsed."""
    parsed: list[Any] = []
    crypto = WeChatCrypto(TOKEN, AES_KEY, APPID)

    async def answer(request: web.Request) -> web.Response:
        query = request.query
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
        if request.method == "GET":
            return web.Response(text=query["echostr"])
        body, safe = await request.text(), query.get("encrypt_type") == "aes"
        if safe:
            body = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        message = parse_message(body)
        parsed.append(message)
        if message.type == "event":
            reply = ArticlesReply(message=message)
            reply.add_article({"title": "您好", "description": message.event, "url": "https://example.com/a"})
        else:
            reply = TextReply(content=f"听到：{message.content}", message=message)
        xml = reply.render()
        return web.Response(text=crypto.encrypt_message(xml, query["nonce"], query["timestamp"]) if safe else xml)

    app = web.Application()
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        await wechat.connect(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        yield parsed
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_wechatpy_reads_every_push_and_its_answers_are_shown(mode: Mode) -> None:
    async with FakeWeChat(mode=mode) as wechat, wechatpy_account(wechat) as parsed:
        wang = wechat.user("王芳")
        await wang.says("投票")
        await wang.forges_tap("同意", "k7")
        await wang.unfollows()
        await wang.follows()
        assert [(one.type, one.source) for one in parsed] == [
            ("text", wang.openid), ("text", wang.openid), ("event", wang.openid), ("event", wang.openid),
        ]  # fmt: skip
        assert (parsed[0].content, parsed[1]._data["bizmsgmenuid"]) == ("投票", "k7")
        assert parsed[0].id < parsed[1].id
        assert [one.event for one in parsed[2:]] == ["unsubscribe", "subscribe"]
        assert wang.transcript() == "> 投票\n< 听到：投票\n> 同意\n< 听到：同意\n< 您好\nsubscribe"
        assert wang.last.url == "https://example.com/a"
        assert not wechat.violations


async def test_wechatpy_knows_every_event_by_its_class() -> None:
    async with connected() as (wechat, account, caller):
        wang, zhou = wechat.user("王芳"), wechat.user("周", following=False)
        scene = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "bind-7"}}}
        await caller.post("qrcode/create", scene)
        await caller.post("menu/create", MENU)
        await zhou.scans("bind-7")
        await wang.scans("bind-7")
        await wang.taps_menu("投票")
        await wang.taps_menu("网页")
        await wang.allows(CREDIT[0])
        await wang.allows(CREDIT[0], NOTICE[0])
        await wang.revokes(CREDIT[0])
        answer = await caller.notifies(wang, NOTICE[0], **VALUES)
        await wechat.advance(1)
        events = [parse_message(body) for body in account.bodies]
        assert [type(one).__name__ for one in events] == [
            "SubscribeScanEvent", "ScanEvent", "ClickEvent", "ViewEvent",
            "UnknownMessage", "UnknownMessage", "UnknownMessage", "TemplateSendJobFinishEvent",
        ]  # fmt: skip
        # Of subscription events wechatpy has no class; what it read of them is one thing here, a list there.
        lists = [one._data[f"SubscribeMsg{what}Event"]["List"] for one, what in zip(events[4:7], KINDS, strict=True)]
        assert [type(one) for one in lists] == [dict, list, dict]
        assert [one.scene_id for one in events[:2]] == ["bind-7", "bind-7"]
        assert (events[2].key, events[3].url) == ("vote", "https://example.com/")
        assert (events[-1].id, events[-1].status) == (answer["msgid"], "success")


# -- wechatpy as a client ----------------------------------------------------------------------------------------


class Client(WeChatClient):  # type: ignore[misc]  # it ships no types
    """wechatpy's client, with the fake's address in both places where it has one."""

    def __init__(self, wechat: FakeWeChat, **options: object) -> None:
        super().__init__(APPID, SECRET, timeout=10, **options)
        self.API_BASE_URL = wechat.api_base

    def fetch_access_token(self) -> Any:
        owner = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
        return self._fetch_access_token(f"{self.API_BASE_URL}token", owner)

    def close(self) -> None:
        self._http.close()


@asynccontextmanager
async def wechatpy_client(wechat: FakeWeChat, **options: object) -> AsyncIterator[Client]:
    client = Client(wechat, **options)
    try:
        yield client
    finally:
        client.close()


async def test_wechatpy_sends_everything_we_send() -> None:
    async with connected() as (wechat, _, _), wechatpy_client(wechat) as client:
        wang = wechat.user("王芳")
        await wang.says("您好")

        def work() -> None:
            client.message.send_text(wang.openid, "已记录 <09:41>")
            lines = [{"id": "k1", "content": "同意"}, {"id": "k2", "content": "不同意"}]
            menu = {"head_content": "第3号议题", "list": lines, "tail_content": "请点选"}
            client.message.send_msg_menu(wang.openid, menu)
            client.message.send_articles(wang.openid, [{"title": "通知", "description": "全文", "url": "http://a/"}])
            fields = {name: {"value": value} for name, value in VALUES.items()}
            sent = client.message.send_template(wang.openid, NOTICE[0], fields, url="https://example.com/n")
            assert sent["msgid"] == wang.last.msgid
            client.menu.create(MENU)
            assert [one["name"] for one in client.menu.get()["menu"]["button"]] == ["投票", "更多"]
            client.menu.delete()
            code = {"expire_seconds": 60, "action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "b"}}}
            assert client.qrcode.create(code)["expire_seconds"] == 60
            assert client.user.get(wang.openid)["subscribe"] == 1
            assert list(client.user.iter_followers()) == [wang.openid]

        await asyncio.to_thread(work)
        assert wang.transcript() == (
            "> 您好\n< 已记录 <09:41>\n< 第3号议题\n请点选\n  [同意] [不同意]\n< 通知\n全文\n"
            "< (template) 会议通知\n支部党员大会\n2026年11月26日 19:00\n待确认"
        )
        assert wang.last.url == "https://example.com/n"
        assert wang.sends_left == 2
        assert wechat.tokens_issued == 1
        assert not wechat.violations


async def test_wechatpy_learns_each_refusal() -> None:
    async with connected() as (wechat, _, _), wechatpy_client(wechat, auto_retry=False) as client:
        wang = wechat.user("王芳")

        async def refusal(text: str = "您好", person: Person = wang) -> int:
            with pytest.raises(WeChatClientException) as refused:
                await asyncio.to_thread(client.message.send_text, person.openid, text)
            return int(refused.value.errcode)

        assert await refusal() == 45015
        await wang.says("您好")
        assert await refusal("同" * 700) == 45002
        await asyncio.to_thread(client.fetch_access_token)
        wechat.foreign_refresh("token")
        assert await refusal() == 40001
        await asyncio.to_thread(client.fetch_access_token)
        await wechat.advance(7_200)
        assert await refusal() == 42001


async def test_wechatpy_takes_a_page_for_success_and_renews_its_token_without_end() -> None:
    async with connected() as (wechat, _, _), wechatpy_client(wechat) as client:
        wang = wechat.user("王芳")
        await wang.says("您好")
        wechat.script(html_page(), path="message/custom/send")
        page = await asyncio.to_thread(client.message.send_text, wang.openid, "您好")
        assert not isinstance(page, dict)
        assert wang.messages == []
        wechat.endless_40001 = True
        with pytest.raises(RecursionError):
            await asyncio.to_thread(client.message.send_text, wang.openid, "您好")
        assert wechat.tokens_issued > 50
        assert wechat.violations["40001"] > 50


async def test_wechatpy_raises_though_the_message_went_out_when_only_its_answer_is_lost() -> None:
    async with connected() as (wechat, _, _), wechatpy_client(wechat) as client:
        wang = wechat.user("王芳")
        await wang.says("您好")
        await asyncio.to_thread(client.fetch_access_token)
        wechat.script(lost(), path="message/custom/send")
        with pytest.raises(OSError, match="Connection aborted"):
            await asyncio.to_thread(client.message.send_text, wang.openid, "您好")
        assert [line.text for line in wang.messages] == ["您好"]


# -- Node --------------------------------------------------------------------------------------------------------


async def crypto(do: str, **more: str) -> dict[str, str]:
    """Let wechat-crypto seal or open something."""
    question = {"do": do, "token": TOKEN, "key": AES_KEY, "appid": APPID, "timestamp": "1795311664", "nonce": "77"}
    answer: dict[str, str] = await ask("wechat_crypto.js", question | more)
    return answer


async def test_wechat_crypto_opens_our_pushes_and_we_open_its_seals() -> None:
    async with connected() as (wechat, account, _):
        await wechat.user("王芳").says("同意")
        query, body = wechat.attempts[0].push.sealed or ({}, b"")
        sealed = ElementTree.fromstring(body).findtext("Encrypt", "")  # noqa: S314  # of our own fake
        opened = await crypto("open", sealed=sealed, timestamp=query["timestamp"], nonce=query["nonce"])
        assert opened == {"message": account.bodies[0], "appid": APPID, "signature": query["msg_signature"]}

    theirs = await crypto("seal", message=MESSAGE)
    assert Seal(AES_KEY, APPID).open(theirs["sealed"]) == MESSAGE
    assert signature(TOKEN, "1795311664", "77", theirs["sealed"]) == theirs["signature"]
    with pytest.raises(Broken):
        Seal(AES_KEY, "wx-another").open(theirs["sealed"])


async def test_wechatpy_opens_what_wechat_crypto_sealed_and_refuses_a_wrong_hand() -> None:
    theirs = await crypto("seal", message=MESSAGE)
    envelope = f"<xml>{element('Encrypt', theirs['sealed'])}</xml>"
    ours = WeChatCrypto(TOKEN, AES_KEY, APPID)
    assert ours.decrypt_message(envelope, theirs["signature"], "1795311664", "77") == MESSAGE
    with pytest.raises(InvalidSignatureException):
        ours.decrypt_message(envelope, "0" * 40, "1795311664", "77")
    with pytest.raises(InvalidAppIdException):
        WeChatCrypto(TOKEN, AES_KEY, "wx-another").decrypt_message(envelope, theirs["signature"], "1795311664", "77")


@pytest.mark.parametrize("mode", ["plain", "safe"])
async def test_co_wechat_hears_and_answers(mode: Mode) -> None:
    config = {"token": TOKEN, "appid": APPID, "key": AES_KEY}
    async with FakeWeChat(mode=mode) as wechat, running("co_wechat.js", config) as port:
        url = f"http://127.0.0.1:{port}/"
        assert await wechat.check(url, token="another word") == "HTTP 401"
        await wechat.connect(url)
        wang = wechat.user("王芳")
        await wang.says("投]]>票")
        await wang.forges_tap("同意", "k7")
        await wang.says("静")
        await wang.unfollows()
        await wang.follows()
        assert (
            wang.transcript()
            == "> 投]]>票\n! 该公众号暂时无法提供服务，请稍后再试\n> 同意\n< 听到：同意 k7\n> 静\n< subscribe"
        )
        assert wechat.violations == {"unreadable answer": 1}  # co-wechat does not split what ends a CDATA section


@pytest.mark.parametrize("script", ["co_wechat_api.js", "wechat_api.js"])
async def test_the_clients_of_node_send_a_text_and_a_template_message_and_renew_their_token(script: str) -> None:
    async with connected() as (wechat, _, _):
        wang = wechat.user("王芳")
        await wang.says("您好")
        fields = {name: {"value": value} for name, value in VALUES.items()}
        templates = [wang.openid, NOTICE[0], "https://example.com/n", "", fields]
        steps: list[list[object]] = [
            ["sendText", wang.openid, "已记录 09:41"],
            ["sendTemplate", *(templates if script == "co_wechat_api.js" else templates[:3] + templates[4:])],
            ["createMenu", MENU],
            ["getMenu"],
            ["createTmpQRCode", 7, 60],
            ["sendText", "o6_nobody", "您好"],
        ]
        answers = await ask(script, {"appid": APPID, "secret": SECRET, "base": wechat.url, "steps": steps})
        assert [answer.get("errcode", 0) for answer in answers] == [0, 0, 0, 0, 0, 40003]
        assert [one["name"] for one in answers[3]["menu"]["button"]] == ["投票", "更多"]
        assert [line.text.splitlines()[0] for line in wang.messages] == ["已记录 09:41", "会议通知"]
        assert wechat.tokens_issued == 1
        assert wechat.violations == {"40003": 1}


async def test_co_wechat_api_tries_an_endless_40001_three_times_more() -> None:
    async with connected() as (wechat, _, _):
        wechat.endless_40001 = True
        steps = [["sendText", wechat.user("王芳").openid, "您好"]]
        answers = await ask(
            "co_wechat_api.js", {"appid": APPID, "secret": SECRET, "base": wechat.url, "steps": steps}
        )
        assert answers[0]["errcode"] == 40001
        assert len(wechat.called("message/custom/send")) == 4
        assert wechat.tokens_issued == 4

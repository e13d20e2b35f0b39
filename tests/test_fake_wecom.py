"""Does the fake WeCom do to an application what WeCom does?

The other end is wechatpy's, which shares no line with the fake or with us: its crypto in the callback, plain HTTP for
the calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import xmltodict  # type: ignore[import-untyped]  # it ships no types
from aiohttp import web
from wechatpy.enterprise.crypto import WeChatCrypto

from tests.fakes.wecom import AES_KEY, AGENT_ID, CORP_ID, SECRET, TOKEN, FakeWeCom, Limits, lost, page, refused

Json = dict[str, Any]
Answer = Callable[[Json], Awaitable[str]]


async def nothing(_message: Json) -> str:
    return ""


class Listener:
    """The plainest application there is. `answer` gives the plain XML of the passive reply."""

    def __init__(self) -> None:
        self.crypto = WeChatCrypto(TOKEN, AES_KEY, CORP_ID)
        self.heard: list[Json] = []
        self.answer: Answer = nothing
        self.statuses: list[int] = []
        self.echo_delay, self.extra = 0.0, b""
        self.url = ""

    async def get(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.echo_delay)
        q = request.query
        text = self.crypto.check_signature(q["msg_signature"], q["timestamp"], q["nonce"], q["echostr"])
        return web.Response(body=self.extra + text.encode())

    async def post(self, request: web.Request) -> web.Response:
        q = request.query
        plain = self.crypto.decrypt_message(await request.text(), q["msg_signature"], q["timestamp"], q["nonce"])
        message = xmltodict.parse(plain)["xml"]
        self.heard.append(message)
        reply = await self.answer(message)
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return web.Response(status=status)
        sealed = self.crypto.encrypt_message(reply, q["nonce"], q["timestamp"]) if reply else ""
        return web.Response(text=sealed)


@asynccontextmanager
async def listening(wecom: FakeWeCom, *, register: bool = True) -> AsyncIterator[Listener]:
    listener, app = Listener(), web.Application()
    app.router.add_get("/cb", listener.get)
    app.router.add_post("/cb", listener.post)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/cb"
    if register:
        assert await wecom.register(listener.url)
    yield listener
    await runner.cleanup()


class Api:
    """Calls as anybody would make them."""

    def __init__(self, wecom: FakeWeCom) -> None:
        self._wecom, self.token = wecom, ""

    async def fetch(self, secret: str = SECRET) -> Json:
        url = f"{self._wecom.url}/cgi-bin/gettoken"
        async with aiohttp.ClientSession() as s, s.get(url, params={"corpid": CORP_ID, "corpsecret": secret}) as r:
            answer: Json = await r.json()
        self.token = answer.get("access_token", "")
        return answer

    async def call(self, method: str, **body: Any) -> Json:
        if not self.token:
            await self.fetch()
        url = f"{self._wecom.url}/cgi-bin/message/{method}"
        async with aiohttp.ClientSession() as s, s.post(url, params={"access_token": self.token}, json=body) as r:
            answer: Json = await r.json()
        return answer

    async def text(self, to: str, content: str, **more: Any) -> Json:
        return await self.call("send", touser=to, agentid=AGENT_ID, msgtype="text", text={"content": content}, **more)

    async def card(self, to: str, task_id: str, **more: Any) -> Json:
        card = {
            "card_type": "button_interaction", "task_id": task_id, "main_title": {"title": "第3号议题"},
            "button_list": [{"type": 0, "text": "同意", "key": "a"}, {"type": 0, "text": "不同意", "key": "b"}],
        }  # fmt: skip
        return await self.call(
            "send", touser=to, agentid=AGENT_ID, msgtype="template_card", template_card=card, **more
        )

    async def vote(self, to: str, task_id: str, mode: int) -> Json:
        box = {"question_key": "q", "mode": mode, "option_list": [{"id": x, "text": x.upper()} for x in "abc"]}
        card = {"card_type": "vote_interaction", "task_id": task_id, "main_title": {"title": "表决"}, "checkbox": box,
                "submit_button": {"text": "提交", "key": "submit"}}  # fmt: skip
        return await self.call("send", touser=to, agentid=AGENT_ID, msgtype="template_card", template_card=card)


async def test_an_address_is_accepted_only_if_it_answers_bare_and_within_a_second() -> None:
    async with FakeWeCom() as wecom, listening(wecom, register=False) as listener:
        assert await wecom.register(listener.url)
        listener.extra = b"\xef\xbb\xbf"
        assert not await wecom.register(listener.url)
        listener.extra, listener.echo_delay = b"", 30
        checking = asyncio.create_task(wecom.register(listener.url))
        await asyncio.sleep(0.05)
        await wecom.advance(1.1)
        assert not await checking


async def test_what_somebody_says_is_brought_with_a_msgid_that_is_no_number() -> None:
    async with FakeWeCom() as wecom, listening(wecom) as listener:
        await wecom.person("Wang01").says("你好]]>")
        assert listener.heard[0]["Content"] == "你好]]>"
        assert listener.heard[0]["FromUserName"] == "Wang01"
        assert not listener.heard[0]["MsgId"].isdecimal()


async def test_a_push_that_is_not_answered_with_200_comes_three_times() -> None:
    async with FakeWeCom() as wecom, listening(wecom) as listener:
        listener.statuses = [503, 500]
        await wecom.person("1001").says("投票")
        assert [push.statuses for push in wecom.courier.pushes] == [[503, 500, 200]]
        assert len({message["MsgId"] for message in listener.heard}) == 1
        listener.statuses = [503, 503, 503]
        await wecom.person("1001").says("投票")
        assert len(wecom.courier.lost) == 1


async def test_five_seconds_are_all_the_time_there_is() -> None:
    async with FakeWeCom() as wecom, listening(wecom) as listener:
        asked, answers = asyncio.Event(), iter([True, False])

        async def slow(_message: Json) -> str:
            asked.set()
            if next(answers):
                await asyncio.sleep(30)
            return ""

        listener.answer = slow
        speaking = asyncio.create_task(wecom.person("1001").says("投票"))
        await asked.wait()
        await wecom.advance(5.1)
        await speaking
        assert wecom.courier.pushes[0].statuses == [0, 200]


async def test_a_passive_answer_stands_in_the_chat() -> None:
    async with FakeWeCom() as wecom, listening(wecom) as listener:

        async def hello(message: Json) -> str:
            return (f"<xml><ToUserName>{message['FromUserName']}</ToUserName><FromUserName>{CORP_ID}</FromUserName>"
                    "<CreateTime>1</CreateTime><MsgType>text</MsgType><Content>您好</Content></xml>")  # fmt: skip

        listener.answer = hello
        wang = wecom.person("1001")
        await wang.says("你好")
        assert (wang.last.words, wang.last.passive) == ("您好", True)


async def test_the_thirty_first_message_of_a_minute_is_dropped_without_a_word() -> None:
    async with FakeWeCom() as wecom:
        api, wang = Api(wecom), wecom.person("1001")
        answers = [await api.text("1001", f"第{number}条") for number in range(31)]
        assert {answer["errcode"] for answer in answers} == {0}
        assert (len(wang.lines), wecom.dropped) == (30, 1)


async def test_the_hour_has_a_limit_of_its_own() -> None:
    async with FakeWeCom(limits=Limits(member_hour=40)) as wecom:
        api = Api(wecom)
        for _ in range(3):
            for number in range(20):
                await api.text(wecom.person("1001").member.userid, f"第{number}条")
            await wecom.advance(61)
        assert wecom.dropped == 20


async def test_the_day_of_an_application_has_an_end() -> None:
    async with FakeWeCom(limits=Limits(per_account_day=1)) as wecom:
        api = Api(wecom)
        wecom.person("1001"), wecom.person("1002")
        assert [(await api.text("1001", str(n)))["errcode"] for n in range(3)] == [0, 0, 45009]


async def test_the_same_json_is_sent_once_within_its_interval() -> None:
    async with FakeWeCom() as wecom:
        api, wang = Api(wecom), wecom.person("1001")
        first = await api.text("1001", "支部大会", enable_duplicate_check=1)
        again = await api.text("1001", "支部大会", enable_duplicate_check=1)
        assert (first["msgid"], len(wang.lines), wecom.world.duplicates) == (again["msgid"], 1, 1)
        await api.text("1001", "支部大会", enable_duplicate_check=1, safe=0)
        assert len(wang.lines) == 2
        await wecom.advance(1801)
        await api.text("1001", "支部大会", enable_duplicate_check=1)
        assert len(wang.lines) == 3


async def test_who_is_not_there_is_named_in_small_letters() -> None:
    async with FakeWeCom() as wecom:
        api, wang = Api(wecom), wecom.person("Wang01")
        answer = await api.text("WANG01|NoBody", "通知")
        assert (answer["errcode"], answer["invaliduser"], len(wang.lines)) == (0, "nobody", 1)
        assert (await api.text("NoBody", "通知"))["errcode"] == 81013
        wang.leaves()
        assert (await api.text("Wang01", "通知"))["errcode"] == 81013


async def test_a_long_text_is_cut_after_2048_bytes() -> None:
    async with FakeWeCom() as wecom:
        wang = wecom.person("1001")
        assert (await Api(wecom).text("1001", "文" * 700))["errcode"] == 0
        assert len(wang.last.words) == 682


async def test_a_task_id_is_used_once_in_the_life_of_an_application() -> None:
    async with FakeWeCom() as wecom, listening(wecom):
        api = Api(wecom)
        wecom.person("1001"), wecom.person("1002")
        assert (await api.card("1001", "t1"))["errcode"] == 0
        assert (await api.card("1002", "t1"))["errcode"] != 0
        assert (await api.card("1002", "第一"))["errcode"] == 40058


async def test_a_card_needs_a_callback_address() -> None:
    async with FakeWeCom() as wecom:
        wecom.person("1001")
        assert (await Api(wecom).card("1001", "t1"))["errcode"] == 40058


async def test_a_code_is_good_for_one_update_and_three_days() -> None:
    async with FakeWeCom() as wecom, listening(wecom):
        api, wang = Api(wecom), wecom.person("1001")
        code = (await api.card("1001", "t1"))["response_code"]
        update = {"userids": ["1001"], "agentid": AGENT_ID, "response_code": code, "button": {"replace_name": "已投"}}
        assert (await api.call("update_template_card", **update))["errcode"] == 0
        assert wang.last.look is not None
        assert (wang.last.look.replaced, wang.last.labels) == ("已投", [])
        assert (await api.call("update_template_card", **update))["errcode"] != 0
        late = (await api.card("1001", "t2"))["response_code"]
        await wecom.advance(72 * 3600 + 1)
        api.token = ""
        assert (await api.call("update_template_card", **update | {"response_code": late}))["errcode"] != 0


async def test_a_card_sent_to_two_changes_for_both() -> None:
    async with FakeWeCom() as wecom, listening(wecom):
        api, wang, sun = Api(wecom), wecom.person("1001"), wecom.person("1003")
        code = (await api.card("1001|1003", "t1"))["response_code"]
        update = {"userids": ["1001"], "agentid": AGENT_ID, "response_code": code, "button": {"replace_name": "已投"}}
        await api.call("update_template_card", **update)
        assert [person.last.look.replaced for person in (wang, sun) if person.last.look] == ["已投", "已投"]


async def test_a_tap_tells_card_and_key_and_its_answer_changes_the_card() -> None:
    async with FakeWeCom() as wecom, listening(wecom) as listener:
        api, wang = Api(wecom), wecom.person("1001")
        await api.card("1001", "t1")

        async def voted(message: Json) -> str:
            return (f"<xml><ToUserName>{message['FromUserName']}</ToUserName><FromUserName>{CORP_ID}</FromUserName>"
                    "<CreateTime>1</CreateTime><MsgType>update_button</MsgType>"
                    "<Button><ReplaceName><![CDATA[已投]]></ReplaceName></Button></xml>")  # fmt: skip

        listener.answer = voted
        await wang.taps("同意")
        heard = listener.heard[0]
        assert (heard["Event"], heard["EventKey"], heard["TaskId"]) == ("template_card_event", "a", "t1")
        assert wang.last.look is not None
        assert wang.last.look.replaced == "已投"
        assert not wecom.courier.bad_replies


async def test_a_choice_of_none_one_or_several_options_comes_as_it_is() -> None:
    async with FakeWeCom() as wecom, listening(wecom) as listener:
        api, wang = Api(wecom), wecom.person("1001")
        await api.vote("1001", "t1", mode=1)
        await wang.selects()
        await wang.selects("A")
        await wang.selects("A", "C")
        chosen = [message["SelectedItems"]["SelectedItem"]["OptionIds"] for message in listener.heard]
        assert chosen == [None, {"OptionId": "a"}, {"OptionId": ["a", "c"]}]


async def test_a_message_is_taken_back_within_a_day() -> None:
    async with FakeWeCom() as wecom:
        api, wang = Api(wecom), wecom.person("1001")
        msgid = (await api.text("1001", "打错了"))["msgid"]
        assert (await api.call("recall", msgid=msgid))["errcode"] == 0
        assert wang.lines == []
        msgid = (await api.text("1001", "又打错了"))["msgid"]
        await wecom.advance(24 * 3600 + 1)
        api.token = ""
        assert (await api.call("recall", msgid=msgid))["errcode"] != 0


async def test_a_token_lives_two_hours_and_is_the_same_until_then() -> None:
    async with FakeWeCom() as wecom:
        api = Api(wecom)
        wecom.person("1001")
        first = await api.fetch()
        assert (await api.fetch())["access_token"] == first["access_token"]
        await wecom.advance(7201)
        assert (await api.text("1001", "通知"))["errcode"] == 42001
        api.token = "invented"
        assert (await api.text("1001", "通知"))["errcode"] == 40014
        assert (await api.fetch("wrong"))["errcode"] == 40001


async def test_from_an_address_that_is_not_trusted_nothing_works() -> None:
    async with FakeWeCom() as wecom:
        wecom.person("1001")
        wecom.trusted = False
        assert (await Api(wecom).text("1001", "通知"))["errcode"] == 60020


async def test_misfortune_comes_as_it_was_written() -> None:
    async with FakeWeCom() as wecom:
        api, wang = Api(wecom), wecom.person("1001")
        await api.fetch()
        wecom.script(refused(-1), "message/send")
        assert (await api.text("1001", "一"))["errcode"] == -1
        wecom.script(lost(), "message/send")
        wecom.script(page(accepted=True), "message/send")
        for text in "二三":
            try:
                await api.text("1001", text)
            except aiohttp.ClientError:
                continue
        assert [line.words for line in wang.lines] == ["二", "三"]

"""What does the callback address of WeCom answer to whom, and what acts? A table; then the cases that need words."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from storage import settings
from tests.fakes.wecom import CORP_ID, TOKEN, Envelope, cdata
from tests.people import NOW
from tests.polls import open_poll, votes
from tests.wecom_house import WeComHouse, wecom_house

OTHER_KEY = "otherEncodingAESKeyOfSomebodyElse0000000043"
RNG = random.Random(7)


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[WeComHouse]:
    async with wecom_house(tmp_path) as built:
        yield built


def said(words: str, userid: str = "wang", more: str = "") -> str:
    """The plain XML of a text message."""
    return (f"<xml><ToUserName>{cdata(CORP_ID)}</ToUserName><FromUserName>{cdata(userid)}</FromUserName>"
            f"<CreateTime>1795486500</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>{cdata(words)}</Content>"
            f"<MsgId>{cdata(f'CAIQ{words}')}</MsgId>{more}<AgentID>1000002</AgentID></xml>")  # fmt: skip


class Poster:
    """Somebody who knows the address and perhaps the keys."""

    def __init__(self, house: WeComHouse, envelope: Envelope | None = None) -> None:
        self._house, self.envelope = house, envelope or house.wecom.envelope
        self.at, self.nonce = house.clock.now(), "123456"

    async def post(
        self, xml: str, *, change: Callable[[dict[str, str], str], tuple[dict[str, str], str]] | None = None
    ) -> tuple[int, str]:
        sealed = self.envelope.seal(xml, RNG)
        query = {"timestamp": str(int(self.at)), "nonce": self.nonce}
        query["msg_signature"] = self.envelope.sign(query["timestamp"], self.nonce, sealed)
        body = f"<xml><ToUserName>{CORP_ID}</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        if change:
            query, body = change(query, body)
        return await self.raw(query, body)

    async def raw(self, query: dict[str, str], body: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._house.url, params=query, data=body.encode()) as answer,
        ):
            return answer.status, await answer.text()


def stranger(house: WeComHouse) -> Poster:
    return Poster(house, Envelope(TOKEN, OTHER_KEY, CORP_ID))


def another_company(house: WeComHouse) -> Poster:
    return Poster(house, Envelope(TOKEN, house.wecom.envelope.aes_key, "ww0000000000000000"))


def without_token(house: WeComHouse) -> Poster:
    return Poster(house, Envelope("guessed", house.wecom.envelope.aes_key, CORP_ID))


@pytest.mark.parametrize("who", [stranger, another_company, without_token])
async def test_whoever_does_not_hold_the_keys_is_refused(
    house: WeComHouse, who: Callable[[WeComHouse], Poster]
) -> None:
    assert await who(house).post(said("帮助")) == (403, "")
    assert house.done["answered"] == 0


@pytest.mark.parametrize("seconds", [-301, 301, -86_400], ids=["five minutes old", "of the future", "of yesterday"])
async def test_what_was_written_at_another_time_is_refused(house: WeComHouse, seconds: int) -> None:
    poster = Poster(house)
    poster.at += seconds
    assert await poster.post(said("帮助")) == (403, "")


async def test_a_signature_goes_with_one_body(house: WeComHouse) -> None:
    poster, used = Poster(house), dict[str, str]()

    def keep(query: dict[str, str], body: str) -> tuple[dict[str, str], str]:
        used.update(query)
        return query, body

    status, _ = await poster.post(said("帮助"), change=keep)
    assert status == 200
    assert await poster.post(said("投票"), change=lambda _query, body: (used, body)) == (403, "")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda query, _body: (query, said("帮助")), 403),
        (lambda query, body: ({**query, "msg_signature": "0" * 40}, body), 403),
        (lambda query, body: ({k: v for k, v in query.items() if k != "msg_signature"}, body), 403),
        (lambda query, body: ({**query, "encrypt_type": "raw"}, body), 403),
        (lambda query, body: (query, body.replace("<Encrypt>", "<Encrypt>x</Encrypt><Encrypt>")), 403),
        (lambda query, body: (query, body + " " * 70_000), 413),
        (lambda query, _body: (query, "<xml>"), 403),
        (lambda query, _body: (query, ""), 403),
    ],
    ids=["plain", "bad signature", "no signature", "said to be plain", "two", "too large", "no end", "nothing"],
)
async def test_a_push_that_is_not_as_it_has_to_be_is_refused(
    house: WeComHouse, change: Callable[[dict[str, str], str], tuple[dict[str, str], str]], status: int
) -> None:
    assert await Poster(house).post(said("帮助"), change=change) == (status, "")
    assert house.done["answered"] == 0


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "no xml",
        "<xml></xml>",
        BOMB + said("帮助").replace("<![CDATA[帮助]]>", "&b;"),
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + said("x").replace("<![CDATA[x]]>", "&f;"),
        "<xml>" + "<a>" * 5_000 + "</a>" * 5_000 + "</xml>",
        said("帮助", more="<MsgType>image</MsgType>"),
        said("帮助", more="<Content>投票</Content>"),
        said("帮助", userid="../../x"),
        said("帮助", userid=""),
        "<xml><FromUserName>wang</FromUserName><MsgType>event</MsgType><Event>template_card_event</Event>"
        "<EventKey><a>1</a></EventKey></xml>",
    ],
    ids=["empty", "no xml", "no elements", "entities", "a file", "deep", "two kinds", "two texts", "a path", "nobody",
         "a key of parts"],
)  # fmt: skip
async def test_what_cannot_be_read_is_acknowledged_and_does_nothing(house: WeComHouse, xml: str) -> None:
    """Refused, it would come twice more and be no better."""
    assert await Poster(house).post(xml) == (200, "")
    assert house.done["malformed"] + house.done["ignored"] == 1
    assert house.wecom.calls == []


async def test_control_characters_are_left_out(house: WeComHouse) -> None:
    status, answer = await Poster(house).post(said("投\x00\x0b\x1b票"))
    assert (status, bool(answer)) == (200, True)
    assert house.done["answered"] == 1


async def test_a_replayed_tap_acts_no_second_time(house: WeComHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    await wang.taps("孙明")
    tap = house.wecom.courier.pushes[-1].xml
    await wang.taps("改投")
    await wang.taps("吴强")
    status, _ = await Poster(house).post(tap)
    assert (status, house.done["again"]) == (200, 1)
    assert votes(house.house, poll)[house.house.ids["王芳"]] == (3,)


async def test_a_message_without_an_id_is_known_by_its_second_and_its_words(house: WeComHouse) -> None:
    wang = await house.seat("王芳")
    await wang.says("投票", msgid=None)
    await wang.says("投票", msgid=None)
    await wang.says("党费", msgid=None)
    assert house.done["again"] == 1
    assert house.done["answered"] == 2


async def test_the_address_shows_the_text_bare_and_remembers_that_it_was_asked(house: WeComHouse) -> None:
    assert await house.wecom.register(house.url)
    with house.app.database.read() as tx:
        assert settings.moment(tx, "wecom.callback") == house.clock.instant()
    house.wecom.courier._envelope = Envelope("guessed", house.wecom.envelope.aes_key, CORP_ID)
    assert not await house.wecom.register(house.url)


async def test_the_same_push_is_answered_while_it_is_fresh(tmp_path: Path) -> None:
    async with wecom_house(tmp_path, start=NOW + timedelta(minutes=10)) as house:
        wang = await house.seat("王芳")
        house.wecom.courier.same_signature = True
        house.wecom.courier.lose_answers = 2
        await wang.says("投票")
        assert house.wecom.courier.pushes[-1].statuses == [0, 0, 200]
        assert [line.words for line in wang.lines if line.from_app] == [wang.last.words]

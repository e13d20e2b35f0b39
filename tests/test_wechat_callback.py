"""Forged, stale, broken: what does WeChat's callback answer to what WeChat did not write, and does anything act?"""

from __future__ import annotations

import ast
import base64
import inspect
import random
import textwrap
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.utils import check_signature

from bot.adapters.tencent_callback import Callback, Forged, Push, Unreadable
from bot.adapters.wechat import Heard, read
from tests.fakes.wechat import AES_KEY, APPID, TOKEN
from tests.fakes.wechat.crypto import Seal, signature
from tests.people import NOW
from tests.polls import open_poll, votes
from tests.wechat_house import WeChatHouse, wechat_house

STAMP = str(int(NOW.timestamp()))
BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[WeChatHouse]:
    async with wechat_house(tmp_path) as built:
        yield built


@pytest_asyncio.fixture
async def plain_house(tmp_path: Path) -> AsyncIterator[WeChatHouse]:
    async with wechat_house(tmp_path, mode="plain") as built:
        yield built


def inside(openid: str, payload: str, number: int = 1) -> str:
    """A vote, as WeChat brings it."""
    return (
        f"<ToUserName>gh_1</ToUserName><FromUserName>{openid}</FromUserName><CreateTime>{STAMP}</CreateTime>"
        f"<MsgType>text</MsgType><Content>孙明</Content><MsgId>{number}</MsgId><bizmsgmenuid>{payload}</bizmsgmenuid>"
    )


def query(*sealed: str, stamp: str = STAMP, token: str = TOKEN, nonce: str = "n1") -> dict[str, str]:
    """What stands in the address; with something sealed, as in the safe mode."""
    plain = {"timestamp": stamp, "nonce": nonce, "signature": signature(token, stamp, nonce)}
    if not sealed:
        return plain
    return {**plain, "encrypt_type": "aes", "msg_signature": signature(token, stamp, nonce, *sealed)}


async def post(house: WeChatHouse, asked: dict[str, str], body: str | bytes) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(house.url, params=asked, data=body if isinstance(body, bytes) else body.encode()) as answer,
    ):
        return answer.status, await answer.text()


async def ballot(house: WeChatHouse) -> tuple[int, str, str]:
    """An open poll, 王芳's openid, and what her tap on 孙明 would send."""
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.says("投票")
    choice = next(one for one in wang.last.choices if one.label == "孙明")
    return poll, wang.openid, choice.id


# -- the table ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forgery:
    """What somebody sends who is not WeChat, or what WeChat sends that cannot be read; and what it is answered."""

    name: str
    status: int
    body: Callable[[str], str | bytes] = lambda xml: f"<xml>{xml}</xml>"
    asked: dict[str, Any] = field(default_factory=dict)
    appid: str = APPID
    spoil: Callable[[str], str] = lambda sealed: sealed
    whole: Callable[[str], str] = lambda sealed: (
        f"<xml><ToUserName>gh_1</ToUserName><Encrypt>{sealed}</Encrypt></xml>"
    )
    signed: bool = True


def changed(xml: str, old: str, new: str) -> str:
    assert old in xml
    return f"<xml>{xml.replace(old, new)}</xml>"


SAFE = [
    Forgery("an old time stamp", 403, asked={"stamp": str(int(STAMP) - 301)}),
    Forgery("a time stamp to come", 403, asked={"stamp": str(int(STAMP) + 400)}),
    Forgery("no time stamp", 403, asked={"stamp": ""}),
    Forgery("a time stamp in other digits", 403, asked={"stamp": "١٢٣"}),
    Forgery("another token", 403, asked={"token": "guessed"}),
    Forgery("a signature of something else", 403, signed=False),
    Forgery("another account's", 403, appid="wx_another"),
    Forgery("a longer app id", 403, appid=APPID + "x"),
    Forgery("cut off", 403, spoil=lambda sealed: sealed[:-8]),
    Forgery("cut to nothing", 403, spoil=lambda _: ""),
    Forgery("not base64", 403, spoil=lambda _: "!!!!"),
    Forgery("one block of zeros", 403, spoil=lambda _: base64.b64encode(bytes(32)).decode()),
    Forgery("wrong padding", 403, spoil=lambda sealed: sealed[:-44] + sealed[-24:]),
    Forgery("two sealed parts", 403, whole=lambda s: f"<xml><Encrypt>{s}</Encrypt><Encrypt>{s}</Encrypt></xml>"),
    Forgery("a bomb around the sealed part", 403, whole=lambda s: f"{BOMB}<xml><Encrypt>{s}&b;</Encrypt></xml>"),
    Forgery("a page instead of XML", 403, whole=lambda _: "<html><body>Hello</body></html>"),
    Forgery("nothing at all", 403, whole=lambda _: ""),
    Forgery("more than 64 KiB", 413, whole=lambda s: f"<xml><Encrypt>{s}</Encrypt>{'x' * 65_536}</xml>"),
    # Sealed with our key, so it is WeChat's own; it is acknowledged, or it would come twice more.
    Forgery("sealed, and no XML", 200, body=lambda _: "同意"),
    Forgery("sealed, and JSON", 200, body=lambda _: '{"MsgType":"text","Content":"同意"}'),
    Forgery("sealed, and a bomb", 200, body=lambda xml: f"{BOMB}<xml>{xml}<A>&b;</A></xml>"),
    Forgery("sealed, and 60,000 deep", 200, body=lambda xml: f"<xml>{xml}{'<a>' * 6000}{'</a>' * 6000}</xml>"),
    Forgery("sealed, and two kinds", 200, body=lambda xml: f"<xml>{xml}<MsgType>event</MsgType></xml>"),
    Forgery("sealed, and two contents", 200, body=lambda xml: changed(xml, "bizmsgmenuid>", "Content>")),
    Forgery("sealed, and no kind", 200, body=lambda xml: changed(xml, "MsgType", "Kind")),
    Forgery("sealed, and no number", 200, body=lambda xml: changed(xml, "MsgId", "Id")),
    Forgery("sealed, and a number of words", 200, body=lambda xml: changed(xml, "<MsgId>1", "<MsgId>one")),
    Forgery("sealed, and from nobody", 200, body=lambda xml: changed(xml, "FromUserName", "From")),
    Forgery("sealed, and from a path", 200, body=lambda xml: changed(xml, "<FromUserName>", "<FromUserName>../")),
]  # fmt: skip


@pytest.mark.parametrize("forgery", SAFE, ids=lambda one: one.name)
async def test_what_wechat_did_not_write_is_refused_and_nothing_acts(house: WeChatHouse, forgery: Forgery) -> None:
    poll, openid, payload = await ballot(house)
    body = forgery.body(inside(openid, payload))
    closed = forgery.spoil(Seal(AES_KEY, forgery.appid).close(str(body)))
    asked = query(closed if forgery.signed else "something else", **forgery.asked)
    status, said = await post(house, asked, forgery.whole(closed))
    assert (status, said) == (forgery.status, "" if status != 413 else said)
    assert votes(house.house, poll) == {}
    assert house.done["forbidden"] + house.done["malformed"] + house.done["too large"] == 1


async def test_the_same_vote_untouched_is_counted(house: WeChatHouse) -> None:
    poll, openid, payload = await ballot(house)
    closed = Seal(AES_KEY, APPID).close(f"<xml>{inside(openid, payload)}</xml>")
    status, said = await post(house, query(closed), f"<xml><Encrypt>{closed}</Encrypt></xml>")
    assert (status, said[:14]) == (200, "<xml><Encrypt>"), "else the table above would prove nothing"
    assert len(votes(house.house, poll)) == 1


async def test_a_plain_body_is_refused_where_the_safe_mode_is_set(house: WeChatHouse) -> None:
    poll, openid, payload = await ballot(house)
    body = f"<xml>{inside(openid, payload)}</xml>"
    assert await post(house, query(), body) == (403, "")
    assert await post(house, {**query(), "encrypt_type": "raw"}, body) == (403, "")
    assert await post(house, {**query(), "encrypt_type": "aes"}, body) == (403, "")
    closed = Seal(AES_KEY, APPID).close(f"<xml>{inside('oNobody', payload)}</xml>")
    both = f"<xml>{inside(openid, payload)}<Encrypt>{closed}</Encrypt></xml>"
    await post(house, query(closed), both)
    assert votes(house.house, poll) == {}, "of the compatible mode only the sealed part counts"


async def test_a_plain_signature_serves_for_one_body_only(plain_house: WeChatHouse) -> None:
    """It covers no word of the body: whoever has seen one could write what they like for five minutes."""
    poll, openid, payload = await ballot(plain_house)
    asked = query()
    told = f"<xml>{inside(openid, 'c:help', 7)}</xml>"
    status, said = await post(plain_house, asked, told)
    assert (status, "帮" in said or "做" in said) == (200, True)
    assert await post(plain_house, asked, told) == (status, said), (
        "WeChat's own repetition is answered like a duplicate"
    )
    assert await post(plain_house, asked, f"<xml>{inside(openid, payload, 8)}</xml>") == (403, "")
    assert votes(plain_house.house, poll) == {}


@pytest.mark.parametrize("wrong", [{"stamp": str(int(STAMP) - 301)}, {"token": "guessed"}], ids=["old", "unsigned"])
async def test_a_plain_forgery_is_refused(plain_house: WeChatHouse, wrong: dict[str, str]) -> None:
    poll, openid, payload = await ballot(plain_house)
    assert await post(plain_house, query(**wrong), f"<xml>{inside(openid, payload)}</xml>") == (403, "")
    assert votes(plain_house.house, poll) == {}


async def test_a_sealed_push_without_a_key_of_ours_is_refused(plain_house: WeChatHouse) -> None:
    poll, openid, payload = await ballot(plain_house)
    closed = Seal(AES_KEY, APPID).close(f"<xml>{inside(openid, payload)}</xml>")
    assert (await post(plain_house, query(closed), f"<xml><Encrypt>{closed}</Encrypt></xml>"))[0] == 403
    assert votes(plain_house.house, poll) == {}


async def test_the_same_sealed_push_again_is_a_duplicate_and_never_forbidden(house: WeChatHouse) -> None:
    poll, openid, payload = await ballot(house)
    closed = Seal(AES_KEY, APPID).close(f"<xml>{inside(openid, payload)}</xml>")
    for _ in range(3):
        status, _said = await post(house, query(closed), f"<xml><Encrypt>{closed}</Encrypt></xml>")
        assert status == 200
    assert len(votes(house.house, poll)) == 1
    assert house.done["again"] == 2


@pytest.mark.parametrize("mode", ["safe", "plain"])
async def test_the_console_is_answered_with_its_own_echo(tmp_path: Path, mode: Any) -> None:
    async with wechat_house(tmp_path, mode=mode) as house:
        assert await house.wechat.check(house.url) is None
        assert await house.wechat.check(house.url, token="guessed") == "HTTP 403"
        async with aiohttp.ClientSession() as session:
            asked = {**query(), "echostr": "<script>alert(1)</script>"}
            async with session.get(house.url, params=asked) as answer:
                assert answer.status == 403, "no page that a browser would run"
            async with session.get(house.url, params={**query(stamp="1"), "echostr": "1"}) as answer:
                assert answer.status == 403


# -- what wechatpy alone would do -----------------------------------------------------------------------------


def callback() -> Callback:
    return Callback(TOKEN, AES_KEY, APPID)


def opened(xml: str) -> Push:
    """A sealed push, opened by us."""
    closed = Seal(AES_KEY, APPID).close(xml)
    return callback().open(query(closed), f"<xml><Encrypt>{closed}</Encrypt></xml>".encode(), NOW)


MALFORMED = {
    "no XML": "同意",
    "no <xml>": "<a>1</a>",
    "no kind": "<xml><Content>1</Content></xml>",
    "two kinds": "<xml><MsgType>text</MsgType><MsgType>text</MsgType></xml>",
    "an empty <xml>": "<xml></xml>",
    "a kind with parts": "<xml><MsgType><a>1</a></MsgType></xml>",
    "an empty kind": "<xml><MsgType></MsgType></xml>",
    "a bomb": f"{BOMB}<xml><MsgType>&b;</MsgType></xml>",
}


@pytest.mark.parametrize("xml", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_message_is_unreadable_where_wechatpy_fails_in_its_own_ways(xml: str) -> None:
    with pytest.raises(Exception) as naive:  # noqa: PT011  # ExpatError, KeyError, TypeError, AttributeError, ValueError
        parse_message(xml)
    assert not isinstance(naive.value, InvalidSignatureException)
    with pytest.raises(Unreadable):
        opened(xml)


def test_a_deep_nest_is_refused_that_wechatpy_reads_without_complaint() -> None:
    deep = f"<xml><MsgType>text</MsgType>{'<a>' * 900}{'</a>' * 900}</xml>"
    assert parse_message(deep).type == "text"
    with pytest.raises(Unreadable):
        opened(deep)


@pytest.mark.parametrize("sign", ["\x00", "\x0b", "\x1b", "\ufffe"])
def test_a_control_character_in_a_members_text_is_dropped_where_wechatpy_fails(sign: str) -> None:
    xml = f"<xml><MsgType>text</MsgType><Content><![CDATA[同{sign}意]]></Content></xml>"
    with pytest.raises(Exception):  # noqa: B017, PT011  # ExpatError, which is of no kind of wechatpy's
        parse_message(xml)
    assert opened(xml).text("Content") == "同意"


def test_bytes_that_are_no_text_are_unreadable_where_wechatpy_fails() -> None:
    with pytest.raises(UnicodeDecodeError):
        parse_message(b"<xml><MsgType>text</MsgType><Content>\xff</Content></xml>")
    plain = Callback(TOKEN, None, APPID)
    with pytest.raises(Unreadable):
        plain.open(query(), b"<xml><MsgType>text</MsgType><Content>\xff</Content></xml>", NOW)


def test_two_contents_are_unreadable_where_wechatpy_hands_on_a_list() -> None:
    xml = "<xml><MsgType>text</MsgType><Content>同意</Content><Content>不同意</Content></xml>"
    assert isinstance(parse_message(xml).content, list), "past this door it would pass for a text"
    with pytest.raises(Unreadable):
        opened(xml).text("Content")


def test_a_number_that_is_none_is_unreadable_where_wechatpy_fails_later() -> None:
    xml = "<xml><MsgType>text</MsgType><MsgId>one</MsgId></xml>"
    message = parse_message(xml)
    with pytest.raises(ValueError, match="int"):
        _ = message.id
    with pytest.raises(Unreadable):
        opened(xml).number("MsgId")


def test_two_taps_of_a_second_are_two_where_wechatpy_gives_both_the_id_0() -> None:
    events, ids = [], []
    for key in ("c~me", "c~help", "c~help"):
        xml = (
            f"<xml><FromUserName>o1</FromUserName><CreateTime>{STAMP}</CreateTime><MsgType>event</MsgType>"
            f"<Event>CLICK</Event><EventKey>{key}</EventKey></xml>"
        )
        ids.append(parse_message(xml).id)
        heard = read(opened(xml), NOW)
        assert isinstance(heard, Heard)
        events.append(heard.event.event_id)
    assert ids == [0, 0, 0]
    assert len(set(events)) == 2, "and the same tap told twice is one"


def test_one_or_several_or_none_make_a_list_where_wechatpy_makes_three_things() -> None:
    one = "<List><TemplateId>a</TemplateId></List>"
    found = []
    for times in (0, 1, 2):
        xml = f"<xml><MsgType>event</MsgType><Popup>{one * times}</Popup></xml>"
        naive = parse_message(xml)._data["Popup"]
        found.append(type(naive and naive["List"]).__name__)
        assert [entry["TemplateId"] for entry in opened(xml).parts("Popup", "List")] == ["a"] * times
    assert found == ["NoneType", "dict", "list"]


WELL = [
    inside("o1", "k7f2"),
    "<MsgType><![CDATA[event]]></MsgType><Event>CLICK</Event><EventKey></EventKey>",
    "<MsgType>event</MsgType><Event>x</Event><Popup><List><A>1</A></List><List><A> 2 </A><B/></List></Popup>",
    "<MsgType>text</MsgType><Content><![CDATA[ 同]]>意 <![CDATA[&lt;]]>&lt;</Content><Empty>  </Empty>",
]


@pytest.mark.parametrize("xml", WELL)
def test_what_is_well_formed_reads_as_wechatpy_reads_it(xml: str) -> None:
    assert opened(f"<xml>{xml}</xml>").values == parse_message(f"<xml>{xml}</xml>")._data


@pytest.mark.parametrize(
    "sealed", ["", "AAAA", base64.b64encode(bytes(16)).decode(), base64.b64encode(bytes(32)).decode()]
)
def test_a_short_cipher_text_is_forged_where_wechatpy_fails(sealed: str) -> None:
    naive = WeChatCrypto(TOKEN, AES_KEY, APPID)
    body = f"<xml><Encrypt>{sealed}</Encrypt></xml>"
    asked = query(sealed)
    with pytest.raises(Exception) as failed:  # noqa: PT011  # IndexError, struct.error, ValueError, TypeError
        naive.decrypt_message(body, asked["msg_signature"], asked["timestamp"], asked["nonce"])
    assert not isinstance(failed.value, InvalidSignatureException)
    with pytest.raises(Forged):
        callback().open(asked, body.encode(), NOW)


def test_a_push_of_last_year_is_forged_where_wechatpy_takes_it() -> None:
    closed = Seal(AES_KEY, APPID).close("<xml><MsgType>text</MsgType></xml>")
    body, asked = f"<xml><Encrypt>{closed}</Encrypt></xml>", query(closed, stamp=str(int(STAMP) - 365 * 86_400))
    naive = WeChatCrypto(TOKEN, AES_KEY, APPID)
    for _ in range(2):  # and as often as one likes
        assert naive.decrypt_message(body, asked["msg_signature"], asked["timestamp"], asked["nonce"])
    check_signature(TOKEN, asked["signature"], asked["timestamp"], asked["nonce"])
    with pytest.raises(Forged):
        callback().open(asked, body.encode(), NOW)


def test_chance_comes_from_the_system_where_wechatpy_takes_what_can_be_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sixteen characters in front of everything that is sealed; its own come from a generator with a seed."""
    naive = WeChatCrypto(TOKEN, AES_KEY, APPID)
    ours, sealed = [], []
    for _ in range(2):
        random.seed(1)
        sealed.append(naive.encrypt_message("<xml/>", "n", STAMP))
        random.seed(1)
        ours.append(callback().write("<xml/>", NOW))
    assert sealed[0] == sealed[1]
    assert ours[0] != ours[1]


def test_what_is_signed_takes_the_same_time_however_much_of_it_is_right() -> None:
    """Not measured, since that would be chance: what compares is the standard library's own for this."""
    assert "signer.signature != signature" in inspect.getsource(check_signature)
    tree = ast.parse(textwrap.dedent(inspect.getsource(Callback._signed)))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "hmac.compare_digest" in called
    assert not any(isinstance(node, ast.Eq | ast.NotEq) for node in ast.walk(tree))


def test_remembered_signatures_are_forgotten_with_their_age() -> None:
    gate = Callback(TOKEN, None, APPID)
    for number in range(3_000):
        gate.open(query(nonce=f"n{number}"), b"<xml><MsgType>text</MsgType></xml>", NOW)
    assert len(gate._seen) == 3_000
    later = NOW.fromtimestamp(NOW.timestamp() + 302, NOW.tzinfo)
    gate.open(query(stamp=str(int(later.timestamp()))), b"<xml><MsgType>text</MsgType></xml>", later)
    assert len(gate._seen) == 1

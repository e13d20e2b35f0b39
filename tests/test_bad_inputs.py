"""What does each bad input get? A clear answer, and nothing is lost or half stored.

One table for each door. Each row names the input and a part of the answer. A handler that raises, a full disk and a
locked database are tried in `test_conversation`, `test_writer` and `test_telegram_faults`.
"""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import aiohttp
import pytest

from storage import people
from tests import rosters
from tests.people import Chat, House
from tests.polls import open_poll, votes
from tests.sites import new_id, running, signed_in
from tests.stages import TelegramStage, telegram_stage

# -- what is typed ---------------------------------------------------------------------------------

TYPED = [
    ("nothing but spaces", "   ", "没有我能读的文字"),
    ("only invisible characters", "\u200b\u202e\u2066", "没有我能读的文字"),
    ("right-to-left text", "\u202eمرحبا بالعالم", "没太明白"),
    ("a command with a direction mark in it", "投\u202e票", "眼下没有等您投的票"),
    ("a message of 5,000 characters", "很" * 5000, "没太明白"),
    ("an emoji", "🎉", "没太明白"),
    ("a slip of the pen", "头票", "您是说「投票」吗"),
    ("pinyin", "dangfei", "您是说「党费」吗"),
    ("a slash command nobody has", "/nonsense", "没太明白"),
    ("a number with nothing to choose from", "7", "没太明白"),
    ("a step with nothing open", "上一步", "现在没有正在填写的内容"),
    ("a secretary's command from a member", "发通知", "给支部书记等工作人员用的"),
    ("a base that is no number", "如果基数是很多", "没看懂这个金额"),
    ("a negative base", "如果基数是-5", "不能是负数"),
    ("a base with too many decimals", "如果基数是5400.123", "最多写到分"),
    ("a code although bound already", "/start K7M2P9QRST", "已经绑定到王芳同志"),
    ("half of a surrogate pair", "\ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "replace"), "没太明白"),
    ("markup of a template", "{{ 7 * 7 }} {% raw %}", "没太明白"),
    ("SQL", "'; DROP TABLE person; --", "没太明白"),
]


@pytest.mark.parametrize(("what", "text", "answer"), TYPED, ids=[row[0] for row in TYPED])
def test_what_is_typed_gets_a_clear_answer(house: House, what: str, text: str, answer: str) -> None:
    assert answer in house.chat("王芳").say(text), what


STRANGE = [
    ("a stranger asks for dues", "党费", "请发送支部书记给您的绑定码"),
    ("a stranger asks who somebody is", "王芳的员工号是多少", "请发送支部书记给您的绑定码"),
    ("a code that nobody has", "00000-00000", "绑定码不对"),
    ("a code one letter short", "K7M2P9QRS", "绑定码不对"),
    ("an empty start", "/start", "请发送支部书记给您的绑定码"),
]


@pytest.mark.parametrize(("what", "text", "answer"), STRANGE, ids=[row[0] for row in STRANGE])
def test_what_a_stranger_types_tells_them_nothing(house: House, what: str, text: str, answer: str) -> None:
    said = house.chat("周").say(text)
    assert answer in said, what
    assert "王芳" not in said
    assert "1001" not in said


# -- what is tapped --------------------------------------------------------------------------------


def _payloads(wang: Chat) -> dict[str, str]:
    wang.say("投票")
    return {key.label: key.payload or "" for row in wang.heard[-1].keys for key in row}


def test_taps_that_cannot_count_are_answered_and_do_not_count(house: House) -> None:
    poll = open_poll(house)
    wang, sun = house.chat("王芳"), house.chat("孙明")
    payloads = _payloads(wang)
    table = [
        ("a payload of no kind", wang, "nonsense", "过期"),
        ("an empty payload", wang, "", "过期"),
        ("a payload of 10,000 characters", wang, "v:" + "1" * 10_000, "过期"),
        ("an option that does not exist", wang, f"v:{poll}:zzzzzzzz", "不是给您的"),
        ("a poll that does not exist", wang, "v:zzz:aaaaaaaa", "不在这次投票的名单上"),
        ("a button made for somebody else", sun, payloads["孙明"], "不是给您的"),
        ("a step of a dialogue long gone", wang, "f:1:send:", "过期"),
        ("a secretary's button", wang, f"vc:{poll:x}:1", "不能"),
    ]
    for what, chat, payload, answer in table:
        assert answer in chat.press(payload), what
    assert votes(house, poll) == {}
    house.later(hours=24)
    assert "没有计入" in wang.press(payloads["孙明"]), "a tap on a closed poll"
    assert votes(house, poll) == {}


def test_two_taps_in_one_second_are_two_taps_and_the_last_counts(house: House) -> None:
    poll = open_poll(house)
    wang = house.chat("王芳")
    payloads = _payloads(wang)
    wang.press(payloads["王芳"])
    wang.press(payloads["吴强"])
    assert votes(house, poll) == {house.ids["王芳"]: (3,)}


# -- what is handed over ---------------------------------------------------------------------------

NEW = {**rosters.LI, "员工号": "3001", "姓名": "新同志", "手机": rosters.mobile(3001), "党内职务": None}


def csv(*rows: Mapping[str, rosters.Cell], headings: Sequence[str] = rosters.HEADINGS) -> bytes:
    """A roster as a csv file."""
    return rosters.delimited(rosters.grid(*rows, headings=headings))


ROSTERS: list[tuple[str, bytes, str]] = [
    ("an empty file", b"", "空的"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(200), "图片"),
    ("an old Excel file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), "旧版 Excel"),
    ("bytes of no kind", bytes(range(256)) * 4, ""),
    ("a truncated workbook", rosters.xlsx(rosters.grid(NEW))[:400], ""),
    ("a heading without names", rosters.delimited([["员工号"], ["1"]]), "姓名"),
    (
        "an unknown column",
        csv({**NEW, "星座": "白羊"}, headings=(*rosters.HEADINGS, "星座")),
        "没有读取的列：星座",
    ),
    ("GB18030", rosters.delimited(rosters.grid(NEW), encoding="gb18030"), "新增 1 人"),
    ("a formula", rosters.xlsx(rosters.grid({**NEW, "姓名": "=A1"})), "是公式"),
    ("a duplicate number", csv(NEW, {**NEW, "姓名": "另一位"}), "重复"),
    ("a day that does not exist", csv({**NEW, "出生日期": "2010-02-30"}), "看不懂"),
    ("a branch nobody has", csv({**NEW, "所在支部": "第九支部"}), "没有“第九支部”这个组织"),
    ("a kind nobody has", csv({**NEW, "人员类别": "超级党员"}), "人员类别"),
    ("a negative base", csv({**NEW, "党费基数": "-1"}), "负数"),
]


@pytest.mark.parametrize(("what", "content", "answer"), ROSTERS, ids=[row[0] for row in ROSTERS])
def test_a_roster_that_is_wrong_is_told_what_and_where(house: House, what: str, content: bytes, answer: str) -> None:
    with house.app.database.read() as tx:
        before = people.count(tx)
    said = house.chat("赵书记").hand("名册", content)
    assert answer in said, what
    assert "出错了" not in said
    with house.app.database.read() as tx:
        assert people.count(tx) == before, "a preview stores nobody"


def test_a_roster_from_somebody_without_the_right_is_not_kept(house: House) -> None:
    assert "没有保存" in house.chat("王芳").hand("名册.csv", csv(NEW))


# -- what is posted: Telegram ----------------------------------------------------------------------


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[TelegramStage]:
    async with telegram_stage(tmp_path) as stage:
        yield stage


async def test_telegrams_door_answers_every_body(phone: TelegramStage) -> None:
    deep = b'{"update_id":1,"message":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    table: list[tuple[str, bytes, str, int]] = [
        ("a wrong secret", b"{}", "wrong", 403),
        ("no secret", b"{}", "", 403),
        ("truncated JSON", b'{"update_id": 5, "mess', "secret", 400),
        ("no JSON", b"hello", "secret", 400),
        ("JSON nested 100,000 deep", deep, "secret", 400),
        ("bytes that are no text", b"\xff\xfe\x00", "secret", 400),
        ("a body of 10 MB", b"[" + b" " * (10 << 20) + b"]", "secret", 413),
        ("JSON that is no update", b"[1, 2]", "secret", 200),
        ("an update without a number", b'{"message": {}}', "secret", 200),
        ("a kind nobody reads", b'{"update_id": 6, "poll": {"id": "1"}}', "secret", 200),
        ("a message that is none", b'{"update_id": 7, "message": 3}', "secret", 200),
        ("a kind of the future", b'{"update_id": 8, "telepathy": {"from": 1}}', "secret", 200),
    ]
    async with aiohttp.ClientSession() as session:
        for what, body, secret, status in table:
            headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
            async with session.post(
                f"{phone.url}/telegram/webhook", data=io.BytesIO(body), headers=headers
            ) as answer:
                assert answer.status == status, what
                assert await answer.read() == b"" or status != 200, what


# -- what is posted: the web chat ------------------------------------------------------------------


async def test_the_web_chats_door_answers_every_body(house: House) -> None:
    async with running(house) as site:
        wang = await signed_in(site, house, "王芳")
        good = {"Origin": site.url, "X-Tiexin-Token": wang.token, "Content-Type": "application/json"}
        table: list[tuple[str, bytes, dict[str, str], int]] = [
            ("no JSON", b"hello", good, 400),
            ("JSON of another shape", b"[]", good, 400),
            ("an id that is none", json.dumps({"id": "1", "text": "x"}).encode(), good, 400),
            ("neither words nor a press", json.dumps({"id": new_id()}).encode(), good, 400),
            ("a body of 10 MB", b'{"id":"' + b"x" * (10 << 20) + b'"}', good, 413),
            ("another site's form", b"{}", {**good, "Origin": "https://evil.example"}, 403),
            ("no token", b"{}", {k: v for k, v in good.items() if k != "X-Tiexin-Token"}, 403),
        ]
        for what, body, headers, status in table:
            async with wang.session.post(
                f"{site.url}/chat/messages", data=io.BytesIO(body), headers=headers
            ) as answer:
                assert answer.status == status, what
                assert (await answer.json())["error"], what

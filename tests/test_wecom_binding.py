"""Who is bound on WeCom, by what, and not before they have agreed?"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.event import Address
from handlers.binding import desk as binding
from handlers.binding.codes import spaced
from handlers.roster import desk as rosters
from storage import addresses, audit, people
from storage.audit import OPERATOR
from tests.rosters import grid, xlsx
from tests.wecom_house import WeComHouse, wecom_house


def code_for(house: WeComHouse, name: str) -> str:
    with house.app.database.write() as tx:
        return binding.issue(tx, house.clock.instant(), OPERATOR, people.get(tx, house.house.ids[name]))


async def test_the_first_word_is_answered_with_the_question_and_agreeing_binds(tmp_path: Path) -> None:
    async with wecom_house(tmp_path) as house:
        wang = await house.seat("王芳", userid="1001")
        await wang.says("党费")
        text = next(line.words for line in wang.lines if line.kind == "text" and line.from_app)
        assert text.startswith("王芳同志（1001）您好，企业微信告诉我这是您本人的账号。绑定之前，需要您单独同意：")
        assert "腾讯" in text
        assert wang.last.labels == ["同意并绑定", "不同意"]
        assert house.bound("王芳") == []
        await wang.taps("同意并绑定")
        assert house.bound("王芳") == ["1001"]
        assert "王芳同志，绑定好了" in wang.last.words
        with house.app.database.read() as tx:
            assert [consent[:2] for consent in addresses.consents(tx, house.house.ids["王芳"])] == [
                ("wecom", binding.CONSENT)
            ]
            assert [entry["subject"] for entry in audit.log(tx, action="address.bind")] == ["1001"]


async def test_who_does_not_agree_is_not_bound_and_is_asked_again_when_they_write(tmp_path: Path) -> None:
    async with wecom_house(tmp_path) as house:
        wang = await house.seat("王芳", userid="1001")
        await wang.says("你好")
        await wang.taps("不同意")
        assert house.bound("王芳") == []
        assert "再给我发一句话就行" in wang.last.words
        await wang.says("你好")
        await wang.taps("同意并绑定", on=wang.cards[-1])
        assert house.bound("王芳") == ["1001"]


async def test_capitals_in_the_roster_or_in_the_userid_make_no_difference(tmp_path: Path) -> None:
    async with wecom_house(tmp_path) as house:
        house.house.person("郑洁", "HC2077")
        zheng = await house.seat("郑洁", userid="hc2077")
        await zheng.says("你好")
        await zheng.taps("同意并绑定")
        assert house.bound("郑洁") == ["hc2077"]
        house.house.person("马力", "hc2078")
        ma = await house.seat("马力", userid="Hc2078")
        await ma.says("你好")
        await ma.taps("同意并绑定")
        assert house.bound("马力") == ["hc2078"]


async def test_a_userid_that_is_nobodys_number_needs_a_code(tmp_path: Path) -> None:
    async with wecom_house(tmp_path) as house:
        zhou = await house.seat("周", userid="zhou")
        await zhou.says("你好")
        assert "绑定码" in zhou.last.words
        await zhou.says(spaced(code_for(house, "吴强")))
        await zhou.taps("同意并绑定")
        assert house.bound("吴强") == ["zhou"]


async def test_two_numbers_alike_but_for_capitals_vouch_for_nobody(tmp_path: Path) -> None:
    async with wecom_house(tmp_path) as house:
        house.house.person("郑洁", "AB1")
        house.house.person("郑杰", "ab1")
        zheng = await house.seat("郑洁", userid="ab1")
        await zheng.says("你好")
        assert "请发送支部书记给您的绑定码" in zheng.last.words


async def test_who_has_left_the_organisation_is_not_vouched_for(tmp_path: Path) -> None:
    async with wecom_house(tmp_path) as house:
        with house.app.database.write() as tx:
            people.change(tx, house.house.ids["王芳"], left_on=house.clock.instant().date())
        wang = await house.seat("王芳", userid="1001")
        await wang.says("你好")
        assert "请发送支部书记给您的绑定码" in wang.last.words


async def test_a_setting_demands_a_code(tmp_path: Path) -> None:
    async with wecom_house(tmp_path, bind="code") as house:
        wang = await house.seat("王芳", userid="1001")
        await wang.says("你好")
        assert "请发送支部书记给您的绑定码" in wang.last.words
        await wang.says(spaced(code_for(house, "王芳")))
        await wang.taps("同意并绑定")
        assert house.bound("王芳") == ["1001"]


async def test_a_forged_yes_binds_nobody_where_a_code_is_demanded(tmp_path: Path) -> None:
    async with wecom_house(tmp_path, bind="code") as house:
        wang = await house.seat("王芳", userid="1001")
        other = await house.seat("孙明")
        await other.says("语言")
        await wang.person.forges(other.cards[-1], "bc:1")
        await house.settle()
        assert house.bound("王芳") == []


async def test_who_let_go_is_asked_again(tmp_path: Path) -> None:
    async with wecom_house(tmp_path) as house:
        wang = await house.seat("王芳", userid="1001")
        await wang.says("你好")
        await wang.taps("同意并绑定")
        await wang.says("解绑")
        label = next(label for card in reversed(wang.cards) for label in card.labels if "解除第1个" in label)
        await (wang.taps(label) if wang.last.look.buttons else wang.selects(label))
        await wang.taps("确定解除")
        assert house.bound("王芳") == []
        await wang.says("你好")
        await wang.taps("同意并绑定", on=wang.cards[-1])
        assert house.bound("王芳") == ["1001"]


@pytest.mark.parametrize(
    ("bind", "number", "works"), [("userid", "1001", True), ("userid", "1003", False), ("code", "1001", False)]
)
async def test_who_is_named_by_the_next_roster_is_tried_once_more(
    tmp_path: Path, bind: str, number: str, works: bool
) -> None:
    """王芳 was back from a subsidiary's company, and was never told anything again."""
    async with wecom_house(tmp_path, bind=bind) as house:
        house.bind("王芳", "1001")
        with house.app.database.write() as tx:
            addresses.set_dead(tx, Address("wecom", "1001"), dead=True)
        with house.app.database.write() as tx:
            name = "王芳" if number == "1001" else "孙明"
            kind = "正式党员" if number == "1001" else "预备党员"
            row = {"员工号": number, "姓名": name, "所在支部": "第一支部", "人员类别": kind}
            roster = rosters.read(tx, house.house.now, xlsx(grid(row)), "名册.xlsx")
            assert rosters.apply(tx, house.house.now, OPERATOR, roster.rows, accept_changes=False).unchanged == 1
        with house.app.database.read() as tx:
            (bound,) = addresses.of_person(tx, house.house.ids["王芳"])
        assert bound.dead is not works

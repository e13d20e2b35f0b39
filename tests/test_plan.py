"""Who can be told now, on which channel; who cannot, and why: does one see it before sending?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import text

from bot.app import house as make_house
from bot.config import load
from bot.core.event import Address
from storage import addresses, preferences, reach, windows
from storage.house import Tx
from storage.reach import Plan
from storage.windows import Allowance
from tests.people import House
from tests.posts import reach as newcomers

SHUT = "has not written lately, and there is no template"


def plan(house: House, *names: str, channels: str = "all") -> Plan:
    with house.app.database.read() as tx:
        return reach.plan(tx, house.now, [house.ids[name] for name in names], channels)


def unreachable(house: House, found: Plan) -> dict[str, str]:
    return {name: found.unreachable[one] for name, one in house.ids.items() if one in found.unreachable}


def settle(house: House) -> None:
    """王芳 has three chats, 孙明 a Telegram that is dead and a WeChat, 陈晓 a dead one alone, 吴强 none."""
    for channel in ("wechat", "telegram", "web"):
        house.chat("王芳", channel)
    for channel in ("telegram", "wechat"):
        house.chat("孙明", channel)
    house.chat("陈晓")
    with house.app.database.write() as tx:
        addresses.set_dead(tx, Address("telegram", "telegram-孙明"), dead=True)
        addresses.set_dead(tx, Address("telegram", "telegram-陈晓"), dead=True)


def closing(house: House, *keys: str) -> None:
    """WeChat lets nothing through to these."""

    def closed(_tx: Tx, _now: datetime, theirs: Sequence[Address]) -> Mapping[Address, str]:
        return {address: SHUT for address in theirs if address.key in keys}

    house.app.database.house = replace(house.app.house, closed={"wechat": closed})


def test_under_all_each_channel_counts_its_people(house_on: House) -> None:
    settle(house_on)
    found = plan(house_on, "王芳", "孙明", "陈晓", "吴强")
    assert found.channels == {"wechat": 2, "telegram": 1, "web": 1}
    assert (found.total, found.reached) == (4, 2)
    assert unreachable(house_on, found) == {"陈晓": "dead address", "吴强": "no address"}
    assert found.passed == {("telegram", "dead address"): 1}


def test_by_preference_everybody_counts_once_where_they_would_be_told(house_on: House) -> None:
    settle(house_on)
    assert plan(house_on, "王芳", "孙明", channels="preferred").channels == {"wechat": 2}
    with house_on.app.database.write() as tx:
        preferences.put(tx, house_on.now, house_on.ids["王芳"], ["web"])
    assert plan(house_on, "王芳", "孙明", channels="preferred").channels == {"wechat": 1, "web": 1}


def test_a_window_that_is_shut_is_seen_before_sending(house: House) -> None:
    settle(house)
    closing(house, "wechat-王芳", "wechat-孙明")
    found = plan(house, "王芳", "孙明", channels="preferred")
    assert found.channels == {"telegram": 1}
    assert unreachable(house, found) == {"孙明": SHUT}, "that says more than a dead address"
    assert found.passed == {("wechat", SHUT): 1}


def test_a_channel_named_that_somebody_lacks_is_the_reason(house: House) -> None:
    settle(house)
    found = plan(house, "王芳", "陈晓", "吴强", channels="wechat")
    assert found.channels == {"wechat": 1}
    assert unreachable(house, found) == {"陈晓": "no such channel", "吴强": "no address"}


def test_a_channel_that_is_off_reaches_nobody(house: House) -> None:
    settle(house)
    house.app.database.house = replace(house.app.house, channels=("web",))
    found = plan(house, "王芳", "孙明", "陈晓")
    assert found.channels == {"web": 1}
    assert unreachable(house, found) == {"孙明": "channel off", "陈晓": "channel off"}


def test_many_are_planned_batch_by_batch(house: House) -> None:
    ids = newcomers(house, 1200)
    with house.app.database.read() as tx:
        found = reach.plan(tx, house.now, ids, "preferred")
    assert (found.reached, found.channels, found.reasons) == (1200, {"telegram": 1200}, [])


def test_what_wechat_still_lets_through_is_asked_of_its_ledger(house: House) -> None:
    settle(house)
    environ = {
        "TIEXIN_WECHAT__APP_ID": "wx1",
        "TIEXIN_WECHAT__APP_SECRET": "s",
        "TIEXIN_WECHAT__TOKEN": "t",
        "TIEXIN_SECURITY__KEY_FILE": str(house.app.config.security.key_file),
    }
    configured = make_house(load(None, environ))
    assert configured.channels == ("web", "wechat")
    house.app.database.house = replace(house.app.house, closed=configured.closed)
    assert unreachable(house, plan(house, "孙明")) == {"孙明": SHUT}
    with house.app.database.write() as tx:
        windows.said(tx, Address("wechat", "wechat-孙明"), house.now, Allowance())
    assert plan(house, "孙明").channels == {"wechat": 1}
    house.later(hours=48)
    assert unreachable(house, plan(house, "孙明")) == {"孙明": SHUT}


def with_templates(house: House, left: int) -> None:
    """WeChat has so many templates left today, for everybody together."""

    def closed(_tx: Tx, _now: datetime, theirs: Sequence[Address]) -> Mapping[Address, str]:
        return dict.fromkeys(theirs[left:], "today's templates are used up")

    house.app.database.house = replace(house.app.house, closed={"wechat": closed})


def test_what_is_left_of_a_day_is_counted_once_for_all_of_many(house: House) -> None:
    """Each batch of five hundred was promised the whole of it."""
    ids = newcomers(house, 1200)
    with house.app.database.write() as tx:
        tx.run(text("UPDATE binding SET channel = 'wechat'"))
    with_templates(house, 600)
    with house.app.database.read() as tx:
        found = reach.plan(tx, house.now, ids)
    assert (found.channels, found.reasons) == ({"wechat": 600}, [("today's templates are used up", 600)])


def test_who_is_told_elsewhere_takes_nothing_of_what_is_left(house: House) -> None:
    settle(house)
    with_templates(house, 1)
    with house.app.database.write() as tx:
        preferences.put(tx, house.now, house.ids["王芳"], ["web"])
    assert plan(house, "王芳", "孙明", channels="preferred").channels == {"web": 1, "wechat": 1}
    assert unreachable(house, plan(house, "王芳", "孙明")) == {"孙明": "today's templates are used up"}


# -- as secretaries see it ---------------------------------------------------------------------------------------


def test_the_review_of_a_notice_says_who_cannot_be_told_and_lists_them(house: House) -> None:
    settle(house)
    li = house.chat("李书记", "web")
    for answer in ("发通知", "支部大会", "周五下午三点开会。", "完", "第一支部", "要确认", "各人首选渠道", "现在"):
        li.say(answer)
    assert "这条通知将发给 4 人。\n渠道：微信 2 人，网页聊天 1 人\n其中 1 人暂时收不到：聊天已失效 1 人" in li.text
    assert li.tap("看看是哪1人收不到") == "聊天已失效：\n第一支部（1人）：陈晓"
    li.tap("继续填「发通知」")
    assert "正在发给 4 人" in li.tap("提交")


def test_the_review_of_a_poll_does_so_too(house: House) -> None:
    settle(house)
    secretary = house.chat("赵书记", "web")
    everybody = "所有人（含申请人、积极分子、群众）"
    for answer in ("发起投票", "春游去哪里", "爬山\n划船", "单选", "海川公司党委", everybody, "11月30日 18:00"):
        secretary.say(answer)
    assert "将请 7 人投票" in secretary.text
    assert "其中 4 人暂时收不到：还没有绑定聊天 3 人，聊天已失效 1 人" in secretary.text
    assert "第二支部（2人）：吴强、钱书记" in secretary.tap("看看是哪4人收不到")


def test_a_button_that_asks_beyond_ones_reach_is_stale(house: House) -> None:
    li = house.chat("李书记", "web")
    assert "过期" in li.press(f"nu:o{house.orgs['第二支部'].id}:all")
    assert "过期" in li.press("nu:members:pigeon")
    assert "过期" in li.press("vu:zz:all")
    assert "陈晓" not in house.chat("王芳", "web").press("nu:members:all")

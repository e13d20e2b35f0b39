"""What does a branch's secretary see of what the committee asks everybody? Their own part, and nothing else of it."""

from __future__ import annotations

import pytest

from bot.core.reply import Refused
from handlers.notices import desk as notices
from handlers.voting import desk as voting
from storage import campaigns, people
from storage.audit import OPERATOR
from tests.notices import about, by_state, deliver, names, person, send
from tests.people import House
from tests.polls import open_poll


def nudged(house: House, poll: int) -> list[set[str]]:
    """Whom each reminder of a poll went to."""
    with house.app.database.read() as tx:
        return [names(house, one) for one in campaigns.about(tx, "poll", poll) if one.values.get("nudge")]


# -- polls ------------------------------------------------------------------------------------------------------


def test_a_branch_secretary_sees_who_of_the_branch_has_not_voted_and_reminds_only_those(house_on: House) -> None:
    house = house_on
    poll = open_poll(house)
    wang, li = house.chat("王芳"), house.chat("李书记")
    wang.say("投票")
    wang.tap("孙明")
    assert "投票「推荐优秀党员」您负责的范围内已投 1/4" in li.say("工作台")
    assert "截止投票" not in li.labels, "closing is for whoever runs it"
    li.tap("推荐优秀党员")
    assert "您负责的范围内已投 1/4 人" in li.text
    assert "第一支部（3人）：李书记、孙明、陈晓" in li.text
    assert "第二支部" not in li.text
    assert li.labels == ["提醒未投的3人"]
    li.tap("提醒未投的3人")
    assert nudged(house, poll) == [{"李书记", "孙明", "陈晓"}]


def test_the_same_in_english(house: House) -> None:
    open_poll(house)
    send(house)
    li = house.chat("李书记")
    li.say("/lang")
    li.tap("English")
    said = li.say("/desk")
    assert "Vote “推荐优秀党员” in your area: 0 of 4" in said
    assert "Notice “支部大会” in your area: 0 of 4 have confirmed" in said


def test_a_poll_of_the_committee_is_neither_closed_nor_counted_by_a_branch_secretary(house: House) -> None:
    poll = open_poll(house, hours=1)
    li = house.chat("李书记")
    li.say("工作台")
    li.tap("推荐优秀党员")
    assert "您的职务不能在「海川公司党委」" in li.press(f"vc:{poll}:1")
    house.later(hours=2)
    house.tick()
    li.tap("推荐优秀党员")
    assert "您负责的范围内已投 0/4 人" in li.text
    assert li.labels == []


def test_a_poll_nobody_of_the_branch_is_asked_in_is_none_of_its_secretarys_business(house: House) -> None:
    poll = open_poll(house, electorate="org:第二支部")
    li = house.chat("李书记")
    assert "推荐优秀党员" not in li.say("工作台")
    assert "您的职务不能在「海川公司党委」" in li.press(f"vw:{poll}")
    assert "您的职务不能在「海川公司党委」" in li.press(f"vn:{poll}")


def test_two_taps_on_remind_are_one_reminder_of_a_poll(house: House) -> None:
    poll = open_poll(house)
    li, qian, zhao = house.chat("李书记"), house.chat("钱书记"), house.chat("赵书记")
    assert "正在提醒" in li.press(f"vn:{poll}")
    assert "刚刚已经提醒过了" in li.press(f"vn:{poll}")
    assert "正在提醒" in qian.press(f"vn:{poll}"), "another branch is another matter"
    assert "刚刚已经提醒过了" in zhao.press(f"vn:{poll}")
    assert nudged(house, poll) == [{"王芳", "李书记", "孙明", "陈晓"}, {"吴强", "钱书记"}]
    house.later(minutes=2)
    assert "正在提醒还没投的 7 人" in zhao.press(f"vn:{poll}")


def test_who_has_left_is_neither_waited_for_nor_reminded(house: House) -> None:
    poll = open_poll(house)
    with house.app.database.write() as tx:
        people.change(tx, house.ids["孙明"], left_on=house.now.date())
        found = voting.turnout(tx, house.now, OPERATOR, poll)
        assert "孙明" not in {name for _, missing in found.missing for name in missing}
        assert voting.nudge(tx, house.now, OPERATOR, poll) == 6


# -- notices ----------------------------------------------------------------------------------------------------


def test_a_branch_secretary_sees_who_of_the_branch_has_not_confirmed_and_reminds_only_those(house_on: House) -> None:
    house = house_on
    notice = send(house)
    wang, wu, li = house.chat("王芳"), house.chat("吴强"), house.chat("李书记")
    for one in (wang, wu):
        one.press(f"na:{notice}")
    assert "通知「支部大会」您负责的范围内已确认 1/4" in li.say("工作台")
    li.tap("支部大会")
    assert "您负责的范围内 4 人" in li.text
    assert "已确认 1/4 人（25%）" in li.text
    assert "第一支部（3人）：李书记、孙明、陈晓" in li.text
    assert "第二支部" not in li.text
    assert li.labels == ["提醒未确认的3人"], "taking back and correcting is for whoever sees to it"
    li.tap("提醒")
    assert names(house, about(house, notice)[-1]) == {"李书记", "孙明", "陈晓"}
    assert "您的职务不能在「海川公司党委」发通知" in li.press(f"nb:{notice}:1")


def test_a_branchs_reminder_leaves_the_others_their_next_channel(house: House) -> None:
    for name in ("孙明", "吴强"):
        house.chat(name)
        house.chat(name, "web")
    notice = send(house, channels="preferred")
    deliver(house)
    house.chat("李书记").press(f"nn:{notice}")
    assert "standby" not in by_state(house, notice, "孙明").values()
    assert "standby" in by_state(house, notice, "吴强").values()


def test_two_branches_may_remind_within_the_same_minute(house: House) -> None:
    notice = send(house)
    li, qian = house.chat("李书记"), house.chat("钱书记")
    assert "正在提醒还没确认的 4 人" in li.press(f"nn:{notice}")
    assert "刚刚已经提醒过了" in li.press(f"nn:{notice}")
    assert "正在提醒还没确认的 2 人" in qian.press(f"nn:{notice}")


def test_what_is_not_sent_yet_is_for_those_alone_who_see_to_it(house: House) -> None:
    later = send(house, at=house.now.replace(hour=9))
    li = house.chat("李书记")
    assert "支部大会" not in li.say("工作台")
    assert "您的职务不能在「海川公司党委」发通知" in li.press(f"nw:{later}")


def test_what_a_secretary_is_told_of_the_silent_leads_on(house: House) -> None:
    """The button under 未确认的通知 led to a refusal where the committee had sent the notice."""
    notice = send(house)
    with house.app.database.read() as tx:
        standing = notices.standing(tx, house.now, person(house, "李书记"), notice)
        assert (standing.whole, standing.total, standing.silent) == (False, 4, 4)
        with pytest.raises(Refused):
            notices.standing(tx, house.now, person(house, "王芳"), notice)

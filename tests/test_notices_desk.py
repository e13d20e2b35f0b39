"""Does who sends a notice see who has not confirmed, remind only those, and stop what has not gone out?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.core.reply import Refused
from handlers.notices import desk
from storage import addresses, audit, campaigns
from storage.audit import OPERATOR
from tests.notices import about, by_state, deliver, names, person, refused, send, standing
from tests.people import House

# -- who has not --------------------------------------------------------------------------------------------


def test_who_has_not_confirmed_is_named_by_branch(house_on: House) -> None:
    for name in ("王芳", "李书记", "吴强"):
        house_on.chat(name)
    notice = send(house_on, scope="kind:正式党员")
    deliver(house_on)
    house_on.chat("王芳").press(f"na:{notice}")
    now = standing(house_on, notice)
    assert (now.state, now.confirmed, now.total) == ("sent", 1, 5)
    assert now.missing == [("海川公司党委", ["赵书记"]), ("第一支部", ["李书记"]), ("第二支部", ["吴强", "钱书记"])]
    assert now.unreachable == [("海川公司党委", ["赵书记"]), ("第二支部", ["钱书记"])]
    assert {step: count for step, count in now.steps.items() if count} == {"reached": 3, "unreachable": 2}
    assert now.copies == {"telegram": {"accepted": 2, "acknowledged": 1}, "none": {"skipped": 2}}


def test_only_those_who_have_not_confirmed_are_reminded(house_on: House) -> None:
    wang, sun = house_on.chat("王芳"), house_on.chat("孙明")
    notice = send(house_on, scope="org:DW01")
    wang.press(f"na:{notice}")
    with house_on.app.database.write() as tx:
        assert desk.nudge(tx, house_on.now, person(house_on, "李书记"), notice) == 3
    nudge = about(house_on, notice)[-1]
    assert names(house_on, nudge) == {"李书记", "孙明", "陈晓"}
    assert sun.see(house_on.compose(nudge, "孙明")).startswith("这条通知还在等您确认：\n\n【通知】支部大会")
    sun.tap("收到")
    assert house_on.compose(nudge, "孙明") is None, "its reason is gone"


def test_a_reminder_that_had_arrived_shows_the_word_as_well(house: House) -> None:
    phone = house.chat("王芳")
    notice = send(house, scope="member:1001")
    deliver(house)
    with house.app.database.write() as tx:
        desk.nudge(tx, house.now, OPERATOR, notice)
    deliver(house)
    phone.press(f"na:{notice}")
    assert "✓ 已确认" in phone.see(house.compose(about(house, notice)[-1], "王芳"))


def test_two_taps_on_remind_are_one_reminder(house: House) -> None:
    notice = send(house, scope="org:DW01", actor=person(house, "李书记"))
    li = house.chat("李书记")
    li.press(f"nw:{notice}")
    li.tap("提醒未确认的4人")
    assert li.press(f"nn:{notice}") == "刚刚已经提醒过了，请等一会儿再看。"
    house.later(minutes=1)
    assert "正在提醒" in li.press(f"nn:{notice}")
    assert len(about(house, notice)) == 3


def test_nobody_is_reminded_when_everybody_has_confirmed(house: House) -> None:
    notice = send(house, scope="member:1001,member:1003")
    for name in ("王芳", "孙明"):
        house.chat(name).press(f"na:{notice}")
    with house.app.database.write() as tx, pytest.raises(Refused) as no:
        desk.nudge(tx, house.now, OPERATOR, notice)
    assert no.value.words.template == "notices.everybody_confirmed"
    assert len(about(house, notice)) == 1


def test_nobody_is_reminded_of_what_asks_for_nothing(house: House) -> None:
    notice = send(house, ask_ack=False)
    with house.app.database.write() as tx, pytest.raises(Refused) as no:
        desk.nudge(tx, house.now, OPERATOR, notice)
    assert no.value.words.template == "notices.no_word_asked"


# -- stopping, trying again ---------------------------------------------------------------------------------


def test_a_scheduled_notice_leaves_at_its_time_and_no_earlier(house: House) -> None:
    house.chat("王芳")
    notice = send(house, scope="member:1001", at=house.now + timedelta(hours=3))
    assert (deliver(house), standing(house, notice).state) == (0, "scheduled")
    house.later(hours=3)
    assert (deliver(house), standing(house, notice).state) == (1, "sent")


def test_what_is_stopped_before_its_time_reaches_nobody(house_on: House) -> None:
    house_on.chat("王芳")
    notice = send(house_on, at=house_on.now + timedelta(hours=3))
    with house_on.app.database.write() as tx:
        assert desk.cancel(tx, house_on.now, OPERATOR, notice) == (7, 0)
    house_on.later(hours=3)
    assert deliver(house_on) == 0
    assert house_on.compose(about(house_on, notice)[0], "王芳") is None
    assert "还没有给您的通知" in house_on.chat("王芳").say("通知")
    assert standing(house_on, notice).state == "cancelled"


def test_stopping_halfway_says_how_many_have_it_already(house: House) -> None:
    for name in ("王芳", "李书记", "孙明", "陈晓"):
        house.chat(name)
    notice = send(house, scope="org:DW01")
    assert deliver(house, most=1) == 1
    li = house.chat("李书记")
    li.press(f"nw:{notice}")
    assert "还有 3 人没收到" in li.tap("撤回未发出的")
    assert li.tap("确定撤回") == "已撤回：3 人不会再收到，1 人之前已经收到。"
    assert deliver(house) == 0
    assert standing(house, notice).steps["stopped"] == 3
    assert "没有可以撤回的" in li.press(f"nx:{notice}:1")
    assert "已经撤回" in li.press(f"nn:{notice}")


def test_what_has_gone_out_cannot_be_stopped(house: House) -> None:
    house.chat("王芳")
    notice = send(house, scope="member:1001")
    deliver(house)
    with house.app.database.write() as tx, pytest.raises(Refused) as no:
        desk.cancel(tx, house.now, OPERATOR, notice)
    assert no.value.words.template == "notices.nothing_to_cancel"
    assert standing(house, notice).state == "sent"


def test_what_failed_or_is_in_doubt_is_sent_again_when_somebody_says_so(house_on: House) -> None:
    for name in ("王芳", "孙明"):
        house_on.chat(name)
    notice = send(house_on, scope="member:1001,member:1003")
    deliver(house_on, "failed", most=1)
    deliver(house_on, "unknown")
    assert {step: n for step, n in standing(house_on, notice).steps.items() if n} == {"unknown": 1, "failed": 1}
    with house_on.app.database.write() as tx:
        assert desk.retry(tx, house_on.now, OPERATOR, notice) == 2
    assert deliver(house_on) == 2
    assert standing(house_on, notice).steps["reached"] == 2
    with house_on.app.database.write() as tx, pytest.raises(Refused) as no:
        desk.retry(tx, house_on.now, OPERATOR, notice)
    assert no.value.words.template == "notices.nothing_to_retry"


def test_a_second_try_goes_neither_to_who_has_confirmed_nor_to_a_lost_phone(house_on: House) -> None:
    wang, sun = house_on.chat("王芳"), house_on.chat("孙明")
    notice = send(house_on, scope="member:1001,member:1003")
    deliver(house_on, "failed")
    wang.press(f"na:{notice}")
    with house_on.app.database.write() as tx:
        bound = addresses.find(tx, sun.address)
        assert bound is not None
        addresses.unbind(tx, bound, house_on.now)
        with pytest.raises(Refused) as no:
            desk.retry(tx, house_on.now, OPERATOR, notice)
    assert no.value.words.template == "notices.nothing_to_retry"
    assert deliver(house_on) == 0


def test_what_a_restore_has_held_waits_until_it_is_released(house: House) -> None:
    house.chat("王芳")
    notice = send(house, scope="member:1001", at=house.now + timedelta(hours=1))
    with house.app.database.write() as tx:
        campaigns.after_restore(tx, house.now + timedelta(hours=2))
    house.later(hours=3)
    assert (deliver(house), standing(house, notice).state) == (0, "held")
    said = house.chat("赵书记").press(f"nw:{notice}")
    assert "暂停 1 人" in said
    assert "正在发" not in said
    with house.app.database.write() as tx:
        assert desk.release(tx, house.now, OPERATOR, notice) == 1
    assert (deliver(house), standing(house, notice).state) == (1, "sent")
    with house.app.database.write() as tx, pytest.raises(Refused) as no:
        desk.release(tx, house.now, OPERATOR, notice)
    assert no.value.words.template == "notices.nothing_held"


# -- a no, with its reason ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "template"),
    [
        ({"title": " "}, "notices.bad_title"),
        ({"title": "长" * 101}, "notices.bad_title"),
        ({"body": "\n"}, "notices.bad_body"),
        ({"body": "长" * 5000}, "notices.bad_body"),
        ({"scope": "kind:发展对象"}, "notices.nobody"),
        ({"scope": "org:没有"}, "scope.no_such_org"),
        ({"scope": "王芳"}, "scope.unreadable"),
        ({"channels": "telegram,pigeon"}, "notices.no_such_channel"),
        ({"channels": "all,web"}, "notices.all_or_some"),
    ],
)  # fmt: skip
def test_a_notice_that_cannot_be_sent_is_refused_with_its_reason(
    house: House, change: dict[str, Any], template: str
) -> None:
    assert refused(house, **change).words.template == template


def test_a_time_that_is_past_is_refused_and_now_is_not(house: House) -> None:
    assert refused(house, at=house.now - timedelta(seconds=1)).words.template == "notices.past"
    assert send(house, at=house.now)


def test_an_unknown_channel_is_named(house: House) -> None:
    assert refused(house, channels="pigeon").words.values["channel"] == "pigeon"


def test_a_notice_for_one_channel_goes_nowhere_else(house: House) -> None:
    house.chat("王芳"), house.chat("王芳", "web"), house.chat("孙明", "web")
    notice = send(house, scope="member:1001,member:1003", channels="telegram")
    assert deliver(house) == 1
    assert standing(house, notice).unreachable == [("第一支部", ["孙明"])]
    with house.app.database.write() as tx:
        desk.nudge(tx, house.now, OPERATOR, notice)
    assert deliver(house) == 1, "a nudge keeps to it"


def test_preferred_means_one_channel_of_each_person_at_a_time(house: House) -> None:
    house.chat("王芳"), house.chat("王芳", "web"), house.chat("孙明", "web")
    notice = send(house, scope="member:1001,member:1003", channels="preferred")
    assert deliver(house) == 2
    assert by_state(house, notice, "王芳") == {"telegram": "accepted", "web": "standby"}
    assert by_state(house, notice, "孙明") == {"web": "accepted"}
    assert standing(house, notice).state == "sent"


def test_a_branch_secretary_reaches_no_further_than_the_branch(house: House) -> None:
    li = person(house, "李书记")
    for scope, part in (("org:第二支部", "org:第二支部"), ("all,member:2001", "member:2001")):
        no = refused(house, actor=li, scope=scope)
        assert (no.words.template, no.words.values["part"]) == ("scope.beyond", part)
    notice = send(house, actor=li)
    assert names(house, about(house, notice)[0]) == {"王芳", "李书记", "孙明", "陈晓"}


def test_somebody_without_the_office_sends_nothing_and_sees_nothing(house: House) -> None:
    assert refused(house, actor=person(house, "王芳")).words.template == "rights.not_here"
    notice = send(house, scope="org:第二支部")
    wang, li = house.chat("王芳"), house.chat("李书记")
    assert "是给支部书记等工作人员用的" in wang.say("发通知")
    for button in (f"nw:{notice}", f"nn:{notice}", f"nx:{notice}:1"):
        assert "您的职务不能在「第二支部」发通知" in wang.press(button)
        assert "您的职务不能在「第二支部」发通知" in li.press(button)
    assert len(about(house, notice)) == 1


def test_a_notice_for_one_branch_is_seen_to_by_its_secretary_whoever_sent_it(house: House) -> None:
    send(house, scope="org:第一支部", actor=person(house, "赵书记"))
    assert "通知「支部大会」已确认 0/4" in house.chat("李书记").say("工作台")
    assert "通知「支部大会」" not in house.chat("钱书记").say("工作台")


def test_the_desk_speaks_of_a_notice_until_everybody_has_confirmed_or_a_month_has_passed(house: House) -> None:
    send(house, scope="member:1001", title="甲")
    send(house, scope="member:1001,member:1003", title="乙")
    send(house, ask_ack=False, title="丙")
    zhao = house.chat("赵书记")
    house.chat("王芳").press("na:1")
    assert [title for title in "甲乙丙" if f"「{title}」" in zhao.say("工作台")] == ["乙"]
    house.later(days=30)
    assert "「乙」" not in zhao.say("工作台")


def test_long_lists_of_names_are_cut(house: House) -> None:
    for number in range(70):
        house.person(f"同志{number}", f"30{number:02}")
    notice, everybody = send(house, scope="org:DW01"), send(house)
    said = house.chat("李书记").press(f"nw:{notice}")
    assert "第一支部（74人）" in said
    assert said.count("同志") == 56, "one branch alone: more than any has"
    assert said.endswith("等")
    assert house.chat("赵书记").press(f"nw:{everybody}").count("同志") == 26


def test_a_time_that_passes_while_the_form_lies_open_is_asked_for_again(house: House) -> None:
    li = house.chat("李书记")
    for answer in ("发通知", "支部大会", "周五下午三点开会。", "完"):
        li.say(answer)
    for answer in ("第一支部", "要确认", "各人首选渠道", "定时", "今天 10:30"):
        li.say(answer)
    assert "将发给 4 人，2026年11月24日（周二）10:30（北京时间）发出" in li.text
    house.later(hours=1)
    assert "已经过去了" in li.tap("提交")
    li.tap("改：时间")
    li.say("今天 12:00")
    assert "已排好" in li.tap("提交")


def test_a_text_that_is_too_long_is_refused_while_it_is_being_written(house: House) -> None:
    li = house.chat("李书记")
    li.say("发通知")
    li.say("支部大会")
    assert "现在5000字，最多4000字" in li.say("长" * 5000)
    li.say("短")
    assert li.say("完").startswith("（3/6）")


def test_whatever_is_decided_is_written_down_without_the_text(house: House) -> None:
    li = person(house, "李书记")
    notice = send(house, actor=li, scope="org:DW01", at=house.now)
    with house.app.database.write() as tx:
        desk.nudge(tx, house.now, li, notice)
        desk.cancel(tx, house.now, li, notice)
        written = audit.log(tx)
    assert [entry["action"] for entry in written] == ["notice.cancel", "notice.nudge", "notice.send"]
    assert {entry["name"] for entry in written} == {"李书记"}
    assert "下午三点" not in str(written)

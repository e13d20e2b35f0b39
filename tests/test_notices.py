"""Is everybody told once, and is one word of confirmation enough, wherever it is said?"""

from __future__ import annotations

from datetime import timedelta

from storage import campaigns, deliveries
from tests.notices import CHANNELS, about, by_state, deliver, person, send, standing
from tests.people import House

# -- being told -------------------------------------------------------------------------------------------


def test_a_notice_says_who_sent_it_and_asks_to_be_confirmed(house: House) -> None:
    notice = send(house, actor=person(house, "李书记"))
    wang = house.chat("王芳")
    text = wang.see(house.compose(about(house, notice)[0], "王芳"))
    assert text.startswith(
        "【通知】支部大会\n\n周五下午三点开会。\n\n第一支部 李书记\n2026年11月24日（周二）10:00（北京时间）"
    )
    assert wang.labels == ["收到"]


def test_the_operator_signs_with_the_organisation_alone(house: House) -> None:
    notice = send(house)
    message = house.compose(about(house, notice)[0], "王芳")
    assert message is not None
    assert "\n海川公司党委\n" in message.text
    assert "operator" not in message.text


def test_a_notice_that_asks_for_nothing_has_no_button(house: House) -> None:
    notice = send(house, ask_ack=False)
    wang = house.chat("王芳")
    wang.see(house.compose(about(house, notice)[0], "王芳"))
    assert wang.labels == []
    assert "不用确认" in wang.press(f"na:{notice}")


def test_somebody_who_reads_english_is_told_in_english(house: House) -> None:
    notice = send(house, actor=person(house, "李书记"))
    wang = house.chat("王芳")
    wang.say("语言")
    wang.tap("English")
    assert wang.see(house.compose(about(house, notice)[0], "王芳")).startswith("[Notice] 支部大会")
    assert "✓ Confirmed" in wang.tap("Got it")


# -- confirming -------------------------------------------------------------------------------------------


def test_one_tap_confirms_and_is_shown_at_once(house_on: House) -> None:
    notice = send(house_on)
    wang = house_on.chat("王芳")
    wang.see(house_on.compose(about(house_on, notice)[0], "王芳"))
    assert "✓ 已确认 2026年11月24日（周二）10:00（北京时间）" in wang.tap("收到")
    assert (wang.labels, wang.heard[-1].replaces, wang.heard[-1].toast) == ([], True, "已确认：支部大会")
    assert standing(house_on, notice).confirmed == 1


def test_a_second_tap_changes_nothing(house: House) -> None:
    notice = send(house)
    wang = house.chat("王芳")
    first = wang.press(f"na:{notice}")
    house.later(hours=1)
    assert wang.press(f"na:{notice}") == first
    assert standing(house, notice).confirmed == 1


def test_one_word_counts_for_every_copy(house_on: House) -> None:
    phone, browser = house_on.chat("王芳"), house_on.chat("王芳", "web")
    notice = send(house_on, scope="member:1001")
    assert deliver(house_on) == 2
    phone.press(f"na:{notice}")
    assert by_state(house_on, notice, "王芳") == {"telegram": "acknowledged", "web": "acknowledged"}
    with house_on.app.database.write() as tx:
        stale = {
            channel: deliveries.claim(tx, house_on.now, "me", channel, 9, timedelta(minutes=1))
            for channel in CHANNELS
        }
    assert stale["telegram"] == [], "the answer to the tap has taken this copy's place"
    assert [one.revise for one in stale["web"]] == [True]
    assert "✓ 已确认" in browser.see(house_on.compose(about(house_on, notice)[0], "王芳"))
    assert browser.labels == []


def test_a_copy_that_still_waits_is_not_sent_after_the_word(house: House) -> None:
    house.chat("王芳", "web")
    phone = house.chat("王芳")
    notice = send(house, scope="member:1001")
    with house.app.database.write() as tx:
        campaigns.expand(tx, house.now)
    phone.press(f"na:{notice}")
    assert deliver(house) == 0
    assert set(by_state(house, notice, "王芳").values()) == {"skipped"}


def test_only_who_was_told_can_confirm(house: House) -> None:
    notice = send(house, scope="org:DW01")
    wu, zhou = house.chat("吴强"), house.chat("周")
    assert "不是发给您的" in wu.press(f"na:{notice}")
    assert "不是发给您的" in wu.press(f"nr:{notice}")
    assert "不是发给您的" in wu.press("na:zz")
    assert "绑定码" in zhou.press(f"na:{notice}")
    assert standing(house, notice).confirmed == 0


def test_a_notice_cannot_be_read_before_its_time(house: House) -> None:
    notice = send(house, at=house.now + timedelta(hours=1))
    wang = house.chat("王芳")
    assert "不是发给您的" in wang.press(f"nr:{notice}")
    assert wang.say("通知") == "还没有给您的通知。有新的通知，我会马上发给您。"
    house.later(hours=1)
    assert "支部大会" in wang.say("通知")


# -- reading again ------------------------------------------------------------------------------------------


def test_what_waits_for_a_word_stands_first_and_old_notices_are_a_tap_away(house_on: House) -> None:
    old = send(house_on, title="交材料")
    for number in range(1, 8):
        house_on.later(hours=1)
        send(house_on, title=f"简报{number}", ask_ack=False)
    deliver(house_on)
    wang = house_on.chat("王芳")
    assert wang.say("通知").startswith("等您确认的通知：\n1. 交材料（")
    assert wang.labels == ["交材料", "简报7", "简报6", "简报5", "简报4", "简报3", "更早的"]
    assert "其他通知：\n2. 简报7（" in wang.text
    assert wang.tap("更早的").startswith("更早的通知：\n1. 简报2（")
    assert wang.labels == ["简报2", "简报1"]
    wang.press(f"na:{old}")
    wang.say("通知")
    assert "更早的" in wang.labels
    wang.tap("更早的")
    assert wang.labels == ["简报2", "简报1", "交材料"]


def test_what_waits_for_a_word_stands_on_ones_own_sheet_until_it_is_said(house: House) -> None:
    send(house)
    wang = house.chat("王芳")
    assert "· 通知「支部大会」等您确认" in wang.say("我的")
    wang.tap("支部大会")
    wang.tap("收到")
    assert "通知「" not in wang.say("我的")


def test_somebody_without_a_chat_finds_the_notice_once_there_is_one(house: House) -> None:
    notice = send(house, scope="member:1001")
    deliver(house)
    assert standing(house, notice).unreachable == [("第一支部", ["王芳"])]
    wang = house.chat("王芳")
    wang.say("通知")
    wang.tap("支部大会")
    wang.tap("收到")
    assert (standing(house, notice).confirmed, standing(house, notice).unreachable) == (1, [])


def test_whose_chat_does_not_take_it_is_named_as_well(house: House) -> None:
    house.chat("王芳")
    notice = send(house, scope="member:1001")
    deliver(house, "failed")
    assert standing(house, notice).steps["failed"] == 1
    assert standing(house, notice).unreachable == [("第一支部", ["王芳"])]

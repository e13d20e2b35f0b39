"""Does an address become somebody's only by their code and their consent, and can they take it back?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.reply import Refused
from handlers.binding import desk
from handlers.binding.codes import ALPHABET, LENGTH, new_code, read_code, spaced
from storage import addresses, audit, campaigns, deliveries, people, web
from storage.audit import OPERATOR, Actor
from tests.people import Chat, House, build_house

SURE = "您好，我是"


def issue(house: House, name: str = "王芳", by: Actor = OPERATOR) -> str:
    """A code for somebody."""
    with house.app.database.write() as tx:
        return desk.issue(tx, house.now, by, people.get(tx, house.ids[name]))


def stranger(house: House, channel: str = "telegram", key: str = "new-phone") -> Chat:
    """An address that belongs to nobody yet."""
    return house.chat("周", channel, key)


def bind(house: House, name: str = "王芳", channel: str = "telegram", key: str = "new-phone") -> Chat:
    chat = stranger(house, channel, key)
    chat.say(issue(house, name))
    chat.tap("同意并绑定")
    return chat


def owners(house: House, name: str) -> list[str]:
    with house.app.database.read() as tx:
        return [str(bound.address) for bound in addresses.of_person(tx, house.ids[name])]


def wrong(code: str) -> str:
    """A code that looks right and is not."""
    return ALPHABET[(ALPHABET.index(code[0]) + 1) % 32] + code[1:]


def test_wang_fang_binds_her_phone(house_on: House) -> None:
    phone = stranger(house_on)
    assert phone.say("你好").startswith("您好，我是「贴心」的贴心小助手。请发送支部书记给您的绑定码")
    said = phone.say(issue(house_on))
    assert "单独同意" in said
    assert "Telegram 的服务器在境外" in said
    assert "王芳" not in said, "whose code it is is not told before the consent"
    assert owners(house_on, "王芳") == []
    assert phone.tap("同意并绑定").startswith("王芳同志，绑定好了")
    assert phone.say("我的").startswith("王芳同志（1001）")
    with house_on.app.database.read() as tx:
        assert [(c, v, end) for c, v, _, end in addresses.consents(tx, house_on.ids["王芳"])] == [
            ("telegram", desk.CONSENT, None)
        ]


def test_a_link_with_the_code_does_the_same(house: House) -> None:
    assert "单独同意" in stranger(house).say(f"/start {issue(house)}")
    assert "单独同意" in stranger(house, key="b").say(f"绑定 {issue(house)}")
    assert "单独同意" in stranger(house, key="c").say(f"绑定：{issue(house)}")


@pytest.mark.parametrize(
    "typing",
    [str.lower, lambda c: " ".join(c), spaced, lambda c: c.replace("0", "O").replace("1", "I"),
     lambda c: c.replace("0", "o").replace("1", "l").lower(), lambda c: f"\u200b{c}\n",
     lambda c: f"{c[:5]} – {c[5:]}",
     lambda c: "".join(chr(ord(letter) + 0xFEE0) for letter in c)],
)  # fmt: skip
def test_a_code_is_read_however_it_is_typed(house: House, typing: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(typing)
    monkeypatch.setattr(desk, "new_code", lambda: "0K1M2P9Q01")  # chance is outside; this one has every look-alike
    assert "单独同意" in stranger(house).say(typing(issue(house)))


@given(st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH))
def test_every_code_is_read_as_itself(code: str) -> None:
    assert read_code(code) == read_code(spaced(code).lower()) == code


@given(st.text(max_size=30))
def test_any_text_is_a_code_or_none(text: str) -> None:
    code = read_code(text)
    assert code is None or (len(code) == LENGTH and set(code) <= set(ALPHABET))


def test_codes_do_not_repeat() -> None:
    codes = {new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert set("".join(codes)) == set(ALPHABET)


def test_a_code_works_once(house_on: House) -> None:
    code = issue(house_on)
    first, second = stranger(house_on), stranger(house_on, key="other")
    first.say(code)
    second.say(code)
    first.tap("同意并绑定")
    assert second.tap("同意并绑定") == "这个绑定码已经失效了，请支部书记重新发一个。"
    assert second.say(code).startswith("这个绑定码不对，或者已经用过、过期了")
    assert owners(house_on, "王芳") == ["telegram:new-phone"]


def test_consenting_twice_binds_once(house: House) -> None:
    phone = bind(house)
    assert phone.tap("同意并绑定") == "这个聊天已经绑定到王芳同志了。要换人，请先发“解绑”。"
    assert phone.say(issue(house, "孙明")).startswith("没太明白"), "a member's text is no code"
    assert phone.say("绑定 K7M2P9QRST").startswith("这个聊天已经绑定到王芳同志了")


def test_a_member_who_follows_or_scans_again_is_greeted_and_shown_what_awaits_them(house: House) -> None:
    """To follow, to scan and the menu's 绑定 are all /start; it said “要换人，请先发‘解绑’”."""
    wang, sun = house.chat("王芳"), house.chat("孙明")
    assert wang.say("/start").startswith("王芳同志，您好！这个聊天已经是您的了，不用再绑定。")
    assert "解绑" not in wang.text
    assert wang.labels[-2:] == ["我的", "帮助"]
    waiting = [line for line in sun.say("我的").splitlines() if line.startswith("· ")]
    assert waiting
    assert [line for line in sun.say("绑定").splitlines() if line.startswith("· ")] == waiting


def test_a_greeting_says_no_more_than_its_channel_may_carry(tmp_path: Path) -> None:
    house = build_house(tmp_path, policy__channels="strict")
    said = house.chat("孙明").say("/start")
    assert said.startswith("孙明同志，您好！")
    assert "件事等您办，点“我的”看看" in said
    assert "党费" not in said
    house.app.database.close()


def test_a_code_lasts_24_hours(house: House) -> None:
    code = issue(house)
    house.later(hours=23, minutes=59)
    assert "单独同意" in stranger(house).say(code)
    house.later(minutes=1)
    assert stranger(house, key="late").say(code).startswith("这个绑定码不对")


def test_a_code_that_ran_out_before_the_consent_binds_nobody(house: House) -> None:
    code, phone = issue(house), stranger(house)
    house.later(hours=23, minutes=50)
    phone.say(code)
    house.later(minutes=11)
    assert "失效" in phone.tap("同意并绑定")
    assert owners(house, "王芳") == []


def test_a_newer_code_makes_the_older_worthless(house: House) -> None:
    old, new = issue(house), issue(house)
    assert stranger(house).say(old).startswith("这个绑定码不对")
    assert "单独同意" in stranger(house).say(new)


def test_five_wrong_tries_close_an_address_until_the_next_hour(house_on: House) -> None:
    code, phone = issue(house_on), stranger(house_on)
    house_on.later(minutes=30)
    for _ in range(desk.TRIES):
        assert phone.say(wrong(code)).startswith("这个绑定码不对")
    assert phone.say(code) == "绑定码已经连续错了5次，请一小时后再试，或请支部书记重新发一个。"
    assert "单独同意" in stranger(house_on, key="other").say(code), "others are not held up"
    house_on.later(minutes=29)
    assert "错了5次" in phone.say(code)
    house_on.later(minutes=1)
    assert "单独同意" in phone.say(code)


def test_a_wrong_try_delivered_twice_counts_once(house: House) -> None:
    code, phone = issue(house), stranger(house)
    for _ in range(8):
        phone.say(wrong(code), "update-1")
    assert "单独同意" in phone.say(code)


def test_many_addresses_guessing_together_are_braked(house: House) -> None:
    code = issue(house)
    with house.app.database.write() as tx:
        for guess in range(desk.BRAKE):
            addresses.note_wrong_try(tx, stranger(house, key=f"g{guess // 5}").address, house.now)
    assert stranger(house).say(code) == "现在尝试绑定的人太多，请一小时后再试。"
    house.later(hours=1)
    assert "单独同意" in stranger(house).say(code)


def test_no_consent_no_binding(house: House) -> None:
    code, phone = issue(house), stranger(house)
    phone.say(code)
    assert phone.tap("不同意") == "好的，没有绑定，也没有保存任何信息。改变主意时再发一次绑定码就行。"
    assert "失效" in phone.press("bc:1"), "the button above does nothing any more"
    phone.say(code)
    assert phone.tap("同意并绑定").startswith("王芳同志，绑定好了")


def test_consenting_without_a_code_binds_nobody(house: House) -> None:
    assert "失效" in stranger(house).press("bc:1")


def test_a_new_binding_is_announced_on_every_old_address(house: House) -> None:
    """With a web chat beside it, the old telephone was told nothing of a new one."""
    old_phone, browser = house.chat("王芳"), house.chat("王芳", "web")
    bind(house)
    with house.app.database.write() as tx:
        (telling,) = campaigns.about(tx, "bound", house.ids["王芳"])
        campaigns.expand(tx, house.now)
        due = [d for channel in ("telegram", "web") for d in deliveries.claim(tx, house.now, "me", channel, 9,
                                                                          timedelta(minutes=1))]  # fmt: skip
    assert {old_phone.address, browser.address} <= {one.address for one in due}
    for chat in (old_phone, browser):
        assert chat.see(house.compose(telling, "王芳")).startswith("您的账号刚刚绑定了一个新的聊天：Telegram。")
    assert browser.tap("解绑").startswith("您绑定的聊天：")


def test_a_first_binding_is_announced_to_nobody(house: House) -> None:
    bind(house)
    with house.app.database.read() as tx:
        assert campaigns.about(tx, "bound", house.ids["王芳"]) == []


def test_the_lost_phone_is_let_go_from_another_address(house: House) -> None:
    lost = bind(house, key="lost")
    browser = house.chat("王芳", "web")
    assert "1. Telegram，2026年11月24日（周二）10:00（北京时间）绑定\n2. 网页聊天" in browser.say("解绑")
    assert "就是这里" in browser.text.split("\n")[2]
    assert browser.tap("解除第1个（Telegram）").startswith("确定解除Telegram的绑定吗？解除后，那边就看不到")
    assert browser.tap("确定解除") == "已解除Telegram的绑定。"
    assert lost.say("我的").startswith(SURE)
    assert browser.tap("确定解除") == "这个绑定已经解除了。"
    with house.app.database.read() as tx:
        ended = [end for channel, _, _, end in addresses.consents(tx, house.ids["王芳"]) if channel == "telegram"]
        assert ended == [house.now]
        assert "address.release" in {entry["action"] for entry in audit.log(tx)}


def test_letting_go_of_the_web_chat_ends_its_sessions(house: House) -> None:
    phone, browser = house.chat("王芳"), house.chat("王芳", "web")
    with house.app.database.write() as tx:
        web.add_session(tx, b"cookie", browser.address.key, house.now, house.now + timedelta(days=30), "Firefox")
    phone.say("解绑")
    phone.tap("解除第2个（网页聊天）")
    phone.tap("确定解除")
    with house.app.database.read() as tx:
        assert web.sessions(tx, browser.address.key, house.now) == []


def test_letting_go_of_the_address_one_is_using_says_goodbye(house: House) -> None:
    phone = bind(house)
    phone.say("/unbind")
    assert "这就是您现在用的聊天" in phone.tap("解除第1个")
    assert "再会" in phone.tap("确定解除")
    assert phone.say("我的").startswith(SURE)


def test_nobody_lets_go_of_an_address_that_is_not_theirs(house: House) -> None:
    bind(house)
    with house.app.database.read() as tx:
        (bound,) = addresses.of_person(tx, house.ids["王芳"])
    assert house.chat("孙明").press(f"br:{bound.id}:1") == "这个绑定已经解除了。"
    assert house.chat("周").press(f"br:{bound.id}:1").startswith(SURE)
    assert owners(house, "王芳") == ["telegram:new-phone"]


def test_a_code_is_issued_by_those_with_the_right_and_for_those_who_are_here(house: House) -> None:
    li, qian, wang = (Actor(house.ids[name], name, "chat") for name in ("李书记", "钱书记", "王芳"))
    assert read_code(issue(house, by=li))
    for nobody in (qian, wang):
        with pytest.raises(Refused) as no:
            issue(house, by=nobody)
        assert no.value.words.template == "rights.not_here"
    with house.app.database.write() as tx:
        people.change(tx, house.ids["孙明"], left_on=house.now.date())
    with pytest.raises(Refused) as no:
        issue(house, "孙明")
    assert no.value.words.template == "binding.has_left"


def test_who_has_left_cannot_bind_with_an_old_code(house: House) -> None:
    code, phone = issue(house), stranger(house)
    phone.say(code)
    with house.app.database.write() as tx:
        people.change(tx, house.ids["王芳"], left_on=house.now.date())
    assert "失效" in phone.tap("同意并绑定")


def test_who_has_left_is_a_stranger(house: House) -> None:
    phone = bind(house)
    with house.app.database.write() as tx:
        people.change(tx, house.ids["王芳"], left_on=house.now.date())
    assert phone.say("我的").startswith(SURE)


@pytest.mark.parametrize(
    "text", ["王芳", "1001", "李书记的电话", "我的", "工作台", "党费", "投票", "第一支部", "解绑", "/vote"]
)
def test_a_stranger_learns_nothing_about_anybody(house: House, text: str) -> None:
    house.chat("王芳")
    zhou = house.chat("周")
    assert zhou.say(text).startswith(SURE)
    assert zhou.labels == []


def test_a_wrong_code_and_an_old_one_are_answered_alike(house: House) -> None:
    code = issue(house)
    issue(house)
    phone = stranger(house)
    assert phone.say(code) == phone.say(wrong(code)) == phone.say("O0O0O0O0O0")


def test_codes_are_kept_as_digests_and_cleared_away(house: House) -> None:
    code = issue(house)
    with house.app.database.read() as tx:
        assert addresses.code_owner(tx, code.encode(), house.now) is None
        assert code not in str(audit.log(tx))
    house.later(days=9)
    first, *more = [house.tick() for _ in range(8)]  # rounds of reminders are due by then as well
    assert first >= 1
    assert more[-1] == 0

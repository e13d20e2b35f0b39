"""Is an application begun here finished there, with its pages, over days, under each policy, in both languages?"""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.joining import desk
from storage import applications, files
from tests.applicants import STATEMENT, apply, number, receive, work
from tests.people import House, build_house

PHOTO = b"\xff\xd8\xff\xe0" + b"a handwritten page" * 20
FIRST, SECOND = STATEMENT, "今后我会认真学习，把本职工作做好。"


def begun(house: House, channel: str = "telegram") -> None:
    """周敏 has begun her application and sent a first piece."""
    house.person("周敏", "3001", kind="群众")
    chat = house.chat("周敏", channel)
    chat.say("我要入党")
    chat.tap("开始申请")
    chat.tap("我同意")
    chat.say("2000-05-04")
    assert "收到" in chat.say(FIRST)


@pytest.mark.parametrize("elsewhere", ["email", "web", "wechat", "wecom"])
def test_an_application_begun_on_telegram_is_finished_elsewhere_weeks_later(house: House, elsewhere: str) -> None:
    begun(house)
    house.later(days=40)
    other = house.chat("周敏", elsewhere)
    assert "没填完的「我要入党」" in other.say("你好")
    other.tap("继续")
    other.say(SECOND)
    other.say("完")
    assert "提交后" in other.text
    assert other.tap("提交").startswith("谢谢您")
    text = work(house, lambda tx: applications.statement(tx, number(house, "周敏")))
    assert text == f"{FIRST}\n{SECOND}"


def test_a_mail_takes_the_words_and_does_not_repeat_them(house: House) -> None:
    begun(house)
    mail = house.chat("周敏", "email")
    mail.say("继续写")
    mail.tap("继续")
    mail.say(SECOND)
    said = mail.say("完")
    assert SECOND not in said
    assert FIRST[:10] not in said
    assert "已收好" in said


def test_a_draft_waits_for_sixty_days_and_no_longer(house: House) -> None:
    begun(house)
    house.later(days=59)
    chat = house.chat("周敏")
    chat.say(SECOND)
    house.later(days=61)
    assert "放得太久，已经清除了" in chat.say(SECOND)
    chat.say("我要入党")
    assert "个人信息" in chat.tap("开始申请")


def test_saying_it_again_goes_on_with_what_is_there(house: House) -> None:
    begun(house)
    chat = house.chat("周敏")
    chat.say("我要入党")
    chat.tap("开始申请")
    assert "已经收到" in chat.text
    chat.say("完")
    assert chat.tap("提交").startswith("谢谢您")


def test_photos_of_the_handwritten_original_are_enough(house: House) -> None:
    house.person("周敏", "3001", kind="群众")
    chat = house.chat("周敏")
    chat.say("我要入党")
    chat.tap("开始申请")
    chat.tap("我同意")
    chat.say("2000-05-04")
    assert "1个文件" in chat.hand("第一页.jpg", PHOTO)
    assert "2个文件" in chat.hand("第二页.jpg", PHOTO + b"2")
    chat.say("完")
    chat.tap("提交")
    pages = work(house, lambda tx: files.of(tx, applications.FILES, [number(house, "周敏")]))[number(house, "周敏")]
    assert [page.name for page in pages] == ["第一页.jpg", "第二页.jpg"]
    assert work(house, lambda tx: files.content(tx, pages[0].id)) == PHOTO
    secretary = house.chat("李书记", "web")
    secretary.say("入党申请 周敏")
    secretary.tap("看申请书")
    assert [key.path for row in secretary.heard[-1].keys for key in row][:2] == [
        f"/files/{page.id}" for page in pages
    ]
    house.later(days=1)
    mine = house.chat("周敏")
    mine.say("我要入党")
    mine.tap("撤回申请")
    mine.tap("确定撤回")
    mine.say("跳过")
    mine.tap("提交")
    house.later(days=366)
    work(house, lambda tx: desk.due(tx, house.now))
    assert work(house, lambda tx: files.get(tx, pages[0].id)) is None


def test_what_comes_back_is_completed_with_more_words_and_pages(house: House) -> None:
    apply(house)
    secretary, chat = house.chat("李书记"), house.chat("周敏")
    secretary.say("入党申请 周敏")
    secretary.tap("退回补充")
    secretary.say("请补充家庭主要成员的情况。")
    secretary.say("完")
    secretary.tap("提交")
    chat.say("我要入党")
    chat.tap("补充材料")
    chat.say("父亲是退休工人。")
    chat.hand("补充.jpg", PHOTO)
    chat.say("完")
    chat.tap("提交")
    assert "补充的内容收到了" in chat.text
    secretary.say("入党申请 周敏")
    said = secretary.tap("看申请书")
    assert STATEMENT[:12] in said
    assert "父亲是退休工人。" in said
    assert "补充.jpg" in said


def test_a_press_that_comes_twice_hands_it_in_once(house: House) -> None:
    begun(house)
    chat = house.chat("周敏")
    chat.say("完")
    send = chat.key("提交").payload or ""
    first = chat.press(send, "e-send")
    assert chat.press(send, "e-send") == first
    chat.press(send, "e-send-2")
    with house.app.database.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT count(*) FROM application").scalar() == 1


def test_under_the_strict_policy_abroad_only_a_link_is_shown(tmp_path: Path) -> None:
    house = build_house(tmp_path, policy__channels="strict")
    house.person("周敏", "3001", kind="群众")
    chat = house.chat("周敏", "telegram")
    chat.say("我要入党")
    assert "个人信息" not in chat.tap("开始申请")
    assert chat.heard[-1].keys[0][0].path
    apply(house, channel="web")
    said = house.chat("周敏", "telegram").say("我要入党")
    assert "等支部受理" not in said
    assert "等支部受理" in house.chat("周敏", "wechat").say("我要入党"), "their own next step, on request"


def test_it_reads_as_well_in_english(house: House) -> None:
    house.person("周敏", "3001", kind="群众", language="en")
    chat = house.chat("周敏")
    said = chat.say("/join") + chat.tap("Begin") + chat.tap("I agree")
    said += chat.say("2000-05-04") + chat.say(STATEMENT) + chat.say("done") + chat.tap("Submit") + chat.say("/join")
    assert "Thank you. Your application has been handed to" in said
    assert "waiting to be received" in said
    house.later(hours=1)
    receive(house, "2026-11-24")
    said = chat.say("/join") + chat.tap("All steps")
    assert "a talk with the applicant" in said
    assert "Thu 24 Dec 2026 at the latest" in said
    chat.say("/join")
    assert "It is your right" in chat.tap("Withdraw")


def test_a_mark_of_secrecy_is_refused_and_nothing_of_it_is_kept(house: House) -> None:
    begun(house)
    chat = house.chat("周敏")
    assert "收到" not in chat.say("机密★10年 某项工作的情况")
    chat.say("完")
    chat.tap("提交")
    assert "机密" not in work(house, lambda tx: applications.statement(tx, number(house, "周敏")))

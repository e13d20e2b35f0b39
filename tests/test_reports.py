"""Does a thought report arrive whole, by whatever way, and does a word about it come back?"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.core.reply import Refused
from handlers.reports import desk
from handlers.reports.acts import Write
from handlers.reports.rules import Period
from storage import audit, campaigns, people, reports
from storage.audit import Actor
from storage.dialogues import Inbox
from tests.email_house import SENDER, email_house
from tests.people import House, build_house
from tests.reports import PHOTO, WORDS, hand_in


def versions(house: House, name: str) -> list[tuple[str, int, bool, str]]:
    """(period, version, late, text) of somebody's reports, the oldest first."""
    with house.app.database.read() as tx:
        found = reports.of_person(tx, house.ids[name])
        return [(one.period, one.version, one.late, reports.text(tx, one.id)) for one in reversed(found)]


# -- handing in -------------------------------------------------------------------------------------------------


def test_pieces_make_one_report_in_their_order(house: House) -> None:
    chen = house.chat("陈晓")
    chen.say("思想汇报")
    chen.say("第一段。" * 10)
    chen.say("第二段。" * 10)
    chen.say("完")
    assert versions(house, "陈晓") == [("2026-11", 1, False, "第一段。" * 10 + "\n" + "第二段。" * 10)]


def test_full_members_report_by_the_quarter_and_the_others_by_the_month(house: House) -> None:
    for name in ("王芳", "孙明", "陈晓"):
        hand_in(house, name)
    periods = {name: versions(house, name)[0][0] for name in ("王芳", "孙明", "陈晓")}
    assert periods == {"王芳": "2026-Q4", "孙明": "2026-11", "陈晓": "2026-11"}


def test_those_who_hand_in_none_are_told_what_they_can_do(house: House) -> None:
    house.person("郑群", "1009", kind="群众")
    assert "不用交思想汇报" in house.chat("郑群").say("思想汇报")


def test_an_applicant_may_and_is_never_reminded(house: House) -> None:
    house.person("郑申", "1010", kind="入党申请人")
    hand_in(house, "郑申")
    assert versions(house, "郑申")[0][0] == "2026-11"
    assert "思想汇报" not in house.chat("郑申").say("我的")


def test_each_version_is_kept_and_the_last_one_counts(house: House) -> None:
    hand_in(house, "陈晓")
    chen = hand_in(house, "陈晓", WORDS + "补充一点。")
    assert "第2版" in chen.text
    assert [one[1] for one in versions(house, "陈晓")] == [1, 2]
    li = house.chat("李书记")
    li.say("汇报情况")
    li.tap("读2026年11月的汇报")
    li.tap("陈晓")
    assert "补充一点" in li.text
    li.tap("看第1版")
    assert "补充一点" not in li.text


def test_what_comes_after_the_deadline_is_late_and_says_so(house: House) -> None:
    hand_in(house, "孙明")
    house.later(days=8)
    chen = house.chat("陈晓")
    assert "哪一期" in chen.say("思想汇报")
    chen.tap("2026年11月")
    chen.say(WORDS)
    assert "记为逾期" in chen.say("完")
    assert versions(house, "陈晓")[0][:3] == ("2026-11", 1, True)
    assert "逾期：陈晓" in house.chat("李书记").say("汇报情况 2026-11")


def test_a_draft_from_before_the_deadline_goes_on_after_it(house: House) -> None:
    chen = house.chat("陈晓")
    chen.say("思想汇报")
    chen.say(WORDS)
    house.later(days=8)
    assert "已经收到" in chen.say("思想汇报"), "nothing that was acknowledged is gone"
    assert "记为逾期" in chen.say("完")
    assert versions(house, "陈晓")[0] == ("2026-11", 1, True, WORDS)


def test_a_period_long_over_is_not_taken(house: House) -> None:
    chen = house.chat("陈晓")
    house.later(days=45)
    chen.say("思想汇报")
    assert [label for label in chen.labels if "年" in label] == [
        "2026年12月（12月31日截止）",
        "2027年1月（1月31日截止）",
    ]
    assert "现在不能交" in chen.press(Write(202611).encode())
    assert "过期" in chen.press(Write(202699).encode())


def test_a_word_in_front_of_the_text_is_enough(house: House) -> None:
    chen = house.chat("陈晓")
    assert "字" in chen.say(f"思想汇报：{WORDS}")
    assert "第1版" in chen.say("完")
    assert versions(house, "陈晓")[0][3] == WORDS


def test_begun_on_wechat_and_finished_on_telegram(house: House) -> None:
    wechat = house.chat("陈晓", "wechat")
    wechat.say("思想汇报")
    wechat.say("在车上写的第一段，" + WORDS)
    telegram = house.chat("陈晓", "telegram")
    assert "没填完" in telegram.say("在吗")
    telegram.tap("继续")
    assert "已经收到" in telegram.text
    telegram.say("到站写的第二段。")
    telegram.say("完")
    assert versions(house, "陈晓")[0][3].startswith("在车上写的第一段")
    assert versions(house, "陈晓")[0][3].endswith("到站写的第二段。")


async def test_begun_on_telegram_and_finished_by_mail(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        sun = await house.seat("孙明")
        phone = house.house.chat("孙明", "telegram")
        phone.say("思想汇报")
        phone.say("在车上写的第一段。")
        phone.hand("第一页.png", PHOTO)
        await sun.writes(SENDER, "思想汇报", f"到站后用邮件写的第二段。{WORDS}")
        await house.answers()
        assert "第1版" in sun.last.text
        assert "1个文件" in sun.last.text
        (one,) = versions(house.house, "孙明")
        assert one[3].startswith("在车上写的第一段。\n到站后用邮件写的第二段。")


async def test_a_mail_that_answers_the_question_goes_through_the_dialogue(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        sun = await house.seat("孙明")
        await sun.writes(SENDER, "思想汇报", "")
        await house.answers()
        assert "请写下您的思想汇报" in sun.last.text
        await sun.replies(sun.last, f"{WORDS}\n\n还有一点体会。")
        await house.answers()
        assert "写完发“完”" in sun.last.text
        await sun.replies(sun.last, "完")
        await house.answers()
        assert "第1版" in sun.last.text
        assert "还有一点体会" in versions(house.house, "孙明")[0][3]


async def test_a_mail_that_nobody_vouches_for_hands_in_nothing(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        forger = await house.seat("孙明")
        await forger.writes(SENDER, "思想汇报", WORDS, author="王芳 <wangfang@qq.com>")
        await house.answers()
        assert versions(house.house, "王芳") == []
        assert all(WORDS[:12] not in mail.text for mail in wang.mails)


def test_too_short_is_asked_for_more_and_loses_nothing(house: House) -> None:
    chen = house.chat("陈晓")
    chen.say("思想汇报")
    chen.say("太短。")
    assert "至少要50字" in chen.say("完")
    chen.say(WORDS)
    chen.say("完")
    assert versions(house, "陈晓")[0][3] == f"太短。\n{WORDS}"


def test_a_no_at_the_end_keeps_what_was_written(house: House) -> None:
    chen = house.chat("陈晓")
    chen.say("思想汇报")
    chen.say(WORDS)
    with house.app.database.write() as tx:
        people.change(tx, house.ids["陈晓"], kind="群众")
    assert "不用交" in chen.say("完")
    with house.app.database.write() as tx:
        people.change(tx, house.ids["陈晓"], kind="入党积极分子")
    chen.say("再补一句。")
    chen.say("完")
    assert versions(house, "陈晓")[0][3] == f"{WORDS}\n再补一句。"


# -- what may be shown where --------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["telegram", "wechat", "email"])
def test_under_the_strict_policy_it_is_taken_everywhere_and_shown_on_our_pages_only(
    tmp_path: Path, channel: str
) -> None:
    house = build_house(tmp_path, policy__channels="strict")
    chen = house.chat("陈晓", channel)
    chen.say("思想汇报")
    chen.say(WORDS)
    assert "第1版" in chen.say("完")
    chen.tap("看一看")
    assert WORDS not in chen.text
    assert [key.path is not None for row in chen.heard[-1].keys for key in row] == [True]
    li = house.chat("李书记", "web")
    li.say("汇报情况")
    li.tap("读2026年11月的汇报")
    li.tap("陈晓")
    assert WORDS in li.text
    house.app.database.close()


# -- reading and commenting ---------------------------------------------------------------------------------------


def test_the_writer_sees_who_has_read_it_and_when(house: House) -> None:
    chen = hand_in(house, "陈晓")
    chen.tap("看一看")
    assert "还没有人读过" in chen.text
    li = house.chat("李书记")
    li.say("汇报情况")
    li.tap("读2026年11月的汇报")
    li.tap("陈晓")
    assert "读过这一版的" not in li.text, "that is told to the writer alone"
    chen.say("思想汇报")
    chen.tap("看2026年11月的")
    assert "读过这一版的：李书记" in chen.text
    with house.app.database.read() as tx:
        entries = audit.log(tx, action="report.read")
    assert [(one["name"], one["subject"]) for one in entries] == [("李书记", "report:1")]


def test_a_comment_reaches_the_writer_once_and_not_after_it_was_read(house: House) -> None:
    hand_in(house, "陈晓")
    li = house.chat("李书记")
    li.say("汇报情况")
    li.tap("读2026年11月的汇报")
    li.tap("陈晓")
    li.tap("写评语")
    li.say("写得实在。")
    assert "已转给陈晓同志" in li.say("完")
    with house.app.database.read() as tx:
        telling = campaigns.about(tx, "report_comment", 1)[0]
        assert "写得实在" not in str(telling.values)
    message = house.compose(telling, "陈晓")
    assert message is not None
    assert "写得实在" in message.text
    assert message.sensitive
    assert "写得实在" not in message.outside
    assert house.compose(telling, "王芳") is None
    chen = house.chat("陈晓")
    assert "有新评语" in chen.say("我的")
    chen.tap("看评语")
    assert "写得实在" in chen.text
    assert house.compose(telling, "陈晓") is None, "it has been read"


def test_a_nudge_goes_to_those_who_have_not_and_stops_when_they_have(house: House) -> None:
    hand_in(house, "陈晓")
    li = house.chat("李书记")
    li.say("汇报情况")
    assert "正在提醒还没交的1人" in li.tap("提醒1人交2026年11月")
    with house.app.database.read() as tx:
        (telling,) = campaigns.about(tx, "report_nudge", 202611)
        assert campaigns.recipients(tx, telling.id) == [house.ids["孙明"]]
    assert house.compose(telling, "孙明") is not None
    hand_in(house, "孙明")
    assert house.compose(telling, "孙明") is None
    house.chat("李书记").say("汇报情况")


def test_two_nudges_on_one_day_are_one(house: House) -> None:
    li = house.chat("李书记")
    li.say("汇报情况")
    li.tap("提醒2人交2026年11月")
    assert "今天已经提醒过了" in li.tap("提醒2人交2026年11月")
    house.later(days=1)
    assert "正在提醒" in li.tap("提醒2人交2026年11月")


def test_the_desk_and_the_sheet_speak_of_it_when_it_is_near(house: House) -> None:
    assert "思想汇报" in house.chat("陈晓").say("我的"), "six days before the deadline"
    assert "2026年第四季度" not in house.chat("王芳").say("我的"), "five weeks before it"
    assert "2026年11月思想汇报：已交 0/2" in house.chat("李书记").say("工作台")
    hand_in(house, "陈晓")
    assert "2026年11月思想汇报：已交 1/2" in house.chat("李书记").say("工作台")
    assert "思想汇报" not in house.chat("陈晓").say("我的")


def test_answers_that_repeat_a_report_are_kept_sealed_and_not_for_long(house: House) -> None:
    chen = hand_in(house, "陈晓")
    chen.tap("看一看")
    with house.app.database.read() as tx:
        kept = list(tx.run(select(col(Inbox.answer))).scalars())
    assert kept
    assert all(WORDS[:8].encode() not in answer for answer in kept)
    house.now += timedelta(days=4)
    house.tick()
    with house.app.database.read() as tx:
        assert list(tx.run(select(col(Inbox.answer))).scalars()) == []


def test_everything_is_said_in_english_too(house: House) -> None:
    with house.app.database.write() as tx:
        for name in ("陈晓", "李书记", "孙明"):
            people.change(tx, house.ids[name], language="en")
    chen, li, sun = house.chat("陈晓"), house.chat("李书记", "web"), house.chat("孙明")
    said = [chen.say("/report"), chen.hand("page.png", PHOTO), chen.say("done"), chen.tap("Look at it")]
    said += [
        li.say("/reports"),
        li.tap("Read those"),
        li.tap("陈晓"),
        li.tap("Comment"),
        li.say("Good."),
        li.say("done"),
    ]
    said += [li.say("/reports"), li.tap("Export"), li.say("/reports"), li.tap("remind 1"), li.say("/desk")]
    said += [chen.say("/me"), chen.say("/report"), chen.tap("Look at November 2026"), chen.say("/note")]
    said += [chen.say("What I have learnt this week."), chen.say("done"), chen.tap("Share"), chen.say("/note")]
    said += [chen.tap("Mine"), chen.tap("Take it back"), sun.say("/me")]
    said += [li.say("/summary"), li.tap("November"), li.say("We did much."), li.say("done"), li.say("More of it.")]
    said += [li.say("done"), li.tap("Submit"), li.tap("Look at it"), li.say("/summaries")]
    with house.app.database.read() as tx:
        tellings = [*campaigns.about(tx, "report_comment", 1), *campaigns.about(tx, "report_nudge", 202611)]
    composed = [house.compose(tellings[0], "陈晓"), house.compose(tellings[1], "孙明")]
    said += [message.text for message in composed if message]
    names = ("陈晓", "李书记", "孙明", "王芳", "第一支部", "第二支部", "海川公司党委", "思想汇报", "学习心得")
    for text in said:
        for name in names:
            text = text.replace(name, "")
        assert not re.search(r"[\u4e00-\u9fff]", text), text


def test_going_back_repeats_no_answer_where_it_may_not_be_shown(tmp_path: Path) -> None:
    house = build_house(tmp_path, policy__channels="strict")
    chen = house.chat("陈晓")
    chen.say("学习心得")
    chen.say("这次党课讲的内容我要好好想一想。")
    chen.say("完")
    assert "（16字，已收好）" in chen.say("上一步")
    house.app.database.close()


def test_a_version_that_is_finished_after_the_deadline_is_not_lost_and_says_why(house: House) -> None:
    """“目前是：2026-11” stood over a choice that did not offer it, and nothing said why."""
    chen = hand_in(house, "陈晓")
    house.now = datetime(2026, 11, 30, 15, 55, tzinfo=UTC)
    chen.say("思想汇报")
    chen.tap("再交一版")
    chen.say(WORDS)
    house.later(minutes=10)
    assert chen.say("完").startswith("之前选的现在不能选了，请重新选一个；写好的内容都还在。")
    assert "目前是" not in chen.text
    assert chen.tap("2026年12月").startswith("收到您2026年12月的思想汇报，第1版")


def test_nobody_is_reminded_of_a_period_for_which_nothing_is_taken(house: House) -> None:
    li = house.chat("李书记")
    assert li.say("汇报情况 2027-01") == "2027年1月还没有到。"
    house.now = datetime(2027, 1, 2, 2, 0, tzinfo=UTC)
    assert "还没交：孙明、陈晓" in li.say("汇报情况 2026年11月")
    assert li.labels == []
    li.say("汇报情况 上个月")
    assert any("2026年12月" in label for label in li.labels)
    with house.app.database.write() as tx, pytest.raises(Refused) as no:
        desk.nudge(
            tx, house.now, Actor(house.ids["李书记"], "李书记", "chat"), Period(2026, 11), house.orgs["第一支部"]
        )
    assert no.value.words.template == "reports.nobody_may"


def test_whoever_is_no_member_hears_for_whom_the_summaries_are(house: House) -> None:
    """An activist was told that they are for secretaries."""
    assert house.chat("陈晓").say("各支部小结") == "各支部小结给党员看。"

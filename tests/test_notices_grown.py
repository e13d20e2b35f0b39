"""A notice that carries files, turns out wrong, is taken back, or is not heard: what then?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.kinds import Attached
from bot.core.reply import Message, Refused
from handlers.files import desk as files_desk
from handlers.notices import changing
from handlers.notices.chat import opens
from handlers.reminders.desk import CAMPAIGN
from storage import campaigns, files, notices, people
from storage.audit import OPERATOR
from tests.notices import about, deliver, person, refused, send
from tests.people import House, build_house

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


def attached(house: House, name: str, filename: str = "议程.pdf", content: bytes = PDF) -> Attached:
    with house.app.database.write() as tx:
        return files_desk.keep(tx, house.now, house.ids[name], filename, content)


def telling(house: House, notice: int, name: str, place: int = 0) -> Message | None:
    return house.compose(about(house, notice)[place], name)


# -- files ----------------------------------------------------------------------------------------------------


def test_a_file_stands_under_the_notice_as_a_link(house: House) -> None:
    file = attached(house, "李书记")
    notice = send(house, person(house, "李书记"), scope="org:DW01", files=[file])
    message = telling(house, notice, "王芳")
    assert message is not None
    assert "附件：议程.pdf" in message.text
    paths = [key.path for row in message.keys for key in row if key.path]
    assert paths == [f"/files/{file.id}"]


def test_a_notice_may_be_a_file_alone(house: House) -> None:
    notice = send(house, person(house, "李书记"), scope="org:DW01", body="", files=[attached(house, "李书记")])
    assert telling(house, notice, "王芳") is not None


def test_a_notice_without_text_or_file_is_none(house: House) -> None:
    assert refused(house, body="").words.template == "notices.bad_body"


def test_only_whom_it_was_sent_to_and_who_sees_to_it_open_the_file(house: House) -> None:
    file = attached(house, "李书记")
    send(house, person(house, "李书记"), scope="org:DW01", files=[file])
    with house.app.database.write() as tx:
        campaigns.expand(tx, house.now)
        kept = files.get(tx, file.id)
        assert kept is not None
        may = {name for name in house.ids if opens(tx, house.now, house.ids[name], kept)}
    assert may == {"王芳", "李书记", "孙明", "陈晓", "赵书记"}


def test_a_file_of_somebody_else_is_not_taken_along(house: House) -> None:
    file = attached(house, "王芳")
    assert refused(house, person(house, "李书记"), scope="org:DW01", files=[file]).words.template == "files.gone"


def test_a_secretary_attaches_a_file_in_the_chat(house: House) -> None:
    secretary = house.chat("李书记", "web")
    secretary.say("发通知")
    secretary.say("支部大会")
    secretary.say("周五下午三点开会。")
    assert "1" in secretary.hand("议程.pdf", PDF)
    secretary.say("完")
    secretary.tap("第一支部")
    secretary.tap("要确认")
    secretary.tap("每个人的全部渠道")
    text = secretary.tap("现在")
    assert "议程.pdf" in text
    assert "预计一分钟内发完" in text
    secretary.tap("提交")
    with house.app.database.read() as tx:
        (notice,) = notices.listed(tx)
    assert notice.attachments == 1


# -- secrecy --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "template"),
    [
        ({"body": "机密★10年\n请传达。"}, "secrecy.marked"),
        ({"title": "【内部】通知"}, "secrecy.marked"),
        ({"body": "请学习海党发〔2026〕3号。"}, "notices.may_it_be_told"),
        ({"body": "定于〔日期和时间〕开会。"}, "notices.gap"),
    ],
)
def test_what_may_not_be_told_is_refused(house: House, changes: dict[str, str], template: str) -> None:
    assert refused(house, OPERATOR, **changes).words.template == template


def test_a_document_number_is_told_once_somebody_has_said_that_it_may(house: House) -> None:
    assert send(house, body="请学习海党发〔2026〕3号。", public=True)


def test_the_form_asks_about_a_document_number_and_about_nothing_else(house: House) -> None:
    secretary = house.chat("李书记")
    secretary.say("发通知")
    secretary.say("学习文件")
    secretary.say("请学习海党发〔2026〕3号。")
    assert "可以公开传达" in secretary.say("完")
    secretary.tap("不可以")
    secretary.tap("第一支部")
    secretary.tap("不用确认")
    secretary.tap("每个人的全部渠道")
    assert "海党发〔2026〕3号" in secretary.tap("现在")
    assert "提交" not in secretary.labels


# -- correct, take back ---------------------------------------------------------------------------------------


def test_a_correction_changes_the_message_and_is_sent_where_it_cannot(house: House) -> None:
    house.chat("王芳", "telegram")
    house.chat("孙明", "wechat")
    notice = send(house, scope="org:DW01")
    deliver(house)
    with house.app.database.write() as tx:
        told = changing.correct(tx, house.now, OPERATOR, notice, "支部大会", "改到周四下午三点。")
    assert told == 1
    message = telling(house, notice, "王芳")
    assert message is not None
    assert "改到周四" in message.text
    assert "更正）" in message.text
    again = telling(house, notice, "孙明", 1)
    assert again is not None
    assert again.text.startswith("【更正】")


def test_a_correction_that_changes_nothing_is_none(house: House) -> None:
    notice = send(house)
    with house.app.database.write() as tx, pytest.raises(Refused) as no:
        changing.correct(tx, house.now, OPERATOR, notice, "支部大会", "周五下午三点开会。")
    assert no.value.words.template == "notices.nothing_changed"


def test_a_secretary_corrects_in_the_chat_and_begins_with_what_stands_there(house: House) -> None:
    notice = send(house, person(house, "李书记"), scope="org:DW01")
    secretary = house.chat("李书记")
    secretary.say("工作台")
    secretary.tap("支部大会")
    text = secretary.tap("更正")
    assert "周五下午三点开会" in text
    secretary.tap("改：内容")
    secretary.say("改到周四。")
    secretary.say("完")
    assert "已更正" in secretary.tap("提交")
    message = telling(house, notice, "王芳")
    assert message is not None
    assert "改到周四" in message.text


def test_what_is_taken_back_disappears_where_it_can_and_is_not_sent_any_more(house: House) -> None:
    house.chat("王芳", "telegram")
    house.chat("孙明", "wechat")
    notice = send(house, scope="org:DW01")
    deliver(house)
    with house.app.database.write() as tx:
        assert changing.recall(tx, house.now, OPERATOR, notice) == (1, 1)
    message = telling(house, notice, "王芳")
    assert message is not None
    assert message.taken_back
    assert "已撤回" in message.text
    assert "周五" not in message.text
    wang = house.chat("王芳")
    assert "（北京时间），已撤回）" in wang.say("通知")
    assert "已撤回" in wang.tap("支部大会")
    li = house.chat("李书记").press(f"nw:{notice}")
    assert "没有发出的不再发" in li
    assert "请用别的办法告诉" not in li, "陈晓, who has no chat, need not be told any more"
    with house.app.database.write() as tx, pytest.raises(Refused):
        changing.recall(tx, house.now, OPERATOR, notice)


def test_only_who_sees_to_a_notice_changes_it(house: House) -> None:
    notice = send(house, person(house, "李书记"), scope="org:DW01")
    for name in ("王芳", "钱书记"):
        with house.app.database.write() as tx, pytest.raises(Refused):
            changing.recall(tx, house.now, person(house, name), notice)
        with house.app.database.write() as tx, pytest.raises(Refused):
            changing.correct(tx, house.now, person(house, name), notice, "别的", "别的")


def test_a_pattern_begins_the_form_and_its_gaps_must_be_filled(house: House) -> None:
    secretary = house.chat("李书记")
    secretary.say("通知模板")
    secretary.tap("上党课")
    secretary.tap("第一支部")
    secretary.tap("不用确认")
    secretary.tap("每个人的全部渠道")
    assert "还没有换成您自己的内容" in secretary.tap("现在")
    secretary.tap("改：内容")
    secretary.say("周五下午三点在三楼上党课。")
    assert "这条通知将发给" in secretary.say("完")


# -- nobody answers -------------------------------------------------------------------------------------------


def about_the_notice(house: House, days: int) -> list[tuple[str, str, str]]:
    """What the clock tells within so many days: day (local), to whom, what."""
    names = {number: name for name, number in house.ids.items()}
    found, seen = [], set()
    for _ in range(days * 8):
        while house.tick():
            pass
        with house.app.database.read() as tx:
            for one in campaigns.sent_by(tx, house.now):
                if one.kind == CAMPAIGN and one.id not in seen:
                    seen.add(one.id)
                    day = house.now.astimezone(house.app.house.zone).strftime("%m-%d")
                    for who in campaigns.recipients(tx, one.id):
                        message = house.app.reception.compose(tx, house.now, one, who)
                        if message and "支部大会" in message.text:
                            found.append((day, names[who], message.text))
        house.later(hours=3)
    return found


def test_the_silent_are_reminded_after_a_day_and_their_secretary_told_after_three(house: House) -> None:
    house.now = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    notice = send(house, scope="member:1001,member:1003")
    house.chat("王芳").say("通知")
    with house.app.database.write() as tx:
        notices.acknowledge(tx, house.now, notice, house.ids["王芳"], "telegram")
    told = about_the_notice(house, 8)
    assert [(day, who) for day, who, _ in told] == [("11-25", "孙明"), ("11-27", "李书记")]
    assert "还在等您确认" in told[0][2]
    assert "您这里还有1人没确认：孙明" in told[1][2]


def test_where_nobody_is_secretary_the_one_above_is_told_who_is_silent(house: House) -> None:
    """Of a branch between two secretaries, and of those who belong to the committee itself, nobody was told."""
    house.now = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    with house.app.database.write() as tx:
        people.change(tx, house.ids["李书记"], left_on=house.now.date())
    send(house, scope="member:1003")
    house.now = datetime(2026, 11, 27, 0, 0, tzinfo=UTC)
    assert [(day, who) for day, who, text in about_the_notice(house, 1) if "您这里" in text] == [("11-27", "赵书记")]


def test_nothing_is_said_once_everybody_has_confirmed(house: House) -> None:
    notice = send(house, scope="member:1003")
    with house.app.database.write() as tx:
        notices.acknowledge(tx, house.now, notice, house.ids["孙明"], "telegram")
    assert about_the_notice(house, 8) == []


# -- how far is it --------------------------------------------------------------------------------------------


def test_the_sender_sees_in_the_chat_how_far_it_has_come(house: House) -> None:
    secretary = house.chat("李书记")
    house.chat("王芳")
    for text in ("发通知", "支部大会", "周五下午三点开会。", "完"):
        secretary.say(text)
    for label in ("第一支部", "要确认", "每个人的全部渠道", "现在", "提交"):
        secretary.tap(label)
    with house.app.database.read() as tx:
        (progress,) = campaigns.lately(tx, "notice_progress", house.now.replace(year=2025))
    before = house.compose(progress, "李书记")
    deliver(house)
    after = house.compose(progress, "李书记")
    assert before is not None
    assert after is not None
    assert "已发完：送达2份" in after.text
    assert house.tick() >= 1, "the message about it is brought up to date"


def test_an_attachment_of_a_notice_taken_back_is_closed(house: House) -> None:
    file = attached(house, "李书记")
    notice = send(house, person(house, "李书记"), scope="org:DW01", files=[file])
    with house.app.database.write() as tx:
        changing.recall(tx, house.now, OPERATOR, notice)
        kept = files.get(tx, file.id)
        assert kept is not None
        assert not opens(tx, house.now, house.ids["王芳"], kept)


def test_the_preview_shows_how_it_looks_on_each_channel(house: House) -> None:
    for channel in ("telegram", "wechat", "wecom", "email", "web"):
        house.chat("王芳", channel)
    secretary = house.chat("李书记")
    title = "关于召开第一支部党员大会并讨论下一年度工作安排的通知"
    for text in ("发通知", title, "周五下午三点开会。" * 100, "完"):
        secretary.say(text)
    for label in ("第一支部", "要确认", "每个人的全部渠道", "现在"):
        secretary.tap(label)
    assert "微信：最近说过话的看到全文（分2段）" in secretary.text
    assert "一条模板消息，标题“关于召开第一支部党员大会并讨论下一年度工”（微信只显示前20个字）" in secretary.text
    assert f"邮件：主题“【通知】{title}”" in secretary.text
    assert "企业微信：一张卡片" in secretary.text
    assert "Telegram：全文，带“收到”按钮" in secretary.text


def test_under_the_strict_policy_a_channel_says_only_that_there_is_a_notice(tmp_path: Path) -> None:
    house = build_house(tmp_path, policy__channels="strict")
    house.chat("王芳", "telegram")
    secretary = house.chat("李书记", "web")
    for text in ("发通知", "支部大会", "周五下午三点开会。", "完"):
        secretary.say(text)
    for label in ("第一支部", "不用确认", "每个人的全部渠道", "现在"):
        secretary.tap(label)
    assert "Telegram：只说有一条新通知" in secretary.text

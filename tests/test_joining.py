"""Does whoever wants to join always see where they are, and does nothing move but by a recorded decision?"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bot.core.reply import Refused
from handlers.joining import branch, dates, desk
from storage import applications, audit, contacts, people
from storage.house import Tx
from tests.applicants import STATEMENT, TWO, VOTES, apply, by, kind, number, receive, record, told, work
from tests.people import House


def test_an_application_is_handed_in_received_and_the_month_runs_from_its_receipt(house: House) -> None:
    apply(house)
    assert any("周敏（" in text and "交来了入党申请书" in text for text in told(house, "李书记"))
    receive(house, "2026-11-24")
    assert kind(house, "周敏") == "入党申请人"
    text = house.chat("周敏").say("我要入党")
    assert "受理：2026年11月24日（周二），第一支部 李书记" in text
    assert "最晚2026年12月24日" in text
    assert "第七条" in text


def test_an_instant_is_a_day_of_the_organisation_first(house: House) -> None:
    house.now = datetime(2026, 6, 14, 16, 0, tzinfo=UTC)  # the 15th in Beijing
    apply(house)
    filed = work(house, lambda tx: applications.get(tx, number(house, "周敏")))
    assert filed is not None
    assert work(house, lambda tx: desk.handed_on(tx, filed)) == date(2026, 6, 15)


def test_the_whole_way_moves_the_roster_at_its_steps_and_no_other(house: House) -> None:
    house.now = datetime(2029, 6, 1, 2, 0, tzinfo=UTC)
    apply(house)
    seen = []

    def step(which: str, day: str, **facts: object) -> None:
        record(house, "周敏", which, day, **facts)
        seen.append((which, kind(house, "周敏")))

    receive(house, "2029-06-01")
    house.now = datetime(2033, 6, 1, 2, 0, tzinfo=UTC)
    step("2", "2029-06-20")
    step("3", "2029-07-01")
    step("4", "2029-07-05")
    step("5", "2029-07-06", contacts=("1001",))
    step("6", "2030-01-02")
    step("7", "2030-07-01")
    step("8", "2030-07-12", posted_on=date(2030, 7, 2))
    step("9", "2030-07-15", introducers=TWO)
    step("10", "2030-07-20", cleared=True)
    step("11", "2030-07-25", days=3)
    step("12", "2030-08-01")
    step("13", "2030-08-10")
    step("14", "2030-08-12")
    step("15", "2030-08-20", **VOTES)
    step("16", "2030-08-25")
    step("17", "2030-09-10")
    step("22", "2031-08-01")
    step("23", "2031-08-20", outcome="confirm", **VOTES)
    step("24", "2031-09-10")
    step("25", "2031-10-01")
    changes = [now for now, before in zip(seen, [("1", "入党申请人"), *seen], strict=False) if now[1] != before[1]]
    assert changes == [("3", "入党积极分子"), ("8", "发展对象"), ("17", "预备党员"), ("24", "正式党员")]
    known = work(house, lambda tx: people.full(tx, house.ids["周敏"]))
    assert (known["admitted_on"], known["confirmed_on"]) == (date(2030, 8, 20), date(2031, 8, 20))
    filed = work(house, lambda tx: applications.get(tx, number(house, "周敏")))
    assert filed is not None
    assert filed.state == "done"
    assert "正式党员" in house.chat("周敏").say("我要入党")
    edits = work(house, lambda tx: audit.log(tx, action="member.edit"))
    assert [one["details"]["kind"] for one in reversed(edits)] == [  # type: ignore[index]  # details of an edit
        ["群众", "入党申请人"], ["入党申请人", "入党积极分子"], ["入党积极分子", "发展对象"],
        ["发展对象", "预备党员"], ["预备党员", "正式党员"],
    ]  # fmt: skip


def test_what_the_regulation_forbids_is_not_recorded_and_moves_nobody(house: House) -> None:
    apply(house)
    receive(house, "2026-11-24")
    with pytest.raises(Refused, match="no_missing"):
        record(house, "周敏", "3", "2026-11-24")
    with pytest.raises(Refused, match="no_such_step"):
        record(house, "周敏", "26", "2026-11-24")
    assert kind(house, "周敏") == "入党申请人"


def test_a_wrong_record_is_taken_back_and_the_roster_follows(house: House) -> None:
    apply(house)
    receive(house, "2026-11-24")
    record(house, "周敏", "2", "2026-11-24")
    record(house, "周敏", "3", "2026-11-24")
    assert kind(house, "周敏") == "入党积极分子"
    secretary = house.chat("李书记")
    secretary.say("入党申请 周敏")
    secretary.tap("更正上一条")
    assert "第3步" in secretary.text
    secretary.tap("确定撤销")
    assert kind(house, "周敏") == "入党申请人"
    assert "第3步" not in house.chat("周敏").say("我要入党").split("下一步")[0]
    assert not any("第3步 推荐、确定入党积极分子：" in text for text in told(house, "周敏"))
    secretary.press(secretary.key("确定撤销").payload or "")
    assert "只能撤销最近登记的一条" in secretary.text


def test_a_receipt_that_was_wrong_is_taken_back_to_the_inbox(house: House) -> None:
    apply(house)
    act = by(house, "李书记")
    work(house, lambda tx: branch.receive(tx, house.now, act, number(house, "周敏"), date(2026, 11, 24), ""))

    def back(tx: Tx) -> str:
        last = branch.last_record(branch.one(tx, house.now, act, number(house, "周敏")))
        assert last is not None
        return branch.strike(tx, house.now, act, number(house, "周敏"), last.id).filed.state

    assert any("已经受理您的入党申请" in text for text in told(house, "周敏"))
    assert work(house, back) == "handed"
    assert kind(house, "周敏") == "群众"
    heard = told(house, "周敏")
    assert any("这条登记有误，第一支部已经撤销" in text for text in heard), "they had been told that it was received"
    assert not any("已经受理您的入党申请" in text for text in heard)


def test_an_application_on_paper_is_taken_over_with_what_was_done_before(house: House) -> None:
    secretary = house.chat("李书记")
    assert "还没有登记在这里" in secretary.say("入党申请 陈晓")
    secretary.tap("登记纸质申请")
    secretary.say("2025年1月6日")
    secretary.tap("李书记")
    secretary.tap("提交")
    assert "已登记 陈晓" in secretary.text
    record(house, "陈晓", "2", "2025-01-20")
    record(house, "陈晓", "3", "2025-03-01")
    assert kind(house, "陈晓") == "入党积极分子"
    text = house.chat("陈晓").say("我要入党")
    assert "最早2026年3月1日" not in text, "the year is over"
    assert "下一次半年考察：" in text
    chat = house.chat("陈晓")
    chat.say("我要入党")
    assert "纸质" in chat.tap("看我的申请书")


def test_a_withdrawal_is_kind_and_the_roster_waits_for_the_branch(house: House) -> None:
    chat = apply(house)
    receive(house, "2026-11-24")
    chat.say("我要入党")
    chat.tap("撤回申请")
    chat.tap("确定撤回")
    chat.say("想再准备准备。")
    chat.say("完")
    chat.tap("提交")
    assert "谢谢您的坦诚" in chat.text
    assert kind(house, "周敏") == "入党申请人"
    assert any("撤回了入党申请" in text for text in told(house, "李书记"))
    assert not any("交来了" in text for text in told(house, "李书记"))
    secretary = house.chat("李书记")
    assert "1份已撤回待确认" in secretary.say("工作台")
    secretary.say("入党申请")
    secretary.tap("周敏")
    assert "想再准备准备。" in secretary.text
    secretary.tap("知道了")
    assert kind(house, "周敏") == "群众"
    assert apply(house).text.startswith("谢谢您")


def test_who_is_a_member_already_cannot_withdraw_or_be_declined(house: House) -> None:
    act = by(house, "李书记")
    case = work(house, lambda tx: branch.register(
        tx, house.now, act, people.get(tx, house.ids["孙明"]), date(2025, 1, 6), ""))  # fmt: skip
    with pytest.raises(Refused, match="member_already"):
        work(house, lambda tx: desk.withdraw(tx, house.now, house.ids["孙明"]))
    with pytest.raises(Refused, match="member_already"):
        work(house, lambda tx: branch.decline(tx, house.now, act, case.filed.id, "支委会", "理由写在这里"))


def test_what_is_over_is_deleted_after_its_time_with_its_pages(house: House) -> None:
    apply(house)
    act = by(house, "李书记")
    work(
        house, lambda tx: branch.decline(tx, house.now, act, number(house, "周敏"), "支委会", "您下月调往外地工作。")
    )
    assert any("您下月调往外地工作。" in text for text in told(house, "周敏"))
    assert not any("交来了" in text for text in told(house, "李书记"))
    house.later(days=364)
    work(house, lambda tx: desk.due(tx, house.now))
    assert number(house, "周敏")
    house.later(days=2)
    assert work(house, lambda tx: desk.due(tx, house.now)) == 1
    assert work(house, lambda tx: applications.latest_of(tx, house.ids["周敏"])) is None
    assert not any("您下月调往外地工作。" in text for text in told(house, "周敏"))
    assert work(house, lambda tx: desk.due(tx, house.now)) == 0


def test_what_is_under_way_is_not_deleted(house: House) -> None:
    apply(house)
    house.later(days=4000)
    assert work(house, lambda tx: desk.due(tx, house.now)) == 0
    assert number(house, "周敏")


def test_one_person_has_one_open_application(house: House) -> None:
    chat = apply(house)
    assert "开始申请" not in chat.labels
    with pytest.raises(Refused, match="open_already"):
        work(house, lambda tx: desk.may_apply(tx, house.now, house.ids["周敏"]))
    act, person = by(house, "李书记"), house.ids["周敏"]
    with pytest.raises(Refused, match="registered_already"):
        work(house, lambda tx: branch.register(tx, house.now, act, people.get(tx, person), date(2026, 11, 1), ""))


def test_a_birthday_that_the_roster_knows_is_neither_asked_for_nor_kept_twice(house: House) -> None:
    house.person("周敏", "3001", kind="群众", born=date(2000, 5, 4))
    chat = house.chat("周敏")
    chat.say("我要入党")
    chat.tap("开始申请")
    assert "出生日期是哪天" not in chat.tap("我同意")
    chat.say(STATEMENT)
    chat.say("完")
    chat.tap("提交")
    with house.app.database.read() as tx:
        row = tx.connection.exec_driver_sql("SELECT born FROM application").one()
    assert row[0] is None


def test_who_is_too_young_is_told_from_when_and_by_which_article(house: House) -> None:
    house.person("周敏", "3001", kind="群众", born=date(2008, 11, 25))
    assert "2026年11月25日" in house.chat("周敏").say("我要入党")
    assert "第五条" in house.chat("周敏").say("我要入党")
    house.later(days=1)
    house.chat("周敏").say("我要入党")
    assert "您好" in house.chat("周敏").say("我要入党")


@pytest.mark.parametrize(("name", "said"), [("王芳", "正式党员"), ("孙明", "预备党员"), ("陈晓", "入党积极分子")])
def test_who_is_further_is_told_where_they_stand(house: House, name: str, said: str) -> None:
    chat = house.chat(name)
    assert said in chat.say("我要入党")
    assert "开始申请" not in chat.labels


def test_a_probationary_member_sees_the_end_of_probation_from_the_roster(house: House) -> None:
    house.person("刘洋", "1009", kind="预备党员", admitted_on=date(2026, 3, 15))
    text = house.chat("刘洋").say("我要入党")
    assert "2027年3月15日" in text
    assert "第三十二条" in text


def test_a_reason_is_asked_for_and_kept_sealed(house: House) -> None:
    apply(house)
    act = by(house, "李书记")
    with pytest.raises(Refused, match="bad_reason"):
        work(house, lambda tx: branch.send_back(tx, house.now, act, number(house, "周敏"), "补"))
    with pytest.raises(Refused, match="bad_reason"):
        work(house, lambda tx: branch.decline(tx, house.now, act, number(house, "周敏"), "支委会", " " * 20))


def test_an_extension_and_a_cancelling_are_recorded_as_the_meeting_decided(house: House) -> None:
    house.now = datetime(2033, 6, 1, 2, 0, tzinfo=UTC)
    apply(house)
    work(house, lambda tx: applications.change(
        tx, number(house, "周敏"), handed_at=datetime(2029, 6, 1, tzinfo=UTC)))  # fmt: skip
    receive(house, "2029-06-01")
    for step, day, facts in (
        ("2", "2029-06-20", {}), ("3", "2029-07-01", {}), ("5", "2029-07-06", {"contacts": ("1001",)}),
        ("7", "2030-07-01", {}), ("8", "2030-07-12", {"posted_on": date(2030, 7, 2)}),
        ("9", "2030-07-15", {"introducers": TWO}), ("10", "2030-07-20", {"cleared": True}),
        ("11", "2030-07-25", {"hours": 24}), ("12", "2030-08-01", {}), ("13", "2030-08-10", {}),
        ("15", "2030-08-20", VOTES), ("16", "2030-08-25", {}), ("17", "2030-09-10", {}),
        ("23", "2031-08-20", {**VOTES, "outcome": "extend", "months": 6}), ("24", "2031-09-10", {}),
    ):  # fmt: skip
        record(house, "周敏", step, day, **facts)
    assert kind(house, "周敏") == "预备党员"
    assert "2032年2月20日" in house.chat("周敏").say("我要入党")
    with pytest.raises(Refused, match="no_probation_not_over"):
        record(house, "周敏", "23", "2032-02-19", outcome="cancel", **VOTES)
    record(house, "周敏", "23", "2032-02-20", outcome="cancel", **VOTES)
    record(house, "周敏", "24", "2032-03-20")
    assert kind(house, "周敏") == "群众"
    known = work(house, lambda tx: people.full(tx, house.ids["周敏"]))
    assert known["admitted_on"] is None


def test_the_contacts_of_the_fifth_step_accompany_from_that_day_until_they_are_taken_back(house: House) -> None:
    apply(house)
    receive(house, "2026-11-24")
    for step in ("2", "3"):
        record(house, "周敏", step, "2026-11-24")
    record(house, "周敏", "5", "2026-11-24", contacts=("1001", "1002"))
    day, person = date(2026, 11, 24), house.ids["周敏"]
    expected = [house.ids["王芳"], house.ids["李书记"]]
    assert work(house, lambda tx: contacts.of_person(tx, person, day)) == expected
    secretary = house.chat("李书记")
    secretary.say("入党申请 周敏")
    secretary.tap("更正上一条")
    secretary.tap("确定撤销")
    assert work(house, lambda tx: contacts.of_person(tx, person, day)) == []


def test_both_databases_keep_an_application_from_beginning_to_end(house_on: House) -> None:
    apply(house_on)
    receive(house_on, "2026-11-24")
    record(house_on, "周敏", "2", "2026-11-24")
    with house_on.app.database.read() as tx:
        act = by(house_on, "李书记")
        assert [case.person.name for case in branch.inbox(tx, house_on.now, act)] == ["周敏"]
        assert [one.person.name for one in dates.coming(tx, house_on.now)] == []
        assert STATEMENT in applications.statement(tx, number(house_on, "周敏"))
    work(house_on, lambda tx: desk.withdraw(tx, house_on.now, house_on.ids["周敏"]))
    apply(house_on)
    house_on.later(days=366)
    assert work(house_on, lambda tx: desk.due(tx, house_on.now)) == 1
    assert number(house_on, "周敏")


def test_what_was_done_before_a_paper_was_registered_is_told_in_one_message(house: House) -> None:
    person = people_of(house, "陈晓")
    work(house, lambda tx: branch.register(tx, house.now, by(house, "李书记"), person, date(2025, 1, 6), "老李"))
    assert "老李受理" in told(house, "陈晓")[0]
    assert "会陆续补登" in told(house, "陈晓")[0], "the branch has still to catch up: nothing is overdue for her"
    for step, day in (("2", "2025-01-20"), ("3", "2025-03-01"), ("4", "2025-03-10")):
        record(house, "陈晓", step, day)
    (only,) = told(house, "陈晓")
    assert "下一步：第5步" in only
    record(house, "陈晓", "5", "2026-11-24", contacts=("1001",))
    assert len(told(house, "陈晓")) == 2, "what is done from now on is news"


def test_whose_paper_is_registered_is_said_by_name_before_it_is(house: House) -> None:
    secretary = house.chat("李书记")
    secretary.say("入党申请")
    secretary.tap("登记纸质申请")
    secretary.say("1004")
    secretary.tap("2026-11-24")
    secretary.tap("李书记")
    assert "第一支部 陈晓（1004），现在是入党积极分子" in secretary.text
    assert "改：申请人" in secretary.labels
    secretary.tap("改：申请人")
    assert "没有要登记的入党申请" in secretary.say("1001"), "a full member has nothing to apply for"
    assert "提交" not in secretary.labels


def test_all_steps_show_what_was_handed_in_as_done_and_lead_back(house: House) -> None:
    chat = apply(house)
    assert "最晚2026年12月24日" in chat.say("我要入党"), "the month for the talk, before anybody has received it"
    assert "✓ 第1步 递交入党申请书：2026年11月24日（周二），等受理" in chat.tap("看全部步骤")
    assert "您的入党申请" in chat.tap("我要入党")
    house.later(days=40)
    assert "已过期" in house.chat("周敏").say("我要入党")


def test_a_probationary_member_asks_for_their_confirmation(house: House) -> None:
    sun = house.chat("孙明")
    assert "请告诉第一支部的组织委员补上" in sun.say("我要转正"), "no dead end where the roster lacks the day"
    work(house, lambda tx: people.change(tx, house.ids["孙明"], admitted_on=date(2026, 3, 1)))
    assert "预备期到2027年3月1日" in sun.say("/confirm")
    assert "转正是预备党员的事" in house.chat("陈晓").say("我要转正")


def test_names_that_are_too_long_for_their_column_are_refused_and_not_cut(house: House) -> None:
    apply(house)
    with pytest.raises(Refused):
        work(house, lambda tx: branch.receive(tx, house.now, by(house, "李书记"), number(house, "周敏"),
                                              date(2026, 11, 24), "李" * 61))  # fmt: skip


@pytest.mark.parametrize("written", ["王芳、李书记", "王芳，1002", "1001 李书记", "王芳\n李书记"])
def test_two_contacts_may_stand_in_one_line(house: House, written: str) -> None:
    apply(house)
    receive(house, "2026-11-24")
    for step in ("2", "3"):
        record(house, "周敏", step, "2026-11-24")
    house.person("何平", "1009", office="组织委员")
    officer = house.chat("何平")
    officer.say("入党申请 周敏")
    officer.tap("登记一步")
    officer.tap("第5步")
    for answer in ("2026-11-24", "跳过", written, "跳过"):
        officer.say(answer)
    officer.tap("提交")
    assert "已登记 周敏：第5步" in officer.text


def people_of(house: House, name: str) -> people.Somebody:
    return work(house, lambda tx: people.get(tx, house.ids[name]))

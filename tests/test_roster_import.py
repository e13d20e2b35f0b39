"""What does a roster change, what does it leave alone, and who may hand one over?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.reply import Refused
from handlers.roster import desk
from handlers.roster.desk import Applied
from handlers.roster.plan import ImportPlan
from handlers.roster.rows import RosterRow
from storage import audit, offices, people, rosters
from storage.audit import OPERATOR, Actor
from storage.house import Tx
from tests.people import NOW, House
from tests.rosters import Cell, delimited, grid, mobile, xlsx

WANG: dict[str, Cell] = {"员工号": "1001", "姓名": "王芳", "所在支部": "第一支部", "人员类别": "正式党员"}
"""王芳 as the house knows her already."""
NEW: dict[str, Cell] = {
    "员工号": "1010", "姓名": "何田", "所在支部": "第一支部", "人员类别": "预备党员", "入党日期": "2026-07-01",
    "手机": mobile(10), "党费类别": "工资", "党费基数": "5400",
}  # fmt: skip
LI = "李书记"


def actor(house: House, name: str) -> Actor:
    return Actor(house.ids[name], name, "chat")


def planned(house: House, *rows: Mapping[str, Cell], by: Actor = OPERATOR) -> ImportPlan:
    with house.app.database.read() as tx:
        return desk.plan(tx, house.now, by, desk.read(tx, house.now, xlsx(grid(*rows)), "名册.xlsx"))


def imported(house: House, *rows: Mapping[str, Cell], by: Actor = OPERATOR, accept: bool = False) -> Applied:
    with house.app.database.write() as tx:
        roster = desk.read(tx, house.now, xlsx(grid(*rows)), "名册.xlsx")
        return desk.apply(tx, house.now, by, roster.rows, accept_changes=accept, file=roster.file)


def known(house: House, number: str) -> rosters.Known:
    with house.app.database.read() as tx:
        return rosters.by_numbers(tx, [number])[number]


def reasons(plan: ImportPlan) -> list[tuple[int, str]]:
    return [(problem.line, problem.reason) for problem in plan.problems]


# -- adding, filling, changing --------------------------------------------------------------------------------


def test_somebody_new_is_added_with_everything_the_file_says(house_on: House) -> None:
    assert imported(house_on, NEW).added == 1
    found = known(house_on, "1010")
    assert (found.name, found.kind, found.organisation_id) == ("何田", "预备党员", house_on.orgs["第一支部"].id)
    assert (found.phone, found.dues_category, found.dues_base) == (mobile(10), "wage", 540000)
    assert found.admitted_on == date(2026, 7, 1)


def test_what_is_blank_is_filled_in_and_what_is_known_stays(house: House) -> None:
    done = imported(house, {**WANG, "手机": mobile(1), "性别": "女"})
    assert (done.filled, done.waiting) == (1, 0)
    again = imported(house, {**WANG, "手机": mobile(2)})
    assert (again.filled, again.waiting) == (0, 1)
    assert (known(house, "1001").phone, known(house, "1001").gender) == (mobile(1), "女")


def test_an_empty_cell_takes_nothing_away(house: House) -> None:
    imported(house, {**WANG, "手机": mobile(1)})
    assert imported(house, WANG).unchanged == 1
    assert known(house, "1001").phone == mobile(1)


@pytest.mark.parametrize(
    ("change", "column", "old", "new"),
    [
        ({"所在支部": "第二支部"}, "branch", "第一支部", "第二支部"),
        ({"人员类别": "发展对象"}, "kind", "正式党员", "发展对象"),
        ({"党内职务": "组织委员"}, "offices", "", "组织委员"),
        ({"党内职务": "组织委员、宣传委员"}, "offices", "", "组织委员、宣传委员"),
    ],
)
def test_a_change_of_branch_kind_or_office_waits_for_acceptance(
    house: House, change: dict[str, Cell], column: str, old: str, new: str
) -> None:
    plan = planned(house, {**WANG, **change})
    assert [(c.number, c.column, c.old, c.new) for c in plan.changes] == [("1001", column, old, new)]
    before = known(house, "1001")
    assert imported(house, {**WANG, **change}).waiting == 1
    assert known(house, "1001") == before
    assert imported(house, {**WANG, **change}, accept=True).changed == 1
    assert planned(house, {**WANG, **change}).unchanged == 1


def test_a_new_office_takes_the_place_of_the_old_one_in_the_branch(house: House) -> None:
    li = {**WANG, "员工号": "1002", "姓名": LI, "党内职务": "纪检委员"}
    imported(house, li, accept=True)
    with house.app.database.read() as tx:
        held = offices.of_person(tx, house.ids[LI], NOW.date())
    assert [(office.role, office.org.name) for office in held] == [("纪检委员", "第一支部")]


def test_a_committees_office_sits_at_the_committee_whatever_the_branch_of_its_holder(house: House) -> None:
    imported(house, {**NEW, "人员类别": "正式党员", "入党日期": None, "党内职务": "党委委员、组织委员"})
    with house.app.database.read() as tx:
        found = people.by_number(tx, "1010")
        assert found is not None
        held = offices.of_person(tx, found.id, NOW.date())
    assert {(office.role, office.org.name) for office in held} == {
        ("党委委员", "海川公司党委"),
        ("组织委员", "第一支部"),
    }


def test_the_day_of_a_new_kind_comes_with_the_kind_and_not_before(house: House) -> None:
    sun = {**WANG, "员工号": "1003", "姓名": "孙明", "入党日期": "2025-07-01", "转正日期": "2026-07-01"}
    imported(house, sun)
    assert (known(house, "1003").kind, known(house, "1003").confirmed_on) == ("预备党员", None)
    imported(house, sun, accept=True)
    assert (known(house, "1003").kind, known(house, "1003").confirmed_on) == ("正式党员", date(2026, 7, 1))


def test_a_dues_base_is_filled_in_but_never_changed_by_a_file(house: House) -> None:
    imported(house, {**WANG, "党费基数": "5400"})
    plan = planned(house, {**WANG, "党费基数": "9000"})
    assert (plan.kept[0].kept, plan.changes, plan.waiting) == (("dues_base",), (), ())
    imported(house, {**WANG, "党费基数": "9000"}, accept=True)
    assert known(house, "1001").dues_base == 540000


def test_people_whom_the_file_does_not_name_are_listed_and_never_touched(house: House) -> None:
    plan = planned(house, WANG, by=actor(house, LI))
    assert [person.name for person in plan.absent] == [LI, "孙明", "陈晓"]
    imported(house, WANG, by=actor(house, LI), accept=True)
    assert len(planned(house, WANG, by=actor(house, LI)).absent) == 3


def test_somebody_whose_row_is_refused_is_not_called_absent(house: House) -> None:
    plan = planned(house, WANG, {**WANG, "员工号": "1003", "姓名": "孙明", "手机": "123"}, by=actor(house, LI))
    assert [person.name for person in plan.absent] == [LI, "陈晓"]


def test_a_second_run_goes_on_where_the_first_was_stopped(house: House) -> None:
    rows = [{**NEW, "员工号": f"{2100 + n}", "姓名": f"同志{n}", "手机": mobile(2100 + n)} for n in range(9)]
    imported(house, *rows[:4])
    done = imported(house, *rows)
    assert (done.added, done.unchanged) == (5, 4)


# -- rows that are refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**NEW, "所在支部": "第三支部"}, "unknown_branch"),
        ({**NEW, "所在支部": None}, "missing_branch"),
        ({**NEW, "人员类别": None, "入党日期": None}, "missing_kind"),
        ({**NEW, "员工号": None}, "no_number"),
        ({**WANG, "姓名": "王方"}, "other_name"),
        ({**WANG, "员工号": "1004", "姓名": "陈晓", "人员类别": None, "入党日期": "2026-07-01"}, "kind_mismatch"),
        ({**WANG, "员工号": "1004", "姓名": "陈晓", "人员类别": None, "党内职务": "支部书记"}, "kind_mismatch"),
    ],
)
def test_a_row_that_cannot_be_taken_is_refused_alone(house: House, row: dict[str, Cell], reason: str) -> None:
    good = {**NEW, "员工号": "1011", "姓名": "高原", "手机": mobile(11)}
    plan = planned(house, good, row)
    assert reasons(plan) == [(3, reason)]
    done = imported(house, good, row, accept=True)
    assert (done.added, [problem.line for problem in done.problems]) == (1, [3])


def test_an_unknown_branch_names_those_that_sound_like_it(house: House) -> None:
    (problem,) = planned(house, {**NEW, "所在支部": "第一党支部"}).problems
    assert problem.suggestion == "第一支部"


def test_a_second_number_for_the_same_name_and_phone_is_refused(house: House) -> None:
    imported(house, NEW)
    (problem,) = planned(house, {**NEW, "员工号": "1099"}).problems
    assert (problem.reason, problem.suggestion) == ("same_person", "1010")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**NEW, "所在支部": "第二支部"}, "beyond_branch"),
        ({**NEW, "所在支部": "海川公司党委"}, "beyond_branch"),
        ({**WANG, "所在支部": "第二支部"}, "beyond_branch"),
        ({**WANG, "员工号": "2001", "姓名": "吴强"}, "beyond_person"),
        ({**WANG, "党内职务": "党委书记"}, "office_beyond"),
    ],
)
def test_a_branch_secretary_reaches_no_further_than_the_branch(
    house: House, row: dict[str, Cell], reason: str
) -> None:
    assert reasons(planned(house, row, by=actor(house, LI))) == [(2, reason)]
    before = [known(house, number) for number in ("1001", "2001")]
    assert imported(house, row, by=actor(house, LI), accept=True).problems[0].reason == reason
    assert [known(house, number) for number in ("1001", "2001")] == before


def test_who_may_change_people_but_not_appoint_grants_no_office_by_a_file(house: House) -> None:
    house.person("组织委员郑", "1005", office="组织委员")
    zheng = actor(house, "组织委员郑")
    row = {**WANG, "党内职务": "支部书记"}
    assert reasons(planned(house, row, by=zheng)) == [(2, "office_beyond")]
    li = {**WANG, "员工号": "1002", "姓名": LI, "党内职务": "支部书记"}
    assert planned(house, li, by=zheng).unchanged == 1


def test_a_branch_secretarys_file_need_not_name_the_branch(house: House) -> None:
    assert imported(house, {**NEW, "所在支部": None}, by=actor(house, LI)).added == 1


def test_somebody_without_the_right_is_refused_altogether(house: House) -> None:
    with pytest.raises(Refused) as no:
        planned(house, NEW, by=actor(house, "王芳"))
    assert no.value.words.template == "roster.not_yours"


# -- rows without a number ------------------------------------------------------------------------------------


def test_one_person_of_that_name_and_phone_is_proposed_and_waits(house: House) -> None:
    imported(house, {**WANG, "手机": mobile(1)})
    row = {**WANG, "员工号": None, "手机": mobile(1), "性别": "女"}
    plan = planned(house, row)
    assert [(step.number, step.proposed) for step in plan.proposals] == [("1001", True)]
    imported(house, row)
    assert known(house, "1001").gender == ""
    imported(house, row, accept=True)
    assert known(house, "1001").gender == "女"


def test_the_birthday_finds_somebody_as_well(house: House) -> None:
    imported(house, {**WANG, "出生日期": "1988-03-08"})
    plan = planned(house, {**WANG, "员工号": None, "出生日期": "1988-03-08"})
    assert (plan.unchanged, plan.problems) == (1, ())


def test_several_who_fit_are_for_a_person_to_tell_apart(house: House) -> None:
    for number in ("1020", "1021"):
        house.person("王芳", number, born=date(1990, 1, 1))
    plan = planned(house, {**WANG, "员工号": None, "出生日期": "1990-01-01"})
    assert reasons(plan) == [(2, "several_match")]


def test_nobody_beyond_reach_is_found_by_a_birthday(house: House) -> None:
    imported(house, {**WANG, "员工号": "2001", "姓名": "吴强", "所在支部": "第二支部", "出生日期": "1990-01-01"})
    row: dict[str, Cell] = {"姓名": "吴强", "出生日期": "1990-01-01"}
    assert reasons(planned(house, row, by=actor(house, LI))) == [(2, "no_number")]


def test_a_row_with_and_a_row_without_number_are_one_person_once(house: House) -> None:
    imported(house, {**WANG, "手机": mobile(1)})
    plan = planned(house, {**WANG, "员工号": None, "手机": mobile(1), "所在支部": "第二支部"}, WANG)
    assert (reasons(plan), plan.unchanged) == ([(2, "twice")], 1)


# -- any roster -----------------------------------------------------------------------------------------------

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "员工号": st.sampled_from(["1001", "1002", "1003", "2001", "7", "8", "a9", "A9", None]),
            "姓名": st.sampled_from(["王芳", LI, "孙明", "吴强", "何田", "=1+1"]),
            "所在支部": st.sampled_from(["第一支部", "第二支部", "海川公司党委/第一支部", "第三支部", None]),
            "人员类别": st.sampled_from(["正式党员", "预备党员", "群众", "党员", "谁", None]),
            "入党日期": st.sampled_from(["2020-07-01", "2026-07-01", None]),
            "转正日期": st.sampled_from(["2021-07-01", None]),
            "党内职务": st.sampled_from(["支部书记", "党委书记", "组织委员、党小组长", "无", None]),
            "手机": st.sampled_from([mobile(1), mobile(2), None]),
            "党费基数": st.sampled_from(["5400", "6000.5", None]),
        }
    ),
    min_size=1,
    max_size=8,
)


class _Undone(Exception):
    """Ends a transaction without keeping anything."""


def _everything(tx: Tx) -> Sequence[object]:
    kept = [rosters.by_ids(tx, range(1, 60)), offices.holders(tx, NOW.date())]
    return [*kept, len(audit.log(tx, limit=1000))]


def test_a_roster_imported_twice_changes_nothing_the_second_time(house: House) -> None:
    @settings(max_examples=60)
    @given(rows=ROWS, accept=st.booleans(), by=st.sampled_from([None, LI, "赵书记"]))
    def imports(rows: list[dict[str, Cell]], accept: bool, by: str | None) -> None:
        who = actor(house, by) if by else OPERATOR
        with suppress(_Undone), house.app.database.write() as tx:
            read = _rows(tx, rows)
            desk.apply(tx, NOW, who, read, accept_changes=accept)
            once = _everything(tx)
            again = desk.apply(tx, NOW, who, read, accept_changes=accept)
            assert (again.added, again.filled, again.changed) == (0, 0, 0)
            assert _everything(tx) == once
            raise _Undone

    imports()


def _rows(tx: Tx, rows: list[dict[str, Cell]]) -> tuple[RosterRow, ...]:
    return desk.read(tx, NOW, delimited(grid(*rows)), "名册.csv").rows


# -- handed over in the web chat ------------------------------------------------------------------------------


def test_a_secretary_hands_a_file_over_looks_and_takes_it(house: House) -> None:
    li = house.chat(LI, "web")
    said = li.hand("名册.xlsx", xlsx(grid(WANG, NEW, {**NEW, "员工号": "1011", "所在支部": "第二支部"})))
    assert "新增 1 人" in said
    assert "第4行：“第二支部”超出了您负责的范围" in said
    assert li.labels == ["导入", "不导入"]
    assert planned(house, NEW).adds  # nothing is stored yet
    assert "新增1人" in li.tap("导入")
    assert "1行没有导入" in li.text
    assert known(house, "1010").name == "何田"


def test_changes_are_imported_only_by_the_button_that_says_so(house: House) -> None:
    li = house.chat(LI, "web")
    li.hand("名册.xlsx", xlsx(grid({**WANG, "党内职务": "宣传委员"}, NEW)))
    assert "王芳（1001）党内职务：无 → 宣传委员" in li.text
    assert li.labels == ["导入", "连同变更一起导入", "不导入"]
    assert "1人有变更没有导入" in li.tap("导入")
    li.hand("名册.xlsx", xlsx(grid({**WANG, "党内职务": "宣传委员"})))
    assert "变更1人" in li.tap("连同变更")


def test_a_file_is_forgotten_after_an_hour_after_a_no_and_when_it_was_taken(house: House) -> None:
    li = house.chat(LI, "web")
    li.hand("名册.xlsx", xlsx(grid(NEW)))
    payload = li.key("导入").payload or ""
    li.tap("不导入")
    assert "已经处理过" in li.press(payload)
    li.hand("名册.xlsx", xlsx(grid(NEW)))
    house.later(hours=1)
    assert "已经处理过" in li.press(payload)
    house.tick()
    with house.app.database.write() as tx:
        assert rosters.purge(tx, house.now + timedelta(days=1)) == 0
    with pytest.raises(KeyError):
        known(house, "1010")


def test_an_older_files_button_does_not_take_a_newer_file(house: House) -> None:
    li = house.chat(LI, "web")
    li.hand("一.xlsx", xlsx(grid(NEW)))
    payload = li.key("导入").payload or ""
    li.hand("二.xlsx", xlsx(grid({**NEW, "员工号": "1012"})))
    assert "换成了新的" in li.press(payload)


def test_another_secretary_cannot_take_somebody_elses_file(house: House) -> None:
    li, qian = house.chat(LI, "web"), house.chat("钱书记", "web")
    li.hand("名册.xlsx", xlsx(grid(NEW)))
    assert "已经处理过" in qian.press(li.key("导入").payload or "")


def test_a_member_s_file_is_refused_and_not_kept(house: House) -> None:
    wang = house.chat("王芳", "web")
    assert "这个文件没有保存" in wang.hand("名册.xlsx", xlsx(grid(NEW)))
    assert wang.labels == []


def test_a_file_that_is_no_roster_is_told_what_it_is(house: House) -> None:
    li = house.chat(LI, "web")
    assert "PDF" in li.hand("名册.pdf", b"%PDF-1.7 ...")
    assert "两列都是“姓名”" in li.hand("名册.csv", "姓名,名字,员工号\n王芳,王芳,1001\n".encode())


def test_nobody_reads_a_kept_file_in_the_database(house: House) -> None:
    li = house.chat(LI, "web")
    li.hand("名册.xlsx", xlsx(grid(NEW)))
    with house.app.database.read() as tx:
        bodies = tx.connection.exec_driver_sql("SELECT body FROM pending_roster").scalars().all()
    assert len(bodies) == 1
    assert "何田".encode() not in bodies[0]
    assert mobile(10).encode() not in bodies[0]

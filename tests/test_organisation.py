"""Does a secretary see and change only what is theirs, and is somebody who has left let go of entirely?"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from bot.core.reply import Refused
from handlers.organisation import desk, members
from handlers.rights import Right
from handlers.roster import desk as importing
from storage import addresses, audit, campaigns, deliveries, offices, organisations, people, web
from storage.audit import OPERATOR, Actor
from storage.house import Tx
from storage.people import Somebody
from tests.people import House

LI, ZHAO, QIAN = "李书记", "赵书记", "钱书记"
CODE = re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}")


def by(house: House, name: str) -> Actor:
    return Actor(house.ids[name], name, "chat")


def somebody(house: House, tx: Tx, name: str) -> Somebody:
    return people.get(tx, house.ids[name])


def refused(house: House, work: Callable[[Tx], object]) -> str:
    """Why something is refused; whatever it did is undone."""
    with pytest.raises(Refused) as no, house.app.database.write() as tx:
        work(tx)
    return no.value.words.template


# -- the tree -------------------------------------------------------------------------------------------------


def test_the_tree_has_any_depth_and_codes_of_its_own(house_on: House) -> None:
    with house_on.app.database.write() as tx:
        first = house_on.orgs["第一支部"]
        group = desk.add(tx, house_on.now, OPERATOR, name="装配党小组", parent=first)
        below = desk.add(tx, house_on.now, OPERATOR, name="夜班党小组", parent=group, code="NIGHT")
        assert (group.kind, group.code, below.path) == ("党小组", "DW0101", f"{group.path}{below.id}/")
        assert organisations.path_name(tx, below) == "海川公司党委/第一支部/装配党小组/夜班党小组"
        shown = [(branch.org.name, branch.people, branch.depth) for branch in desk.tree(tx, house_on.now, OPERATOR)]
    assert shown == [
        ("海川公司党委", 1, 0), ("第一支部", 4, 1), ("装配党小组", 0, 2), ("夜班党小组", 0, 3), ("第二支部", 2, 1),
    ]  # fmt: skip


def test_two_organisations_of_one_code_or_two_brothers_of_one_name_cannot_be(house: House) -> None:
    root = house.orgs["海川公司党委"]
    third = {"name": "第三支部", "code": "DW01"}
    taken = refused(house, lambda tx: desk.add(tx, house.now, OPERATOR, parent=root, **third))
    assert taken == "organisation.code_taken"
    again = "organisation.name_taken"
    assert refused(house, lambda tx: desk.add(tx, house.now, OPERATOR, name="第一支部", parent=root)) == again
    first = house.orgs["第二支部"]
    assert refused(house, lambda tx: desk.rename(tx, house.now, OPERATOR, first, "第一支部")) == again


@pytest.mark.parametrize("name", ["", "集团/支部", "一,二", "a&b", "字" * 81])
def test_a_name_that_a_path_or_a_scope_could_not_hold_is_refused(house: House, name: str) -> None:
    root = house.orgs["海川公司党委"]
    assert (
        refused(house, lambda tx: desk.add(tx, house.now, OPERATOR, name=name, parent=root))
        == "organisation.bad_name"
    )


def test_an_organisation_with_people_or_others_below_it_is_not_closed(house: House) -> None:
    first, root = house.orgs["第一支部"], house.orgs["海川公司党委"]
    assert refused(house, lambda tx: desk.close(tx, house.now, OPERATOR, first)) == "organisation.has_people"
    assert refused(house, lambda tx: desk.close(tx, house.now, OPERATOR, root)) == "organisation.root_stays"
    with house.app.database.write() as tx:
        third = desk.add(tx, house.now, OPERATOR, name="第三支部", parent=root)
        desk.add(tx, house.now, OPERATOR, name="党小组", parent=third)
    assert refused(house, lambda tx: desk.close(tx, house.now, OPERATOR, third)) == "organisation.has_below"


def test_an_empty_organisation_closes_and_its_offices_end(house: House) -> None:
    with house.app.database.write() as tx:
        third = desk.add(tx, house.now, OPERATOR, name="第三支部", parent=house.orgs["海川公司党委"])
        columns = importing.columns(tx)
        desk.appoint(tx, house.now, OPERATOR, somebody(house, tx, "王芳"), third, "支部书记", columns)
        desk.close(tx, house.now, OPERATOR, third)
        assert offices.of_person(tx, house.ids["王芳"], date(2026, 11, 24)) == []
        assert "第三支部" not in [org.name for org in organisations.all_of(tx)]


def test_a_branch_secretary_changes_no_organisations(house: House) -> None:
    first = house.orgs["第一支部"]
    assert refused(house, lambda tx: desk.rename(tx, house.now, by(house, LI), first, "甲")) == "rights.not_here"


# -- offices --------------------------------------------------------------------------------------------------


def test_an_office_gives_its_right_the_same_day_and_loses_it_at_once(house: House) -> None:
    wang = house.chat("王芳")
    assert "名册" not in wang.say("帮助")
    with house.app.database.write() as tx:
        person, columns = somebody(house, tx, "王芳"), importing.columns(tx)
        desk.appoint(tx, house.now, by(house, LI), person, house.orgs["第一支部"], "组织委员", columns)
    assert "第一支部，共4人" in wang.say("名册")
    with house.app.database.write() as tx:
        desk.end(tx, house.now, by(house, LI), somebody(house, tx, "王芳"), "组织委员")
    assert "第一支部" not in wang.say("名册")


@pytest.mark.parametrize(
    ("who", "name", "role", "reason"),
    [
        (LI, "吴强", "组织委员", "rights.not_here"),
        (LI, "陈晓", "组织委员", "organisation.members_only"),
        (LI, "王芳", "大队长", "organisation.no_such_office"),
        (LI, LI, "支部书记", "organisation.holds_already"),
    ],
)
def test_an_appointment_that_cannot_be_is_refused(house: House, who: str, name: str, role: str, reason: str) -> None:
    def appoint(tx: Tx) -> None:
        person = somebody(house, tx, name)
        org = organisations.get(tx, person.organisation_id)
        desk.appoint(tx, house.now, by(house, who), person, org, role, importing.columns(tx))

    assert refused(house, appoint) == reason


# -- people ---------------------------------------------------------------------------------------------------


def test_somebody_is_added_and_changed_by_what_is_typed(house_on: House) -> None:
    with house_on.app.database.write() as tx:
        columns, li = importing.columns(tx), by(house_on, LI)
        written = {
            "number": "1010",
            "name": " 何 田 ",
            "kind": "积极分子",
            "phone": "+86 170 0000 0010",
            "born": "2000年5月4日",
        }
        new = members.add(tx, house_on.now, li, house_on.orgs["第一支部"], columns, written)
        assert (new.name, new.kind) == ("何田", "入党积极分子")
        changed = members.edit(tx, house_on.now, li, new, columns, {"kind": "发展对象", "phone": ""})
        assert changed == ["kind", "phone"]
        card = members.card(tx, house_on.now, li, people.get(tx, new.id))
    assert (card.person.kind, card.private["phone"], card.private["born"]) == ("发展对象", "", date(2000, 5, 4))


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"number": "1001"}, "organisation.number_taken"),
        ({"kind": ""}, "organisation.missing"),
        ({"kind": "队员"}, "organisation.bad_value"),
        ({"phone": "12"}, "organisation.bad_value"),
        ({"admitted": "2020-01-01"}, "organisation.kind_mismatch"),
        ({"kind": "正式党员", "admitted": "2020-01-01", "confirmed": "2019-01-01"}, "organisation.days_mismatch"),
        ({"kind": "正式党员", "admitted": "2027-01-01"}, "organisation.days_mismatch"),
    ],
)
def test_what_cannot_be_true_of_somebody_new_is_refused(house: House, written: dict[str, str], reason: str) -> None:
    values = {"number": "1010", "name": "何田", "kind": "群众", **written}
    first = house.orgs["第一支部"]
    assert (
        refused(house, lambda tx: members.add(tx, house.now, OPERATOR, first, importing.columns(tx), values))
        == reason
    )


def test_moving_somebody_needs_the_right_on_both_sides(house: House) -> None:
    second = house.orgs["第二支部"]

    def move(tx: Tx, who: str) -> list[str]:
        wang, columns = somebody(house, tx, "王芳"), importing.columns(tx)
        return members.edit(tx, house.now, by(house, who), wang, columns, {}, org=second)

    assert refused(house, lambda tx: move(tx, LI)) == "rights.not_here"
    assert refused(house, lambda tx: move(tx, QIAN)) == "rights.not_here"
    with house.app.database.write() as tx:
        assert move(tx, ZHAO) == ["organisation_id"]


def test_every_decision_is_written_down_without_what_is_private(house: House) -> None:
    with house.app.database.write() as tx:
        columns = importing.columns(tx)
        members.edit(tx, house.now, by(house, LI), somebody(house, tx, "王芳"), columns, {"phone": "17000000001"})
        entry = audit.log(tx, limit=1)[0]
    assert (entry["name"], entry["action"], entry["subject"]) == (LI, "member.edit", "1001")
    assert entry["details"] == {"fields": ["phone"]}


# -- leaving --------------------------------------------------------------------------------------------------


def test_somebody_who_has_left_is_told_nothing_more_and_can_do_nothing(house: House) -> None:
    wang = house.chat("王芳")
    with house.app.database.write() as tx:
        now, his = house.now, house.ids["王芳"]
        offices.appoint(tx, his, house.orgs["第一支部"], "组织委员", date(2026, 1, 1))
        campaigns.create(tx, now, "bound", his, [his], channel="telegram")
        campaigns.expand(tx, now)
        addresses.add_code(tx, b"digest", his, now + timedelta(days=1))
        web.add_session(tx, b"cookie", f"p{his}", now, now + timedelta(days=1), "")
        left = members.leave(tx, now, by(house, LI), somebody(house, tx, "王芳"))
    assert (left.addresses, left.sessions, len(left.offices), left.unsaid) == (1, 1, 1, 1)
    with house.app.database.write() as tx:
        assert deliveries.claim(tx, house.now, "me", "telegram", 10, timedelta(minutes=1)) == []
        assert addresses.code_owner(tx, b"digest", house.now) is None
        session = web.session(tx, b"cookie", house.now)
        assert session is not None
        assert session.over
        assert offices.of_person(tx, his, date(2026, 11, 24)) == []
        campaigns.create(tx, house.now, "bound", his, [his], channel="telegram")
        campaigns.expand(tx, house.now)
        assert deliveries.claim(tx, house.now, "me", "telegram", 10, timedelta(minutes=1)) == []
    assert "绑定码" in wang.say("我的")  # a stranger's answer
    assert "王芳（1001）" not in house.chat(LI).say("名册")


@pytest.mark.parametrize(
    ("who", "name", "on", "reason"),
    [
        (LI, LI, None, "organisation.not_yourself"),
        (LI, "吴强", None, "rights.not_here"),
        (LI, "王芳", date(2026, 11, 25), "organisation.not_in_advance"),
    ],
)
def test_a_leaving_that_cannot_be_is_refused(house: House, who: str, name: str, on: date | None, reason: str) -> None:
    assert (
        refused(house, lambda tx: members.leave(tx, house.now, by(house, who), somebody(house, tx, name), on))
        == reason
    )


def test_nobody_leaves_twice_and_who_returns_is_there_again_unbound(house: House) -> None:
    house.chat("王芳")
    with house.app.database.write() as tx:
        members.leave(tx, house.now, OPERATOR, somebody(house, tx, "王芳"), date(2026, 11, 1))
    again = refused(house, lambda tx: members.leave(tx, house.now, OPERATOR, somebody(house, tx, "王芳")))
    assert again == "organisation.has_left"
    with house.app.database.write() as tx:
        wang, columns = somebody(house, tx, "王芳"), importing.columns(tx)
        members.edit(tx, house.now, OPERATOR, wang, columns, {}, returned=True)
        assert addresses.of_person(tx, wang.id) == []
    assert "王芳（1001）" in house.chat(LI).say("名册")


# -- 名册 and 发绑定码 ------------------------------------------------------------------------------------------


def test_the_roster_is_turned_by_pages_of_twenty(house: House) -> None:
    for n in range(30):
        house.person(f"同志{n:02d}", f"11{n:02d}")
    li = house.chat(LI)
    assert "第1页，共2页" in li.say("名册")
    assert li.labels[0] == "王芳"
    assert li.labels[-1] == "下一页"
    assert "20. " in li.text
    li.tap("下一页")
    assert "第2页，共2页" in li.text
    assert (li.labels[0], li.labels[-2:]) == ("同志16", ["同志29", "上一页"])


def test_a_name_leads_to_a_card_and_the_card_to_a_code(house: House) -> None:
    li = house.chat(LI)
    li.say("名册")
    assert li.tap("王芳").startswith("王芳（1001）\n正式党员，海川公司党委/第一支部")
    li.tap("发绑定码")
    code = CODE.search(li.text)
    assert code
    assert "2026年11月25日（周三）10:00（北京时间）前有效" in li.text
    stranger = house.chat("周", "telegram", "new-phone")
    stranger.say(code[0].lower().replace("-", " "))
    assert stranger.tap("同意").startswith("王芳同志，绑定好了")


def test_a_phone_number_is_shown_on_our_own_page_and_to_those_with_the_right_only(house: House) -> None:
    with house.app.database.write() as tx:
        people.change(tx, house.ids["王芳"], phone="17000000001")
    house.person("宣传委员冯", "1006", office="宣传委员")
    assert "17000000001" in house.chat(LI, "web").say("名册 王芳")
    assert "17000000001" not in house.chat(LI, "telegram").say("名册 王芳")
    assert "17000000001" not in house.chat("宣传委员冯", "web").say("名册 王芳")


def test_part_of_a_name_is_asked_about_before_a_code_is_given(house: House) -> None:
    li = house.chat(LI)
    li.say("发绑定码")
    assert not CODE.search(li.say("王"))
    assert li.labels == ["王芳 1001 第一支部"]
    assert CODE.search(li.tap("王芳"))


@pytest.mark.parametrize("written", ["2001", "吴强", "9999", "%"])
def test_who_lies_beyond_reach_is_answered_like_nobody(house: House, written: str) -> None:
    li = house.chat(LI)
    for command in ("名册", "发绑定码"):
        assert li.say(f"{command} {written}") == f"在您负责的范围里没有找到“{written}”，请核对姓名或员工号。"


def test_a_button_of_somebody_else_s_reach_opens_nothing(house: House) -> None:
    zhao, li = house.chat(ZHAO), house.chat(LI)
    zhao.say("名册 吴强")
    payloads = [key.payload or "" for row in zhao.heard[-1].keys for key in row]
    zhao.say("名册")
    payloads.append(zhao.key("第二支部").payload or "")
    payloads.append(zhao.key("吴强").payload or "")
    for payload in payloads:
        assert "吴强（2001）" not in li.press(payload)
        assert not CODE.search(li.text)


def test_a_member_has_neither_roster_nor_codes(house: House) -> None:
    wang = house.chat("王芳")
    assert "第一支部" not in wang.say("名册")
    assert not CODE.search(wang.say("发绑定码 1003"))
    assert "名册" not in wang.say("工作台")


def test_the_desk_counts_people_and_those_who_are_bound(house: House) -> None:
    li = house.chat(LI)
    house.chat("王芳")
    house.chat("王芳", "web")
    assert "名册：第一支部4人，2人已绑定" in li.say("工作台")
    assert {"名册", "发绑定码"} <= set(li.labels)


def test_a_secretary_releases_the_chats_of_a_lost_phone(house: House) -> None:
    li, wang = house.chat(LI), house.chat("王芳")
    li.say("名册 王芳")
    li.tap("解除绑定")
    assert "王芳" in wang.say("我的")
    li.tap("确定解除")
    assert "绑定码" in wang.say("我的")


def test_the_roster_speaks_english(house: House) -> None:
    li = house.chat(LI)
    li.say("/lang")
    li.tap("English")
    assert "Roster of 第一支部: 4 people (full member 2" in li.say("/roster")
    li.say("/roster 1001")
    assert "full member" in li.text
    assert "The binding code of 王芳 (1001):" in li.say("/code 1001")


def test_looking_for_somebody_needs_a_reach(house: House) -> None:
    found = refused(house, lambda tx: members.find(tx, house.now, by(house, "王芳"), Right.ROSTER, "孙明"))
    assert found == "organisation.nowhere"

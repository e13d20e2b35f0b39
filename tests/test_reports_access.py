"""Who may do what with a report, a note, a summary? A table written by hand, tried for each kind of person.

`Y`: done; `.`: refused, and nothing of what was written is in the refusal. The columns are the use cases, in their
order below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from bot.core.kinds import Attached, Prose
from bot.core.reply import Refused
from handlers.files import desk as keeping
from handlers.reports import bundle, desk, notes, summaries
from handlers.reports.acts import Comment, Export, Listed, Open
from handlers.reports.note_chat import OpenNote, ShareNote
from handlers.reports.rules import Period
from handlers.reports.summary_chat import OpenSummary
from handlers.reports.table import SHIPPED
from storage import contacts, files, offices, organisations, people, reports
from storage.audit import OPERATOR, Actor
from storage.files import File
from storage.house import Tx
from tests.people import Chat, House
from tests.reports import PDF, WORDS

REPORT, NOTE, PRIVATE, DONE = "汇报里的话", "分享的心得", "没分享的心得", "支部做的事"
NOVEMBER = Period(2026, 11)


@dataclass
class Things:
    """What there is to read."""

    report: int
    file: File
    shared: int
    private: int
    private_file: File
    summary: int


@pytest.fixture
def things(house: House) -> Things:
    """陈晓's report with a file, his two notes, the month of his branch; and people of every kind."""
    for name, number, branch, kind, office in (
        ("周组", "1101", "第一支部", "正式党员", "组织委员"),
        ("郑宣", "1102", "第一支部", "正式党员", "宣传委员"),
        ("冯副", "1103", "第一支部", "正式党员", "支部副书记"),
        ("何前", "1104", "第一支部", "正式党员", ""),
        ("老李", "1105", "第一支部", "正式党员", ""),
        ("郑群", "1106", "第一支部", "群众", ""),
        ("许信", "1107", "第一支部", "正式党员", "信息员"),
        ("孟组", "0002", "海川公司党委", "正式党员", "组织委员"),
        ("曹干", "0003", "海川公司党委", "正式党员", "党务干事"),
    ):
        house.person(name, number, branch=branch, kind=kind, office=office)
    ids, now = house.ids, house.now
    with house.app.database.write() as tx:
        contacts.assign(tx, ids["陈晓"], ids["王芳"], date(2026, 1, 1))
        contacts.assign(tx, ids["陈晓"], ids["何前"], date(2025, 1, 1))
        contacts.end(tx, ids["陈晓"], ids["何前"], date(2025, 12, 31))
        term = offices.appoint(tx, ids["老李"], house.orgs["第一支部"], "支部书记", date(2020, 1, 1))
        offices.end(tx, term, date(2025, 12, 31))
        files_ = [keeping.keep(tx, now, ids["陈晓"], name, PDF) for name in ("汇报.pdf", "心得.pdf")]
        receipt = desk.submit(tx, now, ids["陈晓"], NOVEMBER, Prose(REPORT + WORDS, [files_[0]]), "web")
        shared = notes.write(tx, now, ids["陈晓"], Prose(NOTE + WORDS), shared=True)
        private = notes.write(tx, now, ids["陈晓"], Prose(PRIVATE + WORDS, [files_[1]]), shared=False)
        summary = summaries.submit(
            tx, now, Actor(ids["李书记"], "李书记", "chat"), house.orgs["第一支部"], NOVEMBER, DONE, "计划"
        )  # fmt: skip
        found = [files.get(tx, one.id) for one in files_]
    assert found[0]
    assert found[1]
    return Things(receipt.report.id, found[0], shared.id, private.id, found[1], summary.id)


Case = Callable[[Tx, House, Actor, Things], object]


def _none(found: object) -> object:
    """A no that is told by nothing."""
    if not found:
        raise Refused("conversation.stale")
    return found


CASES: dict[str, Case] = {
    "read": lambda tx, h, who, t: desk.read(tx, h.now, who, t.report),
    "list": lambda tx, h, who, t: _none(desk.listed(tx, h.now, who.person_id or 0, NOVEMBER)),
    "file": lambda tx, h, who, t: _none(who.person_id and desk.opens(tx, h.now, who.person_id, t.file)),
    "comment": lambda tx, h, who, t: desk.comment(tx, h.now, who, t.report, "好"),
    "status": lambda tx, h, who, t: desk.status(tx, h.now, who, NOVEMBER, h.orgs["第一支部"]),
    "nudge": lambda tx, h, who, t: desk.nudge(tx, h.now, who, NOVEMBER, h.orgs["第一支部"]),
    "export": lambda tx, h, who, t: bundle.sheets(tx, h.now, who, h.orgs["第一支部"], NOVEMBER),
    "shared note": lambda tx, h, who, t: notes.read(tx, _person(who), t.shared),
    "private note": lambda tx, h, who, t: notes.read(tx, _person(who), t.private),
    "its file": lambda tx, h, who, t: _none(notes.opens(tx, h.now, _person(who), t.private_file)),
    "share it": lambda tx, h, who, t: notes.share(tx, _person(who), t.private, shared=True),
    "summary": lambda tx, h, who, t: summaries.read(tx, h.now, _person(who), t.summary),
    "hand one in": lambda tx, h, who, t: summaries.submit(tx, h.now, who, h.orgs["第一支部"], NOVEMBER, "做", "想"),
    "contact": lambda tx, h, who, t: desk.accompany(
        tx, h.now, who, people.get(tx, h.ids["陈晓"]), people.get(tx, h.ids["许信"])
    ),
}


def _person(who: Actor) -> int:
    if who.person_id is None:
        raise Refused("conversation.stale")
    return who.person_id


EXPECTED = {
    # read list file comment status nudge export | shared private its-file share | summary hand-in | contact
    "陈晓": "Y.Y.... YYYY .. .",  # the writer
    "孙明": "....... Y... Y. .",  # of the same branch
    "郑群": "....... .... .. .",  # 群众 of the same branch
    "李书记": "YYYYYYY Y... YY Y",  # the branch's secretary
    "周组": "YYYYYYY Y... YY Y",  # its organiser
    "郑宣": "....... Y... YY .",  # its publicity officer
    "冯副": "....YY. Y... YY Y",  # its deputy: sees who has, reads nothing
    "许信": "....... Y... Y. .",  # its informant
    "王芳": "YYYY... Y... Y. .",  # the 培养联系人
    "何前": "....... Y... Y. .",  # who was that last year
    "老李": "....... Y... Y. .",  # who was secretary last year
    "钱书记": "....... .... Y. .",  # the secretary of another branch
    "吴强": "....... .... Y. .",  # of another branch
    "赵书记": "....YY. .... Y. Y",  # the committee's secretary: figures and names, no texts
    "孟组": "....YY. .... Y. Y",  # the committee's organiser
    "曹干": "....YY. .... Y. Y",  # the committee's office
    "operator": "....YY. .... .. Y",
}


def _actor(house: House, name: str) -> Actor:
    return OPERATOR if name == "operator" else Actor(house.ids[name], name, "chat")


def test_the_table_is_whole() -> None:
    assert {len(row.replace(" ", "")) for row in EXPECTED.values()} == {len(CASES)}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_does_what_the_table_says_and_nothing_else(house: House, things: Things, name: str) -> None:
    expected = dict(zip(CASES, EXPECTED[name].replace(" ", ""), strict=True))
    found = {}
    for case, use in CASES.items():
        with house.app.database.write() as tx:
            who = _actor(house, name)
            try:
                with tx.savepoint():
                    use(tx, house, who, things)
                    found[case] = "Y"
                    raise _Undo
            except _Undo:
                pass
            except Refused as no:
                found[case] = "."
                told = house.app.reception.renderer.say(no.words, "zh") + str(no.words.values) + str(no)
                assert not any(text in told for text in (REPORT, NOTE, PRIVATE, DONE))
    assert found == expected


class _Undo(Exception):
    """What a case has done is undone: each begins alike."""


SHOWN = {"read": REPORT, "shared note": NOTE, "private note": PRIVATE, "summary": DONE}
"""What is shown where the table says that somebody reads it."""


@pytest.mark.parametrize("name", [*(name for name in EXPECTED if name != "operator"), "周"])
def test_no_button_shows_more_than_the_table(house: House, things: Things, name: str) -> None:
    """Every button there is, pressed by everybody: a press is a claim."""
    row = dict(zip(CASES, EXPECTED.get(name, "." * len(CASES)).replace(" ", ""), strict=True))
    allowed = {text for case, text in SHOWN.items() if row[case] == "Y"}
    chat = house.chat(name, "web" if name in house.ids else "telegram")
    org = house.orgs["第一支部"].id
    buttons = {
        "read": Open(things.report), "list": Listed(NOVEMBER.number), "comment": Comment(things.report),
        "export": Export(NOVEMBER.number, org), "shared note": OpenNote(things.shared),
        "private note": OpenNote(things.private), "share it": ShareNote(things.private, shared=True),
        "summary": OpenSummary(things.summary),
    }  # fmt: skip
    heard = ""
    for case, button in buttons.items():
        said = chat.press(button.encode())
        heard += said
        if case in SHOWN:
            assert (SHOWN[case] in said) == (row[case] == "Y"), f"{name} {case}: {said}"
        chat.say("取消")
    for word in (
        "思想汇报",
        "汇报情况",
        "汇报情况 2026-11",
        "学习心得",
        "各支部小结",
        "支部小结",
        "我的",
        "工作台",
        "帮助",
    ):
        heard += chat.say(word)
        chat.say("取消")
    assert not {text for text in (REPORT, NOTE, PRIVATE, DONE) if text in heard} - allowed


def test_whoever_has_left_reads_nothing_not_even_with_an_office_on_paper(house: House, things: Things) -> None:
    with house.app.database.write() as tx:
        people.change(tx, house.ids["李书记"], left_on=date(2026, 11, 1))
        people.change(tx, house.ids["陈晓"], left_on=date(2026, 11, 1))
    with house.app.database.write() as tx:
        for name in ("李书记", "陈晓"):
            who = _actor(house, name)
            with pytest.raises(Refused):
                desk.read(tx, house.now, who, things.report)
            with pytest.raises(Refused):
                notes.read(tx, house.ids[name], things.private)
    li = house.chat("李书记")
    assert REPORT not in li.press(Open(things.report).encode())


def test_a_report_stays_with_the_branch_where_it_was_written(house: House, things: Things) -> None:
    with house.app.database.write() as tx:
        people.change(tx, house.ids["陈晓"], organisation_id=house.orgs["第二支部"].id)
        with pytest.raises(Refused):
            desk.read(tx, house.now, _actor(house, "钱书记"), things.report)
        assert desk.read(tx, house.now, _actor(house, "李书记"), things.report).text.startswith(REPORT)


def test_the_table_of_readers_is_a_setting(house: House, things: Things, tmp_path: Path) -> None:
    local = tmp_path / "rules"
    local.mkdir()
    text = SHIPPED.read_text(encoding="utf-8").replace("contact = true", "contact = false")
    text = text.replace('readers = ["支部书记", "党委书记", "组织委员"]', 'readers = ["组织委员"]')
    (local / "reports.toml").write_text(text, encoding="utf-8")
    house.app.database.house = replace(house.app.house, rules=local)
    with house.app.database.write() as tx:
        readers = [name for name in EXPECTED if name != "operator" and _reads(tx, house, name, things)]
    assert readers == ["陈晓", "周组"]


def _reads(tx: Tx, house: House, name: str, things: Things) -> bool:
    report = reports.get(tx, things.report)
    assert report
    return desk.reads(tx, house.now, house.ids[name], report)


def test_another_persons_loose_file_opens_for_nobody_else(house: House) -> None:
    with house.app.database.write() as tx:
        kept: Attached = keeping.keep(tx, house.now, house.ids["陈晓"], "a.pdf", PDF)
        file = files.get(tx, kept.id)
        assert file
        opens = house.app.reception.opens
        assert {name for name, one in house.ids.items() if opens(tx, house.now, one, file)} == {"陈晓"}


def test_of_many_branches_those_in_which_the_most_is_missing_are_told(house: House) -> None:
    with house.app.database.write() as tx:
        above = house.orgs["海川公司党委"]
        for number in range(30):
            org = organisations.add(tx, code=f"M{number}", name=f"远方{number}", kind="党支部", parent=above)
            rows = [
                {"number": f"M{number}-{one}", "name": f"员{number}", "kind": "正式党员", "organisation_id": org.id}
                for one in range(1 + number % 3)
            ]
            people.add_many(tx, house.now, rows)
    chat = house.chat("赵书记")
    said = chat.say("汇报情况")
    assert "下面是缺得最多的20个" in said
    assert len(said) < 3000
    assert "远方29" in said  # three are missing there, in 远方0 one
    assert "远方0，" not in said
    assert len([label for label in chat.labels if "提醒" in label]) == 20
    assert "20 in which the most is missing" in _english(house, "赵书记").say("汇报情况")


def _english(house: House, name: str) -> Chat:
    with house.app.database.write() as tx:
        people.change(tx, house.ids[name], language="en")
    return house.chat(name)

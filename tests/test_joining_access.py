"""Who may do what with an application – each kind of person, each use case – and does a word of it stand anywhere?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bot.core.kinds import Prose
from bot.core.reply import Refused
from handlers.joining import branch, dates, desk
from handlers.joining.branch import Entry
from storage import applications, audit, files, offices, people
from storage.audit import OPERATOR, Actor
from storage.database import sqlite_file
from storage.house import Tx
from tests.applicants import STATEMENT, apply, by, number, receive, record, told, work
from tests.people import House, build_house

WORDS = "海边长大的孩子写下的话"
"""What nobody may find anywhere."""
PAGE = b"\x89PNG\r\n\x1a\n" + b"handwritten page"

# Who sees to the application of 周敏 of 第一支部, by hand: the offices of her branch that carry the right, and those
# above. `self` is 周敏 herself.
MAY = {
    "李书记 (secretary of her branch)": True,
    "郑委员 (organisation officer of her branch)": True,
    "冯副书记 (deputy of her branch)": True,
    "赵书记 (secretary of the committee)": True,
    "何组织员 (organiser of the committee)": True,
    "operator": True,
    "王芳 (a member of her branch)": False,
    "孙明 (on probation in her branch)": False,
    "陈晓 (an activist of her branch)": False,
    "宋委员 (publicity officer of her branch)": False,
    "党费 (treasurer of her branch)": False,
    "组长 (head of a group in her branch)": False,
    "干事 (clerk of the committee)": False,
    "钱书记 (secretary of another branch)": False,
    "吴强 (a member of another branch)": False,
    "旧书记 (secretary of her branch until last year)": False,
    "周敏 (herself, with the desk's eyes)": False,
}
OFFICES = {
    "郑委员": ("组织委员", "第一支部"),
    "冯副书记": ("支部副书记", "第一支部"),
    "何组织员": ("组织员", "海川公司党委"),
    "宋委员": ("宣传委员", "第一支部"),
    "党费": ("党费管理员", "第一支部"),
    "组长": ("党小组长", "第一支部"),
    "干事": ("党务干事", "海川公司党委"),
}


@pytest.fixture
def full(house: House) -> House:
    """A house with everybody of the table, an application handed in, and a page with it."""
    for at, (name, (office, org)) in enumerate(OFFICES.items()):
        house.person(name, f"5{at:03d}", branch=org, office=office)
    house.person("旧书记", "5900")
    with house.app.database.write() as tx:
        held = offices.appoint(tx, house.ids["旧书记"], house.orgs["第一支部"], "支部书记", date(2024, 1, 1))
        offices.end(tx, held, date(2025, 12, 31))
    apply(house, statement=f"{WORDS}。{STATEMENT}")
    application = number(house, "周敏")
    with house.app.database.write() as tx:
        files.add(
            tx, house.now, owner_id=house.ids["周敏"], kind="png", name="手写.png", content=PAGE,
            subject=(applications.FILES, application),
        )  # fmt: skip
    return house


def actor(house: House, label: str) -> Actor:
    name = label.split(" ")[0]
    return OPERATOR if name == "operator" else by(house, name)


def _register(tx: Tx, house: House, act: Actor, _number: int) -> object:
    """An application on paper of 王伟, who is in her branch."""
    return branch.register(tx, house.now, act, people.get(tx, house.ids["王伟"]), date(2026, 11, 1), "")


USES: dict[str, Callable[[Tx, House, Actor, int], object]] = {
    "look": lambda tx, house, act, n: branch.one(tx, house.now, act, n),
    "read": lambda tx, house, act, n: branch.read(tx, house.now, act, n),
    "notes": lambda tx, house, act, n: branch.notes(tx, house.now, act, n),
    "receive": lambda tx, house, act, n: branch.receive(tx, house.now, act, n, date(2026, 11, 24), ""),
    "send back": lambda tx, house, act, n: branch.send_back(tx, house.now, act, n, "请补充个人情况。"),
    "decline": lambda tx, house, act, n: branch.decline(tx, house.now, act, n, "支委会", "理由写在这里。"),
    "register": _register,
}


class Undo(Exception):
    """The use case went through; nothing of it is kept."""


@pytest.mark.parametrize("use", USES)
def test_the_access_table_of_an_application_is_as_written(full: House, use: str) -> None:
    full.person("王伟", "5901", kind="群众")
    application = number(full, "周敏")
    leaks = []
    for label, expected in MAY.items():
        try:
            with full.app.database.write() as tx:
                USES[use](tx, full, actor(full, label), application)
                raise Undo
        except Undo:
            allowed = True
        except Refused:
            allowed = False
        if use == "register" and label.startswith("周敏"):
            expected = False
        if allowed is not expected:
            leaks.append((label, allowed))
    assert leaks == []


@pytest.mark.parametrize("use", ["record", "strike"])
def test_the_access_table_of_its_records_is_as_written(full: House, use: str) -> None:
    receive(full, "2026-11-24")
    application = number(full, "周敏")
    leaks = []
    for label, expected in MAY.items():
        act = actor(full, label)
        try:
            with full.app.database.write() as tx:
                if use == "record":
                    branch.record(tx, full.now, act, application, Entry("2", date(2026, 11, 24)))
                else:
                    last = max(applications.stages(tx, [application])[application], key=lambda one: one.id)
                    branch.strike(tx, full.now, act, application, last.id)
                raise Undo
        except Undo:
            allowed = True
        except Refused:
            allowed = False
        if allowed is not expected:
            leaks.append((label, allowed))
    assert leaks == []


def test_the_access_table_of_lists_pages_and_dates_is_as_written(full: House) -> None:
    leaks = []
    with full.app.database.write() as tx:
        page = files.of(tx, applications.FILES, [number(full, "周敏")])[number(full, "周敏")][0]
        for label, expected in MAY.items():
            act = actor(full, label)
            try:
                listed = [case.person.name for case in branch.inbox(tx, full.now, act)]
            except Refused:
                listed = []
            dated = [one.person.name for one in dates.within(tx, full.now, act, 60)]
            opened = act.person_id is not None and desk.opens(tx, full.now, act.person_id, page)
            herself = label.startswith("周敏")
            if (listed == ["周敏"], dated == ["周敏"]) != (expected, expected):
                leaks.append((label, "list"))
            if opened != ((expected and label != "operator") or herself):
                leaks.append((label, "page"))
    assert leaks == []


@pytest.mark.parametrize("label", MAY)
def test_what_the_chat_shows_is_as_written(full: House, label: str) -> None:
    name = label.split(" ")[0]
    if name == "operator":
        return
    chat = full.chat(name)
    shown = "周敏" in chat.say("入党申请") or "周敏" in "".join(chat.labels)
    assert shown is MAY[label]
    assert ("等支部受理" in chat.say("入党申请 周敏")) is MAY[label]
    assert WORDS not in chat.text
    assert ("1份等受理" in chat.say("工作台")) is MAY[label]
    elsewhere = name == "钱书记"  # who has the right, but for another branch
    assert ("入党申请（/applicants）" in chat.say("帮助")) is (MAY[label] or elsewhere)


def test_a_forged_button_opens_nothing(full: House) -> None:
    secretary, stranger = full.chat("李书记"), full.chat("钱书记")
    secretary.say("入党申请 周敏")
    for label in ("看申请书", "受理", "退回补充", "终止申请"):
        said = stranger.press(secretary.key(label).payload or "")
        assert WORDS not in said
        assert "不归您办理" in said
    own = full.chat("周敏").press(secretary.key("看申请书").payload or "")
    assert WORDS not in own
    assert "周敏" not in full.chat("周").press(secretary.key("看申请书").payload or "")


def test_an_application_follows_its_person_to_another_branch(full: House) -> None:
    with full.app.database.write() as tx:
        people.change(tx, full.ids["周敏"], organisation_id=full.orgs["第二支部"].id)
    assert "周敏" in full.chat("钱书记").say("入党申请")
    assert "周敏" not in full.chat("李书记").say("入党申请")
    assert told(full, "李书记") == []


def test_each_reading_is_written_down(full: House) -> None:
    secretary = full.chat("李书记")
    secretary.say("入党申请 周敏")
    assert WORDS in secretary.tap("看申请书")
    with full.app.database.write() as tx:
        page = files.of(tx, applications.FILES, [number(full, "周敏")])[number(full, "周敏")][0]
        assert full.app.reception.opens(tx, full.now, full.ids["李书记"], page)
    read = work(full, lambda tx: audit.log(tx, action="application.read"))
    assert [(one["name"], one["via"]) for one in read] == [("李书记", "chat"), ("李书记", "chat")]


def test_not_a_word_of_it_stands_anywhere_in_plain(full: House, caplog: pytest.LogCaptureFixture) -> None:
    note, reason = "备注里的悄悄话", "要补充的悄悄话"
    secretary = full.chat("李书记")
    secretary.say("入党申请 周敏")
    secretary.tap("看申请书")
    act, application = by(full, "李书记"), number(full, "周敏")
    work(full, lambda tx: branch.send_back(tx, full.now, act, application, reason))
    assert any(reason in text for text in told(full, "周敏"))
    work(full, lambda tx: desk.complete(tx, full.now, full.ids["周敏"], Prose(WORDS)))
    receive(full, "2026-11-24")
    work(full, lambda tx: branch.record(
        tx, full.now, act, application, Entry("2", date(2026, 11, 24), note=note)))  # fmt: skip
    secretary.say("入党申请 周敏")
    assert note in secretary.tap("看登记和备注")
    full.tick()
    store = sqlite_file(full.app.config.database.url)
    assert store is not None
    everything = b"".join(file.read_bytes() for file in sorted(store.parent.iterdir()) if file.is_file())
    for word in (WORDS, note, reason, "2000-02-29", STATEMENT[:20]):
        assert word.encode() not in everything
    assert PAGE not in everything
    assert WORDS not in caplog.text
    assert "周敏".encode() in everything, "what is not sealed is found: the search can find"


def test_a_draft_that_is_never_sent_is_sealed_as_well(house: House) -> None:
    house.person("周敏", "3001", kind="群众")
    chat = house.chat("周敏")
    chat.say("我要入党")
    chat.tap("开始申请")
    chat.tap("我同意")
    chat.say("2000-02-29")
    chat.say(WORDS)
    store = sqlite_file(house.app.config.database.url)
    assert store is not None
    assert WORDS.encode() not in b"".join(
        file.read_bytes() for file in Path(store).parent.iterdir() if file.is_file()
    )


def test_nobody_sees_to_their_own_application(house: House) -> None:
    house.person("韩书记", "5902", kind="预备党员", office="组织委员")
    herself, day = house.ids["韩书记"], date(2025, 1, 1)
    own, other = by(house, "韩书记"), by(house, "李书记")
    with pytest.raises(Refused, match="own_case"):
        work(house, lambda tx: branch.register(tx, house.now, own, people.get(tx, herself), day, ""))
    work(house, lambda tx: branch.register(tx, house.now, other, people.get(tx, herself), day, ""))
    assert "韩书记" not in house.chat("韩书记").say("入党申请")
    assert "您自己的申请" in house.chat("韩书记").say("入党申请 5902")


def test_under_the_strict_policy_the_list_is_a_link(tmp_path: Path) -> None:
    house = build_house(tmp_path, policy__channels="strict")
    house.person("周敏", "3001", kind="群众")
    for channel in ("telegram", "wechat", "wecom", "email"):
        apply_on_the_page = house.chat("李书记", channel)
        said = apply_on_the_page.say("入党申请")
        assert "登记纸质申请" not in said
        assert apply_on_the_page.key("打开网页").path
    assert "没有办理中" in house.chat("李书记", "web").say("入党申请")


def test_what_was_declined_keeps_its_reason_from_the_others(full: House) -> None:
    act, application = by(full, "李书记"), number(full, "周敏")
    work(full, lambda tx: branch.decline(tx, full.now, act, application, "支委会", "只说给本人听的理由。"))
    assert any("只说给本人听的理由。" in text for text in told(full, "周敏"))
    for name in ("王芳", "钱书记", "孙明"):
        assert all("理由" not in text for text in told(full, name))
    with pytest.raises(Refused, match="not_now"):
        record(full, "周敏", "2", "2026-11-24")

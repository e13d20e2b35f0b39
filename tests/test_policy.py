"""What goes where? Both presets, every grade, every channel: the table of the rules, written out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.carriage import Carriage, How
from bot.core.event import Address
from bot.core.reply import Grade, Key, Message
from bot.render import LANGUAGES
from handlers.notices.following import silent_line
from storage import web
from storage.reminders import Kept
from tests.notices import about, person, send
from tests.people import Chat, House, build_house
from tests.polls import open_poll

WHERE = {
    "web": Address("web", "p1"),
    "telegram": Address("telegram", "7"),
    "wechat": Address("wechat", "o1"),
    "wecom": Address("wecom", "1001"),
    "mail of our own": Address("email", "wang@haichuan.example"),
    "another's mail": Address("email", "wang@example.org"),
    "a channel nobody knows": Address("pigeon", "1"),
}
GRADES = ("public", "general", "personal", "sensitive", "poll", "nomination", "ballot")
# Columns in the order of GRADES: y as it is, l a link, g a link with the most neutral words, a as it is
# where its reader has just asked, and else a link.
OPEN = {
    "web": "y y y y y y y",
    "telegram": "y y y y y y y",
    "wechat": "y y y y y y y",
    "wecom": "y y y y y y y",
    "mail of our own": "y y y l l l l",
    "another's mail": "y y y l l l l",
    "a channel nobody knows": "l l l l l l l",
}
STRICT = {
    "web": "y y y y y y y",
    "telegram": "y g l l y l l",
    "wechat": "y y a l y y l",
    "wecom": "y y a l y y l",
    "mail of our own": "y y l l l l l",
    "another's mail": "y g l l l l l",
    "a channel nobody knows": "l l l l l l l",
}
CELLS = [
    (policy, place, grade, cell)
    for policy, table in (("open", OPEN), ("strict", STRICT))
    for place, row in table.items()
    for grade, cell in zip(GRADES, row.split(), strict=True)
]
LETTERS = {How.YES: "y", How.LINK: "l", How.GENERIC: "g"}
SECRET = "王芳，基数5400元"


@pytest.fixture(params=["open", "strict"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house under each policy, with a mail domain of its own."""
    yield from _house(tmp_path, request.param)


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[House]:
    yield from _house(tmp_path, "strict")


def _house(folder: Path, policy: str) -> Iterator[House]:
    built = build_house(folder, policy__channels=policy, policy__company_domains="haichuan.example")
    yield built
    built.app.database.close()


def test_the_table_names_every_grade() -> None:
    assert {grade.name.lower() for grade in Grade} == set(GRADES)


@pytest.mark.parametrize("asked", [True, False], ids=["answered", "delivered"])
def test_every_cell_of_the_table_is_as_it_is_written(either: House, asked: bool) -> None:
    house = either.app.house
    found = {
        (place, grade): LETTERS[Carriage.how(house, WHERE[place], Grade[grade.upper()], asked=asked)]
        for policy, place, grade, _ in CELLS
        if policy == house.policy
    }
    assert found == {
        (place, grade): meant(cell, asked) for policy, place, grade, cell in CELLS if policy == house.policy
    }


def meant(cell: str, asked: bool) -> str:
    """What a cell says of an answer, or of what comes by itself."""
    return {"a": "y" if asked else "l"}.get(cell, cell)


def carried(house: House, grade: str, place: str, *, asked: bool) -> Message:
    """Something secret of this grade, as it goes to 王芳 there."""
    key = Key("收到", "na:1", light=True)
    message = Message(SECRET, ((key,),), toast=SECRET, grade=Grade[grade.upper()], outside="您有一条新通知")
    with house.app.database.write() as tx:
        fit = house.app.reception.carriage.fit
        return fit(tx, house.now, message, WHERE[place], house.ids["王芳"], "zh", asked=asked)


@pytest.mark.parametrize("asked", [True, False], ids=["answered", "delivered"])
def test_what_may_not_be_shown_is_not_shown_and_stands_behind_the_link(either: House, asked: bool) -> None:
    for policy, place, grade, written in CELLS:
        if policy != either.app.house.policy:
            continue
        message, cell = carried(either, grade, place, asked=asked), meant(written, asked)
        keys = [key for row in message.keys for key in row]
        if cell == "y":
            assert (message.text, [key.payload for key in keys]) == (SECRET, ["na:1"]), (place, grade)
            continue
        assert "王芳" not in f"{message.text}{message.toast or ''}{keys}", (place, grade)
        (link,) = keys
        assert link.payload is None
        if not asked:
            assert ("通知" in message.text) == (cell == "l"), "the most neutral words do not even name its kind"
        with either.app.database.write() as tx:
            found = web.see_link(tx, web.link_digest(tx, (link.path or "").rpartition("/")[2]), either.now)
        assert found is not None
        assert found.body is not None
        assert found.body["text"] == SECRET
        assert found.body["keys"] == [[{"label": "收到", "press": "na:1"}]]


def test_the_words_that_stand_in_for_others_give_nothing_away(house: House) -> None:
    say = house.app.reception.renderer.say
    from bot.core.reply import words

    for language in LANGUAGES:
        for name in ("not_here", "outside", "outside_personal"):
            assert "{" not in say(words(f"conversation.{name}"), language)


# -- as people meet it -------------------------------------------------------------------------------------------


def on_the_page(house: House, chat: Chat) -> Chat:
    """What the link in the last message brings into the web chat."""
    (path,) = [key.path or "" for row in chat.heard[-1].keys for key in row]
    page = house.chat(next(name for name, one in house.ids.items() if one == _owner(house, chat)), "web")
    with house.app.database.write() as tx:
        link = web.use_link(tx, web.link_digest(tx, path.rpartition("/")[2]), house.now)
    assert link is not None
    assert link.body is not None
    keys = tuple(
        tuple(Key(str(key["label"]), key.get("press"), key.get("path")) for key in row) for row in link.body["keys"]
    )
    page.heard.append(Message(str(link.body["text"]), keys))
    return page


def _owner(house: House, chat: Chat) -> int:
    from storage import addresses

    with house.app.database.read() as tx:
        bound = addresses.find(tx, chat.address)
    assert bound is not None
    return bound.person_id


def test_under_strict_telegram_helps_and_says_nothing_of_anybody(strict: House) -> None:
    wang = strict.chat("王芳")
    assert "投票（/vote）" in wang.say("帮助")
    assert wang.say("我的") == "按本组织的规定，这项内容不在这个聊天里显示。请打开下面的网页链接，在那里查看、办理。"
    assert "第一支部" in on_the_page(strict, wang).text
    assert "没太明白" in wang.say("天气真好啊朋友们")


def test_under_strict_a_notice_tells_telegram_only_that_something_waits(strict: House) -> None:
    wang = strict.chat("王芳")
    notice = send(strict, actor=person(strict, "李书记"))
    message = strict.compose(about(strict, notice)[0], "王芳")
    assert message is not None
    with strict.app.database.write() as tx:
        fit = strict.app.reception.fit(tx, strict.now, message, wang.address, strict.ids["王芳"])
    wang.heard.append(fit)
    assert wang.text == "您有一项待办，请打开网页查看。"
    page = on_the_page(strict, wang)
    assert "支部大会" in page.text
    assert "✓ 已确认" in page.tap("收到")


def test_under_strict_a_result_is_a_link_where_it_comes_by_itself_and_shown_to_whoever_asks(strict: House) -> None:
    """Own dues, own next step, own results go through WeChat and WeCom on request only."""
    wang, at = strict.chat("王芳", "wecom"), Address("wecom", "wecom-王芳")
    message = Message("您的成绩：85分", grade=Grade.PERSONAL)
    with strict.app.database.write() as tx:
        told = strict.app.reception.fit(tx, strict.now, message, at, strict.ids["王芳"])
    assert "85" not in told.text
    assert "王芳" in wang.say("我的")


def test_under_strict_a_reminder_that_names_others_is_a_link(strict: House) -> None:
    send(strict, actor=person(strict, "李书记"))
    kept = Kept(1, strict.ids["李书记"], "notice.silent", "1", 1, strict.now, strict.now, False)
    with strict.app.database.read() as tx:
        item = silent_line(tx, strict.now, kept)
    assert item
    assert "王芳" in strict.app.reception.renderer.say(item.words, "zh")
    assert item.grade is Grade.PERSONAL


def test_under_strict_a_vote_on_people_is_a_link_on_telegram_and_a_tap_on_wechat(strict: House) -> None:
    open_poll(strict)
    phone, wechat = strict.chat("王芳"), strict.chat("王芳", "wechat")
    assert "【投票】" not in phone.say("投票")
    assert "【投票】" in on_the_page(strict, phone).text
    assert "【投票】" in wechat.say("投票")
    assert "已记录：孙明" in wechat.tap("孙明")


def test_under_strict_a_vote_on_things_is_a_tap_on_telegram(strict: House) -> None:
    open_poll(strict, options=("爬山", "划船"))
    wang = strict.chat("王芳")
    assert "【投票】" in wang.say("投票")
    assert "已记录：爬山" in wang.tap("爬山")


def test_a_form_that_may_not_be_filled_in_here_goes_on_on_the_page(strict: House) -> None:
    wang = strict.chat("王芳", "wecom")
    assert "不在这个聊天里显示" in wang.say("算党费")
    page = on_the_page(strict, wang)
    assert page.text == "请在这里办理「算党费」："
    assert "基数是多少元" in page.tap("算党费")
    assert "81.00" in page.say("5400")


def test_an_answer_that_goes_elsewhere_leaves_no_button_to_be_numbered(strict: House) -> None:
    wang = strict.chat("王芳")
    wang.say("我的")
    assert "没太明白" in wang.say("1")


def test_under_open_a_base_is_shown_in_the_chat_and_not_in_a_mail(house: House) -> None:
    house.person("何", "3000", dues_category="wage", dues_base=540000)
    assert "5400.00" in house.chat("何").say("党费")
    assert "5400" not in house.chat("何", "email", "he@example.org").say("党费")

"""Is a study note its writer's own: can it be deleted, by nobody else, and never by one tap?"""

from __future__ import annotations

from handlers.reports.note_chat import DeleteNote
from storage import files, writings
from tests.people import Chat, House
from tests.reports import PHOTO, WORDS


def written(house: House, name: str) -> Chat:
    chat = house.chat(name)
    chat.say("学习心得")
    chat.say(WORDS)
    chat.hand("笔记.png", PHOTO)
    chat.say("完")
    chat.tap("分享")
    return chat


def test_a_note_is_deleted_with_its_files_when_its_writer_is_sure(house: House) -> None:
    chen = written(house, "陈晓")
    chen.say("学习心得")
    chen.tap("我的")
    assert chen.tap("删除这篇").startswith("要删除您2026年11月24日")
    assert "同支部的同志也看不到了" in chen.text
    assert chen.labels == ["确定删除", "不删"]
    assert WORDS in chen.tap("不删")
    chen.tap("删除这篇")
    assert chen.tap("确定删除") == "已经删除。"
    with house.app.database.read() as tx:
        assert writings.notes_of(tx, house.ids["陈晓"]) == []
        assert files.of(tx, writings.NOTE, [1]) == {}
    assert chen.tap("确定删除").startswith("没有这篇心得")
    assert "请写下您的学习心得" in chen.say("学习心得")


def test_nobody_deletes_anothers_note(house: House) -> None:
    written(house, "陈晓")
    with house.app.database.read() as tx:
        (note,) = writings.notes_of(tx, house.ids["陈晓"])
    for name in ("王芳", "李书记"):
        assert house.chat(name).press(DeleteNote(note.id, sure=True).encode()).startswith("没有这篇心得")
    with house.app.database.read() as tx:
        assert writings.notes_of(tx, house.ids["陈晓"]) == [note]

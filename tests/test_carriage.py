"""What does a channel carry, and what stands behind a link instead?"""

from __future__ import annotations

import re

import pytest

from bot.adapters.web import person_key
from bot.core.event import Address, Pressed
from bot.core.reply import Message
from storage import web
from tests.people import House
from tests.polls import open_poll


def links(message: Message) -> list[str]:
    return [key.path for row in message.keys for key in row if key.path]


def follow(house: House, url: str) -> list[dict[str, object]]:
    """What stands in the chat once the link has been used."""
    token = re.search(r"/l/([\w-]+)$", url)
    assert token
    with house.app.database.write() as tx:
        link = web.use_link(tx, web.link_digest(tx, token[1]), house.now)
        assert link is not None
        assert link.body is not None
        return [link.body]


def test_a_vote_by_mail_is_a_link_that_brings_the_question_along(house: House) -> None:
    open_poll(house)
    wang = house.chat("王芳", "email", "wang@example.org")
    assert "不在这个聊天里显示" in wang.say("投票")
    assert wang.labels == ["打开网页"]
    (line,) = follow(house, links(wang.heard[-1])[0])
    assert "【投票】" in str(line["text"])
    assert [key["label"] for row in line["keys"] for key in row][:2] == ["王芳", "孙明"]  # type: ignore[attr-defined]


def test_a_number_in_a_mail_does_not_vote(house: House) -> None:
    open_poll(house)
    wang = house.chat("王芳", "email", "wang@example.org")
    wang.say("投票")
    wang.say("1")
    assert "已投" not in wang.text
    assert "您已投" not in house.chat("王芳").say("投票")


def test_a_vote_pressed_in_the_name_of_a_mail_is_not_counted(house: House) -> None:
    open_poll(house)
    phone = house.chat("王芳")
    phone.say("投票")
    choice = phone.key("孙明").payload
    assert choice
    forged = Pressed(Address("email", "wang@example.org"), "m1", choice)
    house.chat("王芳", "email", "wang@example.org")
    (answer,) = house.receive(forged)
    assert "邮件里不能直接办" in answer.text
    assert len(links(answer)) == 1


def test_a_link_is_used_once(house: House) -> None:
    open_poll(house)
    wang = house.chat("王芳", "email", "wang@example.org")
    wang.say("投票")
    url = links(wang.heard[-1])[0]
    follow(house, url)
    with pytest.raises(AssertionError):
        follow(house, url)


def test_a_notice_is_not_begun_by_mail_but_on_the_page(house: House) -> None:
    secretary = house.chat("李书记", "email", "li@example.org")
    assert "邮件里不能直接办" in secretary.say("发通知")
    (line,) = follow(house, links(secretary.heard[-1])[0])
    page = house.chat("李书记", "web", person_key(house.ids["李书记"]))
    page.press(str(line["keys"][0][0]["press"]))  # type: ignore[index]
    assert "标题" in page.text


def test_a_form_begun_elsewhere_that_decides_is_not_ended_by_mail(house: House) -> None:
    house.chat("李书记").say("发通知")
    mail = house.chat("李书记", "email", "li@example.org")
    assert "没填完" in mail.say("你好")
    mail.tap("继续")
    assert "邮件里不能直接办" in mail.text


def test_what_only_shows_is_shown_by_mail(house: House) -> None:
    wang = house.chat("王芳", "email", "wang@example.org")
    assert "第一支部" in wang.say("我的")

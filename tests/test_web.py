"""Does the web chat lose nothing, double nothing, and let in nobody else?"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.core.reply import Key, Message, Parcel, Undelivered
from storage import web
from tests.people import House
from tests.polls import open_poll, votes
from tests.sites import Browser, Running, new_id, next_event, running, signed_in, texts


@pytest.fixture
async def site(house: House) -> AsyncIterator[Running]:
    async with running(house) as site:
        yield site


@pytest.fixture
async def site_on(house_on: House) -> AsyncIterator[Running]:
    """The same, once on SQLite and once on PostgreSQL."""
    async with running(house_on) as site:
        yield site


# -- saying and pressing ----------------------------------------------------------------------------------------


async def test_words_are_answered_and_stay_on_the_page(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    answer = await wang.say("我的")
    mine, reply = answer["lines"]
    assert mine["mine"]
    assert mine["text"] == "我的"
    assert "王芳同志（1001）" in reply["text"]
    await wang.open()
    assert [line["text"] for line in wang.data["lines"]] == texts(answer)


async def test_a_message_sent_again_after_a_tunnel_is_the_same_lines_once(house_on: House, site_on: Running) -> None:
    wang = await signed_in(site_on, house_on, "王芳")
    sent = new_id()
    first = await wang.say("我的", sent)
    again = await wang.say("我的", sent)
    assert again["lines"] == first["lines"]
    await wang.open()
    assert len(wang.data["lines"]) == 2


async def test_a_tap_changes_the_message_it_stands_under(house: House, site: Running) -> None:
    poll = open_poll(house)
    wang = await signed_in(site, house, "王芳")
    asked = (await wang.say("投票"))["lines"][-1]
    answer = await wang.tap(asked, "孙明")
    assert [line["id"] for line in answer["lines"]] == [asked["id"]]
    assert answer["lines"][0]["text"].startswith("已记录：孙明")
    assert answer["lines"][0]["version"] > asked["version"]
    assert answer["toast"]
    assert votes(house, poll) == {house.ids["王芳"]: (2,)}


async def test_a_late_redelivery_of_a_tap_does_not_undo_a_newer_one(house_on: House, site_on: Running) -> None:
    poll = open_poll(house_on)
    wang = await signed_in(site_on, house_on, "王芳")
    asked = (await wang.say("投票"))["lines"][-1]
    sent = new_id()
    await wang.tap(asked, "孙明", sent)
    changed = await wang.tap(asked, "吴强")
    late = await wang.tap(asked, "孙明", sent)
    assert votes(house_on, poll) == {house_on.ids["王芳"]: (3,)}
    assert late["lines"] == changed["lines"]


async def test_a_button_with_an_answer_of_its_own_shows_what_was_pressed(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    helped = (await wang.say("帮助"))["lines"][-1]
    mine, reply = (await wang.tap(helped, "我的"))["lines"]
    assert (mine["mine"], mine["text"]) == (True, "我的")
    assert "王芳同志" in reply["text"]


async def test_somebody_elses_line_cannot_be_pressed_or_changed(house: House, site: Running) -> None:
    open_poll(house)
    wang, sun = await signed_in(site, house, "王芳"), await signed_in(site, house, "孙明")
    asked = (await wang.say("投票"))["lines"][-1]
    await sun.tap(asked, "孙明")
    await wang.open()
    assert wang.data["lines"][-1] == asked


async def test_a_button_of_nowhere_is_answered(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    answer = await wang.send({"id": new_id(), "press": "nonsense", "on": 10**17})
    assert len(answer["lines"]) == 1


async def test_half_a_character_breaks_nothing(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    answer = await wang.send({"id": new_id(), "text": "\ud83d 你好\0"})
    assert answer["lines"][0]["text"] == "? 你好"


async def test_a_file_nobody_asked_for_gets_a_friendly_no(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    status, answer = await upload(wang, b"1,2,3")
    assert status == 200
    assert answer["lines"][0]["text"] == "📎 名册.csv"
    assert len(answer["lines"]) == 2


async def upload(browser: Browser, content: bytes) -> tuple[int, dict[str, Any]]:
    form = aiohttp.FormData(quote_fields=False)  # as browsers do
    form.add_field("id", new_id())
    form.add_field("file", io.BytesIO(content), filename="名册.csv", content_type="text/csv")
    headers = {"Origin": browser.url, "X-Tiexin-Token": browser.token, "Accept": "application/json"}
    async with browser.session.post(browser.url + "/chat/file", data=form, headers=headers) as answer:
        return answer.status, await answer.json()


# -- what is refused --------------------------------------------------------------------------------------------


async def test_a_stranger_s_page_cannot_speak_for_a_member(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    message = {"id": new_id(), "text": "投票"}
    await wang.send(message, status=403, Origin="https://evil.example")
    await wang.send(message, status=403, Origin="null")
    await wang.send(message, status=403, Origin=None)
    await wang.send(message, status=403, X_Tiexin_Token=None)
    await wang.send(message, status=403, X_Tiexin_Token="0" * 64)
    other = await signed_in(site, house, "孙明")
    await wang.send(message, status=403, X_Tiexin_Token=other.token)
    await wang.open()
    assert wang.data["lines"] == []


async def test_who_has_no_cookie_is_told_to_sign_in(site: Running) -> None:
    somebody = await site.browser()
    answer = await somebody.send({"id": new_id(), "text": "投票"}, status=401)
    assert "登录" in answer["error"]


@pytest.mark.parametrize(
    "value",
    [
        [], {}, {"id": 1, "text": "a"}, {"id": "d1", "text": "a"}, {"id": new_id()}, {"id": new_id(), "text": 5},
        {"id": new_id(), "press": 5}, {"id": new_id(), "press": "x", "text": "a"},
        {"id": new_id(), "press": "x", "on": "1"}, {"id": new_id(), "press": "x", "on": True},
        {"id": new_id(), "press": "x", "on": -1},
    ],
)  # fmt: skip
async def test_what_is_no_message_is_refused_in_words(house: House, site: Running, value: object) -> None:
    wang = await signed_in(site, house, "王芳")
    assert "没看懂" in (await wang.send(value, status=400))["error"]


async def test_truncated_json_is_refused_in_words(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    headers = {"Origin": site.url, "X-Tiexin-Token": wang.token, "Content-Type": "application/json"}
    async with wang.session.post(site.url + "/chat/messages", data=b'{"id": "', headers=headers) as answer:
        assert answer.status == 400
        assert "没看懂" in (await answer.json())["error"]


async def test_a_message_of_a_hundred_kilobytes_is_too_large_and_a_file_of_as_much_is_not(
    house: House, site: Running
) -> None:
    wang = await signed_in(site, house, "王芳")
    answer = await wang.send({"id": new_id(), "text": "长" * 40_000}, status=413)
    assert "太大" in answer["error"]
    assert (await upload(wang, b"x" * 100_000))[0] == 200
    status, told = await upload(wang, b"x" * (10 * 1024 * 1024 + 1))
    assert status == 413
    assert "太大" in str(told["error"])


async def test_a_busy_house_asks_to_come_again(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    await site.writer.close()
    answer = await wang.send({"id": new_id(), "text": "投票"}, status=503)
    assert wang.headers["Retry-After"] == "2"
    assert "忙" in answer["error"]


async def test_a_guest_who_talks_without_end_is_slowed_down(house: House, site: Running) -> None:
    guest = await site.browser()
    await guest.open()
    for _ in range(30):
        await guest.say("你好")
    await guest.send({"id": new_id(), "text": "你好"}, status=429)
    assert guest.headers["Retry-After"] == "5"
    house.later(seconds=10)
    await guest.say("你好")


# -- hearing ----------------------------------------------------------------------------------------------------


async def test_a_delivery_is_seen_at_once_and_only_once(house_on: House, site_on: Running) -> None:
    wang = await signed_in(site_on, house_on, "王芳")
    key = f"p{house_on.ids['王芳']}"
    async with wang.events() as stream:
        line = await site_on.server.channel.send(Parcel(7, key, Message("周五开会", ((Key("收到", "x"),),))))
        name, data, version = await next_event(stream)
        assert name == "message"
        assert [(str(one["id"]), one["text"]) for one in data["lines"]] == [(line, "周五开会")]
        assert await site_on.server.channel.send(Parcel(7, key, Message("周五开会"))) == line
        await site_on.server.channel.revise(Parcel(0, key, Message("周五开会（已收到）")), line)
        _, data, newer = await next_event(stream)
        assert [one["text"] for one in data["lines"]] == ["周五开会（已收到）"]
        assert data["lines"][0]["keys"] == []
        assert int(newer) > int(version)


async def test_a_browser_that_comes_back_hears_what_it_missed(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    key = f"p{house.ids['王芳']}"
    await site.server.channel.send(Parcel(1, key, Message("一")))
    async with wang.events() as stream:
        _, _, seen = await next_event(stream)
    await site.server.channel.send(Parcel(2, key, Message("二")))
    async with wang.events(last=seen) as stream:
        _, data, _ = await next_event(stream)
    assert [one["text"] for one in data["lines"]] == ["二"]


async def test_what_another_process_writes_is_seen_too(house_on: House, site_on: Running) -> None:
    wang = await signed_in(site_on, house_on, "王芳")
    async with wang.events() as stream:
        with house_on.app.database.write() as tx:
            web.add_line(tx, house_on.now, f"p{house_on.ids['王芳']}", "d1", {"text": "别处写的", "keys": []})
        _, data, _ = await next_event(stream)
        assert data["lines"][0]["text"] == "别处写的"


async def test_nobody_hears_what_is_not_theirs(house: House, site: Running) -> None:
    wang, sun = await signed_in(site, house, "王芳"), await signed_in(site, house, "孙明")
    await site.server.channel.send(Parcel(1, f"p{house.ids['王芳']}", Message("给王芳")))
    await site.server.channel.send(Parcel(2, f"p{house.ids['孙明']}", Message("给孙明")))
    async with sun.events() as stream:
        _, data, _ = await next_event(stream)
    assert [one["text"] for one in data["lines"]] == ["给孙明"]
    await wang.open()
    assert [one["text"] for one in wang.data["lines"]] == ["给王芳"]


async def test_nothing_can_be_delivered_to_a_guest_or_while_the_house_is_busy(house: House, site: Running) -> None:
    with pytest.raises(Undelivered) as no:
        await site.server.channel.send(Parcel(1, "gabc", Message("一")))
    assert no.value.permanent
    await site.writer.close()
    with pytest.raises(Undelivered) as busy:
        await site.server.channel.send(Parcel(1, "p1", Message("一")))
    assert busy.value.retry_after == 2

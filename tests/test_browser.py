"""Does the web chat work in a real browser, as wide as a telephone?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from bot.core.reply import Key, Message
from tests.people import House
from tests.phones import PHONE, answers, say, settled
from tests.polls import open_poll, votes
from tests.sites import Site, open_site

pytestmark = pytest.mark.browser

PERSONAS = {
    "赵书记": "党委书记", "李书记": "支部书记", "王芳": "出差党员", "孙明": "预备党员", "陈晓": "入党积极分子",
}  # fmt: skip


@pytest.fixture
def site(house: House) -> Iterator[Site]:
    with open_site(house, PERSONAS) as site:
        yield site


def enter(phone: BrowserContext, site: Site, role: str) -> Page:
    """Open the demonstration and step in as somebody, in a tab of their own."""
    start = phone.new_page()
    start.goto(site.url)
    with phone.expect_page() as opened:
        start.get_by_role("button", name=role).click()
    page = opened.value
    expect(page.locator("#log")).to_have_attribute("aria-busy", "false")
    return page


def test_a_persona_opens_and_is_helped(site: Site, phone: BrowserContext) -> None:
    page = enter(phone, site, "出差党员")
    assert "王芳同志，您好" in page.locator("#greeting").inner_text()
    say(page, "帮助")
    settled(page, 2)
    assert "我能帮您做这些事" in answers(page)[-1]
    page.locator(".message[data-id] .key", has_text="我的").click()
    settled(page, 4)
    assert "王芳同志（1001）" in answers(page)[-1]


def test_the_answer_to_a_button_far_above_comes_into_sight(site: Site, phone: BrowserContext) -> None:
    page = enter(phone, site, "出差党员")
    say(page, "帮助")
    settled(page, 2)
    say(page, "帮助")
    settled(page, 4)
    say(page, "通知")
    settled(page, 6)
    key = page.locator(".message[data-id] .key", has_text="我的").first
    key.scroll_into_view_if_needed()
    expect(page.locator(".message[data-id] .bubble").last).not_to_be_in_viewport()
    key.click()
    settled(page, 8)
    expect(page.locator(".message[data-id] .bubble").last).to_be_in_viewport()


def test_a_vote_is_one_tap_and_shows_where_it_was_tapped(house: House, site: Site, phone: BrowserContext) -> None:
    poll = open_poll(house)
    page = enter(phone, site, "出差党员")
    say(page, "投票")
    settled(page, 2)
    page.locator(".message[data-id] .key", has_text="孙明").click()
    expect(page.locator("#toast")).to_contain_text("已记录：孙明")
    expect(page.locator(".message[data-id] .bubble").last).to_contain_text("已记录：孙明")
    assert votes(house, poll) == {house.ids["王芳"]: (2,)}


def test_what_is_said_in_a_tunnel_arrives_once_the_train_is_out(site: Site, phone: BrowserContext) -> None:
    page = enter(phone, site, "出差党员")
    say(page, "我的")
    settled(page, 2)
    phone.set_offline(True)
    say(page, "帮助")
    say(page, "我的")
    expect(page.locator(".waiting")).to_have_count(2)
    assert page.locator(".waiting .foot").first.inner_text() == "发送中…"
    phone.set_offline(False)
    settled(page, 6)
    shown = answers(page)
    assert shown[2] == "帮助"
    assert shown[4] == "我的"


def test_what_is_unsent_survives_a_reload(site: Site, phone: BrowserContext) -> None:
    page = enter(phone, site, "出差党员")
    page.route("**/chat/messages", lambda route: route.abort())
    say(page, "我的")
    expect(page.locator(".waiting")).to_have_count(1)
    page.reload()
    expect(page.locator(".waiting")).to_have_count(1)
    page.unroute("**/chat/messages")
    page.evaluate("dispatchEvent(new Event('online'))")
    settled(page, 2)
    page.reload()
    settled(page, 2)
    assert "王芳同志（1001）" in answers(page)[-1]


def test_an_answer_lost_on_the_way_is_shown_once(site: Site, phone: BrowserContext) -> None:
    page = enter(phone, site, "出差党员")
    lost: list[str] = []

    def lose_the_first(route: object) -> None:
        if not lost:
            lost.append(route.fetch().text())  # type: ignore[attr-defined]  # a Route
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/chat/messages", lose_the_first)
    say(page, "我的")
    settled(page, 2)
    page.reload()
    settled(page, 2)


def test_a_delivery_appears_by_itself_and_is_brought_up_to_date(site: Site, phone: BrowserContext) -> None:
    page = enter(phone, site, "出差党员")
    ref = site.deliver("王芳", 1, Message("周五14:00开会", ((Key("收到", "x"),),)))
    expect(page.locator(".message .key", has_text="收到").last).to_be_visible()
    site.revise("王芳", ref, Message("周五14:00开会（已收到）"))
    expect(page.locator(".bubble").last).to_have_text("周五14:00开会（已收到）")
    expect(page.locator(".message[data-id] .key")).to_have_count(0)


def test_two_personas_sit_side_by_side_in_one_browser(site: Site, phone: BrowserContext) -> None:
    secretary, member = enter(phone, site, "支部书记"), enter(phone, site, "预备党员")
    for page, name in ((secretary, "李书记"), (member, "孙明")):
        say(page, "我的")
        settled(page, 2)
        assert name in answers(page)[-1]


def test_an_input_method_is_not_interrupted(site: Site, phone: BrowserContext) -> None:
    page = enter(phone, site, "出差党员")
    box = page.get_by_label("要说的话")
    box.fill("toupiao")
    box.evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    assert box.input_value() == "toupiao"
    box.press("Shift+Enter")
    assert box.input_value() == "toupiao\n"
    box.fill("我的")
    box.press("Enter")
    settled(page, 2)
    assert answers(page)[0] == "我的"


def test_everything_can_be_reached_by_keyboard_and_nothing_is_wider_than_the_screen(
    site: Site, phone: BrowserContext
) -> None:
    page = enter(phone, site, "支部书记")
    say(page, "帮助")
    settled(page, 2)
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText")
        )
    assert {"菜单", "发送", "我的", "上传文件"} <= reached
    assert page.evaluate("document.documentElement.scrollHeight") <= PHONE["height"], "only the log scrolls"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = page.evaluate(
        "[...document.querySelectorAll('button, a, summary, textarea')].filter(e => e.offsetParent)"
        ".map(e => [e.innerText, e.getBoundingClientRect().height]).filter(([, height]) => height < 43.5)"
    )
    assert small == []


def test_signing_out_is_seen_on_the_page_and_in_the_other_tab(site: Site, phone: BrowserContext) -> None:
    page = enter(phone, site, "出差党员")
    other = phone.new_page()
    other.goto(page.url)
    expect(other.locator("#log")).to_have_attribute("aria-busy", "false")
    page.locator("#menu summary").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_text("选一个人")).to_be_visible()
    expect(other.locator("#state")).to_contain_text("已经退出登录")
    expect(other.locator("#words")).to_be_disabled()

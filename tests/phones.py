"""Telephones: a real browser, 390 pixels wide."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.not_run import not_run

SETTING = "TIEXIN_TEST_BROWSER"
PHONE = {"width": 390, "height": 844}
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium: that of $TIEXIN_TEST_BROWSER, or one that is installed here."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get(SETTING) or next((path for name in names if (path := shutil.which(name))), None)
    if not found:
        not_run("browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[BrowserContext]:
    """A telephone; its pages may not complain."""
    context = chromium.new_context(viewport=PHONE, has_touch=True, locale="zh-CN")  # type: ignore[arg-type]  # a size
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert complaints == []


def say(page: Page, text: str) -> None:
    page.get_by_label("要说的话").fill(text)
    page.get_by_label("要说的话").press("Enter")


def answers(page: Page) -> list[str]:
    return page.locator(".message[data-id] .bubble").all_inner_texts()


def settled(page: Page, count: int) -> None:
    """Wait until the chat has this many lines, and nothing is on its way."""
    expect(page.locator(".message[data-id]")).to_have_count(count)
    expect(page.locator(".waiting")).to_have_count(0)

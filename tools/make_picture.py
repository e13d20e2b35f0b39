"""make_picture: what does Tiexin look like on a phone? Writes docs/phone.png.

Run by a maintainer, `python tools/make_picture.py`, when the pages or the words on them change. It makes a
demonstration of its own, goes through it in Chromium as three people would, and sets their screens beside each other.
"""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

HOME = Path(__file__).resolve().parent.parent
TARGET = HOME / "docs" / "phone.png"
CHROMIUM = "/usr/bin/chromium"
SCREEN = {"width": 390, "height": 844}
SHOWN = 300
"""Pixels that a screen is wide in the picture."""
FRAME = (
    '<body style="margin:0;background:#e9e5dd;display:flex;gap:28px;padding:28px;width:max-content">{phones}</body>'
)
PHONE = (
    '<img style="width:{width}px;border:6px solid #2a2622;border-radius:24px;background:#2a2622" '
    'src="data:image/png;base64,{screen}">'
)


def enter(phone: BrowserContext, url: str, role: str) -> Page:
    """Step into the demonstration as somebody."""
    start = phone.new_page()
    start.goto(url)
    with phone.expect_page() as opened:
        start.get_by_role("button", name=role).click()
    expect(opened.value.locator("#log")).to_have_attribute("aria-busy", "false")
    return opened.value


def say(page: Page, text: str, answer: str) -> None:
    page.get_by_label("要说的话").fill(text)
    page.get_by_label("要说的话").press("Enter")
    expect(page.locator(".message[data-id] .bubble").last).to_contain_text(answer)


def screen(page: Page) -> str:
    """The screen as it is once nothing moves any more, as base64."""
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.getElementById('toast')?.remove()")
    page.wait_for_timeout(1500)
    return base64.b64encode(page.screenshot()).decode()


def screens(browser: Browser, url: str) -> list[str]:
    """A member votes, reads what is owed; the branch's secretary sees who has not voted."""
    phone = browser.new_context(viewport=SCREEN, has_touch=True, locale="zh-CN", device_scale_factor=2)  # type: ignore[arg-type]  # a size
    wang = enter(phone, url, "出差党员")
    wang.locator(".key", has_text="到社区做志愿服务").click()
    recorded = wang.locator(".message[data-id]", has_text="已记录")
    expect(recorded).to_be_visible()
    recorded.scroll_into_view_if_needed()
    shown = [screen(wang)]
    wang.locator(".key", has_text="收到").click()
    say(wang, "党费", "应交党费")
    shown.append(screen(wang))
    li = enter(phone, url, "支部书记")
    say(li, "工作台", "工作台")
    li.locator(".key", has_text="今年的主题党日去哪里").last.click()
    expect(li.locator(".message[data-id] .bubble").last).to_contain_text("还没投的")
    return [*shown, screen(li)]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-m", "bot", "demo", "--port", "0", "--folder", folder]
        server = subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, text=True)  # noqa: S603  # ours
        try:
            assert server.stdout is not None
            url = next(line for line in server.stdout if "http://" in line).split()[-1]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            phones = "".join(PHONE.format(width=SHOWN, screen=one) for one in screens(browser, url))
            page = browser.new_page()
            page.set_content(FRAME.format(phones=phones))
            page.locator("body").screenshot(path=TARGET)
            browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()

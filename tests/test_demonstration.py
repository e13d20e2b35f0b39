"""Does a newcomer's first quarter of an hour go well? The real demonstration, on a telephone's width.

With TIEXIN_TEST_SHOTS=FOLDER the screens are kept there.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests import rosters
from tests.phones import say
from tests.running import ROOT, free_port

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("TIEXIN_TEST_SHOTS")


class Demonstration:
    """`tiexin demo` as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "bot", "demo", "--port", str(self.port), "--folder", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self.url}/readyz") as answer:  # noqa: S310 - our own address
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, ConnectionError):
                assert self._process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())

    def end(self, number: signal.Signals) -> int:
        assert self._process
        self._process.send_signal(number)
        return self._process.wait(30)


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[Demonstration]:
    running = Demonstration(tmp_path)
    running.start()
    yield running
    assert running.end(signal.SIGINT) == 0, "Ctrl-C stops it cleanly"


def enter(phone: BrowserContext, demonstration: Demonstration, role: str) -> Page:
    """Open the demonstration as a persona, in a tab of its own."""
    start = phone.new_page()
    start.goto(demonstration.url)
    shot(start, "1-personas")
    with phone.expect_page() as opened:
        start.get_by_role("button", name=role).click()
    page = opened.value
    expect(page.locator("#log")).to_have_attribute("aria-busy", "false")
    return page


def shot(page: Page, name: str) -> None:
    if SHOTS:
        expect(page.locator("#toast")).to_be_hidden(timeout=15_000)
        page.screenshot(path=f"{SHOTS}/{name}.png")


def message(page: Page, words: str) -> Locator:
    """The newest message with these words."""
    return page.locator(".message[data-id]", has_text=words).last


def key(page: Page, words: str, label: str) -> Locator:
    """A button under the newest message with these words."""
    return message(page, words).locator(".key", has_text=label)


def test_a_member_votes_reads_dues_and_confirms_while_the_secretary_watches(
    demonstration: Demonstration, phone: BrowserContext
) -> None:
    wang = enter(phone, demonstration, "出差党员")
    expect(message(wang, "召开党员大会")).to_be_visible()
    shot(wang, "2-delivered")

    key(wang, "今年的主题党日去哪里", "到社区做志愿服务").click()
    expect(message(wang, "今年的主题党日去哪里")).to_contain_text("已记录：到社区做志愿服务")
    shot(wang, "3-voted")

    say(wang, "党费")
    expect(message(wang, "应交党费")).to_contain_text("81.00元")
    expect(message(wang, "应交党费")).to_contain_text("中组发〔2008〕3号")
    shot(wang, "4-dues")

    key(wang, "召开党员大会", "收到").click()
    expect(message(wang, "召开党员大会")).to_contain_text("已确认")
    shot(wang, "5-confirmed")

    demonstration.end(signal.SIGKILL)  # nothing that was acknowledged is lost
    demonstration.start()
    wang.reload()
    expect(message(wang, "今年的主题党日去哪里")).to_contain_text("已记录：到社区做志愿服务")
    expect(message(wang, "召开党员大会")).to_contain_text("已确认")
    say(wang, "投票")
    expect(message(wang, "您已投")).to_contain_text("到社区做志愿服务")

    secretary = enter(phone, demonstration, "党委书记")
    say(secretary, "工作台")
    desk = message(secretary, "工作台")
    expect(desk).to_contain_text(re.compile(r"召开党员大会.*1/166"))
    shot(secretary, "6-desk")
    desk.locator(".key", has_text="召开党员大会").click()
    expect(message(secretary, "召开党员大会")).to_contain_text("165")
    shot(secretary, "7-who-has-not")


def test_a_secretary_uploads_a_roster_and_sends_a_notice(
    demonstration: Demonstration, phone: BrowserContext, tmp_path: Path
) -> None:
    secretary = enter(phone, demonstration, "党委书记")
    new = {"员工号": "20001", "姓名": "新同志", "所在支部": "研发第一党支部", "人员类别": "入党申请人"}
    wrong = {**new, "员工号": "20002", "所在支部": "没有的支部"}
    file = tmp_path / "名册.xlsx"
    file.write_bytes(rosters.xlsx(rosters.grid(new, wrong)))
    secretary.locator("input[type=file]").set_input_files(file)
    preview = message(secretary, "新增 1 人")
    expect(preview).to_contain_text("没有“没有的支部”这个组织")
    shot(secretary, "8-roster")
    preview.locator(".key", has_text=re.compile("^导入$")).click()
    # Never the last one: the notices of the demonstration go out meanwhile.
    expect(message(secretary, "导入完成")).to_contain_text("新增1人")
    say(secretary, "名册 新同志")
    expect(message(secretary, "20001")).to_be_visible()

    say(secretary, "发通知")
    for question, answer in (
        ("通知的标题是什么", "学习改到周五"),
        ("请写下通知的内容", "明天的集体学习改到周五下午三点。"),
        ("收到，已有", "完"),
    ):
        expect(message(secretary, question)).to_be_visible()
        say(secretary, answer)
    for question, choice in (
        ("发给谁", "研发第一党支部"),
        ("要不要请大家点", "要确认"),
        ("发到哪里", "每个人的全部渠道"),
        ("什么时候发", "现在"),
    ):
        key(secretary, question, choice).first.click()
    expect(message(secretary, "请核对一下")).to_contain_text("这条通知将发给")
    shot(secretary, "9-notice-form")
    key(secretary, "请核对一下", "提交").click()
    expect(message(secretary, "正在发给")).to_be_visible()
    wang = enter(phone, demonstration, "出差党员")
    expect(message(wang, "学习改到周五")).to_be_visible()

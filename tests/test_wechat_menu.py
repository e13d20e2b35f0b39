"""At the command line: the menu of the official account, the code that leads to it, and how it is?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from bot.adapters.wechat import VERIFIED
from bot.adapters.wechat_menu import GROUPS, menu, narrow
from bot.cli.main import app
from bot.core.action import decode
from storage import settings as kept
from storage import windows
from storage.windows import Allowance
from tests.admin import Admin, environment_of
from tests.fakes.wechat import SECRET, FakeWeChat
from tests.people import NOW, House, build_house
from tests.wechat_house import WeChatHouse, settings, wechat_house

Told = Callable[..., Any]


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[WeChatHouse]:
    async with wechat_house(tmp_path) as built:
        yield built


def admin_of(folder: Path, wechat: FakeWeChat, **section: str) -> Admin:
    """Somebody at the command line of this house."""
    named = {
        f"TIEXIN_{name.upper()}": value
        for name, value in settings(wechat, **{"kind": "verified_service", **section}).items()
    }
    public = {"TIEXIN_SERVER__PUBLIC_URL": "https://tiexin.example.org"}
    return Admin({**environment_of(folder), **named, **public}, folder)


async def run(admin: Told, *args: str, **more: Any) -> Any:
    return await asyncio.to_thread(lambda: admin(*args, **more))


# -- the menu -------------------------------------------------------------------------------------------------


async def test_the_menu_is_made_of_what_tiexin_can_do_and_a_tap_does_it(house: WeChatHouse, tmp_path: Path) -> None:
    admin = admin_of(tmp_path, house.wechat)
    assert "Published" in await run(admin, "wechat", "menu")
    wang = await house.seat("王芳")
    names = [one["name"] for one in wang.menu]
    assert (names[0], names[-1]) == ("我的", "更多")
    await wang.taps_menu("帮助")
    assert wang.last.text.startswith("我能帮您")
    await wang.taps_menu("党费")
    assert "党费" in wang.last.text
    await run(admin, "wechat", "menu", "--remove")
    assert house.wechat.world.menu is None
    assert not house.wechat.violations, "no name is too wide, no key too long"


async def test_the_menu_can_be_looked_at_without_asking_wechat(house: WeChatHouse, tmp_path: Path) -> None:
    shown = await run(admin_of(tmp_path, house.wechat), "wechat", "menu", "--show")
    assert shown.startswith("我的\n  我的  c")
    assert [line.split()[0] for line in shown.split("办理\n")[1].splitlines()[:5]] == [
        "我要入党", "我要转正", "我要考试", "练习", "学习心得",
    ]  # fmt: skip
    assert house.wechat.calls == []


def test_every_entry_is_a_button_of_ours() -> None:
    every = {name: name for names in GROUPS.values() for name in names}
    made = menu(every, dict.fromkeys(GROUPS, "一组"))
    assert len(made["button"]) == 3
    for button in made["button"]:
        assert 1 <= len(button["sub_button"]) <= 5
        for entry in button["sub_button"]:
            assert decode(entry["key"]).encode() == entry["key"]


def test_a_group_of_one_is_a_button_and_one_of_none_is_not_there() -> None:
    made = menu({"me": "我的", "help": "帮助", "start": "绑定"}, dict.fromkeys(GROUPS, "一组"))
    assert [(one["name"], len(one.get("sub_button", []))) for one in made["button"]] == [("我的", 0), ("一组", 2)]


@pytest.mark.parametrize(
    ("name", "most", "shown"),
    [
        ("我的通知", 8, "我的通知"),
        ("我的通知们", 8, "我的通…"),
        ("Notices", 8, "Notices"),
        ("My notices", 8, "My not…"),
    ],
)
def test_a_name_is_as_wide_as_a_phone_shows_it(name: str, most: int, shown: str) -> None:
    assert narrow(name, most) == shown


async def test_an_account_without_a_menu_is_told_so(house: WeChatHouse, tmp_path: Path) -> None:
    said = await run(admin_of(tmp_path, house.wechat, kind="subscription").no, "wechat", "menu")
    assert "a menu to no account of the kind subscription" in said
    house.wechat.account.verified, house.wechat.account.kind = False, "subscription"
    said = await run(admin_of(tmp_path, house.wechat).no, "wechat", "menu")
    assert "48001 not granted" in said
    assert SECRET not in said


async def test_a_code_leads_to_the_account(house: WeChatHouse, tmp_path: Path) -> None:
    admin, picture = admin_of(tmp_path, house.wechat), tmp_path / "code.svg"
    assert "good for 3 days" in await run(admin, "wechat", "qr", "--out", str(picture), "--days", "3")
    assert picture.read_text(encoding="utf-8").startswith("<?xml")
    (call,) = house.wechat.called("qrcode/create")
    assert (call.params["action_name"], call.params["expire_seconds"]) == ("QR_STR_SCENE", 259_200)
    assert 20 <= len(call.params["action_info"]["scene"]["scene_str"]) <= 64
    await run(admin, "wechat", "qr", "--out", str(tmp_path / "code.png"))
    assert (tmp_path / "code.png").read_bytes()[:4] == b"\x89PNG"
    await run(admin, "wechat", "qr", "--out", "code.gif", ends=2)


async def test_without_its_section_there_is_nothing_to_set_up(house: House, tmp_path: Path) -> None:
    said = await run(Admin(environment_of(tmp_path), tmp_path).no, "wechat", "menu", ends=2)
    assert "no [wechat] section" in said


# -- how it is ------------------------------------------------------------------------------------------------


@pytest.fixture
def told(tmp_path: Path) -> House:
    built = build_house(tmp_path)
    built.app.database.close()
    return built


async def checked(folder: Path, prepare: Callable[[FakeWeChat], None] = lambda _: None, **section: str) -> Any:
    """WeChat's line of `tiexin check`, in a house where WeChat may have been."""
    async with FakeWeChat() as wechat:
        prepare(wechat)
        admin = admin_of(folder, wechat, **section)
        found = await asyncio.to_thread(lambda: _checked(admin))
        return next(one for one in found if one["part"] == "wechat")


def _checked(admin: Admin) -> Any:
    ran = CliRunner().invoke(app, ["check", "--json"], env=admin.environment, catch_exceptions=False)
    return json.loads(ran.stdout)


async def test_check_says_what_is_left_to_do(told: House, tmp_path: Path) -> None:
    found = await checked(tmp_path)
    assert (found["works"], "never verified" in found["found"]) == (False, True)
    assert "https://tiexin.example.org/wechat/callback" in found["remedy"]
    wang = told.chat("王芳", "wechat").address
    with told.app.database.write() as tx:
        kept.put(tx, VERIFIED, NOW.isoformat())
        windows.said(tx, wang, NOW, Allowance())
    found = await checked(tmp_path)
    assert found["works"]
    assert found["found"].endswith(
        "callback verified 11-24 10:00, last push 11-24 10:00, 100000 templates left today"
    )
    with told.app.database.write() as tx:
        windows.shut(tx, "wechat", "template", NOW.replace(year=2099), "45009 today's are used up")
    found = await checked(tmp_path)
    assert (found["works"], "template shut until" in found["found"]) == (False, True)


@pytest.mark.parametrize(
    ("prepare", "section", "found", "remedy"),
    [
        (lambda wechat: None, {"app_secret": "another"}, "secret refused", "wechat.app_secret"),
        (lambda wechat: None, {"app_id": "wx1"}, "app id refused", "wechat.app_id"),
        (lambda wechat: setattr(wechat.account, "addresses", set()), {}, "our address", "IP白名单"),
        (lambda wechat: None, {"api_base": "http://127.0.0.1:9"}, "gives no answer", "wechat.api_base"),
    ],
    ids=["secret", "app id", "address", "nobody"],
)
async def test_check_names_the_remedy(
    told: House,
    tmp_path: Path,
    prepare: Callable[[FakeWeChat], None],
    section: dict[str, str],
    found: str,
    remedy: str,
) -> None:
    line = await checked(tmp_path, prepare, **section)
    assert not line["works"]
    assert found in line["found"]
    assert remedy in line["remedy"]
    assert SECRET not in str(line)


async def test_check_ends_nobodys_token(told: House, tmp_path: Path) -> None:
    wechats: list[FakeWeChat] = []
    await checked(tmp_path, wechats.append)
    assert [call.params.get("force_refresh") for call in wechats[0].called("stable_token")] == [False]
    assert wechats[0].called("token") == []

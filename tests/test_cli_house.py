"""Can the house be put aside, brought back, shown to visitors, and started from a shell?"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.cli.demo_people import PERSONAS, residents
from bot.cli.door import DONE, REFUSED
from storage import addresses, campaigns, people, web
from tests.admin import Admin, environment_of
from tests.people import House
from tests.rosters import Cell

HOUSE = Path(__file__).parent.parent


@pytest.fixture
def tiexin(house: House, tmp_path: Path) -> Admin:
    """The command line of a house with a committee and two branches."""
    return Admin(environment_of(tmp_path), tmp_path)


# -- backup and restore -----------------------------------------------------------------------------------------


def test_what_is_restored_revokes_what_was_given_out_and_sends_nothing_twice(tiexin: Admin, house: House) -> None:
    file = str(tiexin.folder / "backup.db")
    wang, now = house.ids["王芳"], datetime.now(UTC)
    house.chat("王芳")
    with house.app.database.write() as tx:
        people.change(tx, wang, phone="17000000001")
        addresses.add_code(tx, b"digest", wang, now + timedelta(days=1))
        web.add_session(tx, b"cookie", f"p{wang}", now, now + timedelta(days=1), "")
        web.add_link(tx, "token", wang, now + timedelta(days=1))
        campaigns.create(tx, now, "bound", wang, [wang], channel="web")
        campaigns.expand(tx, now)
        campaigns.create(tx, now, "bound", wang, [wang], channel="web")
    assert "key is not in it" in tiexin("backup", file)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    tiexin("member", "leave", "1003")
    house.app.database.close()
    done = tiexin.json("restore", file)
    assert (done["codes"], done["sessions"], done["links"]) == (1, 1, 1)
    assert (done["deliveries_unknown"], done["campaigns_held"]) == (1, 1)
    assert Path(done["copy_of_before"]).exists()
    assert "孙明" in tiexin("member", "list")
    with house.app.database.write() as tx:
        assert addresses.code_owner(tx, b"digest", datetime.now(UTC)) is None
        assert campaigns.expand(tx, datetime.now(UTC)) == 0
        assert people.full(tx, wang)["phone"] == "17000000001"
    assert tiexin.json("audit", "log", "--limit", "1")[0]["action"] == "restore"
    assert [file.name for file in tiexin.folder.iterdir() if "restoring" in file.name] == []


def test_a_backup_never_replaces_a_file_unasked(tiexin: Admin) -> None:
    file = tiexin.folder / "backup.db"
    tiexin("backup", str(file))
    assert "--overwrite" in tiexin.no("backup", str(file))
    tiexin("backup", str(file), "--overwrite")


@pytest.mark.parametrize("content", [b"", b"not a database at all", b"SQLite format 3\x00 and then nothing"])
def test_what_is_no_backup_is_not_restored(tiexin: Admin, content: bytes) -> None:
    before = tiexin("member", "list")
    (tiexin.folder / "bad.db").write_bytes(content)
    tiexin.no("restore", str(tiexin.folder / "bad.db"))
    assert tiexin("member", "list") == before


def test_nothing_is_restored_under_a_serving_house(tiexin: Admin) -> None:
    import fcntl

    tiexin("backup", str(tiexin.folder / "backup.db"))
    with (tiexin.folder / "tiexin.db.serving").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "stop `tiexin serve` first" in tiexin.no("restore", str(tiexin.folder / "backup.db"))


# -- the demonstration ------------------------------------------------------------------------------------------


def test_the_demonstration_has_166_people_and_keeps_them(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    create = ("demo", "--folder", str(folder), "--only-create")
    demo = Admin(environment_of(folder), tmp_path)
    demo(*create)
    people_then, offices_then = demo.json("member", "list"), demo.json("office", "list")
    assert len(people_then) == 166
    assert len(demo.json("org", "tree")) == 6
    assert {who["kind"] for who in people_then} == {
        "正式党员", "预备党员", "发展对象", "入党积极分子", "入党申请人", "群众"
    }  # fmt: skip
    assert [who["number"] for who in people_then if "web" in who["channels"]] == [p.number for p in PERSONAS]
    demo("member", "leave", "10100")
    demo(*create)
    assert len(demo.json("member", "list")) == 165
    assert demo.json("office", "list") == [o for o in offices_then if o["number"] != "10100"]
    # what is under way is there once: an application that waits, one to talk about, one half-way, two examinations
    assert [(one["state"], (one["next"] or {}).get("step")) for one in demo.json("join", "list")] == [
        ("handed", None), ("open", "2"), ("open", "7")
    ]  # fmt: skip
    assert [one["state"] for one in demo.json("quiz", "list")] == ["closed", "open"]
    over = demo.json("quiz", "results", "2")
    assert 0 < over["done"] < over["expected"]
    assert len(demo.json("--as", PERSONAS[1].number, "report", "list")) == 2
    (mine,) = [one for one in demo.json("report", "status") if PERSONAS[4].name in one["done"]]
    assert mine["missing"]


@pytest.mark.parametrize("today", ["2026-11-24", "2024-02-29", "2027-01-01"])
def test_invented_people_have_days_that_go_with_each_other(today: str) -> None:
    day = datetime.fromisoformat(today).date()
    everybody = [one.values for one in residents(day)]
    assert len({one["number"] for one in everybody}) == len({one["name"] for one in everybody}) == 166
    for one in everybody:
        days = [one[name] for name in ("born", "admitted_on", "confirmed_on") if one[name]]
        assert days == sorted(days)
        assert days[-1] <= day
        assert (one["admitted_on"] is not None) == (one["kind"] in ("正式党员", "预备党员"))
        assert one["admitted_on"] is None or (one["admitted_on"] - one["born"]).days > 18 * 365
        assert one["phone"].startswith("+999")
    mean = sum((day - one["born"]).days for one in everybody) / 365.25 / 166
    assert 24 < mean < 26


# -- as it is started -------------------------------------------------------------------------------------------


def start(args: Sequence[str], environment: dict[str, str], **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", *args]
    return subprocess.run(
        command, cwd=HOUSE, env=os.environ | environment, capture_output=True, text=True, check=False, **more
    )


def test_help_lists_every_verb_and_noun_and_loads_nothing_heavy() -> None:
    loaded = (
        "import sys; from bot.cli.main import app\n"
        "try: app(['member', 'import', '--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('pydantic', 'sqlalchemy', 'aiohttp', 'jinja2', 'telegram') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", loaded], cwd=HOUSE, capture_output=True, text=True, check=True)
    assert "--accept-changes" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "[]"
    said = start(["--help"], {}).stdout
    for word in ("init", "check", "serve", "clock", "backup", "restore", "org", "member", "office", "rules", "audit"):
        assert f"\n  {word} " in said


def test_in_a_pipe_there_is_no_progress_bar_and_errors_go_to_stderr(tiexin: Admin) -> None:
    rows: list[dict[str, Cell]] = [
        {"员工号": f"6{n:03d}", "姓名": f"同志{n}", "所在支部": "第二支部", "人员类别": "群众"} for n in range(40)
    ]
    ran = start(["member", "import", tiexin.file("r.csv", *rows)], tiexin.environment)
    assert (ran.returncode, ran.stderr) == (DONE, "")
    assert "\x1b" not in ran.stdout
    no = start(["member", "show", "nobody"], tiexin.environment)
    assert (no.returncode, no.stdout, len(no.stderr.splitlines())) == (REFUSED, "", 1)

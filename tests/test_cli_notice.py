"""Can an admin tell people, hold a named poll and read how both stand, with exit codes a script can rely on?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from typer.testing import CliRunner, Result

from bot.cli import pollfile
from bot.cli.main import app
from bot.core.reply import Refused
from storage import audit, campaigns, deliveries, notices
from storage.deliveries import Outcome
from storage.house import BEIJING
from tests.people import NOW, House

DONE, REFUSED, WRONG, PARTLY = 0, 1, 2, 3

Tiexin = Callable[..., Result]


@pytest.fixture
def tiexin(house: House) -> Iterator[Tiexin]:
    """`tiexin("notice", "list")` in the house of the tests, at its time."""
    config = house.app.config
    environment = {
        "TIEXIN_DATABASE__URL": config.database.url,
        "TIEXIN_SECURITY__KEY_FILE": str(config.security.key_file),
    }
    with time_machine.travel(NOW, tick=False):
        yield lambda *words, **more: CliRunner().invoke(app, [str(word) for word in words], env=environment, **more)


def ok(result: Result) -> Any:
    """What a command printed as JSON."""
    assert result.exit_code == DONE, result.output
    return json.loads(result.stdout)


def no(result: Result, code: int) -> str:
    """The one line with which a command ended."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    return result.stderr.strip()


SEND = ("notice", "send", "--title", "支部大会", "--body", "周五下午三点开会。")


# -- notices ------------------------------------------------------------------------------------------------


def test_a_notice_is_sent_confirmed_and_watched(house: House, tiexin: Tiexin) -> None:
    sent = ok(tiexin(*SEND, "--to", "org:第一支部", "--ask-ack", "--json"))
    assert (sent["id"], sent["total"], sent["organisation"], sent["state"]) == (1, 4, "第一支部", "sending")
    house.chat("王芳").press("na:1")
    seen = ok(tiexin("notice", "status", 1, "--json"))
    assert (seen["confirmed"], seen["missing"]) == (1, [{"branch": "第一支部", "names": ["李书记", "孙明", "陈晓"]}])
    assert seen["at"] == "2026-11-24T10:00:00+08:00"
    assert "已确认 1/4 人（25%）" in tiexin("notice", "status", "1").stdout
    assert ok(tiexin("notice", "nudge", 1, "--json")) == {"id": 1, "nudged": 3}
    assert "「支部大会」" in tiexin("notice", "list").stdout
    (line,) = ok(tiexin("notice", "list", "--json"))
    assert (line["id"], line["state"], line["confirmed"], line["total"]) == (1, "sending", 1, 4)


def test_a_text_comes_from_a_file_or_from_standard_input(house: House, tiexin: Tiexin, tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("\ufeff第一行\n第二行\n", encoding="utf-8")
    head = ("notice", "send", "--title", "通报", "--to", "all", "--body-file")
    ok(tiexin(*head, file, "--json"))
    ok(tiexin(*head, "-", "--json", input="从管道来"))
    with house.app.database.read() as tx:
        assert [notice.body for notice in notices.listed(tx)] == ["从管道来", "第一行\n第二行"]


def test_a_notice_waits_for_its_local_time_and_can_be_stopped(house: House, tiexin: Tiexin) -> None:
    sent = ok(tiexin(*SEND, "--to", "all", "--at", "2026-11-25 09:00", "--json"))
    assert (sent["state"], sent["at"]) == ("scheduled", "2026-11-25T09:00:00+08:00")
    assert "还没发" in no(tiexin("notice", "nudge", 1), REFUSED)
    assert ok(tiexin("notice", "cancel", 1, "--json")) == {"id": 1, "stopped": 7, "gone": 0}
    assert "没有可以撤回的" in no(tiexin("notice", "cancel", 1), REFUSED)


def test_before_sending_one_sees_who_can_be_told_and_nothing_is_sent(house: House, tiexin: Tiexin) -> None:
    house.chat("王芳", "web")
    planned = ok(tiexin(*SEND, "--to", "all", "--channels", "preferred", "--dry-run", "--json"))
    assert (planned["total"], planned["reached"], planned["channels"]) == (7, 1, {"web": 1})
    (reason,) = planned["unreachable"]
    assert reason["reason"] == "no address"
    assert reason["people"][0] == {"branch": "海川公司党委", "names": ["赵书记"]}
    said = tiexin(*SEND, "--to", "all", "--dry-run").stdout
    assert "其中 6 人暂时收不到：还没有绑定聊天 6 人" in said
    assert "第二支部（2人）：吴强、钱书记" in said
    assert ok(tiexin("notice", "list", "--json")) == []


def test_a_notice_that_cannot_be_sent_ends_with_its_reason(house: House, tiexin: Tiexin) -> None:
    for words, code, said in (
        ("all --at 2026-11-24T09:59", REFUSED, "已经过去了"),
        ("all --at soon", WRONG, "--at: "),
        ("all --body-file x", WRONG, "--body-file, one of the two"),
        ("all --channels telegram", REFUSED, "没有“telegram”这个渠道；现在有的是：web"),
        ("org:第二支部 --as 1002", REFUSED, "“org:第二支部”超出了您负责的范围"),
        ("all --as 1001", REFUSED, "您的职务不能在「第一支部」发通知"),
        ("all --as 9999", WRONG, "--as 9999"),
    ):
        assert said in no(tiexin(*SEND, "--to", *words.split()), code)
    with house.app.database.read() as tx:
        assert notices.listed(tx) == []


def test_a_file_that_cannot_be_read_is_named(tiexin: Tiexin, tmp_path: Path) -> None:
    file = tmp_path / "gb.txt"
    file.write_bytes("关于召开支部大会".encode("gb18030"))
    head = ("notice", "send", "--title", "通报", "--to", "all")
    assert "gb.txt is not UTF-8" in no(tiexin(*head, "--body-file", file), WRONG)
    assert "cannot be read" in no(tiexin(*head, "--body-file", tmp_path / "none.txt"), WRONG)
    assert "one of the two" in no(tiexin(*head), WRONG)


def test_a_number_that_no_notice_has_is_refused(tiexin: Tiexin) -> None:
    for verb in ("status", "cancel"):
        assert no(tiexin("notice", verb, 7), REFUSED) == "没有第 7 号通知。"


def test_a_secretary_named_by_as_is_the_one_written_down(house: House, tiexin: Tiexin) -> None:
    ok(tiexin(*SEND, "--to", "all", "--as", "1002", "--json"))
    with house.app.database.read() as tx:
        (entry,) = audit.log(tx)
        assert (entry["action"], entry["name"], entry["via"]) == ("notice.send", "李书记", "cli")
    assert "您的职务不能" in no(tiexin("notice", "status", 1, "--as", "2002"), REFUSED)


def test_following_waits_until_it_has_gone_out_and_tells_what_failed(
    house: House, tiexin: Tiexin, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.chat("王芳", "web")
    house.chat("孙明", "web")
    ok(tiexin(*SEND, "--to", "member:1001,member:1003", "--json"))
    looks: list[float] = []

    def meanwhile(seconds: float) -> None:
        """While the command waits, the server sends: one arrives, one fails."""
        looks.append(seconds)
        with house.app.database.write() as tx:
            campaigns.expand(tx, NOW)
            due = deliveries.claim(tx, NOW, "server", "web", 1, timedelta(minutes=1))
            deliveries.begin(tx, NOW, "server", [one.id for one in due])
            state = "accepted" if len(looks) == 1 else "failed"
            deliveries.finish(tx, NOW, "server", [Outcome(one.id, state) for one in due])

    monkeypatch.setattr(time, "sleep", meanwhile)
    followed = tiexin("notice", "status", 1, "--follow", "--json")
    assert followed.exit_code == PARTLY
    assert len(looks) == 2
    people = json.loads(followed.stdout)["people"]
    assert (people["reached"], people["failed"]) == (1, 1)
    assert ok(tiexin("notice", "retry", 1, "--json")) == {"id": 1, "copies": 1}


def test_following_says_so_where_nothing_is_being_sent(
    house: House, tiexin: Tiexin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a server it waited for ever and never said a word."""
    house.chat("王芳", "web")
    ok(tiexin(*SEND, "--to", "member:1001", "--json"))
    looks: list[float] = []

    def meanwhile(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 12:
            ok(tiexin("notice", "cancel", 1))

    monkeypatch.setattr(time, "sleep", meanwhile)
    followed = tiexin("notice", "status", 1, "--follow", "--json")
    assert followed.stderr.count("Is the server running") == 1
    assert len(looks) == 12


def test_what_a_restore_held_is_released_one_by_one_or_all_at_once(house: House, tiexin: Tiexin) -> None:
    for _ in range(3):
        ok(tiexin(*SEND, "--to", "all", "--json"))
    with house.app.database.write() as tx:
        campaigns.after_restore(tx, NOW)
    assert {line["state"] for line in ok(tiexin("notice", "list", "--json"))} == {"held"}
    assert ok(tiexin("notice", "release", 1, "--json")) == {"id": 1, "people": 7}
    assert "您的职务不能在「海川公司党委」" in no(tiexin("notice", "release", "--as", "1002"), REFUSED)
    assert ok(tiexin("notice", "release", "--json")) == {"campaigns": 2}
    assert "没有暂停待放行的内容" in no(tiexin("notice", "release"), REFUSED)


# -- polls --------------------------------------------------------------------------------------------------

POLL = """
title = "推荐先锋岗"
rule = "recommendation"
secret = false
electorate = "org:第一支部&kind:正式党员"
closes = 2026-11-25T18:00:00
options = ["王芳", "孙明"]
"""


@pytest.fixture
def poll_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "poll.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_a_named_poll_is_held_from_file_to_result(
    house: House, tiexin: Tiexin, poll_file: Callable[[str], Path]
) -> None:
    made = ok(tiexin("poll", "create", poll_file(POLL), "--json"))
    assert (made["id"], made["state"], made["expected"], made["secret"]) == (1, "draft", 2, False)
    assert made["closes"] == "2026-11-25T18:00:00+08:00"
    assert "还没有开始" in no(tiexin("poll", "result", 1), REFUSED)
    assert ok(tiexin("poll", "open", 1, "--json"))["state"] == "open"
    wang = house.chat("王芳")
    wang.say("投票")
    wang.tap("孙明")

    seen = tiexin("poll", "turnout", 1, "--json")
    assert (ok(seen)["voted"], ok(seen)["expected"]) == (1, 2)
    assert ok(seen)["missing"] == [{"branch": "第一支部", "names": ["李书记"]}]
    assert "还没有截止" in no(tiexin("poll", "result", 1, "--json"), REFUSED)
    assert '"for"' not in seen.stdout

    closed = ok(tiexin("poll", "close", 1, "--json"))
    result = ok(tiexin("poll", "result", 1, "--json"))
    assert closed == result
    options = [
        {"label": "王芳", "for": 0, "against": None, "abstain": None, "grades": None},
        {"label": "孙明", "for": 1, "against": None, "abstain": None, "grades": None},
    ]
    assert result["options"] == options
    assert result["questions"] == [{"label": "推荐先锋岗", "options": options}]
    figures = ("expected", "issued", "returned", "valid", "void", "blank", "vacant")
    assert [result[name] for name in figures] == [2, 2, 1, 1, 0, 0, 0]
    assert {"present", "quorum", "write_ins", "elected", "runoff", "explanation", "hashes"} <= result.keys()
    assert "孙明\n██████████ 1票（100%）" in tiexin("poll", "result", 1).stdout
    assert "已在2026年11月24日" in no(tiexin("poll", "close", 1), REFUSED)
    (line,) = ok(tiexin("poll", "list", "--json"))
    assert (line["state"], line["voted"], line["expected"]) == ("closed", 1, 2)
    assert "已截止" in tiexin("poll", "list").stdout


@pytest.mark.parametrize("line", ["secret = true", ""])
def test_a_secret_poll_is_refused_until_there_is_a_box(
    house: House, tiexin: Tiexin, poll_file: Callable[[str], Path], line: str
) -> None:
    assert "密封票箱" in no(tiexin("poll", "create", poll_file(POLL.replace("secret = false", line))), REFUSED)
    assert ok(tiexin("poll", "list", "--json")) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title =", "titel =", "titel: unknown key"),
        ("title =", "titel =", "title: missing"),
        ('"推荐先锋岗"', "7", "title: "),
        ("secret = false", 'secret = "false"', "secret: "),
        ("secret = false", "secret = 0", "secret: "),
        ('["王芳", "孙明"]', '"王芳"', "options: "),
        ('["王芳", "孙明"]', "[1, 2]", "options.0: "),
        ("closes = 2026-11-25T18:00:00", "closes = 2026-11-25", "closes: "),
        ("closes = 2026-11-25T18:00:00", 'closes = "soon"', "closes: write it as"),
        ("options =", "candidates = []\noptions =", "give options or candidates"),
        ("options =", "choose = 2\noptions =", "choose: write 1, or [least, most]"),
        ("options =", "choose = true\noptions =", "choose: write 1, or [least, most]"),
        ("options =", "choose = [1, 2, 3]\noptions =", "choose: write 1, or [least, most]"),
        ("options =", 'cast_mode = "post"\noptions =', "cast_mode: "),
        ("options =", "options", "is not TOML"),
    ],
)
def test_a_poll_file_that_cannot_be_used_is_told_by_file_and_key(
    poll_file: Callable[[str], Path], old: str, new: str, said: str
) -> None:
    with pytest.raises(pollfile.Unreadable) as error:
        pollfile.read(poll_file(POLL.replace(old, new)), BEIJING)
    assert "poll.toml: " in str(error.value)
    assert said in str(error.value)


def test_a_poll_file_that_cannot_be_used_is_wrong_usage(
    tiexin: Tiexin, poll_file: Callable[[str], Path], tmp_path: Path
) -> None:
    line = no(tiexin("poll", "create", poll_file(POLL + "seat = 1\n")), WRONG)
    assert "poll.toml: seat: unknown key" in line
    assert "cannot be read" in no(tiexin("poll", "create", tmp_path / "none.toml"), WRONG)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("seats = 3", ["seats"]),
        ('threshold = "2/3"', ["threshold"]),
        ('cast_mode = "room"\nscrutineers = ["1001"]', ["cast_mode", "scrutineers"]),
        ("allow_write_in = true", ["allow_write_in"]),
    ],
)
def test_what_a_named_poll_has_no_use_for_is_refused_not_dropped(
    poll_file: Callable[[str], Path], more: str, said: list[str]
) -> None:
    with pytest.raises(Refused) as error:
        pollfile.read(poll_file(POLL + more), BEIJING)
    assert (error.value.words.template, error.value.words.values["keys"]) == ("voting.not_by_name", said)


def test_a_secretary_holds_no_poll_beyond_the_branch(tiexin: Tiexin, poll_file: Callable[[str], Path]) -> None:
    file = poll_file(POLL.replace("org:第一支部&kind:正式党员", "org:第二支部"))
    assert "您的职务不能在「第二支部」组织投票" in no(tiexin("poll", "create", file, "--as", "1002"), REFUSED)
    assert "没有第 9 号投票" in no(tiexin("poll", "open", 9), REFUSED)


def test_times_with_a_zone_and_a_range_of_choices_are_understood(
    tiexin: Tiexin, poll_file: Callable[[str], Path]
) -> None:
    text = POLL.replace("closes = 2026-11-25T18:00:00", 'closes = "2026-11-25 18:00"\nopens = 2026-11-25T01:00:00Z')
    made = ok(tiexin("poll", "create", poll_file(text + "choose = [1, 2]\n"), "--json"))
    assert (made["opens"], made["closes"]) == ("2026-11-25T09:00:00+08:00", "2026-11-25T18:00:00+08:00")
    assert made["choose"] == [1, 2]
    assert ok(tiexin("poll", "open", 1, "--json"))["state"] == "draft", "its time has not come"

"""Does the command line show by branch who has handed in, and file a period as Word?"""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest
from docx import Document

from bot.cli.door import REFUSED, WRONG
from storage import audit, files
from tests.admin import Admin, environment_of
from tests.people import House, build_house
from tests.reports import PDF, PHOTO, WORDS, hand_in

PERIOD = ("--period", "2026-11")


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house where 陈晓 has handed in a report with a photo and a PDF."""
    house = build_house(tmp_path)
    chen = house.chat("陈晓")
    chen.say("思想汇报")
    chen.say(WORDS)
    chen.hand("第一页.png", PHOTO)
    chen.hand("附件.pdf", PDF)
    assert "第1版" in chen.say("完")
    return house


@pytest.fixture
def tiexin(house: House, tmp_path: Path) -> Admin:
    house.app.database.close()
    return Admin(environment_of(tmp_path), tmp_path)


def words_in(content: bytes) -> str:
    return "\n".join(paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs)


def test_the_status_names_who_has_not(tiexin: Admin) -> None:
    (branch,) = [one for one in tiexin.json("report", "status", *PERIOD) if one["organisation"] == "第一支部"]
    assert branch == {
        "organisation": "第一支部", "period": "2026-11", "total": 2,
        "done": ["陈晓"], "late": [], "missing": ["孙明"],
    }  # fmt: skip
    assert "还没交：孙明" in tiexin("report", "status", *PERIOD)
    assert WORDS[:8] not in tiexin("report", "status", *PERIOD)


def test_the_operator_reads_nothing_and_a_reader_is_written_down(tiexin: Admin, house: House) -> None:
    assert "--as" in tiexin.no("report", "show", "1")
    assert "本支部的书记" in tiexin.no("--as", "2002", "report", "show", "1")
    found = tiexin.json("--as", "1002", "report", "show", "1")
    assert found["text"] == WORDS
    assert found["files"] == ["第一页.png", "附件.pdf"]
    assert WORDS in tiexin("--as", "1002", "report", "show", "1")
    with house.app.database.read() as tx:
        assert {one["name"] for one in audit.log(tx, action="report.read")} == {"李书记"}
    assert [one["name"] for one in tiexin.json("--as", "1002", "report", "list", *PERIOD)] == ["陈晓"]


def test_a_comment_from_the_command_line_goes_to_the_writer(tiexin: Admin) -> None:
    assert "陈晓" in tiexin("--as", "1002", "report", "comment", "1", "--text", "写得实在。")
    assert tiexin.json("--as", "1004", "report", "show", "1")["comments"] == [{"by": "李书记", "text": "写得实在。"}]
    assert "1到2000" in tiexin.no("--as", "1002", "report", "comment", "1", "--text", " ")


def test_a_period_is_filed_as_one_document_for_its_owner_only(tiexin: Admin, tmp_path: Path) -> None:
    out = tmp_path / "十一月.docx"
    where = ("--org", "第一支部", *PERIOD)
    tiexin("--as", "1002", "report", "export", "--out", str(out), *where)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    text = words_in(out.read_bytes())
    assert "第一支部 思想汇报 2026-11" in text
    assert "陈晓（1004，入党积极分子）" in text
    assert WORDS in text
    assert "附件：附件.pdf" in text
    assert len(Document(str(out)).inline_shapes) == 1, "the photo stands on the page"
    assert "--as" in tiexin.no("report", "export", "--out", str(out), *where)
    tiexin.no("--as", "0001", "report", "export", "--out", str(out), *where, ends=REFUSED)
    tiexin.no("--as", "1002", "report", "export", "--out", str(tmp_path / "x.pdf"), *where, ends=WRONG)
    tiexin.no(
        "--as", "1002", "report", "export", "--out", str(out), "--org", "第一支部", "--period", "11", ends=WRONG
    )


def test_one_odd_sign_does_not_keep_a_whole_period_from_being_filed(tiexin: Admin, tmp_path: Path) -> None:
    """A sign that XML forbids, in one report or comment, ended the export of all with an error."""
    (report,) = tiexin.json("--as", "1002", "report", "list", *PERIOD)
    tiexin("--as", "1002", "report", "comment", str(report["id"]), "--text", "好\uffff的\x0b。")
    file = tmp_path / "2026-11.docx"
    tiexin("--as", "1002", "report", "export", *PERIOD, "--org", "第一支部", "--out", str(file))
    assert "好的。" in words_in(file.read_bytes())


def test_a_period_is_filed_as_a_zip_with_the_files_as_they_came(tiexin: Admin, tmp_path: Path) -> None:
    out = tmp_path / "十一月.zip"
    tiexin("--as", "1002", "report", "export", "--out", str(out), "--org", "第一支部", *PERIOD)
    with zipfile.ZipFile(out) as whole:
        assert sorted(whole.namelist()) == [
            "1004 陈晓/1 第一页.png",
            "1004 陈晓/1004 陈晓 2026-11.docx",
            "1004 陈晓/2 附件.pdf",
        ]
        assert WORDS in words_in(whole.read("1004 陈晓/1004 陈晓 2026-11.docx"))
        assert whole.read("1004 陈晓/2 附件.pdf") == PDF


def test_a_file_that_cannot_be_written_means_that_nothing_was_read(tiexin: Admin, house: House) -> None:
    tiexin.no(
        "--as", "1002", "report", "export", "--out", "/nowhere/at/all/x.docx", "--org", "第一支部", *PERIOD
    )  # fmt: skip
    with house.app.database.read() as tx:
        assert audit.log(tx, action="report") == []


def test_a_contact_reads_from_the_day_they_are_put_down_until_they_are_not(tiexin: Admin) -> None:
    tiexin.no("--as", "1001", "report", "show", "1")
    tiexin("--as", "1002", "report", "contact", "1004", "--by", "1001")
    assert tiexin.json("--as", "1001", "report", "show", "1")["text"] == WORDS
    assert "不重复登记" in tiexin.no("--as", "1002", "report", "contact", "1004", "--by", "1001")
    assert "正式党员" in tiexin.no("--as", "1002", "report", "contact", "1004", "--by", "1003")
    tiexin("--as", "1002", "report", "contact", "1004", "--by", "1001", "--ends")
    tiexin.no("--as", "1001", "report", "show", "1")


def test_only_those_who_have_not_are_reminded(tiexin: Admin) -> None:
    assert tiexin.json("report", "nudge", "--org", "第一支部", *PERIOD) == {"nudged": 1}
    assert "今天已经提醒过了" in tiexin.no("report", "nudge", "--org", "第一支部", *PERIOD)


def test_in_the_chat_the_document_is_the_secretarys_own_for_three_days(house: House) -> None:
    hand_in(house, "孙明")
    li = house.chat("李书记", "web")
    li.say("汇报情况")
    assert "整理好了" in li.tap("导出2026年11月的汇报")
    (path,) = [key.path for row in li.heard[-1].keys for key in row]
    assert path
    number = int(path.rpartition("/")[2])
    with house.app.database.read() as tx:
        file = files.get(tx, number)
        assert file
        assert file.name == "第一支部 思想汇报 2026-11.docx"
        text = words_in(files.content(tx, number))
        opens = house.app.reception.opens
        assert {name for name, one in house.ids.items() if opens(tx, house.now, one, file)} == {"李书记"}
    assert "孙明（1003，预备党员）" in text
    house.later(days=4)
    house.tick()
    with house.app.database.read() as tx:
        assert files.get(tx, number) is None
    house.app.database.close()


def test_opening_a_file_of_a_report_is_a_reading_too(house: House) -> None:
    with house.app.database.write() as tx:
        file = files.get(tx, 1)
        assert file
        assert house.app.reception.opens(tx, house.now, house.ids["李书记"], file)
        assert not house.app.reception.opens(tx, house.now, house.ids["钱书记"], file)
        assert [(one["name"], one["subject"]) for one in audit.log(tx, action="report.read")] == [
            ("李书记", "report:1")
        ]
    house.app.database.close()

"""Does the calculation use the rules of the day, and does a slip in a local file say where it is?"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from handlers.dues import rules
from handlers.dues.tables import SHIPPED, dues_book, dues_table
from handlers.ruletable import TableError

SHIPPED_TEXT = SHIPPED.read_text(encoding="utf-8")


def local(folder: Path, *changes: tuple[str, str]) -> Path:
    """A directory with the shipped file, changed in the places named; each must be there to be changed."""
    text = SHIPPED_TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "dues.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_ceiling_came_with_the_notice_of_2017() -> None:
    before, after = dues_table(date(2016, 12, 31)), dues_table(date(2017, 1, 1))
    assert rules.wage(6_000_000, before).due_fen == 120_000
    assert rules.wage(6_000_000, after).due_fen == 100_000
    assert before.components["bonus"].citation.article == "第一条"
    assert after.components["bonus"].citation.article == "一（3）"


def test_before_the_first_rule_there_is_no_table_and_the_error_says_so() -> None:
    with pytest.raises(TableError, match=r"dues\.toml: category wage: no row is valid on 2008-03-31"):
        dues_table(date(2008, 3, 31))


def test_every_rule_names_its_text_and_quotes_only_what_was_seen() -> None:
    table = dues_table(date(2026, 11, 24))
    cited = [
        *(each.citation for each in table.categories.values()),
        *(each.citation for each in table.scales.values()),
        *(each.citation for each in table.components.values()),
        *table.articles.values(),
    ]
    assert all(each.text.startswith("《") and each.article for each in cited)
    assert all(each.letter == "T" for each in cited if each.quote)
    assert table.rounding.citation.reference == ""


def test_a_local_directory_without_the_file_uses_the_shipped_one(tmp_path: Path) -> None:
    assert dues_book(tmp_path) == dues_book()


def test_a_local_file_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    folder = local(tmp_path, ('unit = "0.01"', 'unit = "0.1"'))
    assert rules.wage(201_000, dues_table(date(2026, 11, 24), folder)).due_fen == 1010


def test_next_years_row_waits_for_its_day(tmp_path: Path) -> None:
    row = """[[ceiling]]
amount = "2000"
valid_from = 2027-01-01
text = "notice"
article = "某条"
letter = "M"
"""
    folder = local(tmp_path, ("[[ceiling]]", row + "\n[[ceiling]]"))
    assert rules.wage(6_000_000, dues_table(date(2026, 12, 31), folder)).due_fen == 100_000
    found = rules.wage(6_000_000, dues_table(date(2027, 1, 1), folder))
    assert (found.due_fen, found.articles, found.ceiling_fen) == (120_000, found.articles[:2], 200_000)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('rate = "0.01"', 'rate = "1"', "scale[1].brackets[2].rate"),
        ('rate = "0.01"', 'rate = "0.0"', "scale[1].brackets[2].rate"),
        ('rate = "0.01"', "rate = 0.01", "scale[1].brackets[2].rate"),
        ('up_to = "5000"', 'up_to = "3000"', "scale[1].brackets[2].up_to"),
        ('{ rate = "0.02" }', '{ up_to = "99999", rate = "0.02" }', "scale[1].brackets"),
        ('{ up_to = "3000", rate', "{ rate", "scale[1].brackets[2].up_to"),
        ("brackets = [", "brackets = 3\nx = [", "scale[1].brackets"),
        ("items = [", "items = [\n3,", "components[1].items[1]"),
        ('amount = "1000.00"', 'amount = "1,000"', "ceiling[1].amount"),
        ('amount = "1000.00"', 'amuont = "1000.00"', "ceiling[1].amount"),
        ('amount = "1000.00"', 'amount = "1000.00"\nnote = "?"', "ceiling[1].note"),
        ("valid_from = 2008-04-01", 'valid_from = "2008-04-01"', "category[1].valid_from"),
        ("valid_from = 2008-04-01", "valid_from = 2008-04-01T00:00:00", "category[1].valid_from"),
        ('letter = "T"', 'letter = "X"', "category[1].letter"),
        ('letter = "T"', 'letter = "Q"', "category[1].quote"),
        ('text = "regulation"', 'text = "hearsay"', "category[1].text"),
        ('article = "第一条"', 'article = " "', "category[1].article"),
        ('name = "annual_salary"', 'name = "wage"', "category[2].valid_from"),
        ('name = "pension"', 'name = "pensions"', "category pension"),
        ('scale = "wage"', 'scale = "wages"', "category wage: scale"),
        ('words = ["工资"', 'words = [3, "工资"', "category[1].words"),
        ('minimum = "0.20"', 'minimum = "2.00"', "category[5].minimum"),
        ('allowed = ["0.01", "0.1"]', 'allowed = ["0.1"]', "rounding[1].unit"),
        ('allowed = ["0.01", "0.1"]', 'allowed = ["0.01", "0"]', "rounding[1].allowed"),
        ("[[rounding]]", "[[roundings]]", "roundings"),
        ('counts = "always"', 'counts = "sometimes"', "components[1].counts"),
        ("[text.regulation]", "[texts.regulation]", "category[1].text"),
    ],
)
def test_a_slip_in_a_local_file_is_named_with_file_and_key(tmp_path: Path, old: str, new: str, where: str) -> None:
    folder = local(tmp_path, (old, new))
    with pytest.raises(TableError) as found:
        dues_book(folder)
    assert str(found.value).startswith(f"{folder / 'dues.toml'}: {where}: ")
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[[scale]\n", "is not TOML"),
        ("[text.规定]".encode("gb18030"), "is not UTF-8"),
        (b"x = " + b"[" * 100_000, "is not TOML"),
        (b"", "text: is missing"),
        (b"text = 3", "text: must be a table"),
        (b"[text.a]\ntitle = 'b'\n", "category: there is no row 'wage'"),
    ],
)
def test_a_file_that_is_no_table_at_all_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "dues.toml").write_bytes(content)
    with pytest.raises(TableError) as found:
        dues_book(tmp_path)
    assert str(found.value).startswith(f"{tmp_path / 'dues.toml'}: {words}")


def test_a_directory_that_is_not_there_and_a_file_that_is_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no such directory"):
        dues_book(tmp_path / "rules")
    (tmp_path / "dues.toml").mkdir()
    with pytest.raises(TableError, match="cannot be read"):
        dues_book(tmp_path)

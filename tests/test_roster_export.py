"""What leaves the house in a spreadsheet, for whom, and does it come back unchanged?"""

from __future__ import annotations

import io
from datetime import date

import openpyxl

from handlers.organisation.export import export
from handlers.roster import desk as importing
from storage import offices, people
from storage.audit import OPERATOR
from storage.house import Tx
from tests.people import House
from tests.test_organisation import LI, by, refused


def rows(data: bytes) -> list[list[object]]:
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_a_formula_that_somebody_is_called_stays_a_text(house: House) -> None:
    house.person("=HYPERLINK(1)", "1010", email="http://example.com", phone="=1+1")
    with house.app.database.write() as tx:
        data = export(tx, house.now, OPERATOR, importing.columns(tx))
    cells = [cell for row in openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value in ("=HYPERLINK(1)", "=1+1", "http://example.com")} == {
        "s"
    }
    assert not any(cell.hyperlink for cell in cells)


def test_an_export_has_what_the_right_allows_and_nobody_from_elsewhere(house: House) -> None:
    with house.app.database.write() as tx:
        people.change(tx, house.ids["王芳"], phone="17000000001", dues_base=540000)
        house_columns = importing.columns(tx)
        full = rows(export(tx, house.now, by(house, LI), house_columns))
        with_office = offices.appoint(tx, house.ids["孙明"], house.orgs["第一支部"], "宣传委员", date(2026, 1, 1))
        less = rows(export(tx, house.now, by(house, "孙明"), house_columns))
        offices.end(tx, with_office, date(2026, 1, 1))
    assert [row[1] for row in full[1:]] == ["王芳", LI, "孙明", "陈晓"]
    assert (full[1][9], full[1][12]) == ("17000000001", 5400)
    assert (less[1][9], less[1][12]) == (None, None)


def test_an_exported_roster_imports_again_without_a_change(house: House) -> None:
    with house.app.database.write() as tx:
        people.change(
            tx, house.ids["王芳"], phone="17000000001", dues_base=540050, born=date(1988, 3, 8), gender="女"
        )
        offices.appoint(tx, house.ids["王芳"], house.orgs["海川公司党委"], "党务干事", date(2026, 1, 1))
        data = export(tx, house.now, OPERATOR, importing.columns(tx))
        roster = importing.read(tx, house.now, data, "名册.xlsx")
        plan = importing.plan(tx, house.now, OPERATOR, roster)
    assert (plan.unchanged, plan.problems, plan.absent) == (7, (), ())


def test_who_may_not_see_the_roster_takes_none_out(house: House) -> None:
    second = house.orgs["第二支部"]

    def take(tx: Tx) -> bytes:
        return export(tx, house.now, by(house, LI), importing.columns(tx), second)

    assert refused(house, take) == "rights.not_here"

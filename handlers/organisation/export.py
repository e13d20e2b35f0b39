"""What does a roster look like as a spreadsheet that can be imported again?"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from handlers.organisation.desk import reach
from handlers.rights import Right, places, require, today
from handlers.roster.columns import NAMES, Columns
from storage import audit, offices, organisations, rosters
from storage.audit import Actor
from storage.house import Tx
from storage.organisations import Org
from storage.rosters import Known

PRIVATE = ("born", "phone", "email")
DUES = ("dues_category", "dues_base")


def export(tx: Tx, now: datetime, actor: Actor, columns: Columns, org: Org | None = None) -> bytes:
    """The roster of an organisation, or of the actor's reach, as xlsx with the headings that an import reads.

    Birthdays, phones and addresses only where the actor may change people, dues only where they see to them.
    Raises Refused without the right to see the roster. That it was taken out is logged.
    """
    if org:
        require(tx, now, actor, Right.ROSTER, org)
    area = [org] if org else reach(tx, now, actor, Right.ROSTER)
    ids = [person for place in area for person in rosters.everybody(tx, place)]
    known = rosters.by_ids(tx, ids)
    sheet = _Sheet(tx, now, actor, columns)
    rows = [sheet.row(known[one]) for one in ids]
    audit.record(tx, now, actor, "member.export", ",".join(place.code for place in area), people=len(rows))
    return workbook([columns.titles[name] for name in NAMES], rows)


class _Sheet:
    """Turns people into rows."""

    def __init__(self, tx: Tx, now: datetime, actor: Actor, columns: Columns) -> None:
        self._titles = columns.titles
        self._changes, self._settles = (places(tx, now, actor, right) for right in (Right.MEMBER, Right.DUES))
        every = organisations.all_of(tx, closed=True)
        names = [org.name for org in every]
        self._orgs = {org.id: org for org in every}
        self._named = {o.id: o.name if names.count(o.name) == 1 else organisations.path_name(tx, o) for o in every}
        self._offices: dict[int, list[str]] = {}
        for held in offices.holders(tx, today(tx, now)):
            self._offices.setdefault(held.person_id, []).append(held.role)

    def row(self, person: Known) -> list[str | float]:
        org = self._orgs[person.organisation_id]
        values: dict[str, Any] = {
            "number": person.number, "name": person.name, "gender": person.gender, "born": person.born,
            "branch": self._named[org.id], "kind": person.kind, "admitted": person.admitted_on,
            "confirmed": person.confirmed_on, "offices": "、".join(self._offices.get(person.id, [])),
            "phone": person.phone, "email": person.email,
            "dues_category": self._titles.get(person.dues_category, person.dues_category),
            "dues_base": None if person.dues_base is None else person.dues_base / 100,
        }  # fmt: skip
        if not any(place.holds(org) for place in self._changes):
            values |= dict.fromkeys(PRIVATE)
        if not any(place.holds(org) for place in self._settles):
            values |= dict.fromkeys(DUES)
        return [_cell(values[name]) for name in NAMES]


def _cell(value: Any) -> str | float:
    return value if isinstance(value, float) else "" if value is None else str(value)


def workbook(headings: Sequence[str], rows: Sequence[Sequence[str | float]], name: str = "名册") -> bytes:
    """An xlsx in which nothing that people typed becomes a formula or a link."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet, bold = book.add_worksheet(name), book.add_format({"bold": True})
        money = book.add_format({"num_format": "0.00"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(headings) - 1, 14)
        for column, heading in enumerate(headings):
            sheet.write_string(0, column, heading, bold)
        for line, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    if cell:
                        sheet.write_string(line, column, cell)
                else:
                    sheet.write_number(line, column, cell, money)
    return file.getvalue()

"""terms: do our rules decide cases as a file expects?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from handlers.casebook import Fields, Kind, Malformed
from handlers.terms import rules
from handlers.terms.desk import Table


def kinds(table: Table) -> Mapping[str, Kind]:
    """The kinds of cases that are decided here: `term` {started, years}."""

    def term(given: Fields) -> Fields:
        started, years = given.get("started"), given.get("years")
        if not isinstance(started, str):
            raise Malformed("started", "a date such as 2024-03-15")
        if type(years) is not int or not 1 <= years <= 10:
            raise Malformed("years", "a number of years")
        try:
            its = rules.term(date.fromisoformat(started), years)
        except ValueError:
            raise Malformed("started", "a date such as 2024-03-15") from None
        return {
            "ends": its.ends.isoformat(),
            "reminders": [one.on.isoformat() for one in rules.reminders(its, table.reminders)],
            "latest_if_postponed": its.latest_if_postponed.isoformat(),
        }

    return {"term": term}

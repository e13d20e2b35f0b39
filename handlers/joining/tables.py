"""tables: how does the table of steps become rules, and is it well formed?"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from handlers.joining.rules import END, Numbers, Step, Table, Term, Text
from handlers.ruletable import Row, read_table
from storage.people import KINDS

SHIPPED = Path(__file__).with_name("stages.toml")


@cache
def table(local: Path | None = None) -> Table:
    """The table in force; one of the same name in [rules] dir takes its place. Raises TableError."""
    file = local / SHIPPED.name if local and (local / SHIPPED.name).exists() else SHIPPED
    whole = read_table(file)
    keep, posting = whole.number("keep_days"), whole.flag("posting_day_counts")
    numbers = _numbers(whole.table("numbers"))
    heads = list(whole.rows("text"))
    rows = list(whole.rows("step"))
    texts = []
    for head in heads:
        name = head.text("name")
        steps = [_step(row, f"in_{name}", {f"in_{each.text('name')}" for each in heads}) for row in rows]
        text = Text(
            name, head.day("since"), head.text("title"), head.text("issued"), head.flag("confirmed"),
            head.flag("publicity"), head.one_of("superior_to_list", ("file", "agree")),
            head.flag("penalties_advise"), {step.number: step for step in steps},
        )  # fmt: skip
        head.done()
        if len(text.steps) != len(steps):
            raise whole.error("step", "every number stands there once")
        for step in steps:
            terms = [term.after for term in (step.earliest, step.latest, step.utmost) if term]
            if unknown := {*step.needs, *terms} - {*text.steps, END}:
                raise whole.error("step", f"{step.number} names {min(unknown)}, which is no step")
        texts.append(text)
    if [text.since for text in texts] != sorted({text.since for text in texts}) or not texts:
        raise whole.error("text", "must be there, the oldest first")
    whole.done()
    return Table(tuple(texts), numbers, posting, keep)


def _numbers(row: Row) -> Numbers:
    contacts, months = row.numbers("contacts"), row.numbers("extension_months")
    for name, pair in (("contacts", contacts), ("extension_months", months)):
        if len(pair) != 2 or pair[0] > pair[1]:
            raise row.error(name, "must be the least and the most")
    found = Numbers(
        row.number("age"), row.number("review_months"), row.number("publicity_days"), (contacts[0], contacts[1]),
        row.number("introducers"), row.number("training_days"), row.number("training_hours"),
        row.number("leaving_months"), row.number("probation_months"), (months[0], months[1]),
        row.number("postponed_months"), row.number("application_from"), row.number("application_by"),
    )  # fmt: skip
    row.done()
    return found


def _step(row: Row, key: str, others: set[str]) -> Step:
    """A step as one text has it: what stands in `in_NAME` goes before what stands beside it."""
    own = row.table(key) if row.has(key) else None
    for other in others:
        if row.has(other):
            row.table(other)  # read with its own text

    def text(name: str, default: str | None = None) -> str:
        beside = row.text(name, default)
        return own.text(name) if own and own.has(name) else beside

    def term(name: str) -> Term | None:
        beside = _term(row.table(name)) if row.has(name) else None
        found = _term(own.table(name)) if own and own.has(name) else beside
        return found if found and (found.months or found.after == END) else None

    kind = row.text("kind", "")
    if kind and kind not in KINDS:
        raise row.error("kind", f"{kind!r} is none of {', '.join(KINDS)}")
    found = Step(
        text("number"), text("name"), text("who"), text("article"),
        row.texts("needs") if row.has("needs") else (), term("earliest"), term("latest"), term("utmost"),
        row.flag("decision", default=False), kind, row.flag("repeats", default=False),
    )  # fmt: skip
    row.done()
    if own:
        own.done()
    return found


def _term(row: Row) -> Term:
    found = Term(row.text("after"), row.number("months"), row.flag("usual", default=False))
    row.done()
    return found

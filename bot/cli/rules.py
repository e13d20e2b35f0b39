"""rules: by which tables do we reckon, and do they decide as a file of cases expects?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.cli.door import DONE, REFUSED, Door, Wrong, door, table
from bot.cli.nouns import noun

if TYPE_CHECKING:
    from datetime import date

    from handlers.casebook import Kind

app = noun("The rule tables: which, what they say, and whether they decide as expected.")

TABLES = {
    "dues": ("handlers/dues/dues.toml", "who pays which dues"),
    "columns": ("handlers/roster/columns.toml", "how a roster's headings and words are read"),
    "terms": ("handlers/terms/terms.toml", "how long a committee serves, when its re-election is called to mind"),
    "stages": ("handlers/joining/stages.toml", "the steps of joining the Party, by whom and until when"),
    "reports": ("handlers/reports/reports.toml", "who hands in a thought report how often, and who reads it"),
    "rights": ("handlers/rights.toml", "which office may do what"),
}
"""Where each table is shipped, and what it decides. A file of the same name in [rules] dir takes its place."""
OVERRIDDEN = ("dues", "columns", "terms", "stages", "reports")
HOUSE = Path(__file__).parent.parent.parent


def _file(here: Door, rule: str) -> Path:
    """The file that is in force. Raises Wrong for a rule nobody knows."""
    if rule not in TABLES:
        raise Wrong(f"there is no rule {rule}; there are {', '.join(TABLES)}")
    shipped = HOUSE / TABLES[rule][0]
    local = here.config.rules.dir / shipped.name if here.config.rules.dir and rule in OVERRIDDEN else None
    return local if local and local.exists() else shipped


def _kinds(here: Door, on: date) -> Mapping[str, Kind]:
    """Every kind of case that some capability decides, by the rules of a day. Raises TableError."""
    from handlers.dues import cases as dues
    from handlers.dues.tables import dues_table
    from handlers.joining import cases as joining
    from handlers.joining.tables import table as stages
    from handlers.terms import cases as terms
    from handlers.terms.desk import table as terms_table

    local = here.config.rules.dir
    return {
        **dues.kinds(dues_table(on, local)),
        **terms.kinds(terms_table(local)),
        **joining.kinds(stages(local)),
    }


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Show the tables and where each comes from."""
    here = door(ctx)
    rows = [
        (name, what, str(file := _file(here, name)), "shipped" if file == HOUSE / shipped else "local")
        for name, (shipped, what) in TABLES.items()
    ]
    data = [dict(zip(("rule", "decides", "file", "from"), row, strict=True)) for row in rows]
    here.show(data, lambda: table(("rule", "decides", "file", "from"), rows))


@app.command()
def show(ctx: typer.Context, rule: str = typer.Argument(help="One of those that `list` names.")) -> None:
    """Show a table as it is in force."""
    import tomllib

    here = door(ctx)
    file = _file(here, rule)
    text = file.read_text(encoding="utf-8")
    data = tomllib.loads(text) if here.as_json else None
    here.show({"rule": rule, "file": str(file), "table": data}, f"# {file}\n{text}")


@app.command()
def check(
    ctx: typer.Context,
    file: Path = typer.Argument(metavar="FILE.json", help="A file of cases."),
    on: str = typer.Option("", help="By the rules of this day; today if not given."),
) -> None:
    """Decide every case of a file and compare. Ends with 1 if any case came out otherwise."""
    from bot.cli.door import day
    from bot.parts import now
    from handlers.casebook import judge, read_cases

    here = door(ctx)
    when = day(on) if on else now().astimezone(here.config.org.zone).date()
    verdict = judge(read_cases(file), _kinds(here, when))
    wrong = [
        {"id": one.id, "kind": one.kind, "field": one.field, "expected": one.expected, "got": one.got}
        for one in verdict.disagreeing
    ]
    cases = len({one.id for one in verdict.disagreeing})
    data = {
        "agreeing": verdict.agreeing, "disagreeing": wrong, "not_judged": dict(sorted(verdict.not_judged.items())),
    }  # fmt: skip
    lines = [
        f"{one['id']} ({one['kind']}): {one['field']} is {one['got']}, expected {one['expected']}" for one in wrong
    ]
    not_judged = ", ".join(f"{kind} {count}" for kind, count in sorted(verdict.not_judged.items()))
    lines.append(f"{verdict.agreeing} agree, {cases} disagree, {verdict.not_judged.total()} not judged")
    lines += [f"Not judged yet: {not_judged}"] if not_judged else []
    here.show(data, "\n".join(lines))
    raise typer.Exit(REFUSED if wrong else DONE)

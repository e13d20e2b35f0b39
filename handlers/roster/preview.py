"""How is a plan told: what would happen, the first changes, the first rows that cannot be taken?"""

from __future__ import annotations

from bot.core.reply import Phrase, Words, words
from handlers.roster.columns import Columns
from handlers.roster.plan import Change, ImportPlan
from handlers.roster.reading import Roster
from handlers.roster.rows import RowProblem

SHOWN = 8
"""Changes, and rows that cannot be taken, spelled out in a chat."""
NAMES = 10


def preview(plan: ImportPlan, roster: Roster, aliases: Columns, *, most: int = SHOWN) -> Words:
    """What a file would do. Nothing private of any row is among it."""
    problems = [problem_words(problem, aliases) for problem in plan.problems]
    changes = [change_words(change, aliases) for change in plan.changes]
    proposals = [words("roster.proposal", step=step) for step in plan.proposals]
    return words(
        "roster.preview", plan=plan, file=roster.file, lines=roster.lines, changes=changes[:most],
        proposals=proposals[:most], problems=problems[:most],
        more_changes=max(0, len(changes) - most) + max(0, len(proposals) - most),
        more_problems=max(0, len(problems) - most), kept=len(plan.kept), absent=len(plan.absent),
        names=[person.name for person in plan.absent[:NAMES]], ignored=[column.heading for column in roster.ignored],
        sheet=roster.sheet or "", sheets=list(roster.other_sheets),
    )  # fmt: skip


def change_words(change: Change, aliases: Columns) -> Words:
    return words("roster.change", change=change, column=column_words(change.column, aliases))


def problem_words(problem: RowProblem, aliases: Columns) -> Words:
    """Why a row is refused: the line, the column, and what to do."""
    meant = aliases.titles.get(problem.suggestion or "", problem.suggestion)
    return words(
        f"roster.row_{problem.reason}", line=problem.line, cell=problem.cell or "",
        column=column_words(problem.column or "", aliases), shown=problem.shown or "",
        meant=Phrase(meant) if meant else "", lines=[str(line) for line in problem.lines], area=problem.area or "",
    )  # fmt: skip


def column_words(name: str, aliases: Columns) -> Phrase:
    """What a column is called: `admitted` (kept as `admitted_on`) is 入党日期."""
    return Phrase(aliases.titles.get(name.removesuffix("_on"), name))

"""tiexin: what can the admin do here, and which options go with everything?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from bot.cli import (
    audit,
    backup,
    check,
    clock,
    demo,
    dues,
    init,
    join,
    member,
    notice,
    office,
    org,
    poll,
    quiz,
    report,
    rules,
    serve,
    wechat,
)
from bot.cli.door import WRONG, Door, tell
from bot.cli.nouns import Group

GLOBAL = (
    ("--config FILE", "The configuration; else $TIEXIN_CONFIG, else ./config.toml."),
    ("--json", "Show as JSON, where something is shown."),
    ("--as 员工号", "Who is responsible for what is done, with their rights; else the operator."),
)


class Doors(Group):
    """The root: global options may stand anywhere, and whatever is refused is told in one line.

    They are read here and not by Typer, which would load pydantic for it: 0.4 s for every `--help`.
    """

    def main(self, args: Sequence[str] | None = None, *rest: Any, **more: Any) -> Any:
        left, door = read(list(sys.argv[1:] if args is None else args))
        try:
            return super().main(left, *rest, **{"obj": door, **more})
        finally:
            door.close()

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if type(error).__module__.partition(".")[0] == "typer":  # usage, and the end of a command
                raise
            code = tell(error, lambda: ctx.find_object(Door).language)
            if code is None:
                raise
            raise typer.Exit(code) from None

    def format_options(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Options that may stand anywhere"):
            formatter.write_dl(GLOBAL)
        super().format_options(ctx, formatter)


def read(args: list[str]) -> tuple[list[str], Door]:
    """The global options, wherever they stand, and the other arguments. Ends with 2 where a value is missing."""
    door, rest = Door(), list[str]()
    left = iter(args)
    for arg in left:
        name, equals, value = arg.partition("=")
        if arg == "--":
            rest += [arg, *left]
        elif arg == "--json":
            door.as_json = True
        elif name in ("--config", "--as") and (equals or arg == name):
            if not equals and (value := next(left, "")) == "":
                print(f"{name}: say which; `tiexin --help` explains it", file=sys.stderr)
                raise SystemExit(WRONG)
            if name == "--config":
                door.file = Path(value)
            else:
                door.number = value
        else:
            rest.append(arg)
    return rest, door


app = typer.Typer(
    cls=Doors, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Tiexin (贴心): run it, look after it, and do at a desk what needs one.",
    epilog="Ends with 0 done, 1 refused or nothing done, 2 wrong usage or configuration, 3 partly done.",
)  # fmt: skip

# Verbs, then nouns: one line each.
for verb in (init.init, check.check, serve.serve, demo.demo, clock.clock, backup.backup, backup.restore):
    app.command()(verb)
app.add_typer(org.app, name="org")
app.add_typer(member.app, name="member")
app.add_typer(office.app, name="office")
app.add_typer(notice.app, name="notice")
app.add_typer(poll.app, name="poll")
app.add_typer(quiz.app, name="quiz")
app.add_typer(dues.app, name="dues")
app.add_typer(report.app, name="report")
app.add_typer(join.app, name="join")
app.add_typer(rules.app, name="rules")
app.add_typer(audit.app, name="audit")
app.add_typer(wechat.app, name="wechat")

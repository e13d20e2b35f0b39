"""What does every noun of the command line have in common?"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


class Group(TyperGroup):
    """A group of verbs whose help is quick."""

    def get_help_option(self, ctx: Any) -> Any:
        """`--help` that was not given is False: for None, Typer would load pydantic to find that out (0.3 s)."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option


def noun(line: str) -> typer.Typer:
    """A group of verbs, with its line of help."""
    return typer.Typer(
        cls=Group, help=line, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
    )

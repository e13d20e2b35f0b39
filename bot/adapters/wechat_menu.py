"""wechat_menu: which entries does the menu below the chat have?"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.core.action import Code
from bot.core.router import Run

# As of November 2026: three buttons, five below each; what is wider is cut off by the phone.
BUTTONS, BELOW = 3, 5
WIDE, WIDE_BELOW = 8, 16
"""Columns of a name: a Han character takes two."""

GROUPS: Mapping[str, Sequence[str]] = {
    "mine": ("me", "notices", "vote", "dues", "report"),
    "work": ("join", "confirm", "learn", "quiz", "life", "suggest", "practice", "note"),
    "more": ("help", "start", "reminders", "lang", "unbind"),
}
"""Groups and the commands in each, the most wanted first: what exists of them, five at the most."""


def menu(commands: Mapping[str, str], groups: Mapping[str, str]) -> dict[str, Any]:
    """The menu as `menu/create` takes it. `commands`: {name: label}, `groups`: {group: label}.

    A tap sends the action of the command, as its button would.
    """
    buttons = list(_buttons(commands, groups))
    return {"button": buttons[:BUTTONS]}


def _buttons(commands: Mapping[str, str], groups: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for group, names in GROUPS.items():
        there = [name for name in names if name in commands][:BELOW]
        if len(there) == 1:
            yield _entry(there[0], commands[there[0]], WIDE)
        elif there:
            below = [_entry(name, commands[name], WIDE_BELOW) for name in there]
            yield {"name": narrow(groups[group], WIDE), "sub_button": below}


def _entry(name: str, label: str, most: int) -> dict[str, str]:
    return {"type": "click", "name": narrow(label, most), "key": Run(Code(name)).encode()}


def narrow(text: str, most: int) -> str:
    """The text in at most so many columns."""
    if _width(text) <= most:
        return text
    while _width(text) > most - 2:
        text = text[:-1]
    return f"{text}…"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WFA" else 1 for sign in text)


def written(made: Mapping[str, Any]) -> str:
    """The menu for a reader: one line for each button, those below it indented."""
    lines = []
    for button in made["button"]:
        lines.append(button["name"])
        lines += [f"  {below['name']}  {below['key']}" for below in button.get("sub_button", [])]
    return "\n".join(lines)

"""wecom_cards: how does a message look on WeCom – as a text, as a card with buttons, as a list to choose from?

Six buttons at most stand under a card; up to twenty choices are a list with one button under it, and a question of
which several answers may be marked is such a list too. What fits neither is numbered text. A card shows few words:
longer ones go before it as a text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.adapters.numbered import numbered
from bot.adapters.wecom import PICK, PICKS, TEXT, split
from bot.core.reply import Key, Message

# Figures of WeCom as of November 2026. Widths are in Chinese characters, of which two Latin letters make one.
TITLE, SUBTITLE, BESIDE = 36, 160, 44
"""Of a card's first line, of what stands below it, and of that on a card with a list."""
BUTTON, OPTION, SUBMIT = 10, 17, 10
BUTTONS, OPTIONS = 6, 20
MARKS = {"☑ ": True, "☐ ": False}
"""How the label of a choice begins of which several may be marked."""
DONE = "✓"
"""On the grey button that is left of a card on which nothing can be pressed any more."""

Json = Mapping[str, Any]

# What WeCom's markdown might take for its own (document 90236). It knows no way to write such a sign as itself, so a
# text that has one stays a text.
_SIGNS = re.compile(r"[*_`#>\[\]<&~|\\]|^\s*(?:[-+]|\d+\.)\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A message as WeCom carries it: first these texts, then perhaps a card."""

    texts: Sequence[str]
    card: Json | None = None


def mark(key: Key) -> bool | None:
    """Whether a choice is marked; None for a button of another kind."""
    return MARKS.get(key.label[:2]) if key.payload is not None else None


class Cards:
    """`submit`: what stands on the button under a list, by language. Switched off (`on`), all is numbered text."""

    def __init__(self, submit: Mapping[str, str], *, on: bool = True) -> None:
        self._submit, self._on = submit, on

    def sheet(self, message: Message) -> Sheet:
        """The message with everything that can be pressed, and not a word lost."""
        controls = self._controls(message)
        if controls is None:
            return Sheet(split(numbered(message)))
        words = _words(message.text, controls)
        if words is not None:
            return Sheet((), {**words, **_plain(controls)})
        body, steps = message.text, controls.get("steps")
        text = f"{body}\n\n{steps}" if steps else body
        return Sheet(split(text), {**_words_below(body, controls), **_plain(controls)})

    def look(self, message: Message, seen: str = "") -> Json | None:
        """A card in the place of one that stands there, or None if it would lose words its reader has not `seen`."""
        controls = self._controls(message) if message.keys else _finished()
        if not self._on or controls is None or any("url" in button for button in controls.get("button_list", ())):
            return None
        words = _words(message.text, controls)
        if words is None and seen:
            new = [line for line in message.text.splitlines() if line.strip() and line not in seen.splitlines()]
            title = _short(message.text.strip().splitlines()[0], TITLE)
            words = _words("\n".join([title, *(line for line in new if line != title)]), controls)
        return None if words is None else {**words, **_plain(controls)}

    def titled(self, text: str) -> str | None:
        """A text as markdown, its first line in bold; None: it has no title, is too long, or would lose its signs.

        Neither markdown nor cards show where the company's messages are read in WeChat, so one switch is for both.
        """
        title, _, rest = text.strip().partition("\n")
        if not self._on or not rest.strip() or _width(title) > TITLE or _SIGNS.search(text):
            return None
        marked = f"**{title}**\n{rest}"
        return marked if len(marked.encode()) <= TEXT else None

    # -- what can be pressed --------------------------------------------------------------------------------

    def _controls(self, message: Message) -> dict[str, Any] | None:
        """The part of a card that can be pressed; None: it needs no card, or fits into none.

        `steps` are steps of a dialogue that found no room as buttons: they can be typed as well.
        """
        if not self._on:
            return None
        keys = [key for row in message.keys for key in row]
        walks = [key for key in keys if key.walk]
        rest = [key for key in keys if not key.walk]
        if any(mark(key) is not None for key in rest):
            marked = [key for key in rest if mark(key) is not None]
            return self._list(message, marked, walks, several=True)
        for shown, left in ((keys, []), (rest, walks)):
            if 1 <= len(shown) <= BUTTONS and all(_width(key.label) <= BUTTON for key in shown):
                return {"card_type": "button_interaction", "steps": _steps(left),
                        "button_list": [_button(key) for key in shown]}  # fmt: skip
        if any(key.path for key in keys):
            return None
        return self._list(message, rest, walks, several=False)

    def _list(
        self, message: Message, choices: Sequence[Key], walks: Sequence[Key], *, several: bool
    ) -> dict[str, Any] | None:
        """A list to choose from; None where it is empty or too long, or two choices would look alike."""
        options = [
            {"id": key.payload, "text": _short(key.label[several:].strip(), OPTION), "is_checked": bool(mark(key))}
            for key in choices
        ]
        alike = len({option["text"] for option in options}) < len(options)
        if not 1 <= len(options) <= OPTIONS or alike or not all(option["text"] for option in options):
            return None
        submit = self._submit["zh" if any(_wide(sign) for sign in message.text) else "en"]
        return {
            "card_type": "vote_interaction",
            "steps": _steps(walks),
            "checkbox": {"question_key": "q", "mode": int(several), "option_list": options},
            "submit_button": {"text": _short(submit, SUBMIT), "key": PICKS if several else PICK},
        }


def _finished() -> dict[str, Any]:
    """One grey button: a card on which nothing can be pressed any more still has to have one."""
    return {"card_type": "button_interaction", "steps": "", "replace_text": DONE,
            "button_list": [{"type": 0, "text": DONE, "style": 1, "key": DONE}]}  # fmt: skip


def _button(key: Key) -> dict[str, Any]:
    what = {"type": 1, "url": key.path} if key.path else {"type": 0, "key": key.payload}
    return {**what, "text": key.label, "style": 1}


def _steps(walks: Sequence[Key]) -> str:
    return "　".join(f"“{key.label}”" for key in walks)


# -- words --------------------------------------------------------------------------------------------------------


def _words(text: str, controls: Mapping[str, Any]) -> dict[str, Any] | None:
    """The whole text on the card: its first line as the title, the rest below. None: there is no room."""
    title, _, rest = text.strip().partition("\n")
    below = "\n".join(part for part in (rest.strip(), controls.get("steps", "")) if part)
    beside = controls["card_type"] == "vote_interaction"
    if not title or _width(title) > TITLE or _width(below) > (BESIDE if beside else SUBTITLE):
        return None
    return _placed(title, below, beside)


def _words_below(text: str, controls: Mapping[str, Any]) -> dict[str, Any]:
    """What stands on a card whose text goes before it: how that begins, and how it ends if that is short."""
    lines = [line for line in text.strip().splitlines() if line.strip()] or ["…"]
    beside = controls["card_type"] == "vote_interaction"
    last = lines[-1] if len(lines) > 1 and _width(lines[-1]) <= BESIDE else ""
    return _placed(_short(lines[0], TITLE), last, beside)


def _placed(title: str, below: str, beside: bool) -> dict[str, Any]:
    if beside:
        return {"main_title": {"title": title, **({"desc": below} if below else {})}}
    return {"main_title": {"title": title}, **({"sub_title_text": below} if below else {})}


def _plain(controls: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is only for us."""
    return {name: value for name, value in controls.items() if name != "steps"}


def _wide(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in "WF"


def _width(text: str) -> float:
    """How much room a text takes, in Chinese characters."""
    return sum(1.0 if _wide(sign) else 0.5 for sign in text)


def _short(text: str, most: float) -> str:
    """The text, or as much of its beginning as there is room for."""
    if _width(text) <= most:
        return text
    while _width(text) > most - 1:
        text = text[:-1]
    return f"{text}…"

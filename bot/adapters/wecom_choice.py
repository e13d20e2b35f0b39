"""wecom_choice: how do several answers, chosen at once, become the presses that the conversation knows?

Elsewhere each answer of several is marked by a press of its own, and the marks are handed in by another. A list on
WeCom brings them all together, and perhaps from a card that is older than the marks: so each press is made by what
stands there after the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.adapters.wecom_cards import mark
from bot.core.event import Pressed
from bot.core.reply import Key, Message

Answer = Callable[[Pressed], Sequence[Message]]


def choose(answer: Answer, event: Pressed, chosen: Sequence[str]) -> Sequence[Message]:
    """Bring the marks into line with what was chosen, and hand them in; what the last press was answered."""
    wanted, messages = set(chosen), answer(event)
    for turn in range(1, 2 * len(wanted) + 21):
        keys = [key for message in messages for row in message.keys for key in row]
        marks = {key.payload: mark(key) for key in keys if mark(key) is not None}
        if not marks:
            return messages  # refused, over, not theirs: that is the answer
        off = [payload for payload, on in marks.items() if on and payload not in wanted]
        wrong = [*off, *(payload for payload in chosen if marks.get(payload) is False)]
        press = wrong[0] if wrong else _hand_in(keys)
        if press is None:
            return messages
        messages = answer(replace(event, payload=press, event_id=f"{event.event_id}/{turn}"))
        if not wrong:
            return messages
    return messages


def _hand_in(keys: Sequence[Key]) -> str | None:
    """The button that hands the marks in."""
    return next((key.payload for key in keys if key.payload and mark(key) is None and not key.walk), None)

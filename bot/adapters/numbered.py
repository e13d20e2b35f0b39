"""numbered: how do buttons look where a channel has none?

As lines “1. 孙明”. What is typed then is understood by the conversation itself, which knows the buttons that stand at
each address. Steps of a dialogue are words (上一步 取消), so that a number always means a choice.
"""

from __future__ import annotations

from bot.core.reply import Message


def numbered(message: Message) -> str:
    """The message as plain text, its choices numbered as `Conversation` counts them."""
    keys = [key for row in message.keys for key in row]
    choices = [key for key in keys if key.payload is not None and not key.walk]
    links = [key for key in keys if key.path is not None]
    steps = [key for key in keys if key.payload is not None and key.walk]
    lines = [f"{place}. {key.label}" for place, key in enumerate(choices, 1)]
    lines += [f"{key.label} {key.path}" for key in links]
    if steps:
        lines.append("　".join(f"“{key.label}”" for key in steps))
    return "\n\n".join([message.text, "\n".join(lines)]) if lines else message.text

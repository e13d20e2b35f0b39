"""beside: what can be typed under a message that comes by itself, where there are no buttons?

Its choices are words and no numbers, and they stand beside what stands at the address already. A number that is typed
in the moment when it arrives belongs to what its reader was looking at; taken for this message, it might be a vote.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core.event import Address
from bot.core.memory import Offer
from bot.core.reply import Message
from storage import dialogues
from storage.house import Tx

MOST = 60
"""Choices that may stand at an address together."""


def worded(tx: Tx, address: Address, message: Message) -> Message:
    """The message with its choices as words, which are understood from now on.

    While a question is open at the address they are not: what is typed is the answer to that.
    """
    if not message.keys:
        return message
    rows = tuple(tuple(replace(key, walk=True) for key in row) for row in message.keys)
    new = [Offer(key.label, key.payload, walk=True) for row in rows for key in row if key.payload is not None]
    memory = dialogues.look(tx, address, b"").memory
    if new and not memory.asking:
        memory.offers = (*new, *(offer for offer in memory.offers if offer not in new))[:MOST]
        dialogues.stand(tx, address, memory)
    return replace(message, keys=rows)

"""terms: until when does a committee serve, and who has to prepare the next election?"""

from __future__ import annotations

from bot.core.reply import Phrase
from handlers import Capability, Kind, Router
from handlers.terms import desk

capability = Capability(
    Router(),
    desk=desk.items,
    rounds=desk.rounds,
    reminders={desk.KIND: Kind(Phrase("换届"), desk.line, stoppable=False, officers=True)},
)

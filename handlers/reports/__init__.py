"""reports: what did you think, what have you learnt, what did the branch do this month?"""

from __future__ import annotations

from handlers import Capability, Item, Turn
from handlers.reports import chat, desk, note_chat, notes, readers, retention, rounds, summary_chat
from storage.reports import SUBJECT
from storage.writings import NOTE

chat.router.include([readers.router, note_chat.router, summary_chat.router])


def _desk(turn: Turn) -> list[Item]:
    return [*readers.items(turn), *summary_chat.items(turn)]


capability = Capability(
    chat.router,
    due=retention.due,
    sheet=chat.sheet,
    desk=_desk,
    tell={desk.COMMENT: chat.commented, desk.NUDGE: chat.nudged},
    rounds=rounds.rounds,
    reminders=rounds.KINDS,
    opens={SUBJECT: desk.opens, NOTE: notes.opens},
)

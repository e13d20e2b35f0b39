"""Quizzes: 我要考试, practice and examinations out of a bank of questions."""

from __future__ import annotations

from handlers import Capability
from handlers.quizzes import chat, desk, reminding, secretary, sitting

chat.router.include([secretary.router])
capability = Capability(
    chat.router,
    due=desk.due,
    sheet=chat.sheet,
    desk=secretary.items,
    tell={sitting.OPENING: chat.told, desk.RESULT: chat.result_to},
    waits={sitting.OPENING: chat.waits},
    rounds=reminding.rounds,
    reminders=reminding.REMINDERS,
)

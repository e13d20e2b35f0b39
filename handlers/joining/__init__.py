"""joining: who wants to join the Party, where on the way are they, and what is due by when?"""

from __future__ import annotations

from handlers import Capability
from handlers.joining import deciding, recording, secretary
from handlers.joining.chat import answer, router, sheet
from handlers.joining.dates import REMINDERS, rounds
from handlers.joining.desk import ANSWER, INBOX, due, opens
from storage.applications import FILES

router.include([secretary.router, deciding.router, recording.router])
capability = Capability(
    router, due=due, sheet=sheet, desk=secretary.items, tell={INBOX: secretary.inbox, ANSWER: answer}, rounds=rounds,
    reminders=REMINDERS, opens={FILES: opens},
)  # fmt: skip

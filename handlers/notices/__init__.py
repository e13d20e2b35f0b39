"""notices: what is everybody to know, and who has confirmed it?"""

from __future__ import annotations

from handlers import Capability
from handlers.notices import following, secretary
from handlers.notices.chat import opens, pending, router, sheet, told
from storage.notices import KIND

router.include([secretary.router])
capability = Capability(
    router,
    due=following.due,
    sheet=sheet,
    desk=secretary.items,
    tell={KIND: told, following.PROGRESS: following.progress_told},
    waits={KIND: pending},
    rounds=following.rounds,
    reminders=following.REMINDERS,
    opens={KIND: opens},
)

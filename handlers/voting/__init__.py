"""voting: what is there to decide, and what did we decide?"""

from __future__ import annotations

from handlers import Capability
from handlers.voting import desk, reminding, secretary
from handlers.voting.chat import result_to, router, sheet, told, waits

router.include([secretary.router])
capability = Capability(
    router,
    due=desk.due,
    sheet=sheet,
    desk=secretary.items,
    tell={"poll": told, "poll_result": result_to},
    waits={"poll": waits},
    rounds=reminding.rounds,
    reminders=reminding.REMINDERS,
)

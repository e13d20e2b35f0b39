"""binding: which address belongs to whom?"""

from __future__ import annotations

from datetime import datetime

from handlers import Capability
from handlers.binding import desk, email, sign_in
from handlers.binding.chat import router
from storage.house import Tx

router.include([email.router])


def _due(tx: Tx, now: datetime) -> int:
    return desk.due(tx, now) + email.due(tx, now)


capability = Capability(router, due=_due, tell={**desk.tell, **sign_in.tell, **email.tell})

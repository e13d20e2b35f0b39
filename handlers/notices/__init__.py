"""notices: what is everybody to know, and who has confirmed it?"""

from __future__ import annotations

from handlers import Capability
from handlers.notices import secretary
from handlers.notices.chat import pending, router, sheet, told

router.include([secretary.router])
capability = Capability(router, sheet=sheet, desk=secretary.items, tell={"notice": told}, waits={"notice": pending})

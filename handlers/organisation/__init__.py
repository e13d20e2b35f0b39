"""organisation: who is where, who holds which office, and who is let in?"""

from __future__ import annotations

from handlers import Capability
from handlers.organisation.chat import items, router

capability = Capability(router, desk=items)

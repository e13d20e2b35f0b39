"""roster: who belongs to us, according to somebody's spreadsheet?"""

from __future__ import annotations

from handlers import Capability
from handlers.roster.chat import router
from handlers.roster.desk import due

capability = Capability(router, due=due)

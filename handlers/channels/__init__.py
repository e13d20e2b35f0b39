"""channels: where does a member want to be told first?"""

from __future__ import annotations

from handlers import Capability
from handlers.channels.chat import router, sheet

capability = Capability(router, sheet=sheet)

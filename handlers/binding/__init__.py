"""binding: which address belongs to whom?"""

from __future__ import annotations

from handlers import Capability
from handlers.binding import sign_in
from handlers.binding.chat import router
from handlers.binding.desk import due, tell

capability = Capability(router, due=due, tell={**tell, **sign_in.tell})

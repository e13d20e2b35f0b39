"""dues: what do I owe, and why?"""

from __future__ import annotations

from handlers import Capability
from handlers.dues import treasurer
from handlers.dues.chat import assessed, router

router.include([treasurer.router])
capability = Capability(router, desk=treasurer.items, tell={"dues_assessed": assessed})

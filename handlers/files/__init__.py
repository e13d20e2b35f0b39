"""files: which files are taken, and who may open them?"""

from __future__ import annotations

from handlers import Capability, Router
from handlers.files.desk import Keeping, due

router = Router()
router.keeps(Keeping())
capability = Capability(router, due=due)

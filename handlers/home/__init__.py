"""home: what can I do here, what awaits me, and in which language? Reads the other capabilities' lines."""

from __future__ import annotations

from collections.abc import Sequence

from handlers import Capability, alarm
from handlers.home.chat import home_router


def capability(others: Sequence[Capability]) -> Capability:
    """帮助, 我的, 工作台 and 语言, made from what the other capabilities say of themselves."""
    return Capability(home_router(others), tell={"alarm": alarm.tell})

"""wecom: what does WeCom do to an application, and to messages that come too fast?

    async with FakeWeCom() as wecom:
        assert await wecom.register(f"{our_address}/wecom/callback")
        wang = wecom.person("1001", "王芳")
        await wang.says("投票")
        await wang.taps("孙明")
        assert wang.last.look.replaced == "已投"
        assert wecom.dropped == 0

Time is virtual unless a `RealClock` is given. Misfortune is scripted: `wecom.script(lost(), "message/send")`.
It knows nothing of our own program.
"""

from __future__ import annotations

from tests.fakes.telegram.clock import Clock, RealClock, VirtualClock
from tests.fakes.wecom.crypto import Envelope, NotSealed
from tests.fakes.wecom.errors import ApiError, Fault, bad_gateway, lost, page, refused, silence
from tests.fakes.wecom.limits import Limits
from tests.fakes.wecom.model import Button, Call, Card, Line, Look, Member, Option, Push, Question
from tests.fakes.wecom.people import Person, cdata
from tests.fakes.wecom.server import AES_KEY, AGENT_ID, CORP_ID, SECRET, TOKEN, FakeWeCom

__all__ = [
    "AES_KEY",
    "AGENT_ID",
    "CORP_ID",
    "SECRET",
    "TOKEN",
    "ApiError",
    "Button",
    "Call",
    "Card",
    "Clock",
    "Envelope",
    "FakeWeCom",
    "Fault",
    "Limits",
    "Line",
    "Look",
    "Member",
    "NotSealed",
    "Option",
    "Person",
    "Push",
    "Question",
    "RealClock",
    "VirtualClock",
    "bad_gateway",
    "cdata",
    "lost",
    "page",
    "refused",
    "silence",
]

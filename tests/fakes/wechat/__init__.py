"""wechat: what does WeChat do to an official account, on a bad day too?

    async with FakeWeChat() as wechat:
        client = OurClient(wechat.account.appid, wechat.account.secret, wechat.api_base)
        await wechat.connect(f"{our_address}/wechat")        # GET with echostr, then safe mode
        wang = wechat.user("王芳")
        await wang.says("投票")
        await wang.taps("同意")                               # a line of a msgmenu, or a link in a passive reply
        await wang.taps_menu("我的")
        assert wang.last.text == "已记录 09:41"
        print(wang.transcript())
        assert not wechat.violations                          # no errcode, nothing lost in silence

Time is virtual unless a `RealClock` is given: `await wechat.advance(48 * 3600)` closes the window of 48 hours.
Misfortune is scripted: `wechat.script(lost(), path="message/custom/send")`.
"""

from __future__ import annotations

from tests.fakes.telegram.clock import Clock, RealClock, VirtualClock
from tests.fakes.wechat.courier import SORRY
from tests.fakes.wechat.errors import (
    ApiError,
    Fault,
    bad_gateway,
    busy,
    html_page,
    lost,
    refused,
    silence,
)
from tests.fakes.wechat.limits import Limits
from tests.fakes.wechat.model import Attempt, Call, Choice, Line, Push
from tests.fakes.wechat.people import Person
from tests.fakes.wechat.server import AES_KEY, APPID, SECRET, TOKEN, FakeWeChat

__all__ = [
    "AES_KEY",
    "APPID",
    "SECRET",
    "SORRY",
    "TOKEN",
    "ApiError",
    "Attempt",
    "Call",
    "Choice",
    "Clock",
    "FakeWeChat",
    "Fault",
    "Limits",
    "Line",
    "Person",
    "Push",
    "RealClock",
    "VirtualClock",
    "bad_gateway",
    "busy",
    "html_page",
    "lost",
    "refused",
    "silence",
]

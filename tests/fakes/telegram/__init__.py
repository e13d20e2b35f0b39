"""telegram: what does the Bot API do to a bot, on a bad day too?

    async with FakeTelegram() as telegram:
        bot = Bot(telegram.token, base_url=telegram.base_url)
        await bot.set_webhook(f"{our_address}/telegram", secret_token="…")
        wang = telegram.user(1001, "王芳")
        await wang.start("4T7K9QX2MB")
        await wang.says("投票")
        await wang.taps("赞成")
        assert wang.toast == "已记录 09:41"
        print(wang.transcript())

Time is virtual unless a `RealClock` is given: `await telegram.advance(100)` lets a hundred seconds pass
and makes every retry that falls due in them. Misfortune is scripted:
`telegram.script(lost(), method="sendMessage")`.
"""

from __future__ import annotations

from tests.fakes.telegram.clock import Clock, RealClock, VirtualClock
from tests.fakes.telegram.errors import (
    ApiError,
    Fault,
    bad_gateway,
    blocked,
    chat_not_found,
    lost,
    migrated,
    server_error,
    silence,
    too_many,
)
from tests.fakes.telegram.limits import Budgets, Limits
from tests.fakes.telegram.model import Attempt, Button, Call, Dropped, Message, Tap, Toast, Update
from tests.fakes.telegram.people import Group, Person
from tests.fakes.telegram.server import TOKEN, FakeTelegram

__all__ = [
    "TOKEN",
    "ApiError",
    "Attempt",
    "Budgets",
    "Button",
    "Call",
    "Clock",
    "Dropped",
    "FakeTelegram",
    "Fault",
    "Group",
    "Limits",
    "Message",
    "Person",
    "RealClock",
    "Tap",
    "Toast",
    "Update",
    "VirtualClock",
    "bad_gateway",
    "blocked",
    "chat_not_found",
    "lost",
    "migrated",
    "server_error",
    "silence",
    "too_many",
]

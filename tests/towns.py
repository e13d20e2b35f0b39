"""Towns: a house with posts that take what is delivered, and people who are told by preference."""

from __future__ import annotations

from collections.abc import Callable

from bot.core.reply import Undelivered
from storage.writer import Writer
from tests.notices import send
from tests.people import House
from tests.posts import Post, drain, open_outbox
from workers.outbox import Outbox


class Town:
    """A house with its posts: WeChat, Telegram and the web chat, in the order in which they are tried."""

    def __init__(self, house: House, writer: Writer, *names: str) -> None:
        self.house, self.writer = house, writer
        self.posts = {name: Post(house, name) for name in names or ("wechat", "telegram", "web")}
        self.outbox = self._open()

    def _open(self) -> Outbox:
        return open_outbox(self.house, self.writer, *self.posts.values(), compose=self.house.app.reception.compose)

    async def deliver(self) -> None:
        """Everything that can be done now. Of the clock's work only what is about silence: reminders are others'."""
        with self.house.app.database.write() as tx:
            while self.house.app.reception.silence(tx, self.house.now):
                pass
        await drain(self.outbox, *self.posts.values())

    def reached(self, name: str) -> list[str]:
        """The channels that have brought something to somebody, in order."""
        keys = {f"{channel}-{name}" for channel in self.posts} | {f"p{self.house.ids[name]}"}
        taken = [(at, number, key, post.name) for post in self.posts.values() for at, key, number in post.accepted]
        return [channel for _, _, key, channel in sorted(taken) if key in keys]


def bind(house: House, name: str = "王芳", *channels: str) -> None:
    for channel in channels or ("wechat", "telegram", "web"):
        house.chat(name, channel)


def failing(reason: Undelivered) -> Callable[[str, int], None]:
    def mood(_key: str, _delivery: int) -> None:
        raise reason

    return mood


def ask(house: House, scope: str = "member:1001", *, ask_ack: bool = True) -> int:
    """A notice that asks to be confirmed, by preference."""
    return send(house, scope=scope, channels="preferred", ask_ack=ask_ack)

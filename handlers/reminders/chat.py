"""reminders: which do I get, and at what hours?"""

from __future__ import annotations

from bot.core.action import Action, Code
from bot.core.reply import Button, Refused, Reply, words
from handlers import Answer, Router, Turn
from handlers.reminders.desk import Desk
from handlers.reminders.timing import HOURS
from handlers.rights import today
from storage import offices, reminders

CHOICES = (HOURS, (8, 12), (12, 14), (14, 18), (18, 22))
"""Hours offered, from and until."""


class Want(Action, tag="mw", light=True):
    """Get a kind of reminder, or no more of it."""

    kind: Code
    want: bool


class Hours(Action, tag="mh", light=True):
    """Be reminded between these hours."""

    first: int
    last: int


def reminders_router(desk: Desk) -> Router:
    """The command 提醒, over the kinds that there are."""
    router = Router()
    codes = {Code(name.replace(".", "-")[:16]): name for name in desk.kinds}
    if len(codes) != len(desk.kinds):
        raise TypeError("two kinds of reminders look the same on a button")

    @router.command("/reminders", "提醒", "提醒设置")
    def mine(turn: Turn, _rest: str) -> Answer:
        """选择收哪些提醒、什么时段收"""
        return _page(turn)

    @router.pressed(Want)
    def want(turn: Turn, press: Want) -> Answer:
        kind = codes.get(press.kind)
        if kind is None or not desk.kinds[kind].stoppable:
            raise Refused("conversation.stale")
        reminders.set_stop(turn.tx, turn.member.id, kind, not press.want)
        return _page(turn)

    @router.pressed(Hours)
    def hours(turn: Turn, press: Hours) -> Answer:
        chosen = (press.first, press.last)
        if chosen not in CHOICES:
            raise Refused("conversation.stale")
        reminders.set_hours(turn.tx, turn.member.id, None if chosen == HOURS else chosen)
        return _page(turn)

    def _page(turn: Turn) -> Reply:
        stopped = {kind for _, kind in reminders.stops(turn.tx, [turn.member.id])}
        chosen = reminders.hours(turn.tx, [turn.member.id]).get(turn.member.id, HOURS)
        officer = bool(offices.of_person(turn.tx, turn.member.id, today(turn.tx, turn.now)))
        kinds = [
            (desk.kinds[name], name not in stopped, code)
            for code, name in codes.items()
            if officer or not desk.kinds[name].officers
        ]
        rows = [
            (Button(words("reminders.stop" if on else "reminders.want", kind=kind.called), Want(code, not on)),)
            for kind, on, code in kinds
            if kind.stoppable
        ]
        times = tuple(
            Button(words("reminders.between", first=first, last=last), Hours(first, last))
            for first, last in CHOICES
            if (first, last) != chosen
        )
        card = words(
            "reminders.mine", kinds=[(kind.called, on, kind.stoppable) for kind, on, _ in kinds], hours=chosen,
            quiet=turn.tx.house.quiet_hours, cap=turn.tx.house.reminders_a_week,
        )  # fmt: skip
        return Reply(card, (*rows, *(times[i : i + 2] for i in range(0, len(times), 2))), replaces=True)

    return router

"""wechat_ways: by which way can somebody be written to now?

Customer-service message, template message, subscription notice: each has its own conditions, and the ledger in
`storage.windows` knows them. What cannot arrive is not attempted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from bot.adapters.wechat_errors import Then, Verdict
from bot.config import WeChat
from bot.core.event import Address
from storage import windows
from storage.house import Tx
from storage.windows import Allowance

CHANNEL = "wechat"
Way = Literal["custom", "template", "credit"]
WAYS: tuple[Way, ...] = ("custom", "template", "credit")
"""In the order in which they are tried: the dearest to the reader first."""
MENU = "menu"

# What the platform grants, by kind of account; November 2026.
GRANTED: Mapping[str, frozenset[str]] = {
    "subscription": frozenset(),
    "service": frozenset({MENU}),
    "verified_subscription": frozenset({MENU, "custom"}),
    "verified_service": frozenset({MENU, "custom", "template", "credit", "qr"}),
}
MSGMENU = "msgmenu"
"""Not a way of its own: how choices look in a customer-service message."""
LOOK_AGAIN = timedelta(days=7)
"""After that an account that was refused a way is tried once more: it may have been verified meanwhile."""
UNLIMITED = 1 << 30


class Outlook(NamedTuple):
    """How somebody can be reached now; no way: why not."""

    way: Way | None
    reason: str = ""


class Ways:
    """The ways of one account, by its kind and configuration."""

    def __init__(self, settings: WeChat) -> None:
        self._settings = settings
        self.granted = GRANTED[settings.kind]
        self.allowance = Allowance(
            settings.sends_after_message,
            timedelta(hours=settings.hours_after_message),
            settings.sends_after_tap,
            timedelta(seconds=settings.seconds_after_tap),
        )

    def look(self, tx: Tx, now: datetime, address: Address) -> Outlook:
        """How this address could be written to now; books nothing."""
        shut = windows.shut_paths(tx, now, CHANNEL)
        reasons = []
        for way in self._possible():
            if way in shut:
                reasons.append(shut[way][1])
            elif self._open(tx, now, address, way):
                return Outlook(way)
        return Outlook(None, reasons[0] if reasons else self._why())

    def closed(self, tx: Tx, now: datetime, addresses: Sequence[Address]) -> dict[Address, str]:
        """Of many addresses those that cannot be written to now, each with the reason; books nothing."""
        shut = windows.shut_paths(tx, now, CHANNEL)
        ways = [way for way in self._possible() if way not in shut]
        left = windows.left_of_many(tx, now, CHANNEL, self.allowance) if "custom" in ways else {}
        closed = [address for address in addresses if left.get(address.key, 0) < 1]
        templates = self._settings.templates_a_day - windows.used(tx, now, CHANNEL, "template")
        closed = closed[max(templates, 0) :] if "template" in ways else closed
        if "credit" in ways:
            asked = windows.creditors(tx, CHANNEL, self._settings.subscription_id)
            closed = [address for address in closed if address.key not in asked]
        why = next((reason for way, (_, reason) in shut.items() if way in WAYS), "") or self._why()
        return dict.fromkeys(closed, why)

    def book(self, tx: Tx, now: datetime, address: Address) -> Outlook:
        """The same, and the sending is taken from what is left."""
        outlook = self.look(tx, now, address)
        match outlook.way:
            case "custom":
                windows.book(tx, now, address, self.allowance)
            case "credit":
                windows.use_credit(tx, address, self._settings.subscription_id)
        if outlook.way:
            windows.take(tx, now, CHANNEL, outlook.way, UNLIMITED)
        return outlook

    def menus(self, tx: Tx, now: datetime) -> bool:
        """Whether choices can be tapped in a customer-service message."""
        return self._settings.text_links and MSGMENU not in windows.shut_paths(tx, now, CHANNEL)

    def learn(self, tx: Tx, now: datetime, address: Address, way: Way, verdict: Verdict) -> None:
        """Write down what a refusal tells about the ways."""
        match verdict.then:
            case Then.CLOSED:
                windows.close(tx, address)
            case Then.NO_CREDIT:
                windows.drop_credits(tx, address, self._settings.subscription_id)
            case Then.SPENT:
                windows.shut(tx, CHANNEL, way, windows.tomorrow(now), verdict.reason)
            case Then.NOT_GRANTED:
                windows.shut(tx, CHANNEL, way, now + LOOK_AGAIN, verdict.reason)
            case Then.NO_MENU:
                windows.shut(tx, CHANNEL, MSGMENU, now + LOOK_AGAIN, verdict.reason)
        if verdict.free and verdict.then is not Then.NO_MENU:
            if way == "custom":
                windows.give_back(tx, address, self.allowance)
            elif way == "credit":
                windows.add_credit(tx, address, self._settings.subscription_id)

    def _possible(self) -> list[Way]:
        named = {"custom": "-", "template": self._settings.template_id, "credit": self._settings.subscription_id}
        return [way for way in WAYS if way in self.granted and named[way]]

    def _open(self, tx: Tx, now: datetime, address: Address, way: Way) -> bool:
        if way == "custom":
            return windows.left(tx, now, address, self.allowance) > 0
        if way == "template":
            return windows.used(tx, now, CHANNEL, way) < self._settings.templates_a_day
        return windows.credits_of(tx, address, self._settings.subscription_id) > 0

    def _why(self) -> str:
        if not self._possible():
            return "this kind of account only answers"
        if self._settings.template_id and "template" in self.granted:
            return "today's templates are used up"
        return "has not written lately, and there is no template"

"""api: which interface lies at which path, and for which accounts?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.fakes.wechat import notices, sending, settings
from tests.fakes.wechat.errors import Json
from tests.fakes.wechat.model import Kind
from tests.fakes.wechat.world import Account, World

Needs = Literal["nothing", "menu", "verified", "verified service"]


@dataclass(frozen=True)
class Interface:
    """One interface: what it does, how it is called, and what the account must be for it."""

    act: Callable[[World, Json], Json]
    post: bool = True
    needs: Needs = "nothing"
    token: bool = True

    def granted(self, account: Account) -> bool:
        """Is this interface open to the account? A sandbox account may all that a verified service one may."""
        if account.kind == "sandbox" or self.needs == "nothing":
            return True
        service: Kind = "service"
        if self.needs == "menu":
            return account.verified or account.kind == service
        return account.verified and (self.needs == "verified" or account.kind == service)


INTERFACES: dict[str, Interface] = {
    "token": Interface(settings.token, post=False, token=False),
    "stable_token": Interface(settings.stable_token, token=False),
    "clear_quota": Interface(settings.clear_quota),
    "openapi/quota/get": Interface(settings.quota_get),
    "getcallbackip": Interface(settings.callback_ips, post=False),
    "get_api_domain_ip": Interface(settings.callback_ips, post=False),
    "message/custom/send": Interface(sending.custom_send, needs="verified"),
    "message/custom/typing": Interface(sending.typing, needs="verified"),
    "message/template/send": Interface(notices.template_send, needs="verified service"),
    "message/subscribe/bizsend": Interface(notices.subscribe_send, needs="verified service"),
    "menu/create": Interface(settings.menu_create, needs="menu"),
    "menu/get": Interface(settings.menu_get, post=False, needs="menu"),
    "menu/delete": Interface(settings.menu_delete, post=False, needs="menu"),
    "get_current_selfmenu_info": Interface(settings.selfmenu, post=False),
    "qrcode/create": Interface(settings.qrcode_create, needs="verified service"),
    "media/get": Interface(settings.media_get, post=False),
    "user/info": Interface(settings.user_info, post=False, needs="verified"),
    "user/get": Interface(settings.user_get, post=False, needs="verified"),
}

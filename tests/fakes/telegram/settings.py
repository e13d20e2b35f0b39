"""settings: what does the bot tell Telegram about itself? Its name, webhook and commands."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.telegram.errors import Json, bad_request
from tests.fakes.telegram.params import Params
from tests.fakes.telegram.world import Webhook, World

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"(?:[a-z]{2})?")
_WIDE = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}
_NARROW = {"chat", "chat_administrators", "chat_member"}


def get_me(world: World, params: Params) -> Json:
    return world.bot.as_json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def ask_for(world: World, params: Params) -> None:
    """Remember `allowed_updates`; an empty list means the usual kinds, a missing one leaves all as it was."""
    kinds = params.parsed("allowed_updates")
    if isinstance(kinds, list):
        world.updates.allowed = frozenset(map(str, kinds))


def set_webhook(world: World, params: Params) -> tuple[bool, str]:
    """The result, and the words that come with it."""
    url = params.text("url")
    if not url:
        return delete_webhook(world, params)
    secret = params.text("secret_token")
    if secret and not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    if not url.startswith(("https://", "http://")):
        raise bad_request("bad webhook: invalid webhook URL specified")
    connections = min(100, max(1, params.integer("max_connections", 40)))
    ask_for(world, params)
    if params.flag("drop_pending_updates"):
        world.updates.clear()
    hook = Webhook(url, secret, connections)
    if world.webhook == hook and not params.flag("drop_pending_updates"):
        return True, "Webhook is already set"
    world.webhook = hook
    world.last_error = None
    return True, "Webhook was set"


def delete_webhook(world: World, params: Params) -> tuple[bool, str]:
    if params.flag("drop_pending_updates"):
        world.updates.clear()
    if world.webhook is None:
        return True, "Webhook is already deleted"
    world.webhook = None
    return True, "Webhook was deleted"


def get_webhook_info(world: World, params: Params) -> Json:
    hook = world.webhook
    body: Json = {
        "url": hook.url if hook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(world.updates.waiting()),
    }
    if hook:
        body |= {"max_connections": hook.max_connections, "ip_address": "127.0.0.1"}
        if world.last_error:
            body |= {"last_error_date": int(world.last_error[0]), "last_error_message": world.last_error[1]}
    if world.updates.allowed:
        body["allowed_updates"] = sorted(world.updates.allowed)
    return body


def _scope(world: World, params: Params) -> tuple[str, str]:
    scope: Any = params.parsed("scope") or {"type": "default"}
    kind = scope.get("type") if isinstance(scope, dict) else None
    if kind not in _WIDE | _NARROW:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    language = params.text("language_code")
    if not _LANGUAGE.fullmatch(language):
        raise bad_request("invalid language code specified")
    if kind in _WIDE:
        return str(kind), language
    chat_id = str(scope.get("chat_id", ""))
    world.chat_for_bot(chat_id)
    user = f":{scope.get('user_id', '')}" if kind == "chat_member" else ""
    return f"{kind}:{chat_id}{user}", language


def set_my_commands(world: World, params: Params) -> bool:
    commands = params.parsed("commands")
    if not isinstance(commands, list):
        raise bad_request("can't parse commands list")
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    listed = []
    for one in commands:
        name = str(one.get("command", "")).removeprefix("/")
        description = str(one.get("description", "")).strip()
        if not _COMMAND.fullmatch(name):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        listed.append({"command": name, "description": description})
    world.commands[_scope(world, params)] = listed
    return True


def get_my_commands(world: World, params: Params) -> list[Json]:
    return world.commands.get(_scope(world, params), [])


def delete_my_commands(world: World, params: Params) -> bool:
    world.commands.pop(_scope(world, params), None)
    return True

"""messages: what happens when the bot sends, edits, answers or deletes?

Every function takes the world and the call's values and returns the result as the Bot API would, or raises
ApiError in its words.
"""

from __future__ import annotations

from tests.fakes.telegram import words
from tests.fakes.telegram.errors import ApiError, Json, bad_request
from tests.fakes.telegram.model import Chat, Document, Keyboard, Message, Toast
from tests.fakes.telegram.params import Params
from tests.fakes.telegram.world import World

_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)


def send_message(world: World, params: Params) -> Json:
    text = words.message_text(params, world.limits)
    board = words.keyboard(params, world.limits)
    chat = world.chat_for_bot(params.text("chat_id"))
    world.spend(chat)
    return _post(world, chat, text, board, None)


def send_document(world: World, params: Params) -> Json:
    text = words.caption(params, world.limits)
    board = words.keyboard(params, world.limits)
    chat = world.chat_for_bot(params.text("chat_id"))
    document = _document(world, params)
    world.spend(chat)
    return _post(world, chat, text, board, world.store(document))


def _document(world: World, params: Params) -> Document:
    source = params.text("document")
    name = source.removeprefix("attach://") if source.startswith("attach://") else "document"
    upload = params.files.get(name)
    if upload is None:
        if source in world.files:
            return world.files[source]
        raise bad_request("there is no document in the request" if not source else "wrong file identifier specified")
    if not upload.content:
        raise bad_request("file must be non-empty")
    if len(upload.content) > world.limits.upload_bytes:
        raise ApiError(413, "Request Entity Too Large")
    return Document(f"doc{world.serial()}", upload)


def _post(world: World, chat: Chat, text: str, board: Keyboard, document: Document | None) -> Json:
    message = world.say(chat, world.bot, text)
    message.buttons = board
    message.document = document
    world.changed()
    return message.as_json(chat)


def _to_edit(world: World, params: Params) -> tuple[Chat, Message]:
    chat = world.chat_for_bot(params.text("chat_id"))
    message = chat.message(params.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot:
        raise bad_request("message can't be edited")
    return chat, message


def _edit(world: World, chat: Chat, message: Message, text: str, board: Keyboard) -> Json:
    if (message.text, message.buttons) == (text, board):
        raise bad_request(_SAME)
    world.spend(chat)
    message.text, message.buttons, message.edited_at = text, board, world.clock.now()
    world.changed()
    return message.as_json(chat)


def edit_message_text(world: World, params: Params) -> Json:
    text = words.message_text(params, world.limits)
    # Without a keyboard of its own an edit takes the old one away.
    board = words.keyboard(params, world.limits)
    chat, message = _to_edit(world, params)
    if message.document is not None:
        raise bad_request("there is no text in the message to edit")
    return _edit(world, chat, message, text, board)


def edit_message_caption(world: World, params: Params) -> Json:
    text = words.caption(params, world.limits)
    board = words.keyboard(params, world.limits)
    chat, message = _to_edit(world, params)
    if message.document is None:
        raise bad_request("there is no caption in the message to edit")
    return _edit(world, chat, message, text, board)


def edit_message_reply_markup(world: World, params: Params) -> Json:
    board = words.keyboard(params, world.limits)
    chat, message = _to_edit(world, params)
    return _edit(world, chat, message, message.text, board)


def delete_message(world: World, params: Params) -> bool:
    chat = world.chat_for_bot(params.text("chat_id"))
    message = chat.message(params.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    if world.clock.now() - message.date > world.limits.delete_within:
        raise bad_request("message can't be deleted")
    chat.lines.remove(message)
    world.changed()
    return True


def answer_callback_query(world: World, params: Params) -> bool:
    toast = params.text("text")
    if len(toast) > world.limits.toast_chars:
        raise bad_request("MESSAGE_TOO_LONG")
    tap = world.taps.get(params.text("callback_query_id"))
    now = world.clock.now()
    # A second answer is refused like a late one: the query was used up by the first.
    if tap is None or tap.answer is not None or now - tap.at > world.limits.toast_deadline:
        raise bad_request(_TOO_OLD)
    tap.answer = Toast(toast, params.flag("show_alert"), now)
    if toast and (chat := world.chats.get(tap.chat_id)) is not None:
        chat.lines.append(tap.answer)
    world.changed()
    return True


def send_chat_action(world: World, params: Params) -> bool:
    world.chat_for_bot(params.text("chat_id"))
    if not params.text("action"):
        raise bad_request("wrong parameter action in request")
    return True


def get_chat(world: World, params: Params) -> Json:
    """The chat in full; asking about somebody who has blocked the bot is allowed."""
    key = params.text("chat_id")
    chat = world.chats.get(int(key)) if key.lstrip("-").isdigit() else None
    if chat is None or (chat.account is not None and not chat.started):
        raise bad_request("chat not found")
    gifts = (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    )
    return chat.as_json() | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }

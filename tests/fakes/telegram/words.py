"""words: what will a person see of this text and these keys, and what does Telegram refuse?"""

from __future__ import annotations

import html
import re
from typing import Any

from tests.fakes.telegram.errors import ApiError, bad_request
from tests.fakes.telegram.limits import Limits
from tests.fakes.telegram.model import Button, Keyboard, rows
from tests.fakes.telegram.params import Params

_TAG = re.compile(r"<(/?)([a-zA-Z0-9-]*)([^<>]*)>|<")
_FONTS = {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "tg-emoji"}
_KNOWN = _FONTS | {"a", "code", "pre", "blockquote"}


def visible(text: str, parse_mode: str) -> str:
    """The text without its markup. Raises ApiError 400 as Telegram does for markup it cannot read."""
    mode = parse_mode.lower()
    if mode in {"", "none"}:
        return text
    if mode != "html":
        raise ApiError(501, f"the fake does not read parse_mode {parse_mode}")
    return html.unescape(_without_tags(text))


def _without_tags(text: str) -> str:
    shown: list[str] = []
    open_tags: list[str] = []
    end = 0
    for found in _TAG.finditer(text):
        offset = len(text[: found.start()].encode())
        closing, name = found[1], (found[2] or "").lower()
        if closing:
            if not open_tags or (name and open_tags[-1] != name):
                raise bad_request(f"can't parse entities: Unexpected end tag at byte offset {offset}")
            open_tags.pop()
        elif name in _KNOWN:
            open_tags.append(name)
        else:
            raise bad_request(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {offset}')
        shown.append(text[end : found.start()])
        end = found.end()
    if open_tags:
        raise bad_request(f"can't parse entities: Can't find end tag corresponding to start tag \"{open_tags[-1]}\"")
    shown.append(text[end:])
    return "".join(shown)


def message_text(params: Params, limits: Limits) -> str:
    """The text of a message, 1 to 4,096 code points after its markup is read. Raises ApiError 400."""
    raw = params.text("text")
    if not raw:
        raise bad_request("message text is empty")
    text = visible(raw, params.text("parse_mode")).strip()
    if not text:
        raise bad_request("text must be non-empty")
    if len(text) > limits.text_chars:
        raise bad_request("message is too long")
    return text


def caption(params: Params, limits: Limits) -> str:
    """The words under a file, 0 to 1,024 code points. Raises ApiError 400."""
    text = visible(params.text("caption"), params.text("parse_mode")).strip()
    if len(text) > limits.caption_chars:
        raise bad_request("message caption is too long")
    return text


def keyboard(params: Params, limits: Limits) -> Keyboard:
    """The inline keyboard of a message, empty if there is none. Raises ApiError 400."""
    markup = params.parsed("reply_markup")
    if markup is None:
        return ()
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    # The other kinds (remove_keyboard, force_reply) change the client's own keyboard, not the message.
    keys = markup.get("inline_keyboard", [])
    if not isinstance(keys, list) or not all(isinstance(row, list) for row in keys):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    board = rows([[_button(raw, limits) for raw in row] for row in keys])
    if sum(map(len, board)) > limits.buttons or any(len(row) > limits.buttons_per_row for row in board):
        raise bad_request("reply markup is too long")
    return board


def _button(raw: Any, limits: Limits) -> Button:
    if not isinstance(raw, dict) or not str(raw.get("text") or "").strip():
        raise bad_request("can't parse inline keyboard button: Button text must be non-empty")
    data = raw.get("callback_data")
    if data is None and not set(raw) - {"text", "style", "icon_custom_emoji_id"}:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    # Bytes, not characters: twenty-two Chinese characters are too many.
    if data is not None and not 1 <= len(str(data).encode()) <= limits.callback_data_bytes:
        raise bad_request("BUTTON_DATA_INVALID")
    return Button(str(raw["text"]), None if data is None else str(data), raw)

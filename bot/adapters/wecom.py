"""wecom: what does a push of WeCom say, and how does a passive answer look?"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.adapters.tencent_callback import Push, Unreadable, allowed
from bot.core.event import Address, Handed, Pressed, Said

CHANNEL = "wecom"
VERIFIED = "wecom.callback"
"""The setting that holds when WeCom last looked at our address, or brought something."""

# Figures of WeCom as of November 2026.
TEXT = 2048
"""Bytes of a text; what is longer is cut, and nobody is told."""

PICK, PICKS = "pick", "picks"
"""Keys of the button under a list of which one, or several, may be chosen; the choice stands beside it."""

_USERID = re.compile(r"[A-Za-z0-9_.@-]{1,64}", re.ASCII)
_SPOKEN = ("image", "voice", "video", "file", "location", "link")
"""Kinds of messages that hold no words; they are answered like none."""


@dataclass(frozen=True, slots=True)
class Tap:
    """Something was pressed on a card. `code` is the permission for one change of it."""

    task_id: str
    code: str
    chosen: tuple[str, ...] = ()
    """What was chosen of several; a press of each in turn."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Something a member said or pressed; `userid` as the company writes it."""

    event: Said | Pressed | Handed
    userid: str
    tap: Tap | None = None
    media: str = ""
    """WeCom's id of a picture, by which it can be fetched."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A member may be written to from now on, or (`alive` False) no more."""

    address: Address
    alive: bool


def address(userid: str) -> Address:
    """WeCom compares without case, and we by small letters."""
    return Address(CHANNEL, userid.lower())


def read(push: Push) -> Heard | Reach | None:
    """What a push is about; None for kinds that need no answer, and for an empty choice. Raises Unreadable."""
    userid = push.text("FromUserName")
    if not _USERID.fullmatch(userid):
        raise Unreadable("FromUserName")
    kind = push.text("MsgType").lower()
    if kind == "text" or kind in _SPOKEN:
        words = push.text("Content") if kind == "text" else ""
        media = push.text("MediaId") if kind in ("image", "file") else ""
        return Heard(Said(address(userid), _message_id(push, words or media), words), userid, media=media)
    match push.text("Event").lower() if kind == "event" else "":
        case "template_card_event":
            return _tapped(push, userid)
        case "subscribe":
            return Reach(address(userid), alive=True)
        case "unsubscribe":
            return Reach(address(userid), alive=False)
    return None


def _message_id(push: Push, words: str) -> str:
    """A MsgId is no number, whatever its name says. Without one: the second, and what was said in it."""
    if given := push.text("MsgId"):
        return f"m{given}"
    return f"n{push.number('CreateTime')}:{hashlib.sha256(words.encode()).hexdigest()[:16]}"


def _tapped(push: Push, userid: str) -> Heard | None:
    """A card's button, or the choice made in its list. Of no choice at all nothing can be made."""
    key, task_id, code = push.text("EventKey"), push.text("TaskId"), push.text("ResponseCode")
    chosen: tuple[str, ...] = ()
    if key in (PICK, PICKS):
        if not (chosen := tuple(_chosen(push))):
            return None
        key = chosen[0]
    happened = ":".join((task_id, userid.lower(), key, push.text("CreateTime"), *chosen[1:]))
    tap = Tap(task_id, code, chosen if push.text("EventKey") == PICKS else ())
    return Heard(Pressed(address(userid), f"t{happened}", key), userid, tap)


def _chosen(push: Push) -> list[str]:
    """The ids that were chosen: none, one or several stand in the XML as nothing, a text or a list."""
    ids: list[str] = []
    for item in push.parts("SelectedItems", "SelectedItem"):
        options = item.get("OptionIds") if isinstance(item, Mapping) else None
        found = options.get("OptionId") if isinstance(options, Mapping) else None
        for one in found if isinstance(found, list) else [] if found is None else [found]:
            if not isinstance(one, str):
                raise Unreadable("OptionId")
            ids.append(one)
    return ids


# -- what goes back in the answer to a push -------------------------------------------------------------------

_NAMES = {
    "card_type": "CardType", "main_title": "MainTitle", "title": "Title", "desc": "Desc",
    "sub_title_text": "SubTitleText", "button_list": "ButtonList", "text": "Text", "style": "Style", "key": "Key",
    "checkbox": "CheckBox", "question_key": "QuestionKey", "option_list": "OptionList", "id": "Id",
    "is_checked": "IsChecked", "mode": "Mode", "submit_button": "SubmitButton", "replace_text": "ReplaceText",
}  # fmt: skip


def text_answer(userid: str, corp_id: str, now: datetime, text: str) -> str:
    """A text, as the plain XML."""
    return _answer(userid, corp_id, now, "text", f"<Content>{_cdata(text)}</Content>")


def button_answer(userid: str, corp_id: str, now: datetime, name: str) -> str:
    """One grey button with this name in the place of those of the card that was tapped."""
    inner = f"<Button><ReplaceName>{_cdata(name)}</ReplaceName></Button>"
    return _answer(userid, corp_id, now, "update_button", inner)


def card_answer(userid: str, corp_id: str, now: datetime, card: Mapping[str, Any]) -> str:
    """Another card in the place of the one that was tapped, before the eyes of whoever tapped it."""
    return _answer(userid, corp_id, now, "update_template_card", f"<TemplateCard>{_elements(card)}</TemplateCard>")


def _answer(userid: str, corp_id: str, now: datetime, kind: str, inner: str) -> str:
    return (
        f"<xml><ToUserName>{_cdata(userid)}</ToUserName><FromUserName>{_cdata(corp_id)}</FromUserName>"
        f"<CreateTime>{int(now.timestamp())}</CreateTime><MsgType>{_cdata(kind)}</MsgType>{inner}</xml>"
    )


def _elements(values: Mapping[str, Any]) -> str:
    """A card's JSON as XML: other names, and a list is its element repeated."""
    return "".join(
        f"<{_NAMES[name]}>{_element(one)}</{_NAMES[name]}>"
        for name, value in values.items()
        if name in _NAMES
        for one in (value if isinstance(value, list) else [value])
    )


def _element(value: Any) -> str:
    if isinstance(value, Mapping):
        return _elements(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _cdata(str(value))


def _cdata(text: str) -> str:
    """Somebody's words as XML: split where they would end it, and what XML does not know left out."""
    return f"<![CDATA[{allowed(text).replace(']]>', ']]]]><![CDATA[>')}]]>"


def split(text: str, most: int = TEXT) -> Sequence[str]:
    """Parts of at most so many bytes, cut at the end of a line or else of a sentence, never within a character."""
    parts, text = [], text.strip()
    while len(text.encode()) > most:
        whole = len(text.encode()[:most].decode(errors="ignore"))
        line, sentence = text.rfind("\n", whole // 2, whole), text.rfind("。", whole // 2, whole) + 1
        cut = line if line > 0 else sentence or whole
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    parts.append(text)
    return [part for part in parts if part] or ["…"]  # WeCom refuses a text without a visible character

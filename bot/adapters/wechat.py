"""wechat: what does a push of an official account say, and how does an answer look there?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from bot.adapters.numbered import numbered
from bot.adapters.tencent_callback import Push, Unreadable, allowed
from bot.adapters.wechat_ways import CHANNEL
from bot.core.event import Address, Handed, Pressed, Said
from bot.core.reply import Key, Message
from storage.receipts import DELIVERED, FAILED, REFUSED

VERIFIED = "wechat.callback"
"""The setting that holds when WeChat last looked at our address and was satisfied."""
MORE = ("更多", "more")
"""What asks for the next part of a text that was too long for one."""
MORE_ID = "more"
"""What comes back when that is tapped; no action of ours has such a payload."""
START = "/start"
"""What following the account and scanning its code mean: neither proves who somebody is."""

Cause = Literal["said", "tapped", "followed"]


@dataclass(frozen=True, slots=True)
class Heard:
    """Something a person said or pressed, when by WeChat's clock, and what it opens."""

    event: Said | Pressed | Handed
    at: datetime
    cause: Cause
    media: str = ""
    """WeChat's id of a picture, by which it can be fetched."""


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody follows the account no more."""

    address: Address
    at: datetime


@dataclass(frozen=True, slots=True)
class Became:
    """What became of messages: each with WeChat's id and a status of `storage.receipts`."""

    messages: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody allowed one more notice of each of these templates, or (`more` False) wants none."""

    address: Address
    event_id: str
    templates: tuple[str, ...]
    more: bool


def read(push: Push, now: datetime) -> Heard | Left | Became | Asked | None:
    """What a push is about; None for kinds that need no answer. Raises Unreadable."""
    if push.text("MsgType").lower() != "event":
        return _message(push, now)
    name = push.text("Event").lower()
    match name:
        case "subscribe" | "subscribe_scan":
            return Heard(Said(_who(push), _event_id(push), START), _at(push, now), "followed")
        case "scan":
            return Heard(Said(_who(push), _event_id(push), START), _at(push, now), "tapped")
        case "click":
            return Heard(Pressed(_who(push), _event_id(push), push.text("EventKey")), _at(push, now), "tapped")
        case "unsubscribe":
            return Left(_who(push), _at(push, now))
        case "templatesendjobfinish":
            return Became(((str(push.number("MsgID")), _status(push.text("Status"))),))
        case "subscribe_msg_sent_event":
            listed = _listed(push, "SubscribeMsgSentEvent")
            return Became(tuple((one["MsgID"], DELIVERED if one["ErrorCode"] == "0" else FAILED) for one in listed))
        case "subscribe_msg_popup_event" | "subscribe_msg_change_event":
            return _asked(push, popup="popup" in name)
    return None


def _message(push: Push, now: datetime) -> Heard:
    address, event_id, at = _who(push), f"m{push.number('MsgId')}", _at(push, now)
    tapped = push.text("bizmsgmenuid")
    if tapped and tapped != MORE_ID:
        return Heard(Pressed(address, event_id, tapped), at, "tapped")
    words = push.text("Content") if push.text("MsgType").lower() == "text" else push.text("Recognition")
    media = push.text("MediaId") if push.text("MsgType").lower() == "image" else ""
    return Heard(Said(address, event_id, words), at, "tapped" if tapped else "said", media)


def _asked(push: Push, *, popup: bool) -> Asked | None:
    """In the pop-up of a page a refusal takes nothing away; in the settings it takes all."""
    listed = _listed(push, "SubscribeMsgPopupEvent" if popup else "SubscribeMsgChangeEvent")
    wanted = "accept" if popup else "reject"
    templates = tuple(one["TemplateId"] for one in listed if one.get("SubscribeStatusString") == wanted)
    return Asked(_who(push), _event_id(push), templates, more=popup) if templates else None


def _listed(push: Push, name: str) -> list[Mapping[str, str]]:
    """The entries of a list, of which one stands alone as an object. Raises Unreadable."""
    listed = push.parts(name, "List")
    needed = ("MsgID", "ErrorCode") if "Sent" in name else ("TemplateId",)
    for one in listed:
        if not isinstance(one, Mapping) or not all(isinstance(one.get(part), str) for part in needed):
            raise Unreadable(name)
    return listed


def _who(push: Push) -> Address:
    openid = push.text("FromUserName")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", openid, re.ASCII):
        raise Unreadable("FromUserName")
    return Address(CHANNEL, openid)


def _event_id(push: Push) -> str:
    """Events have no id, and two taps fit into one second of their time: what was tapped tells them apart."""
    return f"e{push.number('CreateTime')}:{push.text('Event')}:{push.text('EventKey')}"


def _at(push: Push, now: datetime) -> datetime:
    """When it happened; never in the future, or a clock that is wrong would keep a window open."""
    seconds = push.number("CreateTime")
    return datetime.fromtimestamp(seconds, UTC) if seconds < now.timestamp() else now


def _status(said: str) -> str:
    """`success`, `failed:user block`, `failed: system failed` (with a blank, or without)."""
    said = said.replace(" ", "").lower()
    return DELIVERED if said == "success" else REFUSED if "block" in said else FAILED


# -- what goes back ------------------------------------------------------------------------------------------


def write(push: Push, text: str) -> str:
    """An answer in the body of the answer to the push. The same push gets the same, letter by letter."""
    us, them = _cdata(push.text("ToUserName")), _cdata(push.text("FromUserName"))
    return (
        f"<xml><ToUserName><![CDATA[{them}]]></ToUserName><FromUserName><![CDATA[{us}]]></FromUserName>"
        f"<CreateTime>{push.number('CreateTime')}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{_cdata(text)}]]></Content></xml>"
    )


def _cdata(text: str) -> str:
    """Fit for a CDATA section, which `]]>` would end: a member's name could then add elements to ours."""
    return allowed(text).replace("]]>", "]]]]><![CDATA[>")


def shown(messages: Sequence[Message], *, tappable: bool, most: int) -> str:
    """Messages as one text, choices numbered; `tappable`: as links too, where all of it fits into so many bytes."""
    plain = [_harmless(message) for message in messages]
    if tappable:
        linked = "\n\n".join(numbered(_linked(message)) for message in plain)
        if len(linked.encode()) <= most:
            return linked
    return "\n\n".join(numbered(message) for message in plain)


def choices(message: Message) -> list[tuple[str, str]]:
    """The buttons of a message as the lines of a msgmenu: (id, label)."""
    keys = [key for row in _harmless(message).keys for key in row if key.payload]
    places = iter(range(1, len(keys) + 1))
    return [(key.payload or "", key.label if key.walk else f"{next(places)}. {key.label}") for key in keys]


def page(message: Message) -> str:
    """The words above a msgmenu: the text, and the links to our pages."""
    bare = tuple(tuple(key for key in row if key.path) for row in message.keys)
    return numbered(_harmless(replace(message, keys=bare)))


def tap(label: str, payload: str) -> str:
    """A link that says something into the chat when it is tapped, with an id that nobody sees."""
    said = re.sub(r"[<>\"'&#%+=?\s]+", " ", label).strip() or MORE[0]
    return f'<a href="weixin://bizmsgmenu?msgmenucontent={said}&msgmenuid={payload}">{label}</a>'


def _linked(message: Message) -> Message:
    def key(key: Key) -> Key:
        return replace(key, label=tap(key.label, key.payload)) if key.payload else key

    return replace(message, keys=tuple(tuple(key(one) for one in row) for row in message.keys))


_TAG = re.compile(r"<(?=/?[A-Za-z])")


def _harmless(message: Message) -> Message:
    """WeChat makes links of tags. What a member wrote must not become one: a tap would be somebody's vote."""
    if "<" not in message.text and not any("<" in key.label for row in message.keys for key in row):
        return message
    keys = tuple(tuple(replace(key, label=_TAG.sub("＜", key.label)) for key in row) for row in message.keys)
    return replace(message, text=_TAG.sub("＜", message.text), keys=keys)


def pages(text: str, most: int, note: Callable[[int, int], str]) -> list[str]:
    """The text in as many parts as it needs, each but the last with a note (its number, of how many) on the rest."""
    if len(text.encode()) <= most:
        return split(text, most)
    parts = split(text, most - len(note(99, 99).encode()) - 2)
    noted = [f"{part}\n\n{note(place, len(parts))}" for place, part in enumerate(parts[:-1], 1)]
    return [*noted, parts[-1]]


def split(text: str, most: int) -> list[str]:
    """Parts of at most so many bytes, cut at the end of a line or else of a sentence, never within a character."""
    parts, left = [], text.strip()
    while len(left.encode()) > most:
        fits = left.encode()[:most].decode(errors="ignore")
        line, sentence = fits.rfind("\n", len(fits) // 2), fits.rfind("。", len(fits) // 2) + 1
        cut = line if line > 0 else sentence or len(fits)
        parts.append(left[:cut].rstrip())
        left = left[cut:].lstrip()
    parts.append(left)
    return [part for part in parts if part] or ["…"]

"""envelope: in what XML does WeChat tell something, and what does it make of the answer?"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree import ElementTree

from tests.fakes.wechat.crypto import Broken, Seal, signature
from tests.fakes.wechat.model import Choice, Mode

_LINK = re.compile(r"<a\s+href\s*=\s*([\"'])(.*?)\1[^>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE)
_MENU = "weixin://bizmsgmenu?"
_KINDS = {"text", "image", "voice", "video", "music", "news", "transfer_customer_service"}


class Malformed(Exception):
    """The account answered something WeChat cannot read."""


def cdata(value: str) -> str:
    return f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"


def element(tag: str, value: str | int) -> str:
    return f"<{tag}>{value if isinstance(value, int) else cdata(value)}</{tag}>"


def elements(pairs: Iterable[tuple[str, str | int]]) -> str:
    return "".join(element(tag, value) for tag, value in pairs)


@dataclass(frozen=True)
class Reply:
    """A passive reply, opened."""

    kind: str
    text: str
    """Of a text its content; of news the titles and descriptions."""
    url: str = ""


def read_reply(body: bytes, *, mode: Mode, token: str, seal: Seal, openid: str, account: str) -> Reply | None:
    """What the account answered; None for an empty body or `success`. Raises Malformed."""
    if body.strip() in {b"", b"success"}:
        return None
    tree = _parse(_decoded(body))
    if mode == "safe" or (mode == "compatible" and tree.find("Encrypt") is not None):
        tree = _parse(_opened(tree, token, seal))
    if _one(tree, "ToUserName") != openid or _one(tree, "FromUserName") != account:
        raise Malformed("names")
    if not _one(tree, "CreateTime").strip().isdecimal():
        raise Malformed("CreateTime")
    kind = _one(tree, "MsgType")
    if kind not in _KINDS:
        raise Malformed("MsgType")
    if kind == "text":
        content = _one(tree, "Content")
        if not content.strip():
            raise Malformed("empty Content")
        return Reply(kind, content)
    if kind == "news":
        items = tree.findall("Articles/item")
        if not items or str(len(items)) != _one(tree, "ArticleCount").strip():
            raise Malformed("Articles")
        shown = [f"{_one(item, 'Title')}\n{_one(item, 'Description')}".strip() for item in items]
        return Reply(kind, "\n".join(shown), _one(items[0], "Url"))
    return Reply(kind, f"({kind})")


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None


def _parse(text: str) -> ElementTree.Element:
    try:
        tree = ElementTree.fromstring(text)  # noqa: S314  # it comes from the bot under test
    except ElementTree.ParseError as error:
        raise Malformed(f"XML: {error}") from None
    if tree.tag != "xml":
        raise Malformed("no <xml>")
    return tree


def _opened(tree: ElementTree.Element, token: str, seal: Seal) -> str:
    sealed = _one(tree, "Encrypt")
    if not sealed:
        raise Malformed("not sealed")
    if _one(tree, "MsgSignature") != signature(token, _one(tree, "TimeStamp"), _one(tree, "Nonce"), sealed):
        raise Malformed("signature")
    try:
        return seal.open(sealed)
    except Broken as error:
        raise Malformed(f"seal: {error}") from None


def _one(tree: ElementTree.Element, tag: str) -> str:
    found = tree.findall(tag)
    if len(found) > 1:
        raise Malformed(f"two <{tag}>")
    return (found[0].text or "") if found else ""


def shown(text: str, *, menus: bool) -> tuple[str, tuple[Choice, ...], str]:
    """What a person sees of a text with links: the words, what can be tapped, the first address of a page.

    menus: do `weixin://bizmsgmenu` links work here?
    """
    choices: list[Choice] = []
    urls: list[str] = []

    def take(found: re.Match[str]) -> str:
        target, label = html.unescape(found[2]), html.unescape(found[3])
        if target.startswith(_MENU):
            parts = (part.partition("=") for part in target.removeprefix(_MENU).split("&"))
            query = {name: unquote(value) for name, _, value in parts}
            if menus and (content := query.get("msgmenucontent")):
                choices.append(Choice(label, content, query.get("msgmenuid", ""), link=True))
        else:
            urls.append(target)
        return label

    words = _LINK.sub(take, text)
    return words, tuple(choices), urls[0] if urls else ""


def cut(text: str, size: int) -> str:
    """The beginning that fits into `size` bytes of UTF-8, on a code-point border."""
    return text.encode()[:size].decode(errors="ignore")

"""sending: what becomes of a customer-service message?"""

from __future__ import annotations

from tests.fakes.wechat.envelope import shown
from tests.fakes.wechat.errors import ApiError, Json
from tests.fakes.wechat.model import Choice, Line
from tests.fakes.wechat.params import text
from tests.fakes.wechat.world import World

OK: Json = {"errcode": 0, "errmsg": "ok"}
_MEDIA = {"image", "voice", "video", "music", "mpnews", "mpnewsarticle", "wxcard", "miniprogrampage"}


def custom_send(world: World, params: Json) -> Json:
    """message/custom/send. The errors are judged before the quota: a refused message costs nothing."""
    person = world.follower(params.get("touser"), gone=world.limits.unfollowed)
    line = _line(world, params)
    person.windows.spend(world.clock.now())
    world.show(person, line)
    return OK


def typing(world: World, params: Json) -> Json:
    """message/custom/typing: costs nothing, shows nothing that lasts."""
    world.follower(params.get("touser"), gone=world.limits.unfollowed)
    if params.get("command") not in {"Typing", "CancelTyping"}:
        raise ApiError(47001)
    return OK


def _line(world: World, params: Json) -> Line:
    kind, now = params.get("msgtype"), world.clock.now()
    if kind == "text":
        content = text(params, "text", "content")
        _judge_size(world, content)
        words, _, url = shown(content, menus=False)
        return Line("custom", words, now, url=url)
    if kind == "msgmenu":
        return _menu(world, params.get("msgmenu"))
    if kind == "news":
        articles = params.get("news", {}).get("articles")
        if not isinstance(articles, list) or len(articles) != 1:
            raise ApiError(45008 if articles else 44003)
        one = articles[0]
        words = f"{text(one, 'title')}\n{text(one, 'description')}".strip()
        return Line("custom", words, now, url=text(one, "url"))
    if kind in _MEDIA:
        return Line("custom", f"({kind})", now)
    raise ApiError(40008)


def _menu(world: World, raw: object) -> Line:
    if world.account.kind == "sandbox":
        raise ApiError(40200)
    if not isinstance(raw, dict) or not isinstance(raw.get("list"), list):
        raise ApiError(47001)
    lines = [(text(one, "id"), text(one, "content")) for one in raw["list"]]
    if not lines or not all(id and content for id, content in lines):
        raise ApiError(44004)
    head, tail = text(raw, "head_content"), text(raw, "tail_content")
    _judge_size(world, "".join([head, tail, *(content for _, content in lines)]))
    choices = tuple(Choice(content, content, id) for id, content in lines)
    words = "\n".join(part for part in (head, tail) if part)
    return Line("custom", words, world.clock.now(), choices)


def _judge_size(world: World, content: str) -> None:
    if not content.strip():
        raise ApiError(44004)
    if len(content.encode()) > world.limits.text_bytes:
        raise ApiError(45002)

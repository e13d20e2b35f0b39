"""notices: what becomes of a template message, and of a subscription notice?"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from tests.fakes.wechat.envelope import element, elements
from tests.fakes.wechat.errors import ApiError, Json
from tests.fakes.wechat.model import Follower, Line, Push, Template, Via
from tests.fakes.wechat.params import text
from tests.fakes.wechat.world import World

_HOUR = r"\d{1,2}:\d{2}(?::\d{2})?"
_TIME = re.compile(rf"(?:\d{{4}}[-/年]\d{{1,2}}[-/月]\d{{1,2}}日?(?: {_HOUR})?|{_HOUR})(?:[~～].+)?")
_VALUES: dict[str, re.Pattern[str]] = {
    "time": _TIME,
    "date": _TIME,
    "number": re.compile(r"\d+(?:\.\d+)?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "character_string": re.compile(r"[!-~ ]{1,32}"),
    "phrase": re.compile(r"[\u4e00-\u9fff]{1,5}"),
    "amount": re.compile(r"[¥￥$]?\d{1,10}(?:\.\d+)?元?"),
    "phone_number": re.compile(r"[\d+() -]{1,17}"),
    "name": re.compile(r"[\u4e00-\u9fff·]{1,10}|[A-Za-z ]{1,20}"),
}
_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f]")
_OLD = {"first", "remark"}


def template_send(world: World, params: Json) -> Json:
    """message/template/send."""
    person = world.follower(params.get("touser"))
    template = _template(world, params, one_time=False)
    fields = _fields(world, template, params.get("data"))
    now, once = world.clock.now(), (person.openid, text(params, "client_msg_id"))
    if once[1] and (known := world.doubles.get(once)) and now - known[0] < world.limits.double_within:
        return _answer(known[1])
    msgid = world.serial()
    if once[1]:
        world.doubles[once] = now, msgid
    if person.template_status == "success":
        _show(world, person, template, fields, params, msgid)
    _receipts(world, person, msgid)
    return _answer(msgid)


def subscribe_send(world: World, params: Json) -> Json:
    """message/subscribe/bizsend: each costs one credit. Raises ApiError 43101 if there is none."""
    person = world.follower(params.get("touser"))
    template = _template(world, params, one_time=True)
    fields = _fields(world, template, params.get("data"))
    if person.credits[template.id] < 1:
        raise ApiError(43101)
    person.credits[template.id] -= 1
    msgid = world.serial()
    _show(world, person, template, fields, params, msgid)
    inside = elements(
        [("TemplateId", template.id), ("MsgID", str(msgid)), ("ErrorCode", "0"), ("ErrorStatus", "success")]
    )
    _later(world, lambda: world.event(person, "subscribe_msg_sent_event", _list("Sent", [inside]), by_person=False))
    return {"errcode": 0, "errmsg": "ok", "msgid": msgid}


def subscription_event(person: Follower, world: World, what: str, states: dict[str, str]) -> Push:
    """`subscribe_msg_popup_event` or `subscribe_msg_change_event`: one state an object, several a list."""
    scene: list[tuple[str, str | int]] = [("PopupScene", "2")] if what == "Popup" else []
    items = [elements([("TemplateId", id), ("SubscribeStatusString", state), *scene]) for id, state in states.items()]
    return world.event(person, f"subscribe_msg_{what.lower()}_event", _list(what, items))


def _list(what: str, items: list[str]) -> str:
    inside = "".join(f"<List>{item}</List>" for item in items)
    return f"<SubscribeMsg{what}Event>{inside}</SubscribeMsg{what}Event>"


def _answer(msgid: int) -> Json:
    return {"errcode": 0, "errmsg": "ok", "msgid": msgid}


def _template(world: World, params: Json, *, one_time: bool) -> Template:
    template = world.templates.get(text(params, "template_id"))
    if template is None or template.one_time != one_time:
        raise ApiError(40037)
    return template


def _show(
    world: World, person: Follower, template: Template, fields: dict[str, str], params: Json, msgid: int
) -> None:
    words = "\n".join([template.title, *fields.values()])
    url = text(params, "page" if template.one_time else "url")
    via: Via = "subscribe" if template.one_time else "template"
    world.show(person, Line(via, words, world.clock.now(), fields=fields, url=url, msgid=msgid))


# -- fields ------------------------------------------------------------------------------------------------------


def _fields(world: World, template: Template, data: object) -> dict[str, str]:
    """The fields as they will be shown. Raises ApiError 47003."""
    if not isinstance(data, dict):
        raise ApiError(47001)
    for name, entry in data.items():
        if name not in template.fields:
            # Since May 2023 there is no first line and no remark: nobody says so, nobody sees them.
            world.violations[f"field dropped: {name}" if name in _OLD else "field unknown"] += 1
        if isinstance(entry, dict) and "color" in entry:
            world.violations["colour dropped"] += 1
    return {name: _field(world, name, data.get(name)) for name in template.fields}


def _field(world: World, name: str, entry: object) -> str:
    wrong = ApiError(47003, f"data.{name}.value invalid")
    if not isinstance(entry, dict) or not isinstance(entry.get("value"), (str, int)):
        raise wrong
    value = str(entry["value"])
    if not value.strip():
        raise wrong
    pattern = _VALUES.get(name.rstrip("0123456789"))
    if pattern is not None and not pattern.fullmatch(value):
        raise wrong
    kept = _EMOJI.sub("", value.replace("\r", "").replace("\n", ""))
    if kept != value:
        world.violations[f"field stripped: {name}"] += 1
    if pattern is None and len(kept) > world.limits.field_chars:
        world.violations[f"field cut: {name}"] += 1
        kept = kept[: world.limits.field_chars]
    return kept


# -- receipts ----------------------------------------------------------------------------------------------------


def _receipts(world: World, person: Follower, msgid: int) -> None:
    inside = f"<MsgID>{msgid}</MsgID>" + element("Status", person.template_status)
    push = world.make_event(person, "TEMPLATESENDJOBFINISH", inside, by_person=False)
    if world.receipts.before_answer:
        world.early.append(push)
    else:
        _later(world, partial(world.tell, push))
    for _ in range(world.receipts.times - 1):
        twin = Push(push.serial, push.openid, push.kind, push.xml, by_person=False)
        _later(world, partial(world.tell, twin))


def _later(world: World, act: Callable[[], object]) -> None:
    def then() -> None:
        act()

    world.clock.call_at(world.clock.now() + world.receipts.delay, then)

"""settings: tokens, menus, codes, and who follows."""

from __future__ import annotations

from typing import Any

from tests.fakes.wechat.errors import ApiError, Json
from tests.fakes.wechat.model import QrCode
from tests.fakes.wechat.params import text
from tests.fakes.wechat.sending import OK
from tests.fakes.wechat.world import World

_EVENTS = {
    "click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin",
    "location_select",
}  # fmt: skip
_MEDIA = {"media_id", "view_limited", "article_id", "article_view_limited"}


# -- tokens ------------------------------------------------------------------------------------------------------


def token(world: World, params: Json) -> Json:
    """token: a new one at each call."""
    _judge_owner(world, params)
    value, life = world.tokens.plain(world.clock.now())
    return {"access_token": value, "expires_in": life}


def stable_token(world: World, params: Json) -> Json:
    """stable_token: the same while it is good, unless force_refresh."""
    _judge_owner(world, params)
    value, life = world.tokens.stable(world.clock.now(), force=params.get("force_refresh") is True)
    return {"access_token": value, "expires_in": life}


def _judge_owner(world: World, params: Json) -> None:
    if params.get("grant_type") != "client_credential":
        raise ApiError(40002)
    if params.get("appid") != world.account.appid:
        raise ApiError(40013)
    if params.get("secret") != world.account.secret:
        raise ApiError(40125)
    if world.account.addresses is not None and "127.0.0.1" not in world.account.addresses:
        raise ApiError(40164)


def clear_quota(world: World, params: Json) -> Json:
    """clear_quota: ten times a month."""
    if params.get("appid") != world.account.appid:
        raise ApiError(40013)
    world.rates.clear(world.clock.now())
    return OK


def quota_get(world: World, params: Json) -> Json:
    """openapi/quota/get: how often an interface may still be called today."""
    path = text(params, "cgi_path").removeprefix("/cgi-bin/")
    limit = world.limits.daily.get(path)
    if limit is None:
        raise ApiError(40066)
    used = world.rates.used.get(path, 0)
    return OK | {"quota": {"daily_limit": limit, "used": used, "remain": limit - used}}


# -- menus -------------------------------------------------------------------------------------------------------


def menu_create(world: World, params: Json) -> Json:
    """menu/create: three buttons, five below each."""
    buttons = params.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise ApiError(40016)
    world.menu = [_button(world, one, below=False) for one in buttons]
    return OK


def menu_get(world: World, params: Json) -> Json:
    """menu/get: 46003 if there is none."""
    if world.menu is None:
        raise ApiError(46003)
    return {"menu": {"button": [{"sub_button": [], **one} for one in world.menu]}}


def menu_delete(world: World, params: Json) -> Json:
    world.menu = None
    return OK


def selfmenu(world: World, params: Json) -> Json:
    """get_current_selfmenu_info: the same in another shape."""
    shown = [
        {key: value for key, value in one.items() if key != "sub_button"}
        | ({"sub_button": {"list": one["sub_button"]}} if one.get("sub_button") else {})
        for one in world.menu or []
    ]
    return {"is_menu_open": int(world.menu is not None), "selfmenu_info": {"button": shown}}


def _button(world: World, raw: Any, *, below: bool) -> Json:
    if not isinstance(raw, dict):
        raise ApiError(47001)
    name = text(raw, "name")
    if not 1 <= len(name.encode()) <= (60 if below else 16):
        raise ApiError(40025 if below else 40018)
    # A Han character counts two; what does not fit is shown as “…”.
    if sum(1 if char.isascii() else 2 for char in name) > (16 if below else 8):
        world.violations["menu name cut"] += 1
    children = raw.get("sub_button") or []
    if children:
        if below or not isinstance(children, list) or len(children) > 5:
            raise ApiError(40023)
        return {"name": name, "sub_button": [_button(world, one, below=True) for one in children]}
    kind = text(raw, "type")
    if kind in _EVENTS:
        if not 1 <= len(text(raw, "key").encode()) <= 128:
            raise ApiError(40019)
    elif kind in {"view", "miniprogram"}:
        if not 1 <= len(text(raw, "url").encode()) <= 1_024:
            raise ApiError(40020)
    elif kind not in _MEDIA:
        raise ApiError(40017)
    return {key: value for key, value in raw.items() if key != "sub_button"}


# -- codes -------------------------------------------------------------------------------------------------------


def qrcode_create(world: World, params: Json) -> Json:
    """qrcode/create: a code with a scene, for a while or for good."""
    action, scene = params.get("action_name"), (params.get("action_info") or {}).get("scene")
    if action not in {"QR_SCENE", "QR_STR_SCENE", "QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"}:
        raise ApiError(40053)
    if not isinstance(scene, dict):
        raise ApiError(40053)
    value = scene.get("scene_str") if "STR" in action else scene.get("scene_id")
    permanent, now = "LIMIT" in action, world.clock.now()
    if "STR" in action:
        good = isinstance(value, str) and 1 <= len(value) <= 64
    else:
        top = world.limits.qr_permanent if permanent else 2**32 - 1
        good = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= top
    life = params.get("expire_seconds", 60)
    if not good or not isinstance(life, int) or not (permanent or 1 <= life <= world.limits.qr_life):
        raise ApiError(40053)
    ticket = f"gQF{world.serial()}"
    world.codes[ticket] = QrCode(ticket, str(value), None if permanent else now + life)
    answer: Json = {"ticket": ticket, "url": f"http://weixin.qq.com/q/{ticket[3:]}"}
    return answer if permanent else answer | {"expire_seconds": life}


# -- people ------------------------------------------------------------------------------------------------------


def user_info(world: World, params: Json) -> Json:
    """user/info: no name and no picture since the end of 2021."""
    person = world.people.get(text(params, "openid"))
    if person is None:
        raise ApiError(40003)
    if not person.following:
        return {"subscribe": 0, "openid": person.openid}
    return {
        "subscribe": 1, "openid": person.openid, "nickname": "", "sex": 0, "language": "zh_CN", "headimgurl": "",
        "subscribe_time": int(person.since), "remark": "", "groupid": 0, "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE", "qr_scene": 0, "qr_scene_str": "",
    }  # fmt: skip


def user_get(world: World, params: Json) -> Json:
    """user/get: the openids of all who follow."""
    found = sorted(person.openid for person in world.people.values() if person.following)
    start = text(params, "next_openid")
    found = [openid for openid in found if openid > start][:10_000]
    total = sum(person.following for person in world.people.values())
    return {
        "total": total, "count": len(found), "data": {"openid": found}, "next_openid": found[-1] if found else ""
    }  # fmt: skip


def callback_ips(world: World, params: Json) -> Json:
    return {"ip_list": ["127.0.0.1"]}


def media_get(world: World, params: Json) -> Json:
    """media/get: a picture that somebody sent; its bytes come in the place of this."""
    if text(params, "media_id") not in world.media:
        raise ApiError(40007)
    return {}

"""params: what did a call bring along?"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.fakes.wechat.errors import ApiError, Json

_ESCAPED = re.compile(rb"(?<!\\)((?:\\\\)*)\\u((?!00[0-7])[0-9a-fA-F]{4})")


def read_body(body: bytes) -> tuple[Json, bool]:
    """The JSON of a call, and whether it held escapes where raw UTF-8 is demanded.

    The platform does not read `\\u540c`: the person sees these six characters. Raises ApiError 44002, 47001.
    """
    if not body.strip():
        raise ApiError(44002)
    literal, escapes = _ESCAPED.subn(rb"\1\\\\u\2", body)
    try:
        found = json.loads(literal.decode())
    except ValueError:
        raise ApiError(47001) from None
    if not isinstance(found, dict):
        raise ApiError(47001)
    return found, escapes > 0


def text(params: Json, *names: str) -> str:
    """The text at params[name][name]…, empty if there is none. Raises ApiError 47001 if it is something else."""
    found: Any = params
    for name in names:
        if not isinstance(found, dict):
            raise ApiError(47001)
        found = found.get(name, "")
    if isinstance(found, bool) or not isinstance(found, (str, int)):
        raise ApiError(47001)
    return str(found)

"""params: what did the caller send, in whichever of the ways Telegram reads?

A call may carry its values in the query, as a form, as multipart or as JSON; lists and objects may come as
JSON texts inside any of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from tests.fakes.telegram.errors import bad_request

_FIELD = re.compile(r';\s*(\w+)=("(?:\\.|[^"\\])*"|[^;]*)')


class Wrong(Exception):
    """A body that Telegram cannot read."""


@dataclass(frozen=True)
class Upload:
    """A file as it arrived."""

    name: str
    content: bytes
    content_type: str


@dataclass
class Params:
    """The values of one call, by name."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)
    encoding: str = "none"
    """How they came: none, form, json or multipart."""

    def text(self, name: str) -> str:
        """The value as text, empty if it was not given."""
        value = self.values.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def integer(self, name: str, default: int = 0) -> int:
        """The value as a whole number, `default` if it was not given or is none."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"true", "yes", "1"}

    def parsed(self, name: str) -> Any:
        """A list or object, from JSON or from a text of JSON; None if not given. Raises ApiError 400."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None


def _from_json(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        values = json.loads(body)
    except ValueError:
        raise Wrong("can't parse the JSON") from None
    if not isinstance(values, dict):
        raise Wrong("the JSON is no object")
    return values


def _from_form(body: bytes) -> dict[str, Any]:
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _from_multipart(content_type: str, body: bytes) -> Params:
    # Split by hand, because aiohttp gives up on file names that are neither ASCII nor quoted; grammY sends such.
    boundary = next((match[2] for match in _FIELD.finditer(content_type) if match[1] == "boundary"), "")
    pieces = body.split(b"--" + boundary.strip('"').encode())
    if not boundary or len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Wrong("can't read the multipart")
    params = Params(encoding="multipart")
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n"))
        }
        fields = {
            match[1].lower(): _unquoted(match[2]) for match in _FIELD.finditer(headers.get("content-disposition", ""))
        }
        content = content.removesuffix(b"\r\n")
        if "filename" in fields:
            kind = headers.get("content-type", "application/octet-stream")
            params.files[fields.get("name", "")] = Upload(fields["filename"], content, kind)
        else:
            params.values[fields.get("name", "")] = content.decode("utf-8", "replace")
    return params


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return value[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def _from_body(headers: Mapping[str, str], body: bytes) -> Params:
    kind = headers.get("Content-Type", "")
    match kind.partition(";")[0].strip().lower():
        case "multipart/form-data":
            return _from_multipart(kind, body)
        case "application/json":
            return Params(_from_json(body), encoding="json")
        case "application/x-www-form-urlencoded":
            return Params(_from_form(body), encoding="form")
        case _:
            return Params()


async def read_request(request: web.Request) -> Params:
    """The values of a call to the Bot API. Raises Wrong."""
    params = _from_body(request.headers, await request.read())
    for name, value in request.query.items():
        params.values.setdefault(name, value)
    return params


async def read_reply(response: aiohttp.ClientResponse) -> Params:
    """The values a webhook's reply carries, if any. Raises Wrong for what Telegram counts as a failure."""
    params = _from_body(response.headers, await response.read())
    # A multipart body without a part is “wrong”, and the update comes again: seen with aiogram.
    if params.encoding == "multipart" and not params.values and not params.files:
        raise Wrong("an empty multipart")
    return params

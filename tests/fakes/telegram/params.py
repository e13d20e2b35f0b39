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
from aiohttp import BodyPartReader, web

from tests.fakes.telegram.errors import bad_request

_FIELD = re.compile(r';\s*(\w+)=("((?:\\.|[^"\\])*)"|[^;]*)')


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


def _disposition(header: str) -> dict[str, str]:
    # Read by hand, because aiohttp gives up on names that are neither ASCII nor quoted, and grammY sends such.
    found = {match[1].lower(): match[3] or match[2] for match in _FIELD.finditer(header)}
    text = {key: value.replace('\\"', '"').replace("\\\\", "\\") for key, value in found.items()}
    return {key: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for key, value in text.items()}


async def _from_parts(reader: aiohttp.MultipartReader) -> Params:
    params = Params(encoding="multipart")
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise Wrong("multipart within multipart")
        content = bytes(await part.read(decode=True))
        disposition = _disposition(part.headers.get("Content-Disposition", ""))
        name = disposition.get("name", "")
        if "filename" in disposition:
            kind = part.headers.get("Content-Type", "application/octet-stream")
            params.files[name] = Upload(disposition["filename"], content, kind)
        else:
            params.values[name] = content.decode("utf-8", "replace")
    return params


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


async def read_request(request: web.Request) -> Params:
    """The values of a call to the Bot API. Raises Wrong."""
    kind = _kind(request.headers)
    if kind == "multipart/form-data":
        try:
            params = await _from_parts(await request.multipart())
        except ValueError:
            raise Wrong("can't read the multipart") from None
    else:
        body = await request.read()
        if kind == "application/json":
            params = Params(_from_json(body), encoding="json")
        elif kind == "application/x-www-form-urlencoded":
            params = Params(_from_form(body), encoding="form")
        else:
            params = Params()
    for name, value in request.query.items():
        params.values.setdefault(name, value)
    return params


async def read_reply(response: aiohttp.ClientResponse) -> Params:
    """The values a webhook's reply carries, if any. Raises Wrong for what Telegram counts as a failure."""
    kind = _kind(response.headers)
    if kind == "multipart/form-data":
        # A multipart body without a part is “wrong”, and the update comes again: seen with aiogram.
        try:
            params = await _from_parts(aiohttp.MultipartReader(response.headers, response.content))
        except ValueError:
            raise Wrong("can't read the multipart") from None
        if not params.values and not params.files:
            raise Wrong("an empty multipart")
        return params
    body = await response.read()
    if kind == "application/json":
        return Params(_from_json(body), encoding="json")
    if kind == "application/x-www-form-urlencoded":
        return Params(_from_form(body), encoding="form")
    return Params()

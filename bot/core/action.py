"""Action: the typed value of a button, at most 64 bytes, measured when the class is made."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any, ClassVar, Self, dataclass_transform, get_type_hints

LIMIT = 64
"""Bytes of a button's payload; the narrowest of the channels (Telegram's callback_data)."""

_CODE = re.compile(r"[A-Za-z0-9_-]{0,16}")
_NUMBER = re.compile(r"0|[1-9a-z][0-9a-z]{0,12}")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Code(str):
    """Up to 16 characters of A–Z a–z 0–9 - _: an opaque code, a field's name, the key of a choice."""

    __slots__ = ()

    def __new__(cls, text: str) -> Code:
        if not _CODE.fullmatch(text):
            raise ValueError("a code is at most 16 letters, digits, hyphens or underscores")
        return super().__new__(cls, text)


class BadPayload(ValueError):
    """What was pressed is no action of ours: forged, damaged, or from a version long gone."""


def _write_int(number: int) -> str:
    if not 0 <= number < 2**63:
        raise ValueError("numbers in a button lie between 0 and 2**63")
    if number == 0:
        return "0"
    out = ""
    while number:
        number, digit = divmod(number, 36)
        out = _DIGITS[digit] + out
    return out


def _read_int(text: str) -> int:
    if not _NUMBER.fullmatch(text) or (number := int(text, 36)) >= 2**63:
        raise BadPayload("not a number")
    return number


def _read_bool(text: str) -> bool:
    if text not in ("0", "1"):
        raise BadPayload("not a yes or no")
    return text == "1"


def _read_code(text: str) -> Code:
    try:
        return Code(text)
    except ValueError:
        raise BadPayload("not a code") from None


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    width: int
    write: Callable[[Any], str]
    read: Callable[[str], Any]


_FIELDS: dict[type, _Field] = {
    int: _Field(13, _write_int, _read_int),
    bool: _Field(1, lambda yes: "1" if yes else "0", _read_bool),
    Code: _Field(16, lambda code: str(Code(code)), _read_code),
}
_TAGS: dict[str, type[Action]] = {}


@dataclass_transform(frozen_default=True)
class Action:
    """A button's value: `class Cast(Action, tag="v")` with fields of type int, bool or Code.

    `light`: it may act where a sender is known only by a mail they sent: 收到, a sign-up, a step of a dialogue.

    Raises TypeError when the class is made: a tag used twice, a field of another type, a payload that could
    grow beyond 64 bytes. A press is a claim; rights come from the sender.
    """

    tag: ClassVar[str]
    light: ClassVar[bool]
    _fields: ClassVar[tuple[tuple[str, _Field], ...]]

    def __init_subclass__(cls, *, tag: str, light: bool = False) -> None:
        super().__init_subclass__()
        if not re.fullmatch(r"[a-z]{1,3}", tag):
            raise TypeError(f"{cls.__name__}: a tag is one to three small letters")
        if (other := _TAGS.get(tag)) and (other.__module__, other.__qualname__) != (
            cls.__module__,
            cls.__qualname__,
        ):
            raise TypeError(f"{cls.__name__}: the tag {tag!r} belongs to {other.__name__}")
        dataclasses.dataclass(frozen=True)(cls)
        hints = get_type_hints(cls)
        fields = []
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]  # made a dataclass two lines above
            codec = _FIELDS.get(hints[field.name])
            if codec is None:
                raise TypeError(f"{cls.__name__}.{field.name}: a button carries int, bool or Code only")
            fields.append((field.name, codec))
        widest = len(tag) + sum(1 + codec.width for _, codec in fields)
        if widest > LIMIT:
            raise TypeError(f"{cls.__name__}: the widest payload has {widest} bytes, {LIMIT} is the limit")
        cls.tag = tag
        cls.light = light
        cls._fields = tuple(fields)
        _TAGS[tag] = cls

    def encode(self) -> str:
        """The payload: the tag and the fields, separated by colons."""
        return ":".join((self.tag, *(codec.write(getattr(self, name)) for name, codec in self._fields)))

    @classmethod
    def _decode(cls, parts: list[str]) -> Self:
        if len(parts) != len(cls._fields):
            raise BadPayload("wrong number of fields")
        return cls(*[codec.read(part) for (_, codec), part in zip(cls._fields, parts, strict=True)])


def decode(payload: str) -> Action:
    """The action that a payload stands for. Raises BadPayload; never anything else."""
    if len(payload) > LIMIT:
        raise BadPayload("too long")
    tag, *parts = payload.split(":")
    kind = _TAGS.get(tag)
    if kind is None:
        raise BadPayload("unknown tag")
    return kind._decode(parts)

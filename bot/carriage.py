"""Carriage: what may a channel carry to this person, and what does it carry instead?"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from bot.adapters import links
from bot.core.event import Address
from bot.core.reply import Grade, Key, Message, words
from bot.render import Renderer
from storage.house import House, Tx

LIGHT_ONLY = frozenset({"email"})
"""Channels that show their sender only by a mail they sent: what is not light is done on our own pages."""
PATIENT = frozenset({"email"})
"""Channels that are read when there is time: their links wait for days."""


class How(StrEnum):
    """How a channel carries something."""

    YES = "yes"
    LINK = "link"
    """Neutral words, and a link behind which it stands."""
    GENERIC = "generic"
    """The same, and the words do not even name its kind."""


class Carriage:
    """Fits messages to channels. What a channel cannot carry stands behind a signed link to the web chat."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    @staticmethod
    def how(house: House, address: Address, grade: Grade, *, asked: bool = False) -> How:
        """How something of this grade goes to an address, by the organisation's policy.

        `asked`: in the answer to what somebody says there.
        """
        written = _preset(house.policy).get((address.channel, grade), "link")  # an unknown channel carries nothing
        if written == "asked":
            return How.YES if asked else How.LINK
        if written == "company":
            return How.YES if _own(house, address) else How.GENERIC
        return How(written)

    @classmethod
    def grades(cls, house: House, address: Address, *, asked: bool = True) -> frozenset[Grade]:
        """The grades that are shown at an address as they are, in an answer or else by themselves."""
        own = address.channel == "email" and _own(house, address)
        return _shown(house.policy, address.channel, own, asked)

    @classmethod
    def fits(cls, house: House, message: Message, address: Address, *, asked: bool = False) -> bool:
        """Whether the message may go to this address as it is."""
        if address.channel == "web":
            return True
        linked = any(key.path is not None for row in message.keys for key in row)
        shown = message.grade in cls.grades(house, address, asked=asked)
        return shown and not linked and not _too_heavy(message, address.channel)

    def fit(
        self, tx: Tx, now: datetime, message: Message, address: Address, person_id: int, language: str,
        *, asked: bool = False,
    ) -> Message:  # fmt: skip
        """The message as it may go to this address of a person; links are made in the transaction.

        `asked`: it answers something the person has said there just now.
        """
        if self.fits(tx.house, message, address, asked=asked):
            return message
        how = self.how(tx.house, address, message.grade, asked=asked)
        lasting = links.SOON if asked and address.channel not in PATIENT else links.DAYS
        if how is not How.YES:
            text = self._outside(message, how, language, asked=asked)
            keys = ((self._page(tx, now, message, person_id, language, lasting),),)
            return Message(text, keys, replaces=message.replaces)
        if _too_heavy(message, address.channel):
            return self._without_heavy(tx, now, message, person_id, language)
        rows = tuple(tuple(_signed(tx, now, key, person_id, lasting) for key in row) for row in message.keys)
        return replace(message, keys=rows)

    def _outside(self, message: Message, how: How, language: str, *, asked: bool) -> str:
        """What is said where the message may not be shown."""
        if asked:
            return self._renderer.say(words("conversation.not_here"), language)
        if how is How.GENERIC:
            return self._renderer.say(words("conversation.outside"), language)
        return message.outside or self._renderer.say(words("conversation.outside_personal"), language)

    def _page(
        self, tx: Tx, now: datetime, message: Message, person_id: int, language: str, lasting: timedelta
    ) -> Key:
        """The link behind which the whole message stands."""
        label = self._renderer.say(words("conversation.our_page"), language)
        return Key(label, path=links.carry(tx, now, person_id, message, lasting))

    def _without_heavy(self, tx: Tx, now: datetime, message: Message, person_id: int, language: str) -> Message:
        """What acts is behind one link, the whole message with it; what only shows stays."""
        page = self._page(tx, now, message, person_id, language, links.DAYS)
        rows = [tuple(key for key in row if key.payload is not None and key.light) for row in message.keys]
        return replace(message, keys=((page,), *(row for row in rows if row)))


@cache
def _presets() -> Mapping[str, Mapping[tuple[str, Grade], str]]:
    """carriage.toml. Raises ValueError where it has a hole, or a word that means nothing."""
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        written = tomllib.load(file)
    known = {*How, "company", "asked"}
    presets = {}
    for name, channels in written.items():
        for channel, row in channels.items():
            if row.keys() != {grade.name.lower() for grade in Grade} or not known.issuperset(row.values()):
                raise ValueError(f"carriage.toml: {name}.{channel} says something else than it has to")
        presets[name] = {
            (channel, grade): row[grade.name.lower()] for channel, row in channels.items() for grade in Grade
        }
    return presets


def _preset(policy: str) -> Mapping[tuple[str, Grade], str]:
    return _presets()[policy]


@lru_cache(64)
def _shown(policy: str, channel: str, own: bool, asked: bool) -> frozenset[Grade]:
    shown = {How.YES, *(("company",) if own else ()), *(("asked",) if asked else ())}
    return frozenset(grade for grade in Grade if _preset(policy).get((channel, grade)) in shown)


def _own(house: House, address: Address) -> bool:
    """Whether a mail address is one of the organisation's own."""
    return address.key.rpartition("@")[2].lower() in house.company_domains


def _too_heavy(message: Message, channel: str) -> bool:
    keys = (key for row in message.keys for key in row)
    return channel in LIGHT_ONLY and any(key.payload is not None and not key.light for key in keys)


def _signed(tx: Tx, now: datetime, key: Key, person_id: int, lasting: timedelta) -> Key:
    return key if key.path is None else replace(key, path=links.to(tx, now, person_id, key.path, lasting))

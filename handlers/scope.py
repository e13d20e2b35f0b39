"""Whom does a scope mean? `org:第一支部&kind:正式党员,role:secretary` – any of, all of; `&` binds tighter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.core.reply import Refused
from handlers.rights import roles_named, today
from storage import offices, organisations, people
from storage.house import Tx
from storage.organisations import Org

KINDS = {"member": ("正式党员", "预备党员"), "党员": ("正式党员", "预备党员"), "activist": ("入党积极分子",)}
"""What `kind:` knows beside the kinds themselves."""


def resolve(tx: Tx, now: datetime, scope: str, area: Sequence[Org]) -> list[int]:
    """The ids of the people meant, ordered; those who have left are never among them.

    `area` is where the sender's right reaches: `all`, `role:` and `kind:` mean the people there. Raises Refused
    for a part that cannot be read, is ambiguous, or names an organisation or a person beyond the area.
    """
    reach: set[int] = set()
    for org in area:
        reach |= set(tx.run(people.members_of(org)).scalars())
    meant: set[int] = set()
    for group in scope.replace("，", ",").replace("＆", "&").split(","):
        parts = [part.strip() for part in group.split("&")]
        sets = [_part(tx, now, part, reach, area) for part in parts]
        meant |= set.intersection(*sets)
    return sorted(meant)


def _part(tx: Tx, now: datetime, part: str, reach: set[int], area: Sequence[Org]) -> set[int]:
    if part in ("all", "全体"):
        return reach
    head, colon, name = part.replace("：", ":").partition(":")
    name = name.strip()
    if not colon or not name:
        raise Refused("scope.unreadable", part=part)
    match head.strip():
        case "org":
            return _org(tx, name, part, area)
        case "role":
            roles = roles_named(name)
            if not roles:
                raise Refused("scope.no_such_role", part=part)
            return offices.people_in(tx, today(tx, now), roles) & reach
        case "kind":
            kinds = KINDS.get(name) or ((name,) if name in people.KINDS else ())
            if not kinds:
                raise Refused("scope.no_such_kind", part=part, kinds=people.KINDS)
            return people.of_kinds(tx, kinds) & reach
        case "member":
            person = people.by_number(tx, name)
            if person is None or person.left_on is not None or person.id not in reach:
                raise Refused("scope.beyond" if person else "scope.no_such_member", part=part)
            return {person.id}
    raise Refused("scope.unreadable", part=part)


def one_org(tx: Tx, name: str) -> Org:
    """The one organisation that a code, name or path means. Raises Refused listing the paths if there are several."""
    found = organisations.named(tx, name)
    if not found:
        raise Refused("scope.no_such_org", name=name)
    if len(found) > 1:
        raise Refused("scope.ambiguous_org", name=name, paths=[organisations.path_name(tx, org) for org in found])
    return found[0]


def _org(tx: Tx, name: str, part: str, area: Sequence[Org]) -> set[int]:
    org = one_org(tx, name)
    if not any(place.holds(org) for place in area):
        raise Refused("scope.beyond", part=part)
    return set(tx.run(people.members_of(org)).scalars())

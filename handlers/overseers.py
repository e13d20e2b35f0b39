"""Who hears of it when somebody of an organisation has not done what was asked?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from handlers.rights import today
from storage import offices, organisations, people
from storage.house import Tx

SECRETARIES, DEPUTIES = ("支部书记", "党委书记"), ("支部副书记", "党委副书记")


def overseers(tx: Tx, now: datetime, org_ids: Iterable[int]) -> list[int]:
    """For each organisation its secretary, else the deputy; where nobody holds either, those of the one above."""
    held = offices.holders(tx, today(tx, now), roles=(*SECRETARIES, *DEPUTIES))
    here = {person.id for person in people.listed(tx, [one.person_id for one in held]) if person.left_on is None}
    by_office: dict[tuple[int, bool], set[int]] = {}
    for one in held:
        if one.person_id in here:
            by_office.setdefault((one.org.id, one.role in SECRETARIES), set()).add(one.person_id)
    paths = {org.id: org.path for org in organisations.all_of(tx, closed=True)}
    found: set[int] = set()
    for org_id in set(org_ids):
        for place in reversed([int(part) for part in paths[org_id].strip("/").split("/")]):
            theirs = by_office.get((place, True)) or by_office.get((place, False))
            if theirs:
                found |= theirs
                break
    return sorted(found)

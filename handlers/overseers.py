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
    found: set[int] = set()
    for org_id in set(org_ids):
        org = organisations.get(tx, org_id)
        for place in (org, *reversed(organisations.ancestors(tx, org))):
            ranks = [
                {one.person_id for one in held if one.org.id == place.id and one.role in roles} & here
                for roles in (SECRETARIES, DEPUTIES)
            ]
            if any(ranks):
                found |= ranks[0] or ranks[1]
                break
    return sorted(found)

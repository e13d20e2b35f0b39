"""Which organisation does a cell name, and where does an office sit?"""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz, process

from storage import organisations
from storage.house import Tx
from storage.organisations import Org

NEAR = 60
"""How alike (of 100) a name must be to be offered: 第一党支部 for 第一支部."""
CLOSE = 10
"""How much less alike than the best: 第一党支部 is 第一支部 and not 第二支部."""
MOST = 3


class Branches:
    """The organisations within somebody's reach, by whatever a roster calls them."""

    def __init__(self, tx: Tx, area: Sequence[Org]) -> None:
        self._tx = tx
        self._orgs = {org.id: org for place in area for org in organisations.all_of(tx, below=place, closed=True)}
        self._open = [org for org in self._orgs.values() if org.closed_on is None]
        self._found: dict[str, tuple[Org | None, str, tuple[str, ...]]] = {}
        self._seats: dict[int, Org] = {}

    @property
    def only(self) -> Org | None:
        """The one organisation within reach: a branch secretary's file need not name it."""
        return self._open[0] if len(self._open) == 1 else None

    def reaches(self, org_id: int) -> bool:
        return org_id in self._orgs

    def of(self, org_id: int) -> Org:
        return self._orgs[org_id]

    def find(self, name: str) -> tuple[Org | None, str, tuple[str, ...]]:
        """The organisation of a code, name or path; else why not, and what was perhaps meant."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> tuple[Org | None, str, tuple[str, ...]]:
        named = [org for org in organisations.named(self._tx, name) if org.closed_on is None]
        here = [org for org in named if org.id in self._orgs]
        if len(here) == 1:
            return here[0], "", ()
        if here:
            return None, "ambiguous_branch", tuple(organisations.path_name(self._tx, org) for org in here[:MOST])
        if named:
            return None, "beyond_branch", ()
        names = sorted({org.name for org in self._open})
        near = process.extract(name.split("/")[-1], names, scorer=fuzz.ratio, score_cutoff=NEAR, limit=MOST)
        return None, "unknown_branch", tuple(match[0] for match in near if match[1] >= near[0][1] - CLOSE)

    def seat(self, code: str, org: Org) -> Org:
        """Where an office sits: a committee's at the nearest committee above, all others in the branch itself."""
        if not code.startswith("committee_") or "党委" in org.kind:
            return org
        if org.id not in self._seats:
            above = organisations.ancestors(self._tx, org)
            root = above[0] if above else org
            self._seats[org.id] = next((one for one in reversed(above) if "党委" in one.kind), root)
        return self._seats[org.id]

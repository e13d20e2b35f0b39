"""What a branch says of its month, as use cases: hand it in, read that of others, see who has not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.reply import Refused
from handlers import secrecy
from handlers.reports.acts import named
from handlers.reports.rules import Every, Period
from handlers.reports.table import Table, table
from handlers.rights import today
from storage import audit, offices, organisations, people, writings
from storage.audit import Actor
from storage.house import Tx
from storage.organisations import Org
from storage.writings import Summary


def branches(tx: Tx, below: Org | None = None) -> list[Org]:
    """The organisations that hand one in."""
    of = table(tx.house.rules).summary_of
    return [org for org in organisations.all_of(tx, below=below) if org.kind.endswith(of)]


def own_branches(tx: Tx, now: datetime, person_id: int) -> list[Org]:
    """The branches for which somebody may hand one in: where they hold the office for it, and not below."""
    rule = table(tx.house.rules)
    held = offices.of_person(tx, person_id, today(tx, now))
    found = {one.org.id: one.org for one in held if one.role in rule.summary_by and _hands_in(rule, one.org)}
    return list(found.values())


def _hands_in(rule: Table, org: Org) -> bool:
    return org.kind.endswith(rule.summary_of) and org.closed_on is None


def open_periods(tx: Tx, now: datetime) -> list[Period]:
    """The months for which one may be handed in now: this one, and the last while late ones are taken."""
    current = Period.of(today(tx, now), Every.MONTH)
    days = timedelta(days=table(tx.house.rules).summary_late_days)
    late = now < current.before.deadline(tx.house.zone) + days
    return [current.before, current] if late else [current]


def submit(tx: Tx, now: datetime, actor: Actor, org: Org, period: Period, done: str, plan: str) -> Summary:
    """Hand in a branch's month: the next version. Raises Refused without the office, and for a mark of secrecy."""
    if actor.person_id is None or all(one.id != org.id for one in own_branches(tx, now, actor.person_id)):
        raise Refused("reports.not_your_branch", org=org.name)
    if period not in open_periods(tx, now):
        raise Refused("reports.not_open", period=named(period))
    secrecy.check(f"{done}\n{plan}")
    summary = writings.add_summary(
        tx, now, organisation_id=org.id, period=str(period), late=now >= period.deadline(tx.house.zone),
        author_id=actor.person_id, done=done, plan=plan,
    )  # fmt: skip
    audit.record(tx, now, actor, "summary.submit", f"org:{org.code}", period=str(period), version=summary.version)
    return summary


def may_read(tx: Tx, now: datetime, person_id: int) -> bool:
    """Whether somebody reads what the branches say: by the table, members of every branch, and who hands one in."""
    person = people.get(tx, person_id)
    if person.left_on is not None:
        return False
    return person.kind in table(tx.house.rules).summary_readers or bool(own_branches(tx, now, person_id))


def listed(tx: Tx, now: datetime, person_id: int, period: Period) -> list[tuple[Org, Summary | None]]:
    """Every branch with the newest version of its month, if it has one. Raises Refused for who reads none."""
    if not may_read(tx, now, person_id):
        raise Refused("reports.no_summaries")
    found = writings.summaries(tx, str(period))
    return [(org, found[org.id][-1] if org.id in found else None) for org in branches(tx)]


def read(tx: Tx, now: datetime, person_id: int, summary_id: int) -> tuple[Summary, Org, str]:
    """(summary, its branch, who wrote it). Raises Refused, the same for one that is not there."""
    summary = writings.summary(tx, summary_id)
    if summary is None or not may_read(tx, now, person_id):
        raise Refused("reports.no_summaries")
    return summary, organisations.get(tx, summary.organisation_id), people.get(tx, summary.author_id).name


def missing(tx: Tx, period: Period, orgs: Sequence[Org] | None = None) -> list[Org]:
    """The branches that have handed in nothing for a month."""
    wanted = branches(tx) if orgs is None else list(orgs)
    found = writings.summaries(tx, str(period), [org.id for org in wanted])
    return [org for org in wanted if org.id not in found]


def responsible(tx: Tx, now: datetime, orgs: Sequence[Org]) -> list[int]:
    """Whom one asks for the months of these branches: their secretary, else whoever else may hand one in."""
    rule, day = table(tx.house.rules), today(tx, now)
    held: dict[tuple[int, str], set[int]] = {}
    for one in offices.holders(tx, day, roles=rule.summary_by):
        held.setdefault((one.org.id, one.role), set()).add(one.person_id)
    found: set[int] = set()
    for org in orgs:
        found |= next((held[org.id, role] for role in rule.summary_by if (org.id, role) in held), set())
    return sorted(person.id for person in people.listed(tx, sorted(found)) if person.left_on is None)


def superiors(tx: Tx, now: datetime, orgs: Sequence[Org]) -> list[int]:
    """Who sees to it that these branches hand in: the secretaries of what is above them."""
    day = today(tx, now)
    above = {int(part) for org in orgs for part in org.path.strip("/").split("/")[:-1]}
    held = offices.holders(tx, day, roles=("党委书记", "党总支书记"))
    ids = sorted({one.person_id for one in held if one.org.id in above})
    return [person.id for person in people.listed(tx, ids) if person.left_on is None]

"""Reaching: who is told on which channel, in words; who is not, why, and by name?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.core.reply import Words, words
from storage import organisations, people
from storage.house import Tx
from storage.reach import Plan

Named = list[tuple[str, list[str]]]
"""Names of people by the name of their branch."""
Counted = list[tuple[Words, int]]
MANY = 20
"""Branches that a message names at the most; the templates know it."""

# What storage and the channels say in a few English words, as a secretary would say it: the words begin like this.
_REASONS = {
    "no address": "no_address",
    "dead address": "dead_address",
    "no such channel": "no_such_channel",
    "channel off": "channel_off",
    "has not written lately": "window_closed",
    "45015": "window_closed",
    "45047": "window_closed",
    "43101": "window_closed",
    "no way left": "window_closed",
    "this kind of account": "only_answers",
    "48001": "only_answers",
    "48008": "only_answers",
    "today's": "used_up",
    "45009": "used_up",
    "45028": "used_up",
    "reminders are stopped": "reminders_stopped",
    "answered elsewhere": "answered",
    "no longer due": "needless",
    "not needed": "needless",
    "reminded instead": "reminded",
    "it may have arrived": "in_doubt",
    "no licence": "no_licence",
    "not in the company": "not_in_company",
    "blocked": "blocked",
    "chat not found": "blocked",
    "no such address": "no_mailbox",
}


def reason(why: str) -> Words:
    """Why something was not sent, or would not be, in words a secretary understands."""
    return words(f"reach.{next((name for start, name in _REASONS.items() if why.startswith(start)), 'other')}")


def channel(name: str) -> Words:
    return words(f"binding.channel_{name}") if name and name != "none" else words("reach.no_channel")


def merged(reasons: Iterable[tuple[str, int]]) -> Counted:
    """Reasons in words with their counts; what is said in the same words is counted together."""
    counted: dict[str, tuple[Words, int]] = {}
    for why, count in reasons:
        said = reason(why)
        counted[said.template] = (said, counted.get(said.template, (said, 0))[1] + count)
    return sorted(counted.values(), key=lambda one: -one[1])


def outlook(plan: Plan) -> Words:
    """The channels a plan uses, and how many it does not reach, and why."""
    most_first = sorted(plan.channels.items(), key=lambda one: (-one[1], one[0]))
    used = [(channel(name), count) for name, count in most_first]
    return words("reach.outlook", channels=used, missing=len(plan.unreachable), reasons=merged(plan.reasons))


def unreached(tx: Tx, plan: Plan) -> Words:
    """Who cannot be told now, by name: by reason and branch."""
    by_reason: dict[str, tuple[Words, list[int]]] = {}
    for person, why in plan.unreachable.items():
        said = reason(why)
        by_reason.setdefault(said.template, (said, []))[1].append(person)
    return words("reach.unreached", groups=[(said, by_branch(tx, ids)) for said, ids in by_reason.values()])


def rows(tx: Tx, plan: Plan) -> dict[str, object]:
    """A plan as JSON has it."""
    by_reason: dict[str, list[int]] = {}
    for person, why in plan.unreachable.items():
        by_reason.setdefault(why, []).append(person)
    return {
        "total": plan.total,
        "reached": plan.reached,
        "channels": dict(plan.channels),
        "unreachable": [
            {"reason": why, "people": [{"branch": branch, "names": names} for branch, names in by_branch(tx, ids)]}
            for why, ids in by_reason.items()
        ],
        "passed_over": [{"channel": name, "reason": why, "people": n} for (name, why), n in plan.passed.items()],
    }


def by_branch(tx: Tx, ids: Iterable[int]) -> Named:
    """The names of those who are still here; of more branches than a message has room for, the largest first."""
    named: dict[int, list[str]] = {}
    for person in people.listed(tx, list(ids)):
        if person.left_on is None:
            named.setdefault(person.organisation_id, []).append(person.name)
    called = organisations.names(tx, named)
    found = [(called[org_id], names) for org_id, names in sorted(named.items())]
    return found if len(found) <= MANY else sorted(found, key=lambda one: -len(one[1]))


def by_channel(
    copies: Mapping[str, Mapping[str, int]],
    skipped: Mapping[str, Mapping[str, int]],
    failed: Mapping[str, Mapping[str, int]],
) -> list[tuple[Words, list[tuple[Words, int, Counted]], Counted]]:
    """How copies stand, for each channel: (channel, [(state, count, why it failed)], [(why not sent, count)])."""
    lines = []
    for name in sorted(copies):
        stand: dict[str, int] = {}
        for state, count in copies[name].items():
            if state != "skipped":
                stand[_STATES[state]] = stand.get(_STATES[state], 0) + count
        in_order = [state for state in dict.fromkeys(_STATES.values()) if state in stand]
        refusals = merged(failed.get(name, {}).items())
        states = [
            (words(f"reach.{state}"), stand[state], refusals if state == "copy_failed" else []) for state in in_order
        ]
        lines.append((channel(name), states, merged(skipped.get(name, {}).items())))
    return lines


_STATES = {
    "acknowledged": "copy_read", "read": "copy_read", "delivered": "copy_delivered", "accepted": "copy_accepted",
    "sending": "copy_waiting", "queued": "copy_waiting", "standby": "copy_standby", "unknown": "copy_unknown",
    "failed": "copy_failed", "cancelled": "copy_cancelled",
}  # fmt: skip

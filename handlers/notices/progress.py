"""How far has a notice come, and with whom?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.reply import Words, words
from handlers.reaching import Named, by_branch, by_channel
from storage import campaigns, notices, organisations, people
from storage.campaigns import ARRIVED
from storage.house import Tx
from storage.notices import Sending, Written
from storage.people import Somebody

STEPS = ("reached", "sending", "waiting", "unknown", "failed", "unreachable", "stopped")
"""How far a notice has come with a person, the best first: one copy that arrived is enough.

`waiting` is not due yet, or queued; `unknown` may have arrived; `unreachable` had no address that could be used.
"""
NEEDLESS = ("answered elsewhere", "no longer due", "not needed", "reminded instead")
"""Reasons for which a copy was not sent that are nobody's misfortune."""
_STEP = dict.fromkeys(ARRIVED, "reached") | {
    "sending": "sending", "queued": "waiting", "unknown": "unknown", "failed": "failed", "skipped": "unreachable",
    "cancelled": "stopped", "standby": "stopped",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """How a notice stands. `steps` counts its recipients, each once; `copies` the deliveries, by channel and state.

    `missing` are asked to confirm and have not; `unreachable` are named so that somebody can call on them: those
    without an address that could be used, and those whose channel did not take it.
    """

    notice: Written
    organisation: str
    state: str
    """`scheduled`, `sending`, `sent`, `held` or `cancelled`."""
    total: int
    confirmed: int
    steps: Mapping[str, int]
    copies: Mapping[str, Mapping[str, int]]
    skipped: Mapping[str, Mapping[str, int]]
    """How many copies were not sent, by channel and reason."""
    failed: Mapping[str, Mapping[str, int]]
    """How many copies were refused, by channel and reason."""
    missing: Named
    unreachable: Named
    whole: bool = True
    """Whether all it was sent to are counted, or only those of the actor's own area; of these no copies are told."""

    @property
    def by_channel(self) -> Words:
        """How the copies stand, channel by channel, in words."""
        return words("reach.copies", lines=by_channel(self.copies, self.skipped, self.failed))

    @property
    def silent(self) -> int:
        """How many a nudge would go to."""
        return sum(len(names) for _, names in self.missing)

    @property
    def unfinished(self) -> int:
        """How many people it is still on its way to."""
        return self.steps["waiting"] + self.steps["sending"]


def standing(tx: Tx, now: datetime, notice: Written, only: set[int] | None = None) -> Standing:
    """How a notice stands now, with all or with `only` some of its recipients. Reads every copy of it."""
    sendings = notices.sendings(tx, notice.id)
    meant = [one for one in campaigns.recipients(tx, sendings[0].id) if only is None or one in only]
    confirmed = notices.acknowledgements(tx, notice.id).keys() & set(meant)
    best = _best(tx, sendings)
    step = {person: "reached" if person in confirmed else best.get(person, "stopped") for person in meant}
    counted = Counter(step.values())
    copies: dict[str, dict[str, int]] = {}
    told = [] if only is not None else [sendings[0].id]
    for (channel, found), count in campaigns.progress(tx, told).items():
        copies.setdefault(channel or "none", {})[found] = count
    reasons: dict[str, dict[str, dict[str, int]]] = {"skipped": {}, "failed": {}}
    for campaign_id in told:
        for became, by_reason in reasons.items():
            for (channel, reason), count in notices.skipped(tx, campaign_id, became).items():
                by_reason.setdefault(channel or "none", {})[reason] = count
    asked = notice.ask_ack and not notice.cancelled_at
    silent = [person for person in meant if person not in confirmed] if asked else []
    return Standing(
        notice, organisations.get(tx, notice.organisation_id).name, state(tx, now, notice),
        len(meant), len(confirmed), {name: counted[name] for name in STEPS}, copies, reasons["skipped"],
        reasons["failed"], by_branch(tx, silent),
        by_branch(tx, [person for person in meant if step[person] in ("failed", "unreachable")]), only is None,
    )  # fmt: skip


def state(tx: Tx, now: datetime, notice: Written) -> str:
    """`scheduled`, `sending`, `sent`, `held` or `cancelled`."""
    if notice.cancelled_at:
        return "cancelled"
    sendings = notices.sendings(tx, notice.id)
    if any(one.state == "held" for one in sendings):
        return "held"
    if notice.at > now:
        return "scheduled"
    steps = {step for _, step in campaigns.progress(tx, [one.id for one in sendings])}
    busy = steps & {"queued", "sending"} or any(one.state == "waiting" for one in sendings)
    return "sending" if busy else "sent"


def _best(tx: Tx, sendings: Sequence[Sending]) -> dict[int, str]:
    """The best step of each person, over all their copies; those not written yet wait."""
    copies = [
        (person, "stopped" if state == "skipped" and reason in NEEDLESS else _STEP[state])
        for person, state, reason in notices.copies(tx, [one.id for one in sendings])
    ]
    copies += [(person, "waiting") for one in sendings for person in _unwritten(tx, one)]
    best: dict[int, str] = {}
    for person, step in copies:
        if person not in best or STEPS.index(step) < STEPS.index(best[person]):
            best[person] = step
    return best


def _unwritten(tx: Tx, sending: Sending) -> list[int]:
    """The recipients whose deliveries are still to be written."""
    if sending.state not in ("waiting", "held"):
        return []
    return campaigns.recipients(tx, sending.id)[sending.expanded :]


def waiting_in(tx: Tx, sending: Sending) -> set[int]:
    """Those to whom something of this campaign can still be stopped."""
    queued = {person for person, state, _ in notices.copies(tx, [sending.id]) if state == "queued"}
    return queued | set(_unwritten(tx, sending))


def gone_to(tx: Tx, notice_id: int, sendings: Sequence[Sending]) -> set[int]:
    """Those to whom a copy has gone out, or may have, and those who have read it in 通知 and confirmed."""
    out = {*ARRIVED, "sending", "unknown"}
    gone = {person for person, state, _ in notices.copies(tx, [one.id for one in sendings]) if state in out}
    return gone | notices.acknowledgements(tx, notice_id).keys()


def here(tx: Tx, ids: Iterable[int]) -> list[Somebody]:
    """These people without those who have left."""
    return [person for person in people.listed(tx, list(ids)) if person.left_on is None]

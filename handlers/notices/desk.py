"""Notices, as use cases: send, confirm, nudge, retry, cancel, release."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.event import Address
from bot.core.kinds import Attached
from bot.core.reply import Refused
from handlers import scope, secrecy
from handlers.files import desk as files
from handlers.notices import progress
from handlers.notices.progress import Standing
from handlers.rights import Right, own_part, places, require
from storage import audit, campaigns, notices, organisations, people, reach
from storage.audit import Actor
from storage.house import Tx
from storage.notices import KIND, Letter, Written
from storage.organisations import Org
from storage.reach import Plan

TITLE, BODY = 100, 4000
"""Characters at the most."""
WAYS = ("all", "preferred")
"""Every address of a person, or the first of their order that can carry it."""
GAP = re.compile(r"〔[^〔〕0-9][^〔〕]{0,40}〕")
"""A gap of a pattern that nobody has filled in; 〔2008〕 is the year of a document."""
JUST_NOW = timedelta(minutes=1)
"""Two taps on “remind” within this are one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice as somebody wants it; `at` None: now. `public`: the document whose number it carries may be told."""

    title: str
    body: str
    scope: str
    ask_ack: bool = False
    channels: str = "all"
    at: datetime | None = None
    files: Sequence[Attached] = ()
    public: bool = False


def send(tx: Tx, now: datetime, actor: Actor, org: Org | None, draft: Draft) -> int:
    """Write a notice and freeze whom it goes to; the number of the notice.

    `org` None: the one organisation that the scope names, else the actor's own. Raises Refused for whatever is
    wrong with it.
    """
    area = places(tx, now, actor, Right.NOTICE)
    org = org or _organisation(tx, actor, draft.scope, area)
    require(tx, now, actor, Right.NOTICE, org)
    title, body = written(draft)
    at = moment(now, draft.at)
    channels = _channels(tx, draft.channels)
    meant = recipients(tx, now, actor, draft.scope)
    notice_id = notices.add(
        tx, now, organisation_id=org.id, author_id=actor.person_id, author_name=actor.name, title=title, body=body,
        scope=draft.scope, ask_ack=draft.ask_ack, at=at, recalled=False, attachments=len(draft.files),
    )  # fmt: skip
    files.attach(tx, actor.person_id, draft.files, (KIND, notice_id))
    campaigns.create(tx, now, KIND, notice_id, meant, due_at=at, channels=channels)
    audit.record(
        tx, now, actor, "notice.send", _subject(notice_id), title=title, scope=draft.scope, people=len(meant), at=at
    )
    return notice_id


def written(draft: Draft) -> tuple[str, str]:
    """Title and text as they will be sent. Raises Refused for their length, a mark of secrecy, a document's number
    of which nobody has said that it may be told."""
    title, body = draft.title.strip(), draft.body.strip()
    if not 1 <= len(title) <= TITLE:
        raise Refused("notices.bad_title", length=len(title), most=TITLE)
    if not (1 <= len(body) <= BODY or (draft.files and not body)):
        raise Refused("notices.bad_body", length=len(body), most=BODY)
    if gap := GAP.search(f"{title}\n{body}"):
        raise Refused("notices.gap", gap=gap[0])
    secrecy.check(f"{title}\n{body}")
    if (number := secrecy.asks(f"{title}\n{body}")) and not draft.public:
        raise Refused("notices.may_it_be_told", number=number)
    return title, body


def recipients(tx: Tx, now: datetime, actor: Actor, written: str) -> list[int]:
    """Whom a scope means. Raises Refused when it reaches too far, or reaches nobody."""
    meant = scope.resolve(tx, now, written, places(tx, now, actor, Right.NOTICE))
    if not meant:
        raise Refused("notices.nobody")
    return meant


def plan(tx: Tx, now: datetime, actor: Actor, draft: Draft) -> Plan:
    """Whom such a notice would reach now, on which channel. Raises Refused as `send` does."""
    return reach.plan(tx, now, recipients(tx, now, actor, draft.scope), _channels(tx, draft.channels))


def takes(tx: Tx, plan: Plan) -> int:
    """How many minutes the sending will take about, by what each channel lets through; 0: less than one."""
    paces = [count / tx.house.pace[channel] for channel, count in plan.channels.items() if channel in tx.house.pace]
    return round(max(paces, default=0) / 60)


def moment(now: datetime, at: datetime | None) -> datetime:
    """When it is to be sent. Raises Refused for a time that is past."""
    if at is not None and at < now:
        raise Refused("notices.past", at=at)
    return at or now


def _organisation(tx: Tx, actor: Actor, written: str, area: Sequence[Org]) -> Org:
    head, _, name = written.replace("：", ":").partition(":")
    if head.strip() == "org" and not set(name) & set(",，&＆"):
        org = scope.one_org(tx, name.strip())
        if not any(place.holds(org) for place in area):
            raise Refused("scope.beyond", part=written.strip())
        return org
    if area:
        return area[0]
    if actor.person_id is None:
        raise Refused("notices.nobody")  # a house without any organisation
    return organisations.get(tx, people.get(tx, actor.person_id).organisation_id)


def _channels(tx: Tx, written: str) -> str:
    named = [name.strip() for name in written.replace("，", ",").split(",") if name.strip()]
    if not named or set(named) & set(WAYS):
        if len(named) > 1:
            raise Refused("notices.all_or_some")
        return named[0] if named else "all"
    for name in named:
        if name not in tx.house.channels:
            raise Refused("notices.no_such_channel", channel=name, configured=sorted(tx.house.channels))
    return ",".join(dict.fromkeys(named))


# -- confirming ---------------------------------------------------------------------------------------------


def read(tx: Tx, now: datetime, person_id: int, notice_id: int) -> Letter:
    """A notice that was sent to this person. Raises Refused for anybody else's."""
    letter = notices.letter(tx, notice_id, person_id)
    if letter is None or not notices.was_sent_to(tx, now, notice_id, person_id):
        raise Refused("notices.not_yours")
    return letter


def acknowledge(tx: Tx, now: datetime, person_id: int, notice_id: int, at: Address) -> Letter:
    """Confirm; once is enough, and counts for every copy. Raises Refused for somebody it was not sent to."""
    letter = read(tx, now, person_id, notice_id)
    if not letter.notice.ask_ack:
        raise Refused("notices.no_word_asked", title=letter.notice.title)
    if notices.acknowledge(tx, now, notice_id, person_id, at.channel):
        about = [sending.id for sending in notices.sendings(tx, notice_id)]
        campaigns.acknowledged(tx, now, about, person_id)
        notices.up_to_date(tx, about, person_id, at)
    return notices.letter(tx, notice_id, person_id) or letter


# -- seeing to it -------------------------------------------------------------------------------------------


def of(tx: Tx, now: datetime, actor: Actor, notice_id: int) -> Written:
    """A notice, for somebody who sees to it. Raises Refused without the right, or when there is none."""
    notice = notices.get(tx, notice_id)
    if notice is None:
        raise Refused("notices.no_such_notice", number=notice_id)
    require(tx, now, actor, Right.NOTICE, organisations.get(tx, notice.organisation_id))
    return notice


def seen_to_by(tx: Tx, now: datetime, actor: Actor, *, most: int = 50) -> list[Written]:
    """The notices an actor may see to, newest first."""
    reach = {
        org.id
        for place in places(tx, now, actor, Right.NOTICE)
        for org in organisations.all_of(tx, below=place, closed=True)
    }
    return notices.listed(tx, sorted(reach), limit=most)


def standing(tx: Tx, now: datetime, actor: Actor, notice_id: int) -> Standing:
    """How a notice stands: how far it has come, who has not confirmed, who could not be reached.

    Whoever sees to it sees all of that; a branch secretary their own people. Raises Refused where there are none.
    """
    notice, theirs = _seen(tx, now, actor, notice_id)
    return progress.standing(tx, now, notice, theirs)


def _seen(tx: Tx, now: datetime, actor: Actor, notice_id: int) -> tuple[Written, set[int] | None]:
    """A notice and whose answer to it an actor may see; None: everybody's. Raises Refused where it is nobody's."""
    notice = notices.get(tx, notice_id)
    if notice is None:
        raise Refused("notices.no_such_notice", number=notice_id)
    meant = campaigns.recipients(tx, notices.sendings(tx, notice_id)[0].id) if notice.at <= now else []
    return notice, own_part(tx, now, actor, Right.NOTICE, organisations.get(tx, notice.organisation_id), meant)


def above(tx: Tx, now: datetime, actor: Actor, since: datetime) -> list[tuple[Written, int, int]]:
    """Notices from above that wait for people of an actor's own: (notice, confirmed, of how many), newest first."""
    area = places(tx, now, actor, Right.NOTICE)
    higher = {int(step) for place in area for step in place.path.strip("/").split("/")} - {place.id for place in area}
    theirs = {row.id for place in area for row in tx.run(people.members_of(place))} if higher else set()
    found = []
    for notice in notices.listed(tx, sorted(higher)) if higher else []:
        if notice.ask_ack and not notice.cancelled_at and since < notice.at <= now:
            meant = theirs.intersection(campaigns.recipients(tx, notices.sendings(tx, notice.id)[0].id))
            found.append((notice, len(notices.acknowledgements(tx, notice.id).keys() & meant), len(meant)))
    return found


def nudge(tx: Tx, now: datetime, actor: Actor, notice_id: int) -> int:
    """Remind those who have not confirmed; how many. Raises Refused when everybody has, or nobody was asked to."""
    notice, theirs = _seen(tx, now, actor, notice_id)
    _has_gone_out(now, notice)
    if not notice.ask_ack:
        raise Refused("notices.no_word_asked", title=notice.title)
    first, *nudges = notices.sendings(tx, notice_id)
    meant = campaigns.recipients(tx, first.id) if theirs is None else sorted(theirs)
    confirmed = notices.acknowledgements(tx, notice_id)
    silent = [person.id for person in progress.here(tx, [person for person in meant if person not in confirmed])]
    if not silent:
        raise Refused("notices.everybody_confirmed", title=notice.title)
    lately = [one.id for one in nudges if now - one.created_at < JUST_NOW]
    if any(not set(silent).isdisjoint(campaigns.recipients(tx, one)) for one in lately):
        raise Refused("notices.just_nudged")
    notices.end_standby(tx, now, [one.id for one in (first, *nudges)], None if theirs is None else silent)
    campaigns.create(tx, now, KIND, notice_id, silent, channels=first.channels, nudge=True)
    audit.record(tx, now, actor, "notice.nudge", _subject(notice_id), people=len(silent))
    return len(silent)


def retry(tx: Tx, now: datetime, actor: Actor, notice_id: int) -> int:
    """Send once more what failed, or of which nobody knows whether it arrived; how many copies."""
    _sent(tx, now, actor, notice_id)
    about = [one.id for one in notices.sendings(tx, notice_id)]
    again = sum(campaigns.retry(tx, now, campaign_id) for campaign_id in about)
    again -= notices.skip_needless(tx, now, notice_id, about)
    if again <= 0:
        raise Refused("notices.nothing_to_retry")
    audit.record(tx, now, actor, "notice.retry", _subject(notice_id), copies=again)
    return again


def cancel(tx: Tx, now: datetime, actor: Actor, notice_id: int) -> tuple[int, int]:
    """Stop what is not sent yet: (people who will not get it, people who already have).

    Where only nudges are still waiting, they alone are stopped. Raises Refused when nothing waits. `changing.recall`
    takes back what has arrived as well.
    """
    of(tx, now, actor, notice_id)
    sendings = notices.sendings(tx, notice_id)
    stopped: set[int] = set()
    for one in sendings:
        waiting = progress.waiting_in(tx, one)
        if waiting:
            campaigns.cancel(tx, now, one.id)
            stopped |= waiting
            if not one.nudge:
                notices.cancel(tx, now, notice_id)
    if not stopped:
        raise Refused("notices.nothing_to_cancel")
    gone = progress.gone_to(tx, notice_id, sendings)
    audit.record(tx, now, actor, "notice.cancel", _subject(notice_id), stopped=len(stopped - gone), gone=len(gone))
    return len(stopped - gone), len(gone)


def release(tx: Tx, now: datetime, actor: Actor, notice_id: int) -> int:
    """Let go what a restore has held; to how many people. Raises Refused when nothing is held."""
    of(tx, now, actor, notice_id)
    held = [one for one in notices.sendings(tx, notice_id) if one.state == "held"]
    if not held:
        raise Refused("notices.nothing_held")
    for one in held:
        campaigns.release(tx, one.id)
    count = sum(one.total - one.expanded for one in held)
    audit.record(tx, now, actor, "notice.release", _subject(notice_id), people=count)
    return count


def release_all(tx: Tx, now: datetime, actor: Actor) -> int:
    """Let go everything that a restore has held, that of polls included; how many campaigns.

    Raises Refused without the right over the whole house, or when nothing is held.
    """
    for org in organisations.all_of(tx):
        if org.parent_id is None:
            require(tx, now, actor, Right.NOTICE, org)
    count = campaigns.release(tx)
    if not count:
        raise Refused("notices.nothing_held")
    audit.record(tx, now, actor, "notice.release", "everything held", campaigns=count)
    return count


def _sent(tx: Tx, now: datetime, actor: Actor, notice_id: int) -> Written:
    """A notice that has gone out. Raises Refused for one that is withdrawn or waits for its time."""
    notice = of(tx, now, actor, notice_id)
    _has_gone_out(now, notice)
    return notice


def _has_gone_out(now: datetime, notice: Written) -> None:
    """Raises Refused for a notice that is withdrawn or waits for its time."""
    if notice.cancelled_at:
        raise Refused("notices.is_cancelled", title=notice.title)
    if notice.at > now:
        raise Refused("notices.not_sent_yet", title=notice.title, at=notice.at)


def _subject(notice_id: int) -> str:
    return f"notice {notice_id}"

"""443 members, three notices and a vote in one afternoon, over all five channels at once: does everybody hear of
everything by which they can be reached, once, and does no platform complain?
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from handlers.notices import desk
from handlers.notices.desk import Draft
from storage import notices, polls
from storage.audit import OPERATOR
from tests import afternoon_hours as hours
from tests.afternoon import town
from tests.afternoon_hours import LECTURE, OPTIONS, VOTE, Afternoon, Told, at
from tests.afternoon_people import PROLOGUE, Copies, settle, shown

MEMORY = Path("/dev/shm")  # made anew inside it
FINE = {"answered", "again", "credit", "receipt", "reach", "looked at", "bounce"}
"""What may become of all that is said to the house."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: no disk is tried here, and thousands of commits would wait for it."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=MEMORY) as made:
        yield Path(made)


@pytest.mark.timeout(600)  # an afternoon of four and a half hours; most of a minute where nothing else runs
async def test_in_one_afternoon_everybody_hears_of_everything_by_which_they_can_be_reached(folder: Path) -> None:
    chance = random.Random(443)
    async with town(folder, at(13.5) - PROLOGUE) as here:
        afternoon = Afternoon(here, settle(here, chance), chance)
        hours.morning(afternoon)
        hours.surprises(afternoon)
        await afternoon.goes_on_until(at(13.5))

        hours.chatter(afternoon)
        drill = await afternoon.notice(hours.DRILL)
        await afternoon.goes_on_until(at(13.67))
        everybody_was_told(afternoon, drill)
        those_out_of_reach_are_named(afternoon, drill)

        await afternoon.goes_on_until(at(14.17))
        canteen = await afternoon.notice(hours.CANTEEN, channels="preferred")
        await afternoon.goes_on_until(at(14.3))
        everybody_was_told(afternoon, canteen, once=True)
        those_out_of_reach_are_named(afternoon, canteen)

        await afternoon.goes_on_until(at(14.83))
        the_plan_knows_who_is_out_of_reach(afternoon)
        lecture = await afternoon.notice(LECTURE, ask=True)
        await afternoon.goes_on_until(at(14.9))
        read = everybody_was_told(afternoon, lecture)
        those_out_of_reach_are_named(afternoon, lecture)
        hours.answers(afternoon, lecture, read)

        await afternoon.goes_on_until(at(15.5))
        vote = await afternoon.vote(closes=at(17.5))
        await afternoon.goes_on_until(at(15.566))
        asked = everybody_was_told(afternoon, vote)
        hours.votes(afternoon, vote, asked)

        await afternoon.goes_on_until(at(17.49))
        every_answer_counts(afternoon, lecture, vote)
        one_answer_shows_on_every_copy(afternoon, read, asked)

        result = Told((f"【投票结果】{VOTE}",), {one.id: one.open() for one in afternoon.members})
        await afternoon.goes_on_until(at(17.67))
        the_result_is_right(afternoon, vote)
        everybody_was_told(afternoon, result)

        for told in (drill, canteen, lecture, vote, result):
            nobody_was_told_twice(afternoon, told)
        no_platform_complained(afternoon)


def everybody_was_told(afternoon: Afternoon, told: Told, *, once: bool = False) -> Copies:
    """By every way that was open, or (`once`) by the first of them; by no other, and never twice."""
    ways = {id: open_[:1] if once else open_ for id, open_ in told.could.items()}
    arrived = afternoon.copies(told)
    assert arrived == Counter((id, channel) for id, open_ in ways.items() for channel in open_)
    assert len({id for id, _ in arrived}) > 350
    assert {channel for _, channel in arrived} == {"telegram", "wecom", "wechat", "email", "web"}
    return arrived


def those_out_of_reach_are_named(afternoon: Afternoon, told: Told) -> None:
    """For the secretary, who has to call on them; and each of their copies says why it did not arrive."""
    lost = {id for id, open_ in told.could.items() if not open_}
    names = {one.name for one in afternoon.members if one.id in lost}
    now = afternoon.here.clock.instant()
    statement = text("SELECT person_id, state, reason FROM delivery WHERE campaign_id = :campaign")
    with afternoon.here.house.app.database.read() as tx:
        standing = desk.standing(tx, now, OPERATOR, told.subject)
        rows = [(row[0], row[1], row[2]) for row in tx.run(statement, {"campaign": told.campaign})]
    assert sorted(name for _, listed in standing.unreachable for name in listed) == sorted(names)
    assert (standing.steps["reached"], standing.unfinished) == (443 - len(lost), 0)
    assert standing.steps["unknown"] == 0
    why = {(state, reason) for person, state, reason in rows if person in lost}
    assert {state for state, _ in why} <= {"skipped", "failed"}
    assert "" not in {reason for _, reason in why}
    assert {person for person, *_ in rows} == set(told.could), "nobody is passed over in silence"


def the_plan_knows_who_is_out_of_reach(afternoon: Afternoon) -> None:
    """Before it is sent, now that every surprise has been met: exactly those, each with a reason."""
    draft = Draft(LECTURE, LECTURE, "all", ask_ack=True)
    with afternoon.here.house.app.database.read() as tx:
        plan = desk.plan(tx, afternoon.here.clock.instant(), OPERATOR, draft)
    assert plan.unreachable.keys() == {one.id for one in afternoon.members if not one.open()}
    assert set(plan.unreachable.values()) == {
        "no address", "dead address", "has not written lately, and there is no template"
    }  # fmt: skip


def every_answer_counts(afternoon: Afternoon, lecture: Told, vote: Told) -> None:
    """By whatever means it was given, however often it was brought; of a vote the last one."""
    assert len(afternoon.confirmed) > 250
    assert len(afternoon.votes) > 250
    assert len(afternoon.hand.ways) == 10, "every channel's own means"
    with afternoon.here.house.app.database.read() as tx:
        assert notices.acknowledgements(tx, lecture.subject).keys() == afternoon.confirmed
        assert dict(polls.choices(tx, vote.subject)) == {id: (place,) for id, place in afternoon.votes.items()}


def one_answer_shows_on_every_copy(afternoon: Afternoon, read: Copies, asked: Copies) -> None:
    """Where a channel can change what it has brought; whoever has not answered is still asked."""
    changed = 0
    for arrived, about, done, wanted, said in (
        (read, LECTURE, afternoon.confirmed, {"收到"}, ("✓ 已确认",)),
        (asked, VOTE, set(afternoon.votes), set(OPTIONS), ("您已投", "已记录：")),
    ):
        for id, channel in arrived:
            if channel in hours.IN_PLACE and not (channel == "web" and id in afternoon.hand.by_link):
                member = afternoon.members.by_id[id]
                lines = shown(afternoon.here, member, channel, about)
                pressable = {label for _, labels in lines for label in labels} & wanted
                assert pressable == (set() if id in done else wanted), (channel, lines)
                assert any(word in line for line, _ in lines for word in said) == (id in done), (channel, lines)
                changed += id in done
    assert changed > 400


def the_result_is_right(afternoon: Afternoon, vote: Told) -> None:
    with afternoon.here.house.app.database.read() as tx:
        result = polls.result(tx, vote.subject)
    assert result
    tally = Counter(afternoon.votes.values())
    assert [option["for"] for option in result["options"]] == [tally[place] for place in range(1, len(OPTIONS) + 1)]
    assert (result["returned"], result["expected"]) == (len(afternoon.votes), 443)


def nobody_was_told_twice(afternoon: Afternoon, told: Told) -> None:
    """At no address, up to the end. (In the web chat a link brings what is behind it once more.)"""
    assert {count for (_, channel), count in afternoon.copies(told).items() if channel != "web"} == {1}


def no_platform_complained(afternoon: Afternoon) -> None:
    """No error code, no flood, nothing dropped in silence, nothing that was said was lost on its way to us."""
    here = afternoon.here
    assert here.telegram.refused == 0
    assert {call.status for call in here.telegram.calls} == {200, 403}, "403: who has blocked us, and nobody else"
    assert here.telegram.dropped == []
    assert here.wechat.violations == Counter(), "45015, 45047, 45009 and all the others"
    assert {call.errcode for call in here.wechat.calls} == {0}
    assert (here.wecom.dropped, here.wecom.world.duplicates, here.wecom.courier.bad_replies) == (0, 0, [])
    assert {call.errcode for call in here.wecom.calls} == {0, 81013}, "81013: who has left the company"
    assert here.wecom.courier.lost == []
    assert {attempt.code for attempt in here.mail.attempts} == {250}
    assert {kind for _, kind in here.done} <= FINE

"""The ledger of what WeChat lets through: does it ever promise more than WeChat keeps?"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from bot.core.event import Address
from storage import receipts, rests, tokens, windows
from storage.reach import plan
from storage.windows import Allowance
from tests.fakes.wechat import Limits
from tests.fakes.wechat.limits import Windows
from tests.notices import about, send
from tests.people import House, build_house
from tests.posts import reach
from tests.wechat_house import NOTICE, WeChatHouse, wechat_house

UNWELCOME = ("45015", "45047", "45009", "45011", "43101")
COUNTER = itertools.count()


@given(
    st.lists(
        st.tuples(st.sampled_from(["message", "tap", "follow", "send", "wait"]), st.integers(1, 90_000)), max_size=40
    )
)
def test_the_ledger_never_lets_through_what_wechat_refuses(ledger_house: House, steps: list[tuple[str, int]]) -> None:
    """WeChat's own account of it was written by somebody else, from the documentation."""
    address = Address("wechat", f"o{next(COUNTER)}")
    theirs, allowance = Windows(Limits()), Allowance()
    with ledger_house.app.database.write() as tx:
        for what, seconds in steps:
            now = ledger_house.now
            if what == "wait":
                ledger_house.later(seconds=seconds)
            elif what == "send":
                if windows.book(tx, now, address, allowance):
                    theirs.spend(now.timestamp())  # raises, should there be none
            else:
                (windows.said if what == "message" else windows.tapped)(tx, address, now, allowance)
                theirs.opens(what, now.timestamp())  # type: ignore[arg-type]
            assert windows.left(tx, ledger_house.now, address, allowance) <= theirs.left(ledger_house.now.timestamp())
            ledger_house.later(seconds=1)


@pytest.fixture(scope="module")
def ledger_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    built = build_house(tmp_path_factory.mktemp("house"))
    yield built
    built.app.database.close()


async def test_a_notice_to_everybody_meets_no_closed_window_and_loses_nobody(tmp_path: Path) -> None:
    """Forty members in every state of the window; the platform is asked for nothing that it has to refuse."""
    async with wechat_house(tmp_path, templates_a_day="25") as house:
        ids = reach(house.house, 40, "wechat")
        people = [house.wechat.user(f"同志{number}", openid=f"k{one}") for number, one in enumerate(ids)]
        house.wechat.pace = 0
        for place, person in enumerate(people):
            if place % 4 == 1:
                await person.says("我的")
            if place % 4 == 2:
                await person.says("我的")
                person.follower.following = place % 8 == 2
        notices = [send(house.house, scope="kind:群众", title=f"第{number}号") for number in range(3)]
        for _ in range(4):
            await house.pass_time(minutes=1)
        found = [
            Counter(state for state, _ in house.outcomes(about(house.house, notice)[0].id)) for notice in notices
        ]
        assert all(sum(one.values()) == 40 for one in found)
        assert not [code for code in UNWELCOME if house.wechat.violations[code]]
        reasons = {
            reason
            for notice in notices
            for state, reason in house.outcomes(about(house.house, notice)[0].id)
            if state in ("skipped", "failed")
        }
        assert reasons == {"today's templates are used up", "does not follow"}


async def test_what_is_told_before_sending_is_what_comes_of_it(tmp_path: Path) -> None:
    """A secretary sees whom WeChat lets through, and why not the others, before anything is sent."""
    async with wechat_house(tmp_path, templates_a_day="2") as house:
        ids = reach(house.house, 6, "wechat")
        people = [house.wechat.user(f"同志{number}", openid=f"k{one}") for number, one in enumerate(ids)]
        for person in people[:3]:
            await person.says("我的")
        house.wechat.pace = 0
        for _ in range(5):
            await person_is_told(house, ids[0])
        with house.app.database.read() as tx:
            before = plan(tx, house.clock.instant(), ids)
        assert before.reached == 4
        assert set(before.unreachable.values()) == {"today's templates are used up"}
        notice = send(house.house, scope="kind:群众")
        await house.deliver()
        states = Counter(state for state, _ in house.outcomes(about(house.house, notice)[0].id))
        assert states["accepted"] + states["delivered"] == before.reached
        assert not house.wechat.violations


async def person_is_told(house: WeChatHouse, person: int) -> None:
    with house.app.database.write() as tx:
        (number,) = tx.run(text("SELECT number FROM person WHERE id = :id"), {"id": person}).scalars()
    send(house.house, scope=f"member:{number}")
    await house.deliver()


async def test_who_asked_for_a_notice_is_counted_as_reached(tmp_path: Path) -> None:
    async with wechat_house(tmp_path, template_id="", subscription_id=NOTICE) as house:
        wang, _ = await house.seat("王芳"), await house.seat("李书记")
        await wang.allows(NOTICE)
        ids = [house.house.ids[name] for name in ("王芳", "李书记")]
        with house.app.database.read() as tx:
            found = plan(tx, house.clock.instant(), ids)
        assert found.unreachable == {ids[1]: "has not written lately, and there is no template"}


async def test_an_account_that_only_answers_reaches_nobody_and_says_so(tmp_path: Path) -> None:
    async with wechat_house(tmp_path, kind="subscription", verified=False, account="subscription") as house:
        await house.seat("王芳")
        with house.app.database.read() as tx:
            found = plan(tx, house.clock.instant(), [house.house.ids["王芳"]])
        assert list(found.unreachable.values()) == ["this kind of account only answers"]


def test_the_account_is_kept_on_both_databases(house_on: House) -> None:
    wang, now, allowance = Address("wechat", "o1"), house_on.now, Allowance()
    with house_on.app.database.write() as tx:
        assert windows.left(tx, now, wang, allowance) == 0
        assert not windows.book(tx, now, wang, allowance)
        windows.said(tx, wang, now, allowance)
        windows.tapped(tx, wang, now, allowance)
        assert [windows.book(tx, now, wang, allowance) for _ in range(6)] == [True] * 5 + [False]
        windows.said(tx, wang, now, allowance)  # brought twice: no window is filled again
        assert windows.left(tx, now, wang, allowance) == 0
        windows.give_back(tx, wang, allowance)
        assert windows.left_of_many(tx, now, "wechat", allowance) == {"o1": 1}
        windows.close(tx, wang)
        assert windows.left_of_many(tx, now, "wechat", allowance) == {}
        assert [windows.moved(tx, wang, now), windows.moved(tx, wang, now)] == [True, False]
        assert [windows.take(tx, now, "wechat", "template", 2) for _ in range(3)] == [True, True, False]
        tomorrow = windows.tomorrow(now)
        assert windows.take(tx, tomorrow, "wechat", "template", 2)
        windows.shut(tx, "wechat", "template", tomorrow, "45009")
        assert windows.shut_paths(tx, now, "wechat") == {"template": (tomorrow, "45009")}
        assert windows.shut_paths(tx, tomorrow, "wechat") == {}
        windows.add_credit(tx, wang, NOTICE)
        assert windows.creditors(tx, "wechat", NOTICE) == {"o1"}
        assert [windows.use_credit(tx, wang, NOTICE) for _ in range(2)] == [True, False]
        windows.drop_credits(tx, wang, NOTICE)
        assert windows.newest(tx, "wechat") == now


def test_a_token_is_kept_on_both_databases(house_on: House) -> None:
    now, later = house_on.now, house_on.now + timedelta(hours=2)
    with house_on.app.database.write() as tx:
        assert tokens.find(tx, now, "wechat:1", "one").mine
        assert not tokens.find(tx, now, "wechat:1", "two").mine
        tokens.release(tx, "wechat:1", "one")
        assert tokens.find(tx, now, "wechat:1", "two").mine
        tokens.keep(tx, now, "wechat:1", "abc", later, forced=False)
        assert tokens.find(tx, now, "wechat:1", "one").token == "abc"
        tokens.drop(tx, "wechat:1", "another")
        assert tokens.find(tx, now, "wechat:1", "one").token == "abc"
        tokens.drop(tx, "wechat:1", "abc")
        assert tokens.find(tx, now, "wechat:1", "one").mine


def test_the_rest_of_a_text_is_kept_on_both_databases(house_on: House) -> None:
    wang, now = Address("wechat", "o1"), house_on.now
    with house_on.app.database.write() as tx:
        assert rests.turn(tx, wang, "m2", None, now) is None
        rests.keep(tx, now, wang, "m1", ["一", "二", "三"])
        assert rests.turn(tx, wang, "m2", now, now) == rests.turn(tx, wang, "m2", now, now)
        assert rests.turn(tx, wang, "m3", now + timedelta(seconds=1), now) is None, "something newer stands there"
        last = rests.turn(tx, wang, "m3", now, now)
        assert last
        assert (last.shown, last.more) == ("三", ())
        assert rests.turn(tx, wang, "m4", now, now) is None
        assert receipts.first(tx, now, "wechat", wang, "e1")
        assert not receipts.first(tx, now, "wechat", wang, "e1")
        assert receipts.failures(tx, "wechat", 1) == 0

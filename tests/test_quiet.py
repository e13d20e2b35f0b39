"""Is nobody woken at night?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from storage import campaigns
from storage.writer import Writer, open_writer
from tests.people import House
from tests.posts import Post, drain, open_outbox, states


@pytest_asyncio.fixture
async def writer(house: House) -> AsyncIterator[Writer]:
    writer = open_writer(house.app.database)
    yield writer
    await writer.close()


@pytest.mark.parametrize(
    ("utc", "until"),
    [
        ("2026-11-24T13:59", None),  # 21:59 in Beijing
        ("2026-11-24T14:00", "2026-11-25T00:00"),
        ("2026-11-24T20:00", "2026-11-25T00:00"),  # 04:00
        ("2026-11-24T23:59", "2026-11-25T00:00"),
        ("2026-11-25T00:00", None),  # 08:00
    ],
)
def test_the_night_ends_at_eight_in_beijing(house: House, utc: str, until: str | None) -> None:
    found = house.app.house.quiet_until(datetime.fromisoformat(utc).replace(tzinfo=UTC))
    assert found == (None if until is None else datetime.fromisoformat(until).replace(tzinfo=UTC))


async def test_what_was_held_up_until_the_night_waits_for_the_morning(house: House, writer: Writer) -> None:
    house.chat("王芳")
    phone = Post(house)
    house.now = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)  # 22:30 in Beijing; nobody is written to before eight
    with house.app.database.write() as tx:
        quiet = campaigns.create(tx, house.now, "test", 1, [house.ids["王芳"]], quiet=True)
        loud = campaigns.create(tx, house.now, "test", 2, [house.ids["王芳"]])
    outbox = open_outbox(house, writer, phone)
    await drain(outbox, phone)
    assert states(house, quiet) == {("telegram", "queued"): 1}
    assert states(house, loud) == {("telegram", "accepted"): 1}
    house.now = datetime(2026, 11, 24, 23, 59, tzinfo=UTC)
    await drain(outbox, phone)
    assert states(house, quiet) == {("telegram", "queued"): 1}
    house.now = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
    await drain(outbox, phone)
    assert states(house, quiet) == {("telegram", "accepted"): 1}

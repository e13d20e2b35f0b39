"""What does every test find ready?"""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from storage.writer import Writer, open_writer
from tests.forms import Forms, build_forms
from tests.not_run import Teller
from tests.people import House, build_house, furnished_on
from tests.phones import chromium, phone
from tests.servers import database_url, fresh_database, postgres, postgres_url

__all__ = ["chromium", "database_url", "phone", "postgres", "postgres_url"]

# No deadlines: a busy machine is no reason to fail. The health check that is off is a deadline as well.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("house")


LONG = ("afternoon", "kill", "wecom_kill", "transcripts_wecom", "transcripts_wechat", "transcripts", "year",
        "reports_kill", "wechat_kill", "browser", "bench", "transcripts_email", "quizzes_storm")  # fmt: skip
"""The files that take longest, each a quarter of a minute or more, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones begin: else one worker would be left alone with the last of them."""
    order = {f"test_{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector of garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Teller(), "not_run")


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """A test that sets the logs up does it for itself alone: the next would write to a stream that is closed."""
    root = logging.getLogger()
    level = root.level
    yield
    structlog.reset_defaults()
    root.handlers = [handler for handler in root.handlers if handler.name != "tiexin"]
    root.setLevel(level)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An installation with a committee, two branches and a few people."""
    built = build_house(tmp_path)
    yield built
    built.app.database.close()


@pytest.fixture(scope="session")
def furnished_postgres(postgres_url: str) -> Iterator[str]:
    """The name of a database on this server that is a house already."""
    with fresh_database(postgres_url) as url:
        furnished_on(url)
        yield str(make_url(url).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def house_on(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """The same house, once on SQLite and once on PostgreSQL."""
    with ExitStack() as held:
        url = ""
        if request.param == "postgresql":
            server, template = map(request.getfixturevalue, ("postgres_url", "furnished_postgres"))
            url = held.enter_context(fresh_database(server, template))
        built = build_house(tmp_path, url)
        yield built
        built.app.database.close()


@pytest_asyncio.fixture
async def writer(house: House) -> AsyncIterator[Writer]:
    """The writer of the house on SQLite."""
    opened = open_writer(house.app.database)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def writer_on(house_on: House) -> AsyncIterator[Writer]:
    """The writer of the house on either database."""
    opened = open_writer(house_on.app.database)
    yield opened
    await opened.close()


@pytest.fixture
def forms(tmp_path: Path) -> Iterator[Forms]:
    """A house with the form 外出报备 beside its own."""
    built = build_forms(tmp_path)
    yield built
    built.house.app.database.close()

"""What does every test find ready?"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.not_run import Teller
from tests.people import House, build_house
from tests.phones import chromium, phone
from tests.servers import database_url, postgres, postgres_url

__all__ = ["chromium", "database_url", "phone", "postgres", "postgres_url"]

# No deadlines: a busy machine is no reason to fail. The health check that is off is a deadline as well.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("house")


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


@pytest.fixture
def house_on(database_url: str, tmp_path: Path) -> Iterator[House]:
    """The same house, once on SQLite and once on PostgreSQL."""
    built = build_house(tmp_path, database_url)
    yield built
    built.app.database.close()

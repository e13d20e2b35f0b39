"""What does every test find ready?"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.not_run import Teller
from tests.servers import database_url, postgres, postgres_url

__all__ = ["database_url", "postgres", "postgres_url"]

# No deadlines: a busy machine is no reason to fail. The health check that is off is a deadline as well.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Teller(), "not_run")

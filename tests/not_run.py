"""What could not be run on this machine, and who is told?

A test that needs what is not here is skipped through not_run(), and the run ends with a line for each such
thing, so that nobody takes a run without a browser for a whole one. Any other skip is named there too.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NoReturn

import pytest

MARK = "NOT RUN: "


def not_run(what: str) -> NoReturn:
    """Skip this test because `what` ("browser", "postgresql") is not here; the run's last lines say so."""
    pytest.skip(MARK + what)


class Teller:
    """The part of pytest that writes the last lines; under xdist that of the controller, which sees all."""

    def __init__(self) -> None:
        self.missing: set[str] = set()

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple):
            _, mark, what = report.longrepr[2].partition(MARK)
            self.missing.add(what if mark else report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # around the terminal's own, so that nothing comes after
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        result = yield
        terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            for what in sorted(self.missing):
                terminal.write_line(MARK + what)
        return result

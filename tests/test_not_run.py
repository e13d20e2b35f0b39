"""Does a run that left something out say so in its last lines?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent

CONFTEST = """
from tests.not_run import Teller

def pytest_configure(config):
    config.pluginmanager.register(Teller(), "not_run")
"""

WITHOUT_A_BROWSER = """
from tests.not_run import not_run

def test_one():
    not_run("browser")

def test_another():
    not_run("browser")

def test_all_the_same():
    pass
"""

SKIPPED_IN_SILENCE = """
import pytest

def test_forgotten():
    pytest.skip("later")
"""


def _last_lines(folder: Path, test: str, workers: str) -> list[str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(test)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            workers,
            "-p",
            "no:cacheprovider",
            "--rootdir",
            folder,
            folder,
        ],
        cwd=folder,
        env={"PYTHONPATH": str(HOUSE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout.splitlines()[-2:]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_without_a_browser_ends_with_a_line_that_says_so(tmp_path: Path, workers: str) -> None:
    count, last = _last_lines(tmp_path, WITHOUT_A_BROWSER, workers)
    assert "1 passed, 2 skipped" in count
    assert last == "NOT RUN: browser"


def test_a_test_skipped_by_another_road_is_named_too(tmp_path: Path) -> None:
    assert _last_lines(tmp_path, SKIPPED_IN_SILENCE, "0")[-1] == "NOT RUN: test_it.py::test_forgotten"

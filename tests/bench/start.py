"""start: how soon is Tiexin there? The demonstration to its first page, and `--help`."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.bench.taps import HOUSE, free_port

PATIENCE = 180.0


def start(rounds: int = 3) -> dict[str, float]:
    """Seconds: from `make run` in a fresh clone to the first page, of a second start, and of `tiexin --help`.

    The packages come from the installer's cache, if it has them: run it twice.
    """
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "tiexin"
        subprocess.run(["git", "clone", "-q", str(HOUSE), str(clone)], check=True)
        first = _to_first_page(clone)
        second = statistics.median(_to_first_page(clone) for _ in range(rounds))
        helps = statistics.median(_help(clone) for _ in range(rounds))
        shutil.rmtree(clone, ignore_errors=True)
    return {"first_page_s": first, "second_start_s": second, "help_s": helps}


def _to_first_page(clone: Path) -> float:
    port = free_port()
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("TIEXIN_", "PYTHONPATH"))}
    started = time.perf_counter()
    command = ["make", "run", f"PORT={port}"]
    with subprocess.Popen(command, cwd=clone, env=environ, stdout=subprocess.DEVNULL) as server:
        try:
            while server.poll() is None and time.perf_counter() - started < PATIENCE:
                with suppress(URLError, OSError):
                    urlopen(f"http://127.0.0.1:{port}/").close()
                    return time.perf_counter() - started
                time.sleep(0.02)
        finally:
            server.terminate()
            server.wait(30)
    raise RuntimeError("make run showed no page")


def _help(clone: Path) -> float:
    started = time.perf_counter()
    subprocess.run([clone / ".venv/bin/tiexin", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started

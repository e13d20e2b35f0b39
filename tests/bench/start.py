"""start: how soon is Tiexin there? The demonstration to its first page, and `--help`."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.bench.taps import HOUSE
from tests.running import free_port

PATIENCE = 180.0


def start(rounds: int = 3) -> dict[str, float]:
    """Seconds: from `make run` in a fresh clone to the first page, of a second start, and of `tiexin --help`.

    The packages come from the installer's cache, if it has them: run it twice.
    """
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "tiexin"
        subprocess.run(["git", "clone", "-q", str(HOUSE), str(clone)], check=True)
        before = _cpu()
        first = _to_first_page(clone)
        between = _cpu()
        second = statistics.median(_to_first_page(clone) for _ in range(rounds))
        after = _cpu()
        helps = statistics.median(_help(clone) for _ in range(rounds))
    return {
        "first_page_s": first,
        "first_page_cpu_s": between - before,
        "second_start_s": second,
        "second_start_cpu_s": (after - between) / rounds,
        "help_s": helps,
    }


def _cpu() -> float:
    """Seconds of CPU of everything we have started and that has ended: what a busy machine changes least."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _to_first_page(clone: Path) -> float:
    port = free_port()
    environ = {
        key: value for key, value in os.environ.items() if not key.startswith(("TIEXIN_", "PYTHONPATH", "PYTHONDONT"))
    }
    started = time.perf_counter()
    command = ["make", "run", f"PORT={port}"]
    said = clone / "said"
    with said.open("wb") as out, subprocess.Popen(command, cwd=clone, env=environ, stdout=out, stderr=out) as server:
        try:
            while server.poll() is None and time.perf_counter() - started < PATIENCE:
                with suppress(URLError, OSError):
                    urlopen(f"http://127.0.0.1:{port}/").close()
                    return time.perf_counter() - started
                time.sleep(0.02)
        finally:
            server.terminate()
            server.wait(30)
    raise RuntimeError(f"make run showed no page: {said.read_text(errors='replace')[-2000:]}")


def _help(clone: Path) -> float:
    started = time.perf_counter()
    subprocess.run([clone / ".venv/bin/tiexin", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started

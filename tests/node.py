"""Node: how does code of others, written in JavaScript, judge ours?

The packages are those of tests/foreign/package-lock.json, put into .venv/foreign by `npm ci`; the scripts beside
that file `require` them by name. A script reads one JSON value from its standard input and writes one to its
standard output::

    answer = await ask("wechat_crypto.js", {"do": "decrypt", …})

Without Node the test is not run, and the run says so.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from tests.not_run import not_run

SCRIPTS = Path(__file__).parent / "foreign"
HOME = Path(__file__).parent.parent / ".venv" / "foreign"
_NO_NETWORK = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "ECONNRESET", "ENOTCACHED")


@cache
def _installed(lock: str) -> str:
    """What is missing, empty if nothing is. Raises RuntimeError if the lock file is no good."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "node"
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)  # the other processes of this run come here too
        done = HOME / "installed"
        if done.exists() and done.read_text(encoding="utf-8") == lock:
            return ""
        done.unlink(missing_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SCRIPTS / name, HOME / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"]
        command += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"]
        npm = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
        if npm.returncode:
            if any(code in npm.stderr for code in _NO_NETWORK):
                return "packages from npm"
            raise RuntimeError(f"npm ci: {npm.stderr[-2000:]}")
        done.write_text(lock, encoding="utf-8")
    return ""


def _environment() -> dict[str, str]:
    lock = (SCRIPTS / "package-lock.json").read_text(encoding="utf-8")
    if missing := _installed(lock):
        not_run(missing)
    return os.environ | {"NODE_PATH": str(HOME / "node_modules"), "NODE_NO_WARNINGS": "1"}


@asynccontextmanager
async def running(script: str, question: Any) -> AsyncIterator[Any]:
    """Start a script that stays, and yield the first line it writes, as JSON; it ends with the block."""
    environment = await asyncio.to_thread(_environment)
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPTS / script),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=environment,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        process.stdin.write(json.dumps(question, ensure_ascii=False).encode())
        process.stdin.close()
        line = await process.stdout.readline()
        if not line:
            raise AssertionError(f"{script}: {(await process.stderr.read()).decode()[-2000:]}")
        yield json.loads(line)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def ask(script: str, question: Any) -> Any:
    """Run a script that answers and ends. Raises AssertionError with its complaint if it fails."""
    async with running(script, question) as answer:
        return answer

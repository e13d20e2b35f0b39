"""A server as a process of its own, that can be killed."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parent.parent
PATIENCE = 90.0
"""Seconds a server may take to be ready; a machine under load is slow, not broken."""


def free_port() -> int:
    """A port that nobody listens on just now, below those that systems give to outgoing connections.

    A server that is killed and started again needs it to stay free meanwhile.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Running:
    """`tiexin serve` with this configuration file. `log` is where its standard error goes."""

    def __init__(self, config: Path, port: int) -> None:
        self.config, self.url = config, f"http://127.0.0.1:{port}"
        self.log = config.with_name("serve.log")
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        self._process = self._launched()
        async with aiohttp.ClientSession() as session:
            for _ in range(int(PATIENCE / 0.02)):
                assert self._process.poll() is None, f"the server ended: {self.log.read_text()[-2000:]}"
                try:
                    async with session.get(f"{self.url}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.02)
        raise AssertionError(f"the server did not become ready: {self.log.read_text()[-2000:]}")

    def _launched(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bot", "--config", str(self.config), "serve"]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        """SIGKILL: no warning, no tidying up."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE)

"""taps: how many taps a second does Tiexin take, beside the bots one could have written instead?"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import members, peer
from tests.running import free_port

HOUSE = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Target:
    """A server of taps: a module started with folder, port and Bot API, and how its committed votes are counted."""

    name: str
    module: str
    count: Callable[[Path], int]
    calls_out: bool = False
    """Whether it answers a tap by a call of its own, after it has acknowledged."""
    furnished: bool = False
    """Whether it wants the members and polls of `members` in its folder."""


def _ours(folder: Path) -> int:
    app = members.open_app(folder)
    try:
        with app.database.read() as tx:
            return members.counted(tx)
    finally:
        app.database.close()


PTB = Target("python-telegram-bot, documented, concurrent", "tests.bench.peer_ptb", peer.count, calls_out=True)
AIOGRAM = Target("aiogram, handle first, bare insert", "tests.bench.peer_aiogram", peer.count)
OURS = Target("Tiexin, the whole product", "tests.bench.ours", _ours, furnished=True)
TARGETS = (PTB, AIOGRAM, OURS)

Measured = dict[str, float]


def taps(
    targets: Sequence[Target] = TARGETS, *, people: int = 500, polls: int = 10, connections: int = 32, rounds: int = 3
) -> dict[str, Measured]:
    """The medians of the rounds, by target; the targets take turns within each round."""
    found: dict[str, list[Measured]] = {target.name: [] for target in targets}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "furnished"
        home.mkdir()
        app = members.open_app(home)
        members.keep(members.open_polls(app, members.settle(app, people), polls), Path(folder) / "taps.json")
        app.database.close()
        for _ in range(rounds):
            for target in targets:
                with tempfile.TemporaryDirectory() as empty:
                    if target.furnished:
                        shutil.copytree(home, empty, dirs_exist_ok=True)
                    found[target.name].append(_once(target, Path(empty), Path(folder) / "taps.json", connections))
    return {name: _medians(results) for name, results in found.items()}


def _medians(results: Sequence[Measured]) -> Measured:
    middle = {key: statistics.median(result[key] for result in results) for key in results[0]}
    return {**middle, "lost": max(result["acknowledged"] - result["committed"] for result in results)}


def _once(target: Target, folder: Path, taps: Path, connections: int) -> Measured:
    port = free_port()
    load = [sys.executable, "-m", "tests.bench.load", str(taps), str(connections)]
    with subprocess.Popen(load, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdin
        assert client.stdout
        sink = f"http://127.0.0.1:{client.stdout.readline().strip()}"
        with _serving(target, folder, port, sink) as server:
            print(json.dumps([port, target.calls_out]), file=client.stdin, flush=True)
            client.stdout.readline()
            before = _cpu(server)
            print(file=client.stdin, flush=True)
            measured: Measured = json.loads(client.stdout.readline())
            measured["cpu_us"] = (_cpu(server) - before) / measured["taps"] * 1e6
            measured["peak_mb"] = _peak(server)
    measured["committed"] = target.count(folder)
    return measured


@contextmanager
def _serving(target: Target, folder: Path, port: int, sink: str) -> Iterator[int]:
    """A server that is listening; its process."""
    command = [sys.executable, "-m", target.module, str(folder), str(port), sink]
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen(command, cwd=HOUSE, stdout=out, stderr=out) as server:
        try:
            _wait_for(port, server, log)
            time.sleep(1)  # what a start still does behind its open door is not what is measured
            yield server.pid
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        if server.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def _cpu(process: int) -> float:
    """Seconds of CPU a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(process: int) -> float:
    """The most memory a process has had, in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

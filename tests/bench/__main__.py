"""The benchmarks from the command line: `python -m tests.bench [NAME …]`, which are the keys of BENCHES."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from tests.bench.channels import channels
from tests.bench.clock import clock
from tests.bench.core import core
from tests.bench.levels import judge, machine, table
from tests.bench.outbox import outbox
from tests.bench.start import start
from tests.bench.taps import HOUSE, taps
from tests.bench.wechat import wechat

BENCHES: dict[str, Callable[[], Any]] = {
    "taps": taps,
    "wechat": wechat,
    "outbox": outbox,
    "channels": channels,
    "core": core,
    "clock": clock,
    "start": start,
}


def main(names: list[str]) -> int:
    """Run some or all; 1 where a level was not reached, 2 for a name nobody knows."""
    if unknown := set(names) - BENCHES.keys():
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    found: dict[str, Any] = {"machine": machine()}
    for name in names or BENCHES:
        print(f"{name} …", file=sys.stderr)
        found[name] = BENCHES[name]()
    found["machine"]["load_after"] = machine()["load"]
    levels = judge(found)
    found["levels"] = [level.as_dict() for level in levels]
    file = HOUSE / "var" / "bench.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    print("\n".join(table(found, levels)))
    return 0 if all(level.reached for level in levels) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Does a secret that slips into a log line come out of it?"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot import logs

TOKEN = "123456789:" + "AbCdE-fG_h" * 3 + "12345"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """A stream that gets the log lines of this test."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    stream = io.StringIO()
    logs.configure(stream=stream)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.setLevel(level)
    root.handlers = handlers


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (f"POST /bot{TOKEN}/sendMessage", "POST /bot[token]/sendMessage"),
        ("GET https://tiexin.example.org/l/eyJh.b-c_d 200", "GET https://tiexin.example.org/l/[link] 200"),
        ("GET /l/eyJh?x=1", "GET /l/[link]?x=1"),
        ("绑定码K7M2P9QRST已用", "绑定码[code]已用"),
        ("/start K7M2P-9QRST", "/start [code]"),
        ("/start ABCDEFGHJK", "/start [code]"),
        ("/start k7m2p9qrst", "/start [code]"),
        ("/start KOM2PIQRST", "/start [code]"),
        ("tel 13800138000, +86 138 0013 8000", "tel [phone], [phone]"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(said: str, written: str) -> None:
    assert logs.redact(said) == written


@pytest.mark.parametrize(
    "said",
    [
        "listening on http://127.0.0.1:8080",
        "2026-11-24T09:07:50.986673Z",
        "recreating everything for basketball",
        "sqlalchemy.exc.OperationalError: database is locked",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "9b74c9897bac770ffc029102a200c5de",
        "/notices/17 12:30:45",
        "党费 45.00 元，2026年11月",
    ],
)
def test_what_is_no_secret_stays_readable(said: str) -> None:
    assert logs.redact(said) == said


def test_secrets_are_found_in_every_corner_of_a_line(written: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(path=f"/l/{TOKEN}")
    structlog.get_logger().info("bound", told={"code": ["K7M2P9QRST"]}, error=ValueError(TOKEN), members=166)
    (line,) = _lines(written)
    assert line["path"] == "/l/[link]"
    assert line["told"] == {"code": ["[code]"]}
    assert line["error"] == "ValueError('[token]')"
    assert line["members"] == 166


def test_a_traceback_tells_where_and_not_what_was_typed(written: io.StringIO) -> None:
    try:
        raise LookupError("K7M2P9QRST")
    except LookupError:
        structlog.get_logger().exception("crashed")
        logging.getLogger("somebody.else").exception("crashed %s", "too")
    ours, theirs = _lines(written)
    for line in (ours, theirs):
        assert "LookupError" in line["exception"]
        assert "K7M2P9QRST" not in json.dumps(line)
    assert theirs["event"] == "crashed too"
    assert theirs["logger"] == "somebody.else"


def test_a_library_writes_the_same_lines_as_we_do(written: io.StringIO) -> None:
    structlog.get_logger().warning("ours")
    logging.getLogger("library").warning("theirs %s", "13800138000")
    ours, theirs = _lines(written)
    assert set(theirs) == {*ours, "logger"}
    assert theirs["event"] == "theirs [phone]"
    assert ours["level"] == theirs["level"] == "warning"
    assert ours["timestamp"].endswith("Z")


def test_the_talkative_are_quiet(written: io.StringIO) -> None:
    logging.getLogger("aiohttp.access").error("GET /l/abc")
    logging.getLogger("telegram.ext").info("polling")
    logging.getLogger("httpx").info("HTTP Request: POST …")
    structlog.get_logger().debug("detail")
    assert written.getvalue() == ""


def test_a_terminal_gets_plain_text(written: io.StringIO) -> None:
    logs.configure(stream=written, plain=True)
    structlog.get_logger().info("listening", port=8080)
    assert "listening" in written.getvalue()
    assert "port=8080" in written.getvalue()
    assert "{" not in written.getvalue()

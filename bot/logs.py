"""What do we write down about ourselves, and what never?

JSON lines on stderr (plain text on a terminal), from structlog and the standard library alike. Contents do
not belong in a log; should one slip into a message or a traceback all the same, what looks like a secret is
taken out.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# Each pattern and what stands in its place. Chinese letters count as \w, so \b would miss “绑定码K7M2P9QRST”.
SECRETS = (
    (re.compile(r"(?<!\d)\d{3,}:[A-Za-z0-9_-]{35,}"), "[token]"),
    (re.compile(r"/l/[^\s/?#\"'<>]+"), "/l/[link]"),
    (re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"), "[phone]"),
    # Binding codes: ten of Crockford's letters, which lack I, L, O and U, …
    (re.compile(r"(?<![0-9A-Za-z])[0-9A-HJKMNP-TV-Z]{5}-?[0-9A-HJKMNP-TV-Z]{5}(?![0-9A-Za-z])"), "[code]"),
    # … or as people type them: any case, look-alikes included. Without a digit it is taken for a word.
    (
        re.compile(r"(?<![0-9A-Za-z])(?=[A-Za-z-]{0,10}\d)[0-9A-Za-z]{5}-?[0-9A-Za-z]{5}(?![0-9A-Za-z])"),
        "[code]",
    ),
)

# Our own telling of a request says more than these, or says it without the token in the URL.
QUIET = {
    "aiohttp.access": logging.CRITICAL + 1,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "telegram": logging.CRITICAL + 1,  # what it cannot read, it prints
}


def redact(text: str) -> str:
    """The text without what looks like a bot token, a signed link, a binding code or a phone number."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def configure(*, stream: TextIO | None = None, plain: bool | None = None, level: int = logging.INFO) -> None:
    """Send every log line to stream (stderr), as JSON unless plain (default: when it is a terminal).

    Called once, at the start of a process; a second call replaces the first.
    """
    stream = stream or sys.stderr
    plain = stream.isatty() if plain is None else plain
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
        if plain
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _redacted,  # after the traceback has become text, before the time stamp is added
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,  # a test, or a second call, may send the lines elsewhere
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.name = "tiexin"
    root = logging.getLogger()
    root.setLevel(level)
    root.handlers = [other for other in root.handlers if other.name != handler.name] + [handler]
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, level))


def _redacted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {
        key: value if key.startswith("_") else _clean(value)  # "_record" belongs to structlog
        for key, value in event.items()
    }


def _clean(value: object) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(key): _clean(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(part) for part in value]
    if value is None or isinstance(value, int | float):
        return value
    return redact(repr(value))  # as the renderer would write it


def frames(error: BaseException) -> list[str]:
    """Where an error came from, without its message: that may hold what somebody wrote."""
    return [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-6:]
    ]

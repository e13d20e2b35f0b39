"""telegram_request: how does a call of python-telegram-bot travel to Telegram?

Over one aiohttp session. The library's own httpx pool scans all its requests for each one, which costs five
times the CPU, and it closes a connection after five idle seconds, so that nearly every tap pays for a TLS
handshake.
"""

from __future__ import annotations

import aiohttp
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData


class NotSent(NetworkError):
    """No connection came about, so Telegram has seen nothing of the call: repeating it is safe."""


class AiohttpRequest(BaseRequest):
    """A request class for `telegram.Bot`. All timeouts are seconds; None means without end.

    Raises `TimedOut` when no answer came in time and `NetworkError` when the connection broke — in both cases
    the call may have been carried out — and `NotSent` when it cannot have been. No text of an exception holds
    the address, because the bot's token is a part of it.
    """

    __slots__ = (
        "_connect_timeout",
        "_connections",
        "_keepalive",
        "_media_write_timeout",
        "_pool_timeout",
        "_proxy",
        "_read_timeout",
        "_session",
        "_write_timeout",
    )

    def __init__(
        self,
        *,
        connections: int = 256,
        connect_timeout: float | None = 5.0,
        read_timeout: float | None = 5.0,
        write_timeout: float | None = 5.0,
        media_write_timeout: float | None = 20.0,
        pool_timeout: float | None = 1.0,
        keepalive: float = 60.0,
        proxy: str | None = None,
    ) -> None:
        self._connections = connections
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._write_timeout = write_timeout
        self._media_write_timeout = media_write_timeout
        self._pool_timeout = pool_timeout
        self._keepalive = keepalive
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """The time to wait for an answer if a call names none."""
        return self._read_timeout

    async def initialize(self) -> None:
        """Open the session; a second time does nothing."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=self._keepalive),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
            )

    async def shutdown(self) -> None:
        """Close the session and its connections; a second time does nothing."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one call; returns the HTTP status and the body."""
        if self._session is None:
            raise RuntimeError("initialize() has not been called")
        files = request_data is not None and request_data.contains_files
        timeout = _timeout(
            pool=_chosen(pool_timeout, self._pool_timeout),
            connect=_chosen(connect_timeout, self._connect_timeout),
            write=_chosen(write_timeout, self._media_write_timeout if files else self._write_timeout),
            read=_chosen(read_timeout, self._read_timeout),
        )
        data = None if request_data is None else _body(request_data)
        try:
            async with self._session.request(
                method, url, data=data, timeout=timeout, proxy=self._proxy, allow_redirects=False
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, OSError) as error:
            failure = _translated(error)
        # Raised outside the handler: the original, whose text may hold the address, must not hang on it.
        raise failure


def _chosen(given: object, default: float | None) -> float | None:
    """The time a call names, or ours if it names none (the library then passes a marker)."""
    if given is None:
        return None
    return float(given) if isinstance(given, int | float) else default


def _timeout(
    *, pool: float | None, connect: float | None, write: float | None, read: float | None
) -> aiohttp.ClientTimeout:
    # aiohttp counts waiting for a free connection as part of connecting, and knows no time for writing:
    # the sum of all four is the end of it.
    waiting = None if pool is None or connect is None else pool + connect
    total = None if waiting is None or write is None or read is None else waiting + write + read
    return aiohttp.ClientTimeout(total=total, connect=waiting, sock_connect=connect, sock_read=read)


def _body(data: RequestData) -> aiohttp.FormData:
    # Names of files stay as they are: percent-encoded, 名册.xlsx would reach the member as %E5%90%8D….
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=data.contains_files)
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    if data.contains_files:
        for name, (filename, content, kind) in data.multipart_data.items():
            form.add_field(name, content, filename=_one_line(filename), content_type=kind)
    return form


def _one_line(filename: str) -> str:
    # A line break in a name would start a new header.
    return "".join(sign for sign in filename if sign.isprintable())


def _translated(error: aiohttp.ClientError | OSError) -> TelegramError:
    kind = type(error).__name__
    if isinstance(error, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError | aiohttp.InvalidURL):
        return NotSent(f"No connection to Telegram ({kind})")
    if isinstance(error, TimeoutError):
        return TimedOut(f"No answer from Telegram in time ({kind})")
    return NetworkError(f"The connection to Telegram broke ({kind})")

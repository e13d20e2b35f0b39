"""tencent_client: how does a call reach the API of WeChat or WeCom, and never more often than it may?

wechatpy knows the calls; this is what it takes to let it make them: a token that all processes share, one retry,
a time limit, and exceptions that hold a number and nothing else. Its calls block, so they are made in worker
threads, each with a client of its own.
"""

from __future__ import annotations

import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import requests
import structlog
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProxyError, SSLError
from wechatpy.client import WeChatClient
from wechatpy.exceptions import WeChatClientException

from storage import tokens
from storage.house import Tx

R = TypeVar("R")

log = structlog.get_logger()

# Figures of the platforms as of November 2026.
TIMEOUT = 4.0
"""Seconds for a call or for fetching a token."""
STALE = (40001, 40014, 42001)
"""The token is wrong, is none, has expired."""
MARGIN = timedelta(minutes=2)
"""A token is not used in the last minutes of its life (or the last tenth, of a shorter one)."""
PATIENCE = 6.0
"""Seconds that we wait while another process fetches the token."""
QUIET = 1.0
"""Seconds during which a fetch that failed is not tried again by those who were waiting for it."""
YOUNG = timedelta(seconds=10)
"""A token that is refused so soon after it was fetched would be fetched again."""

Run = Callable[[Callable[[Tx], Any]], Any]
"""Runs work in a transaction of its own and returns its result, from a thread that may block."""


class ApiError(Exception):
    """A call that did not end well. Holds no address, no token, no words of the platform's.

    `code`: its errcode; None: there was no verdict. `left`: whether the request may have been carried out.
    """

    def __init__(self, code: int | None, *, left: bool = False) -> None:
        super().__init__(f"errcode {code}" if code is not None else "no verdict" if left else "not sent")
        self.code = code
        self.left = left


class Tokens(Protocol):
    """Where a client gets its token from."""

    def get(self) -> str: ...

    def drop(self, token: str) -> bool:
        """This token was refused. Whether another may be had that is not just the same."""


Fetch = Callable[[bool], tuple[str, float]]
"""Asks the platform for a token (True: for a new one); the token and its life in seconds. Raises ApiError."""


class SharedTokens:
    """One account's token: in this process's memory, behind it in the database, behind that on the platform.

    `get` and `drop` block, and raise ApiError. Sixteen threads with no token are one fetch.
    """

    def __init__(
        self, name: str, run: Run, fetch: Fetch, clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._name, self._run, self._fetch, self._clock, self._sleep = name, run, fetch, clock, sleep
        self._owner = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._token: str | None = None
        self._expires_at: datetime | None = None
        self._fetched_at: datetime | None = None
        self._failed: tuple[datetime, int | None] | None = None

    def get(self) -> str:
        with self._lock:
            now = self._clock()
            if self._token and self._expires_at and self._expires_at > now:
                return self._token
            if self._failed and now - self._failed[0] < timedelta(seconds=QUIET):
                raise ApiError(self._failed[1])
            return self._find()

    def drop(self, token: str) -> bool:
        """This token was refused. If another has taken its place meanwhile, that one stands."""
        with self._lock:
            ours = self._token == token
            if ours:
                self._token = None
            self._run(lambda tx: tokens.drop(tx, self._name, token))
            return not ours or self._fetched_at is None or self._clock() - self._fetched_at >= YOUNG

    def _find(self) -> str:
        waited = 0.0
        while True:
            found: tokens.Found = self._run(lambda tx: tokens.find(tx, self._clock(), self._name, self._owner))
            if found.token is not None:
                self._fetched_at = None
                return self._keep(found.token, found.expires_at)
            if found.mine:
                return self._fetched(found.force)
            if waited >= PATIENCE:
                raise ApiError(None)
            self._sleep(0.1)
            waited += 0.1

    def _fetched(self, force: bool) -> str:
        try:
            token, life = self._fetch(force)
        except ApiError as error:
            self._failed = (self._clock(), error.code)
            self._run(lambda tx: tokens.release(tx, self._name, self._owner))
            raise ApiError(error.code) from None  # whatever became of this request, the call it was for never left
        now, whole = self._clock(), timedelta(seconds=life)
        until = now + whole - min(MARGIN, whole / 10)
        self._run(lambda tx: tokens.keep(tx, now, self._name, token, until, forced=force))
        self._fetched_at = now
        return self._keep(token, until)

    def _keep(self, token: str, expires_at: datetime) -> str:
        self._token, self._expires_at, self._failed = token, expires_at, None
        return token


class Safe:
    """Before wechatpy's own client of either platform: `class X(Safe, WeChatClient)`, then `x.secure(…)`.

    Every call of the client raises ApiError and nothing else, and sends at most three requests, a token's with them.
    """

    API_BASE_URL: str
    tokens: Tokens
    _http: requests.Session

    def secure(self, base: str, shared: Tokens) -> None:
        """`base` is the platform's address, without /cgi-bin."""
        self.API_BASE_URL = f"{base}/cgi-bin/"
        self.tokens = shared
        self._http.max_redirects = 0

    def _request(self, method: str, url_or_endpoint: str, **given: Any) -> dict[str, Any]:
        first, code, left = True, None, False
        while True:
            token = self.tokens.get()
            asked = {**given, "params": {**(given.get("params") or {}), "access_token": token}}
            try:
                # Out of the library's sight it would follow a redirect, with the token, to whatever host it names.
                result = super()._request(method, url_or_endpoint, allow_redirects=False, **asked)  # type: ignore[misc]  # mixed in before the client
                if isinstance(result, dict):
                    return result
                code, left = None, True  # a page of some proxy, with status 200
            except Exception as error:  # of the library's own kind, but ValueError and RecursionError as well
                code, left = _verdict(error)
            # Outside the handler: what was raised holds the client, its secret and the token's address.
            again = code in STALE and self.tokens.drop(token)
            if not again or not first:
                raise ApiError(code, left=left)
            first = False

    def fetch(self, media_id: str, most: int) -> bytes | None:
        """A picture that somebody sent; None: it is larger than so many bytes. Raises ApiError."""
        for last in (False, True):
            token, code = self.tokens.get(), None
            try:
                content, code = self._download(media_id, token, most)
            except Exception as error:  # outside the handler: what was raised holds the token's address
                content, code = None, _verdict(error)[0]
            else:
                if code == 0:
                    return content
            if code in STALE:
                self.tokens.drop(token)
            if last or code not in STALE:
                break
        raise ApiError(code)

    def _download(self, media_id: str, token: str, most: int) -> tuple[bytes | None, int | None]:
        """The content and 0, or the errcode that came in its place."""
        given = {"access_token": token, "media_id": media_id}
        with self._http.get(
            f"{self.API_BASE_URL}media/get", params=given, timeout=TIMEOUT, stream=True, allow_redirects=False
        ) as answer:
            answer.raise_for_status()
            kind = answer.headers.get("Content-Type", "")
            if answer.status_code != 200 or "html" in kind:
                return None, None
            if "json" in kind or "text/plain" in kind:  # a refusal; WeChat calls its JSON text
                return None, int(answer.json().get("errcode") or -1)
            content = bytearray()
            for chunk in answer.iter_content(1 << 16):
                content += chunk
                if len(content) > most:
                    return None, 0
            return bytes(content), 0


def _verdict(error: Exception) -> tuple[int | None, bool]:
    """The errcode of what a call raised, and whether the request may have been carried out."""
    if isinstance(error, WeChatClientException) and isinstance(error.errcode, int):
        return error.errcode, False
    return None, not _unsent(error)


def _unsent(error: BaseException) -> bool:
    """Whether no connection came about, so that nobody has seen anything of the request."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    reason = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(reason, ProxyError):
        reason = reason.original_error
    if isinstance(reason, SSLError):  # broken off later, it may have carried the whole request
        return bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


class SafeClient(Safe, WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """The API of a WeChat official account."""

    def __init__(self, app_id: str, base: str, shared: Tokens, timeout: float = TIMEOUT) -> None:
        # The secret is the token fetch's alone: what a client does not hold, no exception can carry away.
        super().__init__(app_id, "", timeout=timeout, auto_retry=False)
        self.secure(base, shared)


def done(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a call that sends: it has been carried out only if the platform says so. Raises ApiError."""
    if result.get("errcode") != 0:
        raise ApiError(None, left=True)
    return result


def ask(method: str, url: str, timeout: float = TIMEOUT, **given: Any) -> dict[str, Any]:
    """One request without a token: that for one. Raises ApiError."""
    code, left, result = None, True, None
    try:
        answer = requests.request(method, url, timeout=timeout, allow_redirects=False, **given)
        answer.raise_for_status()
        result = answer.json()
        code = int(result.get("errcode") or 0)
    except Exception as error:
        result, left = None, not _unsent(error)
    if isinstance(result, dict) and code == 0:
        return result
    raise ApiError(code or None, left=left)


def stable_token(app_id: str, secret: str, base: str, timeout: float = TIMEOUT) -> Fetch:
    """How an official account gets its token: the same for everybody who asks while it is valid.

    The older `token` gives each asker another one and ends that of all others.
    """

    def fetch(force: bool) -> tuple[str, float]:
        wanted = {"grant_type": "client_credential", "appid": app_id, "secret": secret, "force_refresh": force}
        return _token(ask("POST", f"{base}/cgi-bin/stable_token", timeout, json=wanted))

    return fetch


def corp_token(corp_id: str, secret: str, base: str, timeout: float = TIMEOUT) -> Fetch:
    """How an application of WeCom gets its token. WeCom repeats a valid one and knows no force."""

    def fetch(_force: bool) -> tuple[str, float]:
        return _token(
            ask("GET", f"{base}/cgi-bin/gettoken", timeout, params={"corpid": corp_id, "corpsecret": secret})
        )

    return fetch


def _token(result: Mapping[str, Any]) -> tuple[str, float]:
    token, life = result.get("access_token"), result.get("expires_in", 7200)
    if not isinstance(token, str) or not token or not isinstance(life, int | float):
        raise ApiError(None)
    return token, float(life)

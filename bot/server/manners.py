"""manners: what is said of every request, and what goes with every answer?"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.logs import frames
from bot.server.front import Front, No
from storage.database import is_trouble
from storage.writer import Busy

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
QUIET = ("/healthz", "/readyz", "/metrics", "/telegram/webhook", "/wechat/callback", "/wecom/callback")
"""Asked by machines, some thousands of times a second: the metrics count them, and only a refusal is worth a line."""
_WORDS = {400: "not_understood", 403: "strange_form", 404: "not_found", 405: "not_this_way", 413: "too_large"}


def manners(front: Front) -> Middleware:
    """The middleware around everything: errors become words, and one line is logged, without contents."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        start = time.perf_counter()
        response: web.StreamResponse | None = None
        try:
            response = await _answered(front, request, handler)
            return response
        finally:
            route = getattr(request.match_info.route.resource, "canonical", None) or "unmatched"
            status = response.status if response else 499
            if route not in QUIET or status >= 400:
                log.info(
                    "request",
                    method=request.method,
                    route=route,
                    status=status,
                    ms=round((time.perf_counter() - start) * 1000, 1),
                )

    return around


def dress(front: Front) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """What every answer wears, a stream too."""
    worn = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Server": "tiexin",
    }
    if front.house.public_url.startswith("https:"):
        worn["Strict-Transport-Security"] = "max-age=31536000"

    async def on_prepare(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(worn)
        response.headers.setdefault("Referrer-Policy", "no-referrer")

    return on_prepare


async def _answered(front: Front, request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except No as no:
        return front.refusal(request, no)
    except Busy:
        return front.refusal(request, No(503, "busy", retry_after=2))
    except web.HTTPException as error:
        if error.status in _WORDS:
            refusal = front.refusal(request, No(error.status, _WORDS[error.status]))
            if allow := error.headers.get("Allow"):
                refusal.headers["Allow"] = allow
            return refusal
        raise
    except ConnectionError:
        raise
    except Exception as error:
        if is_trouble(error):
            return front.refusal(request, No(503, "busy", retry_after=2))
        log.error("page failed", error=type(error).__name__, frames=frames(error))
        front.metrics.error("page")
        return front.refusal(request, No(500, "broken"))

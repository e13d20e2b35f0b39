"""errors: in which words does Telegram refuse?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal as the Bot API answers it: HTTP status, description, and parameters for a program."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.parameters = parameters

    def as_json(self) -> Json:
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(words: str) -> ApiError:
    """400 in Telegram's spelling."""
    return ApiError(400, f"Bad Request: {words}")


def forbidden(words: str) -> ApiError:
    """403 in Telegram's spelling."""
    return ApiError(403, f"Forbidden: {words}")


def too_many_requests(seconds: int) -> tuple[int, str, Json]:
    """The parts of a 429."""
    return 429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds}


@dataclass
class Fault:
    """A misfortune written into the script: it meets the next matching calls."""

    error: ApiError | None = None
    accepted: bool = False
    """Was the call carried out before things went wrong?"""
    ending: Literal["answer", "drop", "hang", "gateway"] = "answer"


def blocked() -> Fault:
    """403, though the person has not blocked the bot in this fake; prefer `person.blocks()`."""
    return Fault(forbidden("bot was blocked by the user"))


def chat_not_found() -> Fault:
    return Fault(bad_request("chat not found"))


def migrated(to: int) -> Fault:
    """400: the group is a supergroup now; prefer `group.upgrades()`."""
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    return Fault(ApiError(400, words, {"migrate_to_chat_id": to}))


def too_many(retry_after: int) -> Fault:
    return Fault(ApiError(*too_many_requests(retry_after)))


def server_error(*, accepted: bool = False) -> Fault:
    """500; whether the message went out is for the caller to wonder."""
    return Fault(ApiError(500, "Internal Server Error"), accepted=accepted)


def bad_gateway(*, accepted: bool = False) -> Fault:
    """502 with a page of HTML, as the proxy before Telegram's servers answers."""
    return Fault(accepted=accepted, ending="gateway")


def lost(*, accepted: bool = True) -> Fault:
    """The connection breaks before the answer; the message has (or has not) gone out."""
    return Fault(accepted=accepted, ending="drop")


def silence(*, accepted: bool = True) -> Fault:
    """No answer ever comes: the caller runs into its own timeout."""
    return Fault(accepted=accepted, ending="hang")

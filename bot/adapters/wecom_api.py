"""wecom_api: the calls that Tiexin makes to WeCom.

They block, and are made in worker threads; each thread has a client of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wechatpy.enterprise import WeChatClient

from bot.adapters.tencent_client import TIMEOUT, Safe, Tokens, done

Json = Mapping[str, Any]


class SafeWeComClient(Safe, WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """The API of one application of a company."""

    def __init__(self, corp_id: str, base: str, shared: Tokens, timeout: float = TIMEOUT) -> None:
        # The secret is the token fetch's alone: what a client does not hold, no exception can carry away.
        super().__init__(corp_id, "", timeout=timeout, auto_retry=False)
        self.secure(base, shared)


@dataclass(frozen=True, slots=True)
class Accepted:
    """WeCom has taken a message over. Whom it will not reach is named in small letters."""

    msgid: str
    code: str
    invalid: frozenset[str]
    unlicensed: frozenset[str]


class WeComApi:
    """Every call raises ApiError and nothing else."""

    def __init__(self, corp_id: str, agent_id: int, base: str, shared: Tokens) -> None:
        self._corp_id, self._agent_id, self._base, self._shared = corp_id, agent_id, base, shared
        self._here = threading.local()

    def send(self, post: Json) -> Accepted:
        """Send what `wecom_channel.post` has written, letter by letter as it was kept."""
        result = self._post("message/send", {**post, "agentid": self._agent_id})
        return Accepted(
            str(result.get("msgid") or ""), str(result.get("response_code") or ""),
            _named(result.get("invaliduser")), _named(result.get("unlicenseduser")),
        )  # fmt: skip

    def update(self, userid: str, code: str, *, card: Json | None = None, name: str = "") -> None:
        """Put another card, or one grey button, in the place of what stands there; the code is used up by it."""
        what = {"template_card": card} if card is not None else {"button": {"replace_name": name}}
        body = {"userids": [userid], "agentid": self._agent_id, "response_code": code, **what}
        self._post("message/update_template_card", body)

    def recall(self, msgid: str) -> None:
        """Take a message back, within a day."""
        self._post("message/recall", {"msgid": msgid})

    def fetch(self, media_id: str, most: int) -> bytes | None:
        """A picture or a file that a member sent; None: it is larger than so many bytes."""
        return self._client.fetch(media_id, most)

    def agent(self) -> str:
        """The application's name; asking for it changes nothing."""
        result = done(self._client.get("agent/get", params={"agentid": self._agent_id}))
        return str(result.get("name") or "")

    @property
    def _client(self) -> SafeWeComClient:
        if (client := getattr(self._here, "client", None)) is None:
            client = self._here.client = SafeWeComClient(self._corp_id, self._base, self._shared)
        return client

    def _post(self, method: str, body: Json) -> Mapping[str, Any]:
        return done(self._client.post(method, data=dict(body)))


def _named(listed: object) -> frozenset[str]:
    """Userids, joined by “|” in the one answer and a list in the other."""
    names = listed if isinstance(listed, list) else str(listed or "").split("|")
    return frozenset(str(name).lower() for name in names if name)

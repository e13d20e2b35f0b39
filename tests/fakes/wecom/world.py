"""world: who is in the company, what has been sent, and what may still be done to it?"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
from collections.abc import Callable
from dataclasses import replace

from tests.fakes.telegram.clock import Clock
from tests.fakes.wecom import cards
from tests.fakes.wecom.errors import (
    BAD_AGENT,
    BAD_PARAMETER,
    CODE_NO_GOOD,
    EMPTY,
    NOBODY,
    OVER_QUOTA,
    TASK_ID_USED,
    TOO_OLD_TO_RECALL,
    ApiError,
    Json,
)
from tests.fakes.wecom.limits import Budgets, Limits
from tests.fakes.wecom.model import Card, Code, Line, Look, Member, Sent

BOLD = re.compile(r"\*\*(.+?)\*\*")
"""What a phone shows in bold: the words without the stars."""


class World:
    """All that WeCom remembers about one application."""

    def __init__(self, clock: Clock, limits: Limits, agent_id: int, rng: random.Random) -> None:
        self.clock, self.limits, self.agent_id, self.rng = clock, limits, agent_id, rng
        self.budgets = Budgets(limits)
        self.members: dict[str, Member] = {}
        """By userid in lower case: WeCom compares without case."""
        self.cards: dict[str, Card] = {}
        self.codes: dict[str, Code] = {}
        self.sent: dict[str, Sent] = {}
        self.has_callback = False
        self.duplicates = 0
        """Messages that were not sent again because the very same JSON had been sent before."""
        self._before: dict[str, tuple[float, str]] = {}
        self._watchers: list[Callable[[], None]] = []

    def member(self, userid: str) -> Member | None:
        found = self.members.get(userid.lower())
        return found if found and found.active else None

    # -- message/send ------------------------------------------------------------------------------------------

    def send(self, raw: bytes, body: Json) -> Json:
        """Carry a message out; what it is answered. Raises ApiError."""
        if body.get("agentid") != self.agent_id:
            raise ApiError(BAD_AGENT, "invalid agentid")
        now = self.clock.now()
        if again := self._sent_before(raw, body, now):
            self.duplicates += 1
            return {"invaliduser": "", "msgid": again}  # without a response_code: nobody promises one
        wanted = [one for one in str(body.get("touser") or "").split("|") if one]
        if len(wanted) > self.limits.recipients:
            raise ApiError(BAD_PARAMETER, "touser too long")
        found = {one: self.member(one) for one in wanted}
        invalid = "|".join(one.lower() for one, member in found.items() if member is None)
        people = [member for member in found.values() if member]
        if not people:
            raise ApiError(NOBODY, "user & party & tag all invalid", invaliduser=invalid)
        line, card = self._line(body, now)
        if not self.budgets.may_send(len(people), len(self.members), now):
            raise ApiError(OVER_QUOTA, "api freq out of limit")
        unlicensed = "|".join(member.userid.lower() for member in people if not member.licensed)
        msgid = self.token(24)
        self.sent[msgid] = Sent(now, people)
        self._remember(raw, body, now, msgid)
        for member in people:
            if member.licensed and self.budgets.arrives(member.userid.lower(), now):
                self._show(member, replace(line, msgid=msgid, card=card))
        answer: Json = {"invaliduser": invalid, "invalidparty": "", "invalidtag": "", "msgid": msgid}
        if unlicensed:
            answer["unlicenseduser"] = unlicensed
        if card is not None and line.look and line.look.kind in cards.INTERACTIVE:
            answer["response_code"] = self.new_code(card)
        return answer

    def _sent_before(self, raw: bytes, body: Json, now: float) -> str:
        if body.get("enable_duplicate_check") != 1:
            return ""
        at, msgid = self._before.get(hashlib.sha256(raw).hexdigest(), (0.0, ""))
        return msgid if now - at < self._interval(body) else ""

    def _remember(self, raw: bytes, body: Json, now: float, msgid: str) -> None:
        self._before[hashlib.sha256(raw).hexdigest()] = (now, msgid)

    def _interval(self, body: Json) -> float:
        wanted = body.get("duplicate_check_interval", self.limits.duplicate_interval)
        return float(min(int(wanted), self.limits.duplicate_most))

    def _line(self, body: Json, now: float) -> tuple[Line, Card | None]:
        kind = str(body.get("msgtype") or "")
        if kind in ("text", "markdown"):
            content = str((body.get(kind) or {}).get("content") or "")
            if not content.strip():
                raise ApiError(EMPTY, "text content is empty")
            shown = self.cut(content)
            return Line(now, True, BOLD.sub(r"\1", shown) if kind == "markdown" else shown, kind), None
        if kind != "template_card":
            raise ApiError(BAD_PARAMETER, f"the fake knows no msgtype {kind}")
        raw = body.get("template_card") or {}
        look = cards.look(raw, self.limits)
        if look.kind in cards.INTERACTIVE and not self.has_callback:
            raise ApiError(BAD_PARAMETER, "the application has no callback url")
        task_id = cards.task_id(raw, self.limits)
        if task_id in self.cards:
            raise ApiError(TASK_ID_USED, "task_id repeated")
        card = Card(task_id)
        if task_id:
            self.cards[task_id] = card
        return Line(now, True, "", kind, look=look), card

    def cut(self, text: str) -> str:
        """What of a text is shown: so many bytes, and not a word about the rest."""
        return text.encode()[: self.limits.text_bytes].decode(errors="ignore")

    def _show(self, member: Member, line: Line) -> None:
        member.lines.append(line)
        if line.card is not None:
            line.card.lines.append(line)
        self.changed()

    def say(self, member: Member, line: Line) -> None:
        """Something that appears in a chat without a call."""
        member.lines.append(line)
        self.changed()

    # -- message/update_template_card and message/recall -------------------------------------------------------

    def update(self, body: Json) -> Json:
        """Change a card everywhere it was sent to: one code is one call. Raises ApiError."""
        if body.get("agentid") != self.agent_id:
            raise ApiError(BAD_AGENT, "invalid agentid")
        now = self.clock.now()
        code = self.codes.get(str(body.get("response_code") or ""))
        if code is None or code.used or now > code.until:
            raise ApiError(CODE_NO_GOOD, "invalid response_code")
        userids = body.get("userids")
        if not isinstance(userids, list) or not userids:
            raise ApiError(BAD_PARAMETER, "userids")
        name = str((body.get("button") or {}).get("replace_name") or "")
        new = None if name else cards.look(body.get("template_card"), self.limits)
        code.used = True
        for line in code.card.lines:
            self._change(line, new or (line.look or Look("")).done(name))
        invalid = [one.lower() for one in userids if self.member(str(one)) is None]
        return {"invaliduser": invalid} if invalid else {}

    def change(self, member: Member, card: Card, new: Look | str) -> None:
        """Change a card for one member: how it looks now, or the name of the button that is left."""
        for line in card.lines:
            if line in member.lines:
                self._change(line, (line.look or Look("")).done(new) if isinstance(new, str) else new)

    def _change(self, line: Line, new: Look) -> None:
        line.look, line.revised = new, line.revised + 1
        self.changed()

    def new_code(self, card: Card) -> str:
        """Permission for one update."""
        code = self.token(40)
        self.codes[code] = Code(card, self.clock.now() + self.limits.code_life)
        return code

    def recall(self, body: Json) -> Json:
        """Take a message back. Raises ApiError for one too old, or unknown."""
        sent = self.sent.get(str(body.get("msgid") or ""))
        if sent is None or self.clock.now() - sent.at > self.limits.recall_within:
            raise ApiError(TOO_OLD_TO_RECALL, "message can not be recalled")
        for member in sent.members:
            member.lines = [line for line in member.lines if line.msgid != body["msgid"]]
        self.changed()
        return {}

    # -- chance, and who watches -------------------------------------------------------------------------------

    def token(self, length: int) -> str:
        return base64.urlsafe_b64encode(self.rng.randbytes(length)).decode()[:length]

    def message_id(self) -> str:
        """The MsgId of what a member says: no number, whatever its name was made for."""
        return "CAIQ" + base64.b64encode(self.rng.randbytes(18)).decode() + "=="

    def watch(self, look: Callable[[], None]) -> None:
        self._watchers.append(look)

    def unwatch(self, look: Callable[[], None]) -> None:
        self._watchers.remove(look)

    def changed(self) -> None:
        for look in list(self._watchers):
            look()


def compact(body: object) -> str:
    """JSON as short as it gets, for comparing."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

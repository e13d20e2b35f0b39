"""email_trust: does a mail prove enough to act on it?

Three things, and all of them: a token that only a mail of ours has carried, the registered address as the one sender,
and a signature or an origin that goes with that address, judged by our own mail server. A From: is easily forged, and
who quotes or forwards a mail hands its token on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LINE = 4_000
"""Characters of a header; no server's verdict is longer, and only whole ones are read."""
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_METHOD = re.compile(r"\s*([a-z][a-z0-9-]*)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)(.*)", re.IGNORECASE | re.DOTALL)
_PROPERTY = re.compile(r"([a-z-]+\.[a-z-]+)\s*=\s*([^\s;]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a mail has proved, one by one."""

    token: bool = False
    """It answers a mail of ours to this person that is not too old."""
    registered: bool = False
    """Its one sender is the address that mail went to, which is still this person's."""
    signed: bool = False
    """Our mail server found a signature or an origin of exactly that address's domain."""

    @property
    def whole(self) -> bool:
        return self.token and self.registered and self.signed

    @property
    def known(self) -> bool:
        """Enough to show somebody what is theirs at their own address, not to act for them."""
        return self.registered and self.signed

    @property
    def lacks(self) -> tuple[str, ...]:
        """What is missing, for the log; says nothing of who wrote or what."""
        return tuple(name for name in ("token", "registered", "signed") if not getattr(self, name))


def signed(results: Iterable[str], authserv_id: str, domain: str) -> bool:
    """Whether our own server vouches for the sender's domain. `results` are the Authentication-Results, top first.

    Only those with our authserv-id count, and of each method only the topmost: what came in from outside stands below
    what our server has written. A signature counts for exactly the domain it names, not for one above or below it.
    """
    domain = domain.lower().rstrip(".")
    if not authserv_id or not domain:
        return False
    heard: set[str] = set()
    for value in results:
        found = [one for one in _methods(value, authserv_id) if one[0] not in heard]
        heard |= {method for method, _, _ in found}
        if any(result == "pass" and domain in _domains(method, props) for method, result, props in found):
            return True
    return False


def _methods(value: str, authserv_id: str) -> list[tuple[str, str, dict[str, str]]]:
    """(method, result, properties) of a header that our server wrote; none of anybody else's."""
    if len(value) > LINE or value.count("(") > 50:
        return []
    while (shorter := _COMMENT.sub(" ", value)) != value:
        value = shorter
    if _QUOTED.search(value):
        value = _QUOTED.sub(lambda found: re.sub(r"[\s;=]", "_", found[1]), value)
    head, *rest = value.split(";")
    who, _, version = head.strip().partition(" ")
    if who.lower() != authserv_id.lower() or version.strip() not in ("", "1"):
        return []
    methods = []
    for part in rest:
        if found := _METHOD.fullmatch(part):
            props = {name.lower(): text.lower() for name, text in reversed(_PROPERTY.findall(found[3]))}
            methods.append((found[1].lower(), found[2].lower(), props))
    return methods


def _domains(method: str, props: dict[str, str]) -> Sequence[str]:
    """The domains that a passed check stands for."""
    match method:
        case "dkim":
            return (props.get("header.d", "").rstrip("."),)
        case "spf":
            return (props.get("smtp.mailfrom", "").rpartition("@")[2].rstrip("."),)
        case "dmarc":
            return (props.get("header.from", "").rpartition("@")[2].rstrip("."),)
    return ()

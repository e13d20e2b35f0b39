"""binding: sign in to the web chat by employee number and a code sent over a chat that is bound already."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.reply import Grade, Refused, Reply, words
from storage import addresses, campaigns, people, rates, signin
from storage.campaigns import Telling
from storage.house import Tx
from storage.rates import Limit

LIFE = timedelta(minutes=10)
TRIES = 5
"""Wrong codes for each code sent."""
ASKING = Limit(10 / 3600, burst=10)
"""Codes asked for from one place on the network: ten, then one in six minutes."""
SENDING = Limit(3 / 3600, burst=3)
"""Codes sent to one person, so that nobody can be pestered."""
ENTERING = Limit(20 / 3600, burst=20)
"""Codes tried from one place on the network."""
EVERYBODY = Limit(200 / 3600, burst=200)
"""Codes tried in the whole house, so that many guessing from many places have no better chance."""


def ask(tx: Tx, now: datetime, number: str, place: str, code: str) -> None:
    """Send a code to whoever has this number. Nothing tells whether anybody has. Raises Refused by place only."""
    if rates.reserve(tx, now, {f"sign-in from {place}": ASKING}):
        raise Refused("web.too_often")
    person = people.by_number(tx, number)
    if person is None or person.left_on is not None:
        return
    reach = {b.address.channel for b in addresses.of_person(tx, person.id) if not b.dead} - {"web"}
    if not reach or rates.reserve(tx, now, {f"sign-in of {person.id}": SENDING}):
        return
    signin.put(tx, person.id, code, now + LIFE)
    campaigns.create(
        tx, now, "signin", person.id, [person.id],
        channels=",".join(sorted(reach)), code=tx.house.keys.seal(code).hex(),
    )  # fmt: skip


def enter(tx: Tx, now: datetime, number: str, place: str, code: str) -> int | None:
    """Whose code it is; it is used up. None: wrong, expired or tried too often. Raises Refused by place only."""
    if rates.reserve(tx, now, {f"sign-in code from {place}": ENTERING, "sign-in codes": EVERYBODY}):
        raise Refused("web.too_often")
    person = people.by_number(tx, number)
    if person is None or person.left_on is not None:
        return None
    return person.id if signin.attempt(tx, now, person.id, code, TRIES) else None


def _tell(tx: Tx, now: datetime, telling: Telling, _person_id: int) -> Reply | None:
    if now >= telling.due_at + LIFE:
        return None
    code = tx.house.keys.open(bytes.fromhex(telling.values["code"]))
    return Reply(
        words("binding.sign_in_code", code=code, minutes=LIFE.seconds // 60), sensitive=True, grade=Grade.PUBLIC
    )


tell = {"signin": _tell}

"""Files, as use cases: keep one, let it belong to something, open it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.core.event import Handed
from bot.core.kinds import Attached
from bot.core.reply import Refused
from handlers import Turn, secrecy
from handlers.files import pdf
from handlers.files.kinds import kind_of, name_of, words_of
from storage import files
from storage.house import Tx

LOOSE = 10
"""How many of the largest files may wait for one person's drafts."""


class Keeping:
    """Keeps the files that questions ask for (`bot.core.router.Keeper`)."""

    def accepts(self, event: Handed) -> bool:
        return bool(kind_of(event.content))

    def keep(self, turn: Turn, event: Handed) -> Attached:
        return keep(turn.tx, turn.now, turn.member.id, event.filename, event.content)

    def drop(self, turn: Turn, ids: Sequence[int]) -> None:
        files.drop(turn.tx, turn.member.id, ids)

    def check(self, text: str) -> None:
        secrecy.check(text)


def keep(
    tx: Tx, now: datetime, owner_id: int | None, filename: str, content: bytes, *, subject: tuple[str, int] = ("", 0)
) -> Attached:  # fmt: skip
    """Keep a file of somebody's (None: the operator's). Raises Refused for size, kind, or a mark of secrecy."""
    most = tx.house.largest_file
    if len(content) > most:
        raise Refused("conversation.file_too_large")
    if not content:
        raise Refused("files.empty")
    kind = kind_of(content)
    if not kind:
        raise Refused("files.no_such_kind")
    secrecy.check(_words(kind, content), filename)
    if owner_id is not None and not subject[0] and files.loose_size(tx, owner_id) + len(content) > LOOSE * most:
        raise Refused("files.too_much")
    name = name_of(filename, kind)
    number = files.add(tx, now, owner_id=owner_id, kind=kind, name=name, content=content, subject=subject)
    return Attached(number, name)


def _words(kind: str, content: bytes) -> str:
    """What a file says, as far as a mark of secrecy could be read in it: not in a picture, not in an old .doc."""
    readers = {"docx": words_of, "pdf": pdf.words_of}
    return readers[kind](content) if kind in readers else ""


def attach(tx: Tx, owner_id: int | None, attached: Sequence[Attached], subject: tuple[str, int]) -> None:
    """Let what was handed in with an answer belong to something. Raises Refused where one is gone or another's."""
    wanted = {one.id for one in attached}
    if wanted and files.attach(tx, owner_id, sorted(wanted), subject) != len(wanted):
        raise Refused("files.gone")


def due(tx: Tx, now: datetime) -> int:
    """Delete files that have come to nothing."""
    return files.purge(tx, now)

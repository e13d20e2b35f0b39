"""Study notes, as use cases: write one, share it with one's branch, take it back, delete it, read those of others."""

from __future__ import annotations

from datetime import datetime

from bot.core.kinds import Prose
from bot.core.reply import Refused
from handlers import secrecy
from handlers.files import desk as keeping
from storage import files, people, writings
from storage.files import File
from storage.house import Tx
from storage.people import Somebody
from storage.writings import NOTE, Note


def write(tx: Tx, now: datetime, person_id: int, prose: Prose, *, shared: bool) -> Note:
    """Keep a note of somebody's; shared or not, as they say. Raises Refused for a mark of secrecy."""
    secrecy.check(prose.text)
    org = people.get(tx, person_id).organisation_id
    note = writings.add_note(tx, now, person_id=person_id, organisation_id=org, text=prose.text, shared=shared)
    keeping.attach(tx, person_id, prose.files, (NOTE, note.id))
    return note


def reads(tx: Tx, person_id: int, note: Note) -> bool:
    """Whether somebody may read a note: its writer, and while it is shared the branch where it was written."""
    reader = people.get(tx, person_id)
    if reader.left_on is not None:
        return False
    return person_id == note.person_id or (note.shared and reads_shared(reader, note.organisation_id))


def reads_shared(reader: Somebody, organisation_id: int) -> bool:
    """Whether somebody is one of the branch with whom its notes are shared: 群众 are not."""
    return reader.organisation_id == organisation_id and reader.kind != "群众"


def read(tx: Tx, person_id: int, note_id: int) -> tuple[Note, str, str, list[File]]:
    """(note, its writer's name, its text, its files). Raises Refused, the same for one that is not there."""
    note = _one(tx, person_id, note_id)
    attached = files.of(tx, NOTE, [note.id]).get(note.id, [])
    return note, people.get(tx, note.person_id).name, writings.note_text(tx, note.id), attached


def _one(tx: Tx, person_id: int, note_id: int) -> Note:
    note = writings.note(tx, note_id)
    if note is None or not reads(tx, person_id, note):
        raise Refused("reports.no_note")
    return note


def own(tx: Tx, person_id: int, note_id: int) -> Note:
    """One's own note. Raises Refused for another's."""
    note = writings.note(tx, note_id)
    if note is None or note.person_id != person_id:
        raise Refused("reports.no_note")
    return note


def delete(tx: Tx, person_id: int, note_id: int) -> None:
    """Delete one's own note with its files, for whoever could read it. Raises Refused for another's."""
    own(tx, person_id, note_id)
    writings.drop_note(tx, note_id)


def share(tx: Tx, person_id: int, note_id: int, *, shared: bool) -> Note:
    """Share one's own note, or take it back. Raises Refused for another's."""
    own(tx, person_id, note_id)
    writings.share(tx, note_id, shared)
    found = writings.note(tx, note_id)
    assert found is not None  # it was there a moment ago, in this transaction
    return found


def opens(tx: Tx, _now: datetime, person_id: int, file: File) -> bool:
    """Whether somebody may open a file of a note."""
    note = writings.note(tx, file.subject_id)
    return note is not None and reads(tx, person_id, note)

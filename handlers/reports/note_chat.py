"""notes: 学习心得 – write one, share it with the branch or not, take it back, delete it, read what others share."""

from __future__ import annotations

from datetime import timedelta

from bot.core.action import Action, Code
from bot.core.form import Choice, Form, ask
from bot.core.kinds import Pick, Prose
from bot.core.reply import Button, Grade, Phrase, Reply, words
from bot.core.router import Begin, Run
from handlers import Answer, Router, Turn
from handlers.reports import notes
from storage import people, writings
from storage.writings import Note

router = Router()

LONGEST = 20_000


class WriteNote(Action, tag="sw", light=True):
    """Write a study note."""


class OpenNote(Action, tag="so", light=True):
    """Read a study note."""

    note: int


class ShareNote(Action, tag="sh", light=True):
    """Share one's own note with the branch, or take it back."""

    note: int
    shared: bool


class DeleteNote(Action, tag="sd"):
    """Delete one's own note; asked once more unless `sure`."""

    note: int
    sure: bool


class StudyNote(Form):
    """学习心得"""

    lifetime = timedelta(days=31)
    review = False
    grade = Grade.PUBLIC
    answer_grade = Grade.PERSONAL

    text: Prose = ask(
        "请写下您的学习心得，可以分几条发，也可以发照片、PDF 或 Word；写完发“完”。",
        title="心得", min_length=10, max_length=LONGEST, files=True,
    )  # fmt: skip
    share: Pick = ask(
        "要分享给本支部的同志看吗？随时可以收回。",
        title="分享",
        choices=lambda _turn: [Choice(Code("yes"), Phrase("分享")), Choice(Code("no"), Phrase("只留给自己"))],
    )


@router.command("/note", "学习心得", "写心得", rest=True, letters=True)
def note(turn: Turn, rest: str) -> Answer:
    """写学习心得，愿意的话分享给本支部；看别人分享的"""
    if rest:
        return Begin(StudyNote, resumes=True, said=rest)
    reader = people.get(turn.tx, turn.member.id)
    mine, shared = writings.notes_of(turn.tx, reader.id), writings.shared_notes(turn.tx, reader.organisation_id)
    others = [one for one in shared if one.person_id != reader.id and notes.reads(turn.tx, reader.id, one)]
    if not mine and not others:
        return Begin(StudyNote, resumes=True)
    names = {one.id: one.name for one in people.listed(turn.tx, [one.person_id for one in others])}
    rows: list[tuple[Button, ...]] = [(Button(words("reports.write_note"), WriteNote()),)]
    rows += [
        (Button(words("reports.note_of", name=names[one.person_id], day=_day(turn, one)), OpenNote(one.id)),)
        for one in others
    ]
    rows += [(Button(words("reports.note_mine", day=_day(turn, one)), OpenNote(one.id)),) for one in mine]
    return Reply(words("reports.notes", mine=len(mine), others=len(others)), tuple(rows), grade=Grade.PERSONAL)


def _day(turn: Turn, one: Note) -> str:
    return f"{one.at.astimezone(turn.zone):%m-%d}"


@router.pressed(WriteNote)
def write(_turn: Turn, _press: WriteNote) -> Answer:
    return Begin(StudyNote, resumes=True)


@router.form(StudyNote)
def keep(turn: Turn, form: StudyNote) -> Answer:
    kept = notes.write(turn.tx, turn.now, turn.member.id, form.text, shared=form.share == "yes")
    return Reply(words("reports.note_kept", note=kept), (_share(kept),), grade=Grade.PUBLIC)


def _share(kept: Note) -> tuple[Button, ...]:
    label = words("reports.unshare" if kept.shared else "reports.share")
    return (Button(label, ShareNote(kept.id, not kept.shared)),)


@router.pressed(OpenNote)
def open_(turn: Turn, press: OpenNote) -> Answer:
    kept, name, text, files = notes.read(turn.tx, turn.member.id, press.note)
    rows: list[tuple[Button, ...]] = [(Button(f"📎 {file.name}", path=f"/files/{file.id}"),) for file in files]
    mine = kept.person_id == turn.member.id
    if mine:
        rows += [_share(kept), (Button(words("reports.delete_note"), DeleteNote(kept.id, sure=False)),)]
    said = words("reports.note", name=name, text=text, note=kept, files=len(files), mine=mine)
    return Reply(said, tuple(rows), sensitive=True, grade=Grade.PERSONAL)


@router.pressed(DeleteNote)
def delete(turn: Turn, press: DeleteNote) -> Answer:
    """Asked once: what is deleted cannot be brought back."""
    kept = notes.own(turn.tx, turn.member.id, press.note)
    if not press.sure:
        row = (
            Button(words("reports.delete_note_sure"), DeleteNote(kept.id, sure=True)),
            Button(words("reports.delete_note_not"), OpenNote(kept.id)),
        )
        return Reply(words("reports.delete_note_ask", note=kept), (row,), grade=Grade.PUBLIC)
    notes.delete(turn.tx, turn.member.id, kept.id)
    others = Button(Phrase("学习心得"), Run(Code("note")))
    return Reply(words("reports.note_deleted"), ((others,),), replaces=True, grade=Grade.PUBLIC)


@router.pressed(ShareNote)
def share(turn: Turn, press: ShareNote) -> Answer:
    kept = notes.share(turn.tx, turn.member.id, press.note, shared=press.shared)
    said = words("reports.shared" if kept.shared else "reports.unshared")
    return Reply(said, (_share(kept),), toast=said, grade=Grade.PUBLIC)

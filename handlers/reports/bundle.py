"""bundle: all reports of a branch for a period, to be filed – one Word document, or one for each in a zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from docx import Document
from docx.document import Document as Paper
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from bot.core.kinds import clean
from bot.core.reply import Refused
from handlers.files.kinds import name_of
from handlers.reports import desk
from handlers.reports.desk import Opened
from handlers.reports.rules import Period
from storage import audit, files, reports
from storage.audit import Actor
from storage.files import File
from storage.house import Tx
from storage.organisations import Org

WIDE = Cm(15)
"""How wide a picture stands on the page."""
_DRAWN = frozenset({"jpg", "png"})
"""Pictures that Word shows."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A report with the contents of its files."""

    opened: Opened
    contents: list[bytes]


def sheets(tx: Tx, now: datetime, actor: Actor, org: Org, period: Period) -> list[Sheet]:
    """All reports of a branch, each opened, which is written down. Raises Refused for who reads none there."""
    if actor.person_id is None or all(one.id != org.id for one in desk.readable_branches(tx, now, actor.person_id)):
        raise Refused("reports.operator" if actor.is_operator else "reports.not_your_branch", org=org.name)
    found = []
    for report in reports.of_branch(tx, org.id, str(period)):
        opened = desk.read(tx, now, actor, report.id)
        found.append(Sheet(opened, [files.content(tx, file.id) for file in opened.files]))
    if not found:
        raise Refused("reports.nothing_to_export", org=org.name)
    audit.record(tx, now, actor, "report.export", f"org:{org.code}", period=str(period), reports=len(found))
    return sorted(found, key=lambda one: one.opened.writer.number)


def keep(tx: Tx, now: datetime, actor: Actor, org: Org, period: Period) -> File:
    """One document of all, kept for whoever asked, three days long. Raises Refused."""
    whole = document(sheets(tx, now, actor, org, period), title(org, period))
    if len(whole) > 4 * tx.house.largest_file:
        raise Refused("reports.too_much_for_chat")
    name = name_of(f"{title(org, period)}.docx", "docx")
    number = files.add(tx, now, owner_id=actor.person_id, kind="docx", name=name, content=whole)
    found = files.get(tx, number)
    assert found is not None  # kept a moment ago, in this transaction
    return found


def title(org: Org, period: Period) -> str:
    """第一支部 思想汇报 2026-11."""
    return f"{org.name} 思想汇报 {period}"


def document(found: Sequence[Sheet], heading: str) -> bytes:
    """One Word document, each report on a page of its own."""
    paper = _paper()
    paper.add_heading(heading, 0)
    for place, sheet in enumerate(found):
        if place:
            paper.add_page_break()  # type: ignore[no-untyped-call]  # python-docx has no types here
        _write(paper, sheet)
    return _bytes(paper)


def archive(found: Sequence[Sheet]) -> bytes:
    """A zip: for each report a Word document, and its files as they came."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        for sheet in found:
            writer = sheet.opened.writer
            folder = name_of(f"{writer.number} {writer.name}.docx", "docx").removesuffix(".docx")
            paper = _paper()
            _write(paper, sheet)
            whole.writestr(f"{folder}/{folder} {sheet.opened.report.period}.docx", _bytes(paper))
            for number, (file, content) in enumerate(zip(sheet.opened.files, sheet.contents, strict=True), 1):
                whole.writestr(f"{folder}/{number} {file.name}", content)
    return out.getvalue()


def _paper() -> Paper:
    paper = Document()
    style = paper.styles["Normal"]
    style.font.size = Pt(12)
    style.font.name = "Times New Roman"
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体")
    return paper


def _write(paper: Paper, sheet: Sheet) -> None:
    opened = sheet.opened
    paper.add_heading(f"{opened.writer.name}（{opened.writer.number}，{opened.writer.kind}）", 1)
    late = "，逾期" if opened.report.late else ""
    paper.add_paragraph(f"{opened.branch}　{opened.report.period}　第{opened.report.version}版{late}")
    for line in opened.text.split("\n"):
        paper.add_paragraph(clean(line)).paragraph_format.first_line_indent = Pt(24)
    for file, content in zip(opened.files, sheet.contents, strict=True):
        if file.kind not in _DRAWN or not _drawn(paper, content):
            paper.add_paragraph(f"附件：{file.name}")
    if opened.comments:
        paper.add_heading("评语", 2)
        for author, comment in opened.comments:
            paper.add_paragraph(f"{clean(comment.text)}\n—— {author}")


def _drawn(paper: Paper, content: bytes) -> bool:
    """Put a picture on the page; whether it is one that can be drawn."""
    try:
        paper.add_picture(io.BytesIO(content), width=WIDE)
    except Exception:  # a broken picture fails in as many ways as there are mistakes; the file itself stays
        return False
    return True


def _bytes(paper: Paper) -> bytes:
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()

"""kinds: what kind of file is this, by what is in it?"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import PurePath

TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "heic": "image/heic",
}
"""The kinds that are kept, with their media types. No page and no drawing that a browser would run."""
PICTURES = frozenset({"jpg", "png", "webp", "heic"})
SHOWN = frozenset({"pdf", "jpg", "png", "webp"})
"""What every browser shows by itself."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORD = "WordDocument".encode("utf-16-le")  # the stream that only a Word file has
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
HEADS = 12
"""Page heads of a docx that are looked at: three for each of its first sections."""
PARTS = 2000
"""Parts of a docx at the most."""


def kind_of(content: bytes) -> str:
    """`pdf`, `docx`, `jpg` …; empty for whatever else it is, whatever its name says."""
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        return "heic"
    if content.startswith(_OLE):
        return "doc" if _WORD in content else ""
    if content.startswith(b"PK\x03\x04"):
        return "docx" if _is_docx(content) else ""
    return ""


def _is_docx(content: bytes) -> bool:
    """A Word file without macros; a spreadsheet is a zip as well."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            names = parts.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError):
        return False
    macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    return len(names) <= PARTS and "word/document.xml" in names and not macros


def words_of(content: bytes, most: int = 1 << 20) -> str:
    """What a docx says in its page heads and at its beginning, a paragraph a line; empty where it cannot be read."""
    xml = ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            heads = [name for name in parts.namelist() if re.fullmatch(r"word/header\d{1,3}\.xml", name)]
            for name in (*heads[:HEADS], "word/document.xml"):
                with parts.open(name) as part:
                    xml += part.read(most).decode("utf-8", "ignore")
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, NotImplementedError, RuntimeError):
        return ""
    return re.sub(r"<[^<>]*>", "", re.sub(r"</w:p>|<w:br\b[^<>]*>", "\n", xml))


_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+')
STEM = 80
"""Characters of a name that are kept, without its ending."""


def name_of(filename: str, kind: str) -> str:
    """A name that every system takes, with the ending that its content has."""
    name = _UNFIT.sub(" ", PurePath(filename.replace("\\", "/")).name).strip(" .")
    stem = name.rpartition(".")[0] if re.search(r"\.[A-Za-z0-9]{1,5}$", name) else name
    stem = " ".join(stem.split())[:STEM].strip(" .") or ("照片" if kind in PICTURES else "文件")
    return f"{stem}.{kind}"

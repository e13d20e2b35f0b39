"""What do people hand in? A report of some length, a photo of a page, a Word file."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from tests.people import Chat, House

WORDS = "这个月我参加了两次主题党日和一次党课，在车间里跟着师傅学新设备，也看到党员带头值夜班，我也要学着多做一些。"
"""A report that is long enough."""


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PHOTO = b"".join(
    (
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        _chunk(b"IDAT", zlib.compress(b"\0\xff\xff\xff")),
        _chunk(b"IEND", b""),
    )
)
"""A PNG of one pixel."""
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def word_file(text: str = "汇报正文", macros: bool = False) -> bytes:
    """A Word file as far as anybody looks into it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as parts:
        parts.writestr("[Content_Types].xml", "<Types/>")
        parts.writestr("word/document.xml", f"<w:document><w:p><w:t>{text}</w:t></w:p></w:document>")
        if macros:
            parts.writestr("word/vbaProject.bin", b"x")
    return out.getvalue()


def hand_in(house: House, name: str, text: str = WORDS, channel: str = "telegram") -> Chat:
    """Somebody hands in a thought report, on some channel."""
    chat = house.chat(name, channel)
    chat.say("思想汇报")
    if "再交一版" in chat.labels:
        chat.tap("再交一版")
    chat.say(text)
    chat.say("完")
    assert "收到您" in chat.text, chat.text
    return chat

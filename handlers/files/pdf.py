"""pdf: what do the first pages of a PDF say?

Enough to find a mark of secrecy on a page that was written by a program: text that its fonts map to Unicode, or that
is encoded in one of the Chinese ways. A scan, a photo and an encrypted file say nothing.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.core.kinds import tamed

MAPS, PAGES = 1 << 21, 1 << 18
"""Bytes of font maps and of page contents that are looked at; a mark stands at the top of the first page."""
OBJECTS = 20_000
"""Objects that are looked at."""
SIGN = 64
"""Bytes of what one code stands for that are read: a ligature has a few signs, and a bomb a million."""
SIGNS = 1 << 16
"""Signs of a font that are looked at."""
READINGS = 4
"""Readings of a page where several fonts have one name."""
_STREAM = re.compile(rb"stream\r?\n")
_NUMBERED = re.compile(rb"(?<!\d)(\d{1,9})\s+\d{1,5}\s+$")
_FONT = re.compile(rb"/([^\s/<>\[\]()]{1,40})\s+(\d{1,9})\s+\d{1,5}\s+R")
_TO_UNICODE = re.compile(rb"/ToUnicode\s+(\d{1,9})\s+\d{1,5}\s+R")
_ENCODING = re.compile(rb"/Encoding\s*/([A-Za-z0-9-]{1,40})")
_TOKEN = re.compile(
    rb"/(?P<font>[^\s/<>\[\]()]{1,40})\s+[-\d.]+\s+Tf\b"
    rb"|<(?P<hex>[0-9A-Fa-f\s]*)>"
    rb"|\((?P<literal>(?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*)\)"
    rb"|(?P<number>[-+]?\d*\.?\d+)"
    rb"|(?P<operator>Td|TD|Tm|T\*|['\"]|BT|ET|cm|Q)",
    re.DOTALL,
)
_PAIR = re.compile(rb"<([0-9A-Fa-f\s]+)>\s*<([0-9A-Fa-f\s]+)>")
_RANGE = re.compile(rb"<([0-9A-Fa-f\s]+)>\s*<([0-9A-Fa-f\s]+)>\s*(?:<([0-9A-Fa-f\s]+)>|\[([^\[\]]*)\])")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@dataclass(slots=True)
class _Font:
    """How codes become signs: by a map, or by a codec."""

    wide: bool = True
    signs: dict[int, str] = field(default_factory=dict)
    codec: str = ""

    def read(self, codes: bytes) -> str:
        if self.codec:
            return codes.decode(self.codec, "ignore")
        step = 2 if self.wide else 1
        numbers = (int.from_bytes(codes[at : at + step]) for at in range(0, len(codes) - step + 1, step))
        return "".join(self.signs.get(number, "") for number in numbers)


_PLAIN = _Font(codec="latin-1")


def words_of(content: bytes) -> str:
    """What the pages say, a line a line, as far as one can tell; empty where nothing can be read."""
    if b"/Encrypt" in content:
        return ""
    found = dict(_objects(content))
    fonts = _fonts(found)
    left, lines = PAGES, []
    for _, body in found.values():
        if body and left > 0 and b"BT" in body and b"ET" in body:
            lines.append(_page(body[:left], fonts))
            left -= len(body)
    return unicodedata.normalize("NFKC", tamed("\n".join(lines)))  # fonts like to call 支 by its radical


def _objects(content: bytes) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """(number, (what describes it, its stream)) of each object, in the order of the file."""
    heads, left = list(_heads(content)), MAPS + PAGES
    for place, (number, start) in enumerate(heads):
        end = heads[place + 1][1] if place + 1 < len(heads) else len(content)
        stream = _STREAM.search(content, start, min(end, start + 4096))
        if stream is None:
            yield number, (content[start : min(end, start + 65536)], b"")
            continue
        about = content[start : stream.start()]
        if left <= 0 or b"/Image" in about or b"/FontFile" in about or b"/Length1" in about:
            continue
        body = content[stream.end() : end]
        if b"FlateDecode" in about:
            body = _inflate(body, left)
        left -= len(body)
        yield number, (about, body)
        if b"/ObjStm" in about:
            yield from _packed(about, body)


def _heads(content: bytes) -> Iterator[tuple[int, int]]:
    """(number, where it begins) of each object. Ten megabytes of a photo are passed over in an instant."""
    at, count = content.find(b"obj"), 0
    while at >= 0 and count < OBJECTS:
        if head := _NUMBERED.search(content[max(0, at - 24) : at]):
            yield int(head[1]), at + 3
            count += 1
        at = content.find(b"obj", at + 3)


def _inflate(body: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(body, most)
    except zlib.error:
        return b""


def _packed(about: bytes, body: bytes) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """The objects that stand within a stream, one behind the other: none is a part of it that another is as well."""
    first = re.search(rb"/First\s+(\d{1,9})", about)
    if first is None:
        return
    start = int(first[1])
    numbers = [int(one) for one in re.findall(rb"\d{1,9}", body[:start])]
    pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
    for place, (number, at) in enumerate(pairs):
        end = start + pairs[place + 1][1] if place + 1 < len(pairs) else len(body)
        if end < start + at:
            return
        yield number, (body[start + at : end], b"")


def _fonts(found: Mapping[int, tuple[bytes, bytes]]) -> dict[bytes, list[_Font]]:
    """The fonts by the names they have on the pages; on another page a name may mean another font."""
    known, maps = dict[int, _Font](), dict[int, _Font]()
    for number, (about, _) in found.items():
        if mapped := _TO_UNICODE.search(about):
            source = int(mapped[1])
            if source not in maps:  # many fonts may name one map
                maps[source] = _mapped(found.get(source, (b"", b""))[1])
            known[number] = maps[source]
        elif encoded := _ENCODING.search(about):
            name = encoded[1].decode()
            codec = "utf-16-be" if "UCS2" in name or "UTF16" in name else "gb18030" if name.startswith("GB") else ""
            if codec:
                known[number] = _Font(codec=codec)
    named: dict[bytes, list[_Font]] = {}
    for about, _ in found.values():
        for name, number in _FONT.findall(about):
            font = known.get(int(number))
            if font and font not in named.setdefault(name, []):
                named[name].append(font)
    return named


def _mapped(cmap: bytes) -> _Font:
    """A font by its ToUnicode map."""
    font, left = _Font(), SIGNS
    for block in _blocks(cmap, b"codespacerange"):
        font.wide = all(len(low) > 2 for low, _ in _PAIR.findall(block))
    for block in _blocks(cmap, b"bfchar"):
        for code, sign in _PAIR.findall(block)[:SIGNS]:
            font.signs[_number(code)] = _sign(sign)
    for block in _blocks(cmap, b"bfrange"):
        for low, high, sign, several in _RANGE.findall(block):
            codes = range(_number(low), min(_number(high), _number(low) + left) + 1)
            left -= len(codes)
            if left < 0:
                return font
            signs = [_sign(one) for one in re.findall(rb"<([0-9A-Fa-f\s]+)>", several)]
            if sign:
                first = _sign(sign)
                signs = (
                    [first[:-1] + chr(min(ord(first[-1]) + n, 0x10FFFF)) for n in range(len(codes))] if first else []
                )
            font.signs |= dict(zip(codes, signs, strict=False))
    return font


def _blocks(cmap: bytes, name: bytes) -> list[bytes]:
    return [block.partition(b"end" + name)[0] for block in cmap.split(b"begin" + name)[1:]]


def _number(code: bytes) -> int:
    return int(b"".join(code.split()) or b"0", 16)


def _sign(code: bytes) -> str:
    digits = b"".join(code[:SIGN].split())
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()).decode("utf-16-be", "ignore")


def _page(body: bytes, fonts: Mapping[bytes, list[_Font]]) -> str:
    """What one page says; where its font is in doubt, each reading on lines of its own."""
    most = max((len(one) for one in fonts.values()), default=1)
    return "\n".join(dict.fromkeys(_reading(body, fonts, place) for place in range(min(most, READINGS))))


def _reading(body: bytes, fonts: Mapping[bytes, list[_Font]], place: int) -> str:
    font, said, numbers, height = _PLAIN, list[str](), list[float](), 0.0
    for token in _TOKEN.finditer(body):
        if name := token["font"]:
            several = fonts.get(name) or [_PLAIN]
            font = several[min(place, len(several) - 1)]
        elif (digits := token["hex"]) is not None:
            digits = b"".join(digits.split())
            said.append(font.read(bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())))
        elif (literal := token["literal"]) is not None:
            said.append(font.read(_ESCAPE.sub(_escaped, literal)))
        elif number := token["number"]:
            numbers = [*numbers[-5:], float(number)]
        else:
            operator = token["operator"]
            lower = bool(numbers) and (numbers[-1] != height if operator == b"Tm" else numbers[-1] != 0)
            if operator == b"Tm" and numbers:
                height = numbers[-1]
            if operator in (b"T*", b"'", b'"', b"cm", b"Q") or (operator in (b"Tm", b"Td", b"TD") and lower):
                said.append("\n")
            numbers = []
    return "".join(said)


def _escaped(found: re.Match[bytes]) -> bytes:
    sign = found[1]
    if sign[:1].isdigit():
        return bytes([int(sign, 8) & 0xFF]) if sign[0] in b"01234567" else sign
    return b"" if sign in (b"\n", b"\r", b"\r\n") else _ESCAPES.get(sign, sign)

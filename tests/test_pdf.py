"""Is a mark of secrecy found in a PDF, and does no PDF, however broken, do any harm?"""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.files import pdf
from handlers.secrecy import refuses
from tests.people import House
from tests.reports import WORDS

Line = tuple[int, str]
"""How high on the page, and what."""
MARKED: list[Line] = [(800, "机密★10年"), (760, "关于某事的通知")]


def written(*objects: bytes) -> bytes:
    """A PDF of these objects, without a table: nobody asks for one here."""
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(objects, 1))
    return b"%PDF-1.5\n" + body + b"trailer\n<<>>\n%%EOF\n"


def stream(body: bytes, about: bytes = b"") -> bytes:
    packed = zlib.compress(body)
    return b"<< %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (about, len(packed), packed)


def page(lines: list[Line], codes: dict[str, int]) -> bytes:
    shown = [
        b"1 0 0 1 72 %d Tm [<%s> -5 <%s>] TJ"
        % (height, _hex(text[:1], codes), _hex(text[1:], codes))
        for height, text in lines
    ]  # fmt: skip
    return b"BT /F1 12 Tf " + b" ".join(shown) + b" ET"


def _hex(text: str, codes: dict[str, int]) -> bytes:
    return "".join(f"{codes[sign]:04X}" for sign in text).encode()


def embedded(lines: list[Line], *, objects_packed: bool = False) -> bytes:
    """As programs write it: the font's own codes, and a map from them to Unicode."""
    signs = sorted({sign for _, text in lines for sign in text})
    codes = {sign: 3 + place for place, sign in enumerate(signs)}
    pairs = b"\n".join(b"<%04X> <%s>" % (codes[s], s.encode("utf-16-be").hex().encode()) for s in signs[1:])
    ranged = b"<%04X> <%04X> <%s>" % (3, 3, signs[0].encode("utf-16-be").hex().encode())
    cmap = (
        b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        b"9 beginbfchar\n%s\nendbfchar\n1 beginbfrange\n%s\nendbfrange" % (pairs, ranged)
    )
    font, resources = b"<< /Type /Font /ToUnicode 1 0 R >>", b"<< /Font << /F1 3 0 R >> >>"
    if objects_packed:
        inside = b"3 0 4 %d " % (len(font) + 1)
        about = b"/Type /ObjStm /N 2 /First %d" % len(inside)
        packed = stream(inside + font + b" " + resources, about)
        return written(stream(cmap), stream(page(lines, codes)), b"<<>>").replace(
            b"3 0 obj\n<<>>", b"9 0 obj\n" + packed
        )
    return written(stream(cmap), stream(page(lines, codes)), font, resources)


def encoded(lines: list[Line], name: bytes, codec: str) -> bytes:
    """As older programs write it: in a Chinese encoding that the font names."""
    shown = b" ".join(b"1 0 0 1 72 %d Tm (%s) Tj" % (height, _escaped(text, codec)) for height, text in lines)
    font = b"<< /Type /Font /Encoding /%s >>" % name
    return written(stream(b"BT /F1 12 Tf " + shown + b" ET"), font, b"<< /Font << /F1 2 0 R >> >>")


def _escaped(text: str, codec: str) -> bytes:
    return b"".join(b"\\%03o" % byte for byte in text.encode(codec))


@pytest.mark.parametrize(
    "content",
    [
        embedded(MARKED),
        embedded(MARKED, objects_packed=True),
        encoded(MARKED, b"UniGB-UCS2-H", "utf-16-be"),
        encoded(MARKED, b"GBK-EUC-H", "gb18030"),
    ],
    ids=["mapped", "in an object stream", "UCS-2", "GBK"],
)
def test_a_mark_is_read_however_the_page_is_written(content: bytes) -> None:
    assert pdf.words_of(content).strip() == "机密★10年\n关于某事的通知"
    assert refuses(pdf.words_of(content)) == "机密"


def test_what_stands_on_one_line_stays_on_it() -> None:
    """Each bold word is set apart, and “机密” within a sentence is no mark."""
    content = embedded([(800, "学习"), (800, "机密"), (800, "管理"), (780, "一课")])
    assert pdf.words_of(content).strip() == "学习机密管理\n一课"
    assert refuses(pdf.words_of(content)) == ""


def test_a_scan_and_an_encrypted_file_say_nothing() -> None:
    assert pdf.words_of(written(b"<< /Subtype /Image >>\nstream\nBT ET\nendstream")) == ""
    assert pdf.words_of(embedded(MARKED) + b"<< /Encrypt 1 0 R >>") == ""


def test_a_bomb_is_not_unpacked() -> None:
    assert len(pdf.words_of(written(stream(b"BT (a) Tj ET " + b"(b) Tj " * 2_000_000)))) < pdf.PAGES


WHOLE = embedded(MARKED)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(WHOLE)), st.binary(max_size=20), st.integers(0, 40))
def test_a_broken_pdf_says_less_and_breaks_nothing(place: int, put: bytes, gone: int) -> None:
    assert isinstance(pdf.words_of(WHOLE[:place] + put + WHOLE[place + gone :]), str)


def test_a_marked_pdf_is_refused_and_the_report_goes_on(house: House) -> None:
    """Only Word files were looked into: a marked PDF went out to everybody."""
    chen = house.chat("陈晓")
    chen.say("思想汇报")
    chen.say(WORDS)
    assert "密级标记“机密”" in chen.hand("材料.pdf", embedded(MARKED))
    assert "1个文件" in chen.hand("材料.pdf", embedded([(800, "汇报正文")]))
    assert "53字、1个文件" in chen.say("完")

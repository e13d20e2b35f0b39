"""Does what is made to keep the house busy, or to fill its memory, get its answer like everything else?

Whoever is answered stands in a line with everybody, so one message that takes minutes silences the house. No clock is
looked at: what each of these did before was to go on for minutes, for hours, or until the memory was full.
"""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest

from bot.core.kinds import clean
from handlers import secrecy
from handlers.files import pdf
from handlers.files.kinds import words_of
from handlers.quizzes import asking, gift, typed
from handlers.quizzes.rules import Text
from tests import quizzes
from tests.people import House

MANY = 20_000
SAID = {
    "a frame that is not closed": "【机密" + " " * MANY + "x",
    "a level that is not named": "密级" + " " * MANY + "x",
    "a mark that is not alone": "机密" + " " * MANY + "x",
    "spaces": "x" + " " * MANY + "x",
    "marks upon marks": "a" + "\u0301\u0316" * MANY,
    "many frames": "【机密 " * (MANY // 4) + "x",
}


@pytest.mark.parametrize("text", SAID.values(), ids=SAID.keys())
def test_what_a_stranger_says_is_looked_through_for_marks_at_once(house: House, text: str) -> None:
    assert secrecy.refuses(text) == ""
    assert "绑定码" in house.chat("周").say(text)


@pytest.mark.parametrize(
    ("text", "mark"),
    [("【 机密】", "机密"), ("（内部资料 ， 注意保存 ）", "内部资料"), ("密 级 ： 内部", "内部"),
     ("\n　机 密　，不得外传。 \n", "机密"), ("绝密 ☆ 三年", "绝密")],
)  # fmt: skip
def test_marks_with_spaces_are_still_found(text: str, mark: str) -> None:
    assert secrecy.refuses(text) == mark


def test_arrows_without_an_end_are_no_pairs(house: House) -> None:
    """Each arrow could be read in two ways, and sixty of them in 2 to the power of 60."""
    exam = quizzes.open_exam(house)
    pairs = next(
        slot for slot in quizzes.slots(house, exam, "王芳") if slot.question.__class__.__name__ == "Matching"
    )
    assert typed.read(pairs, "1" + "->" * 60 + "!") is None
    assert typed.read(pairs, "1->a 2 => b") == typed.read(pairs, "1-a, 2:b")
    assert typed.read(pairs, "1->a 2 => b") is not None


def _docx(xml: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("word/document.xml", xml)
    return out.getvalue()


@pytest.mark.parametrize("tag", ["<", "<w:br ", "</w:p"])
def test_a_word_file_of_tags_that_never_end_is_read(tag: str) -> None:
    assert secrecy.refuses(words_of(_docx(tag * (1_000_000 // len(tag)) + "><w:t>机密★</w:t>"))) in ("", "机密")


def _stream(number: int, about: bytes, body: bytes) -> bytes:
    packed = zlib.compress(body)
    return b"%d 0 obj\n<<%s/Filter/FlateDecode>>\nstream\n%s\nendstream\nendobj\n" % (number, about, packed)


def test_a_pdf_whose_objects_all_hold_the_same_megabyte_is_read() -> None:
    """Twenty thousand times a megabyte is more memory than the machine has; the file itself has fifty kilobytes."""
    numbers = b"".join(b"%d %d " % (number, 0 if number % 2 else 9_999_999) for number in range(10, 20_010))
    held = dict(
        pdf._objects(b"%PDF-1.4\n" + _stream(5, b"/ObjStm/First %d" % len(numbers), numbers + b"x" * 1_000_000))
    )
    assert sum(len(about) for number, (about, _) in held.items() if number != 5) <= 2_000_000


def test_a_pdf_whose_fonts_all_have_one_map_is_read() -> None:
    one = b"beginbfchar " + b"".join(b"<%04x><4e00>" % code for code in range(60_000)) + b"endbfchar"
    fonts = b"".join(b"%d 0 obj\n<</ToUnicode 5 0 R>>\nendobj\n" % number for number in range(10, 2_000))
    assert pdf.words_of(b"%PDF-1.4\n" + _stream(5, b"", one) + fonts) == ""


def test_a_pdf_whose_map_never_ends_is_read() -> None:
    font = b"1 0 obj\n<</ToUnicode 5 0 R>>\nendobj\n"
    assert pdf.words_of(b"%PDF-1.4\n" + _stream(5, b"", b"beginbfrange " + b"<a><a>[" * 140_000) + font) == ""


BANKS = {
    "questions without end": "a\n\n" * 30_000,
    "braces that are never closed": "a{\n\n" * 20_000,
    "wide braces that are never closed": "｛" * 200_000,
}


@pytest.mark.parametrize("text", BANKS.values(), ids=BANKS.keys())
def test_a_bank_made_to_keep_us_busy_is_read(text: str) -> None:
    found = gift.read(text)
    assert len(found.questions) + len(found.problems) >= 1


@pytest.mark.parametrize("tag", ["<img ", "<a", "</p ", "<img alt='"])
def test_a_question_of_tags_that_never_end_is_shown(tag: str) -> None:
    text = tag * (300_000 // len(tag))
    assert asking.plain(Text(text, "html")) == text.strip()


def test_a_question_in_html_is_shown_as_before() -> None:
    shown = '<p>看<b>图</b>：<IMG src="a.png" alt="党旗"><img src="b.png"></p>答<br/>1 &lt; 2'
    assert asking.plain(Text(shown, "html")) == "看图：[党旗][…]\n答\n1 < 2"


def test_a_pdf_whose_sign_is_a_megabyte_is_read() -> None:
    one = b"beginbfchar <0001><" + b"0301" * 400_000 + b"> endbfchar"
    fonts = b"1 0 obj\n<</ToUnicode 5 0 R>>\nendobj\n2 0 obj\n<</F1 1 0 R>>\nendobj\n"
    page = _stream(6, b"", b"BT /F1 1 Tf <" + b"0001" * 50_000 + b"> Tj ET")
    assert len(pdf.words_of(b"%PDF-1.4\n" + _stream(5, b"", one) + fonts + page)) <= 30


def test_letters_with_marks_are_kept() -> None:
    assert clean("Nguye\u0302\u0303n") == "Nguyễn"
    assert clean("\u0928\u093f" * 100) == "\u0928\u093f" * 100


@pytest.mark.parametrize("command", ["名册", "入党申请"])
def test_nobody_is_called_by_sixty_thousand_letters(house: House, command: str) -> None:
    said = house.chat("赵书记").say(f"{command} {'很' * 60_000}")
    assert "出错了" not in said
    assert "王芳" not in said

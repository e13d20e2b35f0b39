"""Is what 王芳 types read as the money she means?"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.dues.amounts import LARGEST_FEN, NotAnAmount, read_amount
from handlers.dues.explain import yuan

slow = settings(deadline=None, max_examples=300)
amounts = st.integers(0, LARGEST_FEN)


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("1万", 1_000_000), ("1.2万", 1_200_000), ("１．２ 万元", 1_200_000), ("5k", 500_000),
        ("1.5w", 1_500_000),
        ("3,000元", 300_000), ("３０００", 300_000), ("３，０００．５０", 300_050), ("12,345.6", 1_234_560),
        ("￥3000.50", 300_050), ("¥ 3000", 300_000), ("3000 yuan", 300_000), ("RMB 3000", 300_000),
        ("人民币三千五百元整", 350_000), ("3000块钱", 300_000), ("0", 0), ("0.2元", 20),
        ("三千五", 350_000), ("八千五", 850_000), ("三千五百", 350_000), ("三千零五十", 305_000),
        ("三千零五", 300_500), ("一百二", 12_000), ("十五", 1_500), ("两万三", 2_300_000),
        ("十二万三千", 12_300_000),
        ("一万零五", 1_000_500), ("一万五", 1_500_000), ("一万零五百", 1_050_000), ("壹万贰仟", 1_200_000),
        ("三五〇〇", 350_000), ("三千点五", 300_050), ("一点二万", 1_200_000), ("零", 0),
        ("1万2", 1_200_000), ("1万2千", 1_200_000), ("1万500", 1_050_000), ("1万零5", 1_000_500),
        ("3千5", 350_000),
        ("2角", 20), ("五毛", 50), ("5毛钱", 50), ("2分", 2), ("8块5", 850),
        ("三元五角二分", 352), ("3元零5分", 305),
    ],
)  # fmt: skip
def test_money_as_people_write_it(typed: str, fen: int) -> None:
    assert read_amount(typed) == fen
    assert read_amount(f"  {typed}\n") == fen


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "empty"), (" 　\n", "empty"),
        ("-5", "negative"), ("负三千", "negative"), ("¥-5", "negative"), ("−３０００元", "negative"),
        ("3.001", "too_many_decimals"), ("3.000", "too_many_decimals"), ("1.2345678万", "too_many_decimals"),
        ("10000000.01", "too_large"), ("十亿", "too_large"), ("9" * 60, "too_large"),
        ("9" * 5000, "too_large"),
        ("abc", "not_a_number"), ("-abc", "not_a_number"), ("元", "not_a_number"), ("3 000", "not_a_number"),
        ("3,00", "not_a_number"), ("1,2万", "not_a_number"), ("1e5", "not_a_number"), ("NaN", "not_a_number"),
        ("+5", "not_a_number"), ("½", "not_a_number"), ("10²", "not_a_number"), ("٣٠٠٠", "not_a_number"),
        ("五千多", "not_a_number"), ("3000到4000", "not_a_number"), ("三千零", "not_a_number"),
        ("千", "not_a_number"), ("一百千", "not_a_number"), ("三千五万", "not_a_number"),
        ("三千零万", "not_a_number"),
        ("三千五六", "not_a_number"), ("3.5块5", "not_a_number"), ("1万12000", "not_a_number"),
        ("三千元五百", "not_a_number"), ("我这个月发了" * 20, "not_a_number"),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_said_to_be_so_and_not_repeated(typed: str, reason: str) -> None:
    with pytest.raises(NotAnAmount) as found:
        read_amount(typed)
    assert found.value.reason == str(found.value) == reason


@slow
@given(st.text() | st.text("0123456789.,万千百十零一二两五元角分块-负 ¥点整kw", max_size=12))
def test_no_text_does_anything_but_read_or_say_no(typed: str) -> None:
    try:
        fen = read_amount(typed)
    except NotAnAmount:
        return
    assert 0 <= fen <= LARGEST_FEN


@slow
@given(amounts, st.booleans(), st.booleans(), st.sampled_from(["{}", "{}元", "¥{}", " {} yuan", "人民币{}元整"]))
def test_an_amount_that_was_written_is_read_back(fen: int, grouped: bool, wide: bool, frame: str) -> None:
    written = f"{fen // 100:,}.{fen % 100:02d}" if grouped else yuan(fen)
    typed = frame.format(written)
    if wide:
        typed = "".join(chr(ord(each) + 0xFEE0) if each in "0123456789.," else each for each in typed)
    assert read_amount(typed) == fen


def chinese(number: int) -> str:
    """A second opinion on Chinese numerals below a hundred million: 10500 is 一万零五百."""
    if number >= 10_000:
        rest = number % 10_000
        return chinese(number // 10_000) + "万" + ("零" if 0 < rest < 1000 else "") + (chinese(rest) if rest else "")
    written = "".join(
        "零" if digit == "0" else "零一二三四五六七八九"[int(digit)] + unit
        for digit, unit in zip(f"{number:04d}", ("千", "百", "十", ""), strict=True)
    ).strip("零")
    while "零零" in written:
        written = written.replace("零零", "零")
    return written or "零"


@slow
@given(st.integers(0, LARGEST_FEN // 100))
def test_a_chinese_numeral_is_read_back(number: int) -> None:
    assert read_amount(chinese(number) + "元") == number * 100


@slow
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([("百", 100), ("千", 1000), ("万", 10_000)]))
def test_a_bare_last_digit_belongs_to_the_next_lower_unit(first: int, last: int, unit: tuple[str, int]) -> None:
    name, size = unit
    fen = (first * size + last * size // 10) * 100
    numerals = "零一二三四五六七八九"
    assert read_amount(f"{numerals[first]}{name}{numerals[last]}") == fen
    assert read_amount(f"{first}{name}{last}") == fen

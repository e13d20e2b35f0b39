"""Does a button carry its value there and back, in 64 bytes, and nothing else?"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import action
from bot.core.action import LIMIT, Action, BadPayload, Code, decode
from bot.core.router import Run
from handlers.voting.chat import Cast
from handlers.voting.secretary import Close

CODES = st.text("ABCXYZabcxyz0123456789_-", max_size=16).map(Code)
NUMBERS = st.integers(0, 2**63 - 1)
ACTIONS = st.one_of(
    st.builds(Cast, NUMBERS, CODES),
    st.builds(Close, NUMBERS, st.booleans()),
    st.builds(Run, CODES),
)


@pytest.fixture
def tags() -> Iterator[None]:
    """A register of tags for one test alone: what it makes is forgotten afterwards."""
    kept = dict(action._TAGS)
    yield
    action._TAGS.clear()
    action._TAGS.update(kept)


@given(ACTIONS)
def test_what_a_button_carries_comes_back_as_it_was(pressed: Action) -> None:
    back = decode(pressed.encode())
    assert back == pressed
    assert [type(value) for value in vars(back).values()] == [type(value) for value in vars(pressed).values()]


@given(ACTIONS)
def test_a_payload_fits_the_narrowest_channel(pressed: Action) -> None:
    assert len(pressed.encode().encode()) <= LIMIT == 64


@given(ACTIONS)
def test_a_payload_is_written_in_one_way_only(pressed: Action) -> None:
    assert decode(pressed.encode()).encode() == pressed.encode()
    assert re.fullmatch(r"[A-Za-z0-9_:-]+", pressed.encode())


PARTS = st.sampled_from(
    ["v", "vc", "c", "f", "0", "1", "2", "00", "-1", "zz", "3w5e11264sgsf", "3w5e11264sgsg", "ä", ""]
)


@given(st.one_of(st.text(max_size=80), st.lists(PARTS, max_size=6).map(":".join), st.text("vcf:01z", max_size=70)))
def test_whatever_is_forged_is_an_action_or_a_bad_payload(payload: str) -> None:
    try:
        pressed = decode(payload)
    except BadPayload:
        return
    assert pressed.encode() == payload


@pytest.mark.parametrize(
    "payload",
    [
        "", ":", "v", "v:", "v:1", "v:1:abc:2", "nobody:1", "V:1:abc", "v:-1:abc", "v:01:abc", "v:1 :abc",
        "v:1:王芳", "v:1:aaaaaaaaaaaaaaaaa", "v:3w5e11264sgsg:abc", "vc:1:2", "vc:1:", "v:1:abc\n", "\ud800:1",
        "v:" + "1" * 70, "v:１:abc",
    ],
)  # fmt: skip
def test_a_damaged_payload_is_told_apart(payload: str) -> None:
    with pytest.raises(BadPayload):
        decode(payload)


@pytest.mark.parametrize("poll", [-1, 2**63])
def test_a_number_beyond_the_widest_cannot_be_written(poll: int) -> None:
    with pytest.raises(ValueError, match="between 0 and"):
        Cast(poll, Code("abc")).encode()


@pytest.mark.parametrize("text", ["a b", "王芳", "a:b", "a" * 17, "a\n", "ａ"])
def test_a_code_that_would_not_fit_a_button_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most 16"):
        Code(text)


def test_a_button_cannot_be_changed_after_it_was_made() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Cast(1, Code("abc")).poll = 2  # type: ignore[misc]  # that is what is tried


@pytest.mark.usefixtures("tags")
def test_a_class_that_may_grow_too_wide_fails_when_it_is_made() -> None:
    class Wide(Action, tag="zw"):
        one: Code
        two: Code
        three: Code
        four: bool

    assert len(Wide(Code("a" * 16), Code("b" * 16), Code("c" * 16), four=True).encode()) == 55
    with pytest.raises(TypeError, match="the widest payload has 67 bytes, 64 is the limit"):

        class Wider(Action, tag="zx"):
            one: Code
            two: Code
            three: Code
            four: int

    with pytest.raises(BadPayload):
        decode("zx:a:b:c:1")


@pytest.mark.usefixtures("tags")
def test_a_tag_used_twice_fails_when_the_class_is_made() -> None:
    class First(Action, tag="zt"):
        poll: int

    with pytest.raises(TypeError, match="the tag 'zt' belongs to First"):

        class Second(Action, tag="zt"):
            poll: int

    assert decode("zt:1") == First(1)


@pytest.mark.usefixtures("tags")
def test_a_button_carries_no_words() -> None:
    with pytest.raises(TypeError, match=r"Worded\.text: a button carries int, bool or Code only"):

        class Worded(Action, tag="zs"):
            text: str


@pytest.mark.usefixtures("tags")
@pytest.mark.parametrize("tag", ["", "V", "vote", "v1", "投", "v:"])
def test_a_tag_is_one_to_three_small_letters(tag: str) -> None:
    with pytest.raises(TypeError, match="one to three small letters"):

        class Odd(Action, tag=tag):
            poll: int


def test_every_button_of_the_house_fits_at_its_widest() -> None:
    import bot.app

    assert bot.app.capabilities()
    widest = {tag: len(tag) + sum(1 + field.width for _, field in kind._fields) for tag, kind in action._TAGS.items()}
    assert len(widest) >= 10
    assert {tag: width for tag, width in widest.items() if width > LIMIT} == {}

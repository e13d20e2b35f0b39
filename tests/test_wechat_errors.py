"""Every errcode of WeChat's that we know of: what is done about it, and does the sending count?"""

from __future__ import annotations

import pytest

from bot.adapters.wechat_errors import Then, judged

# What WeChat's documentation says of each, as of November 2026: what follows, and whether it was surely not sent.
KNOWN: dict[int, tuple[Then, bool]] = {
    40001: (Then.STOP, True), 40014: (Then.STOP, True), 42001: (Then.STOP, True),
    40013: (Then.STOP, True), 40125: (Then.STOP, True), 40164: (Then.STOP, True),
    48004: (Then.STOP, True), 50002: (Then.STOP, True),
    40003: (Then.DEAD, False), 43004: (Then.DEAD, False), 50005: (Then.DEAD, False),
    43019: (Then.DEAD, False), 48002: (Then.DEAD, False),
    45015: (Then.CLOSED, False), 45047: (Then.CLOSED, False), 43101: (Then.NO_CREDIT, False),
    45009: (Then.SPENT, True), 45028: (Then.SPENT, True),
    48001: (Then.NOT_GRANTED, True), 48008: (Then.NOT_GRANTED, True), 40200: (Then.NO_MENU, True),
    45065: (Then.SENT, False), 45011: (Then.WAIT, True), -1: (Then.WAIT, True),
    45002: (Then.WRONG, True), 44004: (Then.WRONG, True), 40037: (Then.WRONG, True), 47003: (Then.WRONG, True),
}  # fmt: skip


@pytest.mark.parametrize("code", KNOWN)
def test_each_refusal_has_its_consequence(code: int) -> None:
    verdict = judged(code, left=True)
    assert (verdict.then, verdict.free) == KNOWN[code]
    assert (verdict.rest > 0) is (verdict.then in (Then.STOP, Then.WAIT)), "only the whole channel rests"


def test_whoever_looks_finds_the_number_or_the_cause() -> None:
    """A copy that went another way names its reason; a number that nobody explains would be looked up."""
    for code, (then, _) in KNOWN.items():
        reason = judged(code, left=True).reason
        assert str(code) in reason or then in (Then.STOP, Then.DEAD, Then.SENT, Then.WAIT)


def test_silence_is_no_refusal_and_a_number_that_nobody_knows_is_ours_to_look_at() -> None:
    assert judged(None, left=True).then is Then.UNKNOWN
    assert judged(None, left=False).then is Then.WAIT
    assert judged(99999, left=False).then is Then.WRONG

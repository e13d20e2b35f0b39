"""Does every conversation read as written, where there is nothing but text?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.people import House
from tests.scenes import PREPARE
from tests.seats import TextStage
from tests.transcript import FOLDER, play, read

FILES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_transcript_plays_on_plain_text(house: House, file: Path) -> None:
    await play(file, TextStage(house), PREPARE)


async def test_a_transcript_that_is_not_answered_as_written_fails(house: House, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("王芳 > 投票\n< 有一个投票在等您。\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="眼下没有等您投的票"):
        await play(wrong, TextStage(house), PREPARE)


def test_a_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    odd = tmp_path / "odd.txt"
    odd.write_text("王芳 > 投票\n王芳说\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"odd\.txt:2"):
        read(odd)

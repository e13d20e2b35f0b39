"""Does every conversation read as written – in plain text, on the web chat, on Telegram?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.people import House
from tests.scenes import PREPARE
from tests.seats import TextStage
from tests.stages import telegram_stage, web_stage
from tests.transcript import FOLDER, play, read

FILES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_transcript_plays_on_plain_text(house: House, file: Path) -> None:
    await play(file, TextStage(house), PREPARE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_transcript_plays_on_the_web_chat(tmp_path: Path, file: Path) -> None:
    async with web_stage(tmp_path) as stage:
        await play(file, stage, PREPARE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_transcript_plays_on_telegram(tmp_path: Path, file: Path) -> None:
    async with telegram_stage(tmp_path) as stage:
        await play(file, stage, PREPARE)


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

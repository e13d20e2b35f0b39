"""Does every conversation read as written by mail, going on in the web chat where a mail may not act?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes import PREPARE
from tests.stages_email import email_stage
from tests.transcript import FOLDER, play

FILES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_transcript_plays_by_mail(tmp_path: Path, file: Path) -> None:
    async with email_stage(tmp_path) as stage:
        await play(file, stage, PREPARE)

"""Does every conversation read as written on WeCom – with cards to tap, and with numbers alone?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes import PREPARE
from tests.stages_wecom import wecom_stage
from tests.transcript import FOLDER, play

FILES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("cards", ["true", "false"], ids=["cards", "numbers"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_transcript_plays_on_wecom(tmp_path: Path, file: Path, cards: str) -> None:
    async with wecom_stage(tmp_path, cards=cards) as stage:
        await play(file, stage, PREPARE)

"""Does every conversation read as written on WeChat – with links to tap, and with numbers alone?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes import PREPARE
from tests.stages_wechat import wechat_stage
from tests.transcript import FOLDER, play

FILES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("links", ["true", "false"], ids=["links", "numbers"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_transcript_plays_on_wechat(tmp_path: Path, file: Path, links: str) -> None:
    async with wechat_stage(tmp_path, text_links=links) as stage:
        await play(file, stage, PREPARE)

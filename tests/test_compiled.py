"""Are the compiled templates found again, and never taken for what they no longer are?"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.core.reply import Words
from bot.render import TEMPLATES, Renderer

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two rooms of one saying each, in both languages; what Python may write is kept."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for room, saying in {"home": "您好。", "dues": "{{ 4500|yuan }} 元"}.items():
        (tmp_path / room).mkdir()
        for language in ("zh", "en"):
            (tmp_path / room / f"{language}.j2").write_text(f"{{% block hello %}}{saying}{{% endblock %}}")
    shutil.copytree(TEMPLATES / "locale", tmp_path / "locale")
    return tmp_path


def _says(folder: Path, name: str) -> str:
    return Renderer(ZONE, folder).say(Words(name), "zh")


def _kept(folder: Path) -> set[Path]:
    return set((folder / "__pycache__").glob("*"))


def test_what_was_compiled_is_found_at_the_next_start(folder: Path) -> None:
    assert _says(folder, "dues.hello") == "45.00 元"
    kept = _kept(folder)
    stamps = {file: file.stat().st_ino for file in kept}
    assert len(kept) == 4

    assert _says(folder, "dues.hello") == "45.00 元"
    assert {file: file.stat().st_ino for file in _kept(folder)} == stamps, "compiled a second time"


def test_a_template_that_has_changed_is_compiled_again(folder: Path) -> None:
    assert _says(folder, "home.hello") == "您好。"
    (folder / "home" / "zh.j2").write_text("{% block hello %}早上好。{% endblock %}")
    assert _says(folder, "home.hello") == "早上好。"


@pytest.mark.parametrize("end", [0, 5, 20, 60, 200, -1])
def test_what_was_cut_off_in_writing_is_compiled_again(folder: Path, end: int) -> None:
    _says(folder, "home.hello")
    for file in _kept(folder):
        file.write_bytes(file.read_bytes()[:end])
    assert _says(folder, "home.hello") == "您好。"


def test_where_nothing_can_be_written_nothing_is_kept(folder: Path) -> None:
    (folder / "__pycache__").write_text("in the way, as a folder that one may not write to")
    assert _says(folder, "home.hello") == "您好。"


def test_who_wants_no_compiled_files_gets_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert _says(folder, "home.hello") == "您好。"
    assert _kept(folder) == set()

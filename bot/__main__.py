"""How is Tiexin started from its checkout? With `python -m bot`."""

from __future__ import annotations

from bot.cli.main import app

app(prog_name="tiexin")

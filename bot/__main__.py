"""How is Tiexin started from its checkout? With `python -m bot`."""

from __future__ import annotations

import gc

# What is loaded at a start is no garbage: to look through it again and again takes an eighth of the start.
gc.set_threshold(50_000)

from bot.cli.main import app  # noqa: E402

app(prog_name="tiexin")

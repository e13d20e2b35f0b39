"""The channels: one module each, and none knows another."""

from __future__ import annotations

import os

# python-telegram-bot reads this whenever a time is asked of it: a timedelta now, instead of a warning and an int.
os.environ["PTB_TIMEDELTA"] = "1"

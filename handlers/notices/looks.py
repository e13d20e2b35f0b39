"""looks: how will a notice look on each channel it goes out on?"""

from __future__ import annotations

from bot.core.reply import Words, words
from storage.house import Tx
from storage.reach import Plan

# What the platforms show, as of 22 November 2026.
WECHAT_TITLE = 20
"""Characters of a field of WeChat's template; more is cut off by WeChat, which tells nobody."""
WECOM_TITLE = 36
"""Characters of a card's title that a phone shows."""
PARTS = {"telegram": 4096, "wechat": 660, "wecom": 680}
"""Characters of a message: of Telegram's in all, of the others about, in Chinese (2,000 and 2,048 bytes)."""


def looks(tx: Tx, plan: Plan, title: str, body: str, *, ask: bool, files: int) -> list[Words]:
    """A line for each channel that the plan uses, in the order of the house."""
    return [
        words(
            f"notices.look_{'neutral' if _says_only_that(tx, channel) else channel}",
            channel=words(f"binding.channel_{channel}"),
            title=_cut(channel, title),
            cut=_cut(channel, title) != title,
            parts=-(-len(title + body) // PARTS.get(channel, 10**6)),
            ask=ask,
            files=files,
        )
        for channel in tx.house.order
        if channel in plan.channels
    ]


def _cut(channel: str, title: str) -> str:
    most = {"wechat": WECHAT_TITLE, "wecom": WECOM_TITLE}.get(channel, len(title))
    return title if len(title) <= most else title[:most]


def _says_only_that(tx: Tx, channel: str) -> bool:
    """Whether the organisation's policy lets only the news through that there is a notice, with a link."""
    return tx.house.policy == "strict" and channel == "telegram"

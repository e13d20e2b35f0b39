"""What does a page of slips look like?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from itertools import groupby
from urllib.parse import quote

import segno

from bot.cli.door import Door
from bot.core.reply import Words, words

STYLE = """
body { font: 11pt/1.5 "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; margin: 0; color: #111 }
h2 { font-size: 13pt; margin: 6mm 0 2mm } section { break-after: page } section:last-child { break-after: auto }
.slips { display: grid; grid-template-columns: 1fr 1fr; gap: 0 }
.slip { border: .3mm dashed #888; padding: 4mm; break-inside: avoid; display: flex; gap: 4mm; min-height: 42mm }
.slip svg { width: 30mm; height: 30mm; flex: none } .who { font-weight: 600; font-size: 13pt }
.code { font: 600 16pt/1.6 ui-monospace, "DejaVu Sans Mono", monospace; letter-spacing: .06em }
p { margin: 0 0 1mm } small { color: #444; font-size: 9pt } @page { size: A4; margin: 12mm }
"""


@dataclass(frozen=True, slots=True)
class Slip:
    """One person's slip."""

    name: str
    number: str
    org: str
    code: str = field(repr=False)


def page(here: Door, slips: Sequence[Slip], until: datetime, telegram: str) -> str:
    """The slips by organisation, ready to be printed and cut; nothing is loaded from anywhere."""
    house = here.app.house
    chat = f"{house.public_url}/chat" if here.config.server.public_url else ""

    def say(said: Words) -> str:
        return "".join(f"<p>{escape(line)}</p>" for line in here.say(said).split("\n") if line)

    def one(slip: Slip) -> str:
        # Telegram's own way to hand a code over; the web chat's address carries none.
        link = f"https://t.me/{quote(telegram)}?start={slip.code.replace('-', '')}" if telegram else chat
        drawn = segno.make(link, error="m").svg_inline(border=2, omitsize=True) if link else ""
        how = say(words("organisation.slip_how", chat=chat, telegram=telegram, until=until))
        who = f'<p class="who">{escape(slip.name)}</p><p><small>{escape(slip.number)}</small></p>'
        code = f'<p class="code">{escape(slip.code)}</p>'
        return f'<div class="slip">{drawn}<div>{who}{code}<small>{how}</small></div></div>'

    title = escape(here.say(words("organisation.slips", house=house.name)))
    return (
        f'<!doctype html><html lang="{here.language}"><meta charset="utf-8">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{STYLE}</style>{''.join(_sections(slips, one, title))}</html>\n"
    )


def _sections(slips: Iterable[Slip], one: Callable[[Slip], str], title: str) -> Iterable[str]:
    for org, its in groupby(sorted(slips, key=lambda slip: (slip.org, slip.number)), key=lambda slip: slip.org):
        inside = "".join(one(slip) for slip in its)
        yield f'<section><h2>{title} · {escape(org)}</h2><div class="slips">{inside}</div></section>'

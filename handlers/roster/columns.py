"""Which column is this heading, and which value is this word?"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.distance import OSA

SHIPPED = Path(__file__).with_name("columns.toml")
NAMES = (
    "number",
    "name",
    "gender",
    "born",
    "branch",
    "kind",
    "admitted",
    "confirmed",
    "offices",
    "phone",
    "email",
    "dues_category",
    "dues_base",
)
"""The columns a roster can have, by the names the code has for them."""
LISTS = ("kind", "gender", "offices", "dues_category")
"""The columns whose cells hold one of a list of words."""

# All of ASCII has a full-width twin that Chinese input methods write; the wide space has its own place.
HALF = {code + 0xFEE0: code for code in range(0x21, 0x7F)} | {0x3000: 0x20, 0xA0: 0x20}
BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>|{[^{}]*}")
NOISE = re.compile(r"[\s*★☆※:_\-./\\、,;|()\[\]【】〔〕<>{}\"'“”?!\u200b-\u200f\u2060\ufeff]+")
# 党费基数（万元） would be read as yuan and be wrong by four noughts.
LARGE_UNIT = re.compile("[千万亿]")


class ColumnsInvalid(ValueError):
    """A table of aliases cannot be used; the message names the file and the entry."""


def half(text: str) -> str:
    """Full-width letters, digits and signs as everybody else writes them."""
    return text.translate(HALF)


@dataclass(frozen=True)
class Columns:
    """The tables of aliases: headings, and the words of the columns that hold one of a list.

    `headings` maps a folded alias to the column's name, `words[column]` a folded alias to the value's code,
    `titles` the column's or value's name to the word shown for it (`titles["branch"] == "所在支部"`).
    """

    headings: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    titles: Mapping[str, str]
    others: frozenset[str]
    no_office: frozenset[str]
    elected: frozenset[str]

    @classmethod
    def load(cls, local: Path | None = None) -> Columns:
        """The shipped table, and over it a local file of the same shape.

        Raises ColumnsInvalid.
        """
        shipped = _tables(SHIPPED)
        return _merge([shipped] if local is None else [shipped, _check(local, _tables(local), shipped)])

    def column(self, heading: str) -> str | None:
        """The name of the column under this heading; None when nobody calls ours that."""
        if any(LARGE_UNIT.search(part) for part in BRACKETS.findall(half(heading))):
            return None
        return self.headings.get(fold_heading(heading))

    def nearest(self, heading: str, taken: Iterable[str]) -> str | None:
        """The column that an unknown heading was perhaps meant to be, unless the file has it already."""
        folded = fold_heading(heading)
        if folded in self.others:
            return None
        found = self.headings.get(folded) or _nearest(folded, self.headings)
        return None if found is None or found in set(taken) else found

    def value(self, column: str, word: str) -> str | None:
        """The code of a word in one of LISTS."""
        return self.words[column].get(fold_word(word))

    def nearest_value(self, column: str, word: str) -> str | None:
        """The code of the value that a word was perhaps meant to be."""
        return _nearest(fold_word(word), self.words[column])


def fold_heading(heading: str) -> str:
    """＊姓 名（必填）→ 姓名. What stands in brackets is a remark, unless nothing stands outside."""
    text = half(heading).casefold()
    return NOISE.sub("", BRACKETS.sub("", text)) or NOISE.sub("", text)


def fold_word(word: str) -> str:
    """入党 积极分子 → 入党积极分子."""
    return re.sub(r"[\s_\u200b-\u200f\u2060\ufeff]+", "", half(word).casefold())


def _nearest(text: str, aliases: Mapping[str, str]) -> str | None:
    """One slip in a word of up to four characters, two in a longer one; a single one says too little."""
    if not 2 <= len(text) <= 40:
        return None
    slips, best = (1 if len(text) <= 4 else 2), None
    for alias, name in aliases.items():
        if len(alias) < 2:
            continue
        distance = OSA.distance(text, alias, score_cutoff=slips)
        if distance <= slips:
            best, slips = name, distance - 1
            if slips < 0:
                break
    return best


Tables = Mapping[str, Mapping[str, list[str]]]


def _tables(path: Path) -> Tables:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ColumnsInvalid(f"{path.name}: {error}") from None
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ColumnsInvalid(f"{path.name}: {name} is not a table")
        for key, aliases in table.items():
            if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
                raise ColumnsInvalid(f"{path.name}: [{name}] {key} is not a list of words")
    return tables


def _check(path: Path, tables: Tables, shipped: Tables) -> Tables:
    """A name that only the local file has is a slip of the pen, and would silently read nothing."""
    for name, table in tables.items():
        if name not in shipped:
            raise ColumnsInvalid(f"{path.name}: [{name}] is none of {', '.join(shipped)}")
        for key in table:
            if key not in shipped[name]:
                raise ColumnsInvalid(f"{path.name}: [{name}] {key} is none of {', '.join(shipped[name])}")
    return tables


def _merge(layers: list[Tables]) -> Columns:
    found: dict[str, dict[str, str]] = {name: {} for name in ("headings", *LISTS)}
    plain: dict[str, set[str]] = {name: set() for name in ("others", "no_office", "elected")}
    titles: dict[str, str] = {}
    for tables in layers:
        for name, table in tables.items():
            if name in plain:
                plain[name].update(_fold(name, alias) for alias in table.get("plain", []))
                continue
            here: dict[str, str] = {}
            for key, aliases in table.items():
                for alias in aliases:
                    folded = _fold(name, alias)
                    if not folded or here.setdefault(folded, key) != key:
                        other = here.get(folded)
                        raise ColumnsInvalid(f"[{name}] {key}: {alias!r} is empty or also means {other}")
                if aliases:
                    titles.setdefault(key, aliases[0])
            found[name].update(here)
    return Columns(
        found["headings"],
        {name: found[name] for name in LISTS},
        titles,
        frozenset(plain["others"] - found["headings"].keys()),
        frozenset(plain["no_office"]),
        frozenset(plain["elected"]),
    )


def _fold(table: str, alias: str) -> str:
    if table == "elected":  # codes, not people's words
        return alias
    return fold_heading(alias) if table in ("headings", "others") else fold_word(alias)

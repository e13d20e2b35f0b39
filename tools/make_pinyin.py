"""make_pinyin: which characters share which syllables? Writes bot/core/pinyin.txt.

Run by a maintainer, `python tools/make_pinyin.py`, when the characters wanted or the dictionary change; the
result is committed. The dictionary (pypinyin, MIT) takes 0.2 s and 67 MB to load, too much for every start of
the server, so it is a development dependency and is never imported at run time.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict

TARGET = Path(__file__).resolve().parent.parent / "bot" / "core" / "pinyin.txt"
HEADING = "# syllable, characters usually read so, characters sometimes read so; made by tools/make_pinyin.py\n"
ATTESTED = 2  # one phrase may be an old poem (思 as sāi); two are a habit (血 as xiě)


def characters() -> set[str]:
    """What people write: GB 2312 (simplified, 6,763) and the frequent half of Big5 (traditional, 5,401)."""
    pairs = [bytes((high, low)) for high in range(0xA1, 0xFF) for low in range(0x40, 0xFF)]
    simplified = set(decoded((pair for pair in pairs if pair[0] >= 0xB0), "gb2312"))
    traditional = set(decoded((pair for pair in pairs if b"\xa4\x40" <= pair <= b"\xc6\x7e"), "big5"))
    return simplified | traditional


def decoded(pairs: Iterator[bytes], encoding: str) -> Iterator[str]:
    """The characters among the byte pairs of an encoding; its holes are passed over."""
    for pair in pairs:
        text = pair.decode(encoding, errors="ignore")
        if len(text) == 1 and not text.isascii():
            yield text


def plain(reading: str) -> str:
    """A syllable as it is typed: no tone, ü as v; empty for a hum without a vowel, “ng” or “hm”."""
    letters = "".join(
        "v" if mark == "\u0308" else mark
        for mark in unicodedata.normalize("NFD", reading)
        if mark == "\u0308" or not unicodedata.combining(mark)
    ).replace("uv", "v")
    return letters if set(letters) & set("aeiouv") and letters.isascii() else ""


def table() -> str:
    """The whole file as text: the same dictionary always gives the same bytes."""
    heard: Counter[tuple[str, str]] = Counter()
    for phrase, sounds in phrases_dict.items():
        if len(phrase) == len(sounds):
            heard.update((character, plain(sound[0])) for character, sound in zip(phrase, sounds, strict=True))

    usual: defaultdict[str, list[str]] = defaultdict(list)
    sometimes: defaultdict[str, list[str]] = defaultdict(list)
    for character in sorted(characters()):
        listed = [plain(reading) for reading in pinyin_dict[ord(character)].split(",")]
        for place, syllable in enumerate(dict.fromkeys(filter(None, listed))):
            if place == 0:
                usual[syllable].append(character)
            elif heard[character, syllable] >= ATTESTED:
                sometimes[syllable].append(character)

    lines = (
        " ".join(filter(None, (syllable, "".join(usual[syllable]) or "-", "".join(sometimes[syllable]))))
        for syllable in sorted(usual.keys() | sometimes.keys())
    )
    return HEADING + "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    TARGET.write_text(table(), encoding="utf-8", newline="\n")

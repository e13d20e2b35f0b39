"""Binding codes: ten characters that people can read to each other over the telephone."""

from __future__ import annotations

import re
import secrets
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
LENGTH = 10
"""50 bits: at 5 wrong tries per address and hour nobody guesses one."""

_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_code() -> str:
    """A fresh code, shown once and never stored."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def read_code(text: str) -> str | None:
    """The code in a text, as people type it: small letters, spaces, hyphens, O for 0. None: it is none."""
    text = re.sub(r"[\s\-–—_.。]", "", unicodedata.normalize("NFKC", text)).upper().translate(_READ_AS)
    return text if len(text) == LENGTH and all(letter in ALPHABET for letter in text) else None


def spaced(code: str) -> str:
    """K7M2P-9QRST, easier to copy."""
    return f"{code[:5]}-{code[5:]}"

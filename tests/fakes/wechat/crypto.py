"""crypto: how does WeChat sign and seal what it pushes, and open what comes back?

Written from the documentation alone, with nothing of the product's: what both sides share they could both get
wrong.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

_BLOCK = 32  # of the padding, not of the cipher


def signature(*parts: str) -> str:
    """SHA-1 of the parts, sorted and joined; 40 hexadecimal digits."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324  # their algorithm


class Broken(Exception):
    """What was to be opened is not what this account seals."""


class Seal:
    """Seals for one account: 16 random bytes, length, message, appid; AES-256-CBC."""

    def __init__(self, aes_key: str, appid: str) -> None:
        """aes_key: the EncodingAESKey, 43 characters of base64."""
        self._key = base64.b64decode(f"{aes_key}=")
        self._appid = appid.encode()

    def close(self, message: str) -> str:
        """The sealed message, in base64."""
        raw = message.encode()
        whole = os.urandom(16) + struct.pack(">I", len(raw)) + raw + self._appid
        fill = _BLOCK - len(whole) % _BLOCK
        sealing = self._cipher().encryptor()
        return base64.b64encode(sealing.update(whole + bytes([fill]) * fill) + sealing.finalize()).decode()

    def open(self, sealed: str) -> str:
        """The message within. Raises Broken."""
        try:
            opening = self._cipher().decryptor()
            padded = opening.update(base64.b64decode(sealed, validate=True)) + opening.finalize()
            fill = padded[-1]
            if not 1 <= fill <= _BLOCK or padded[-fill:] != bytes([fill]) * fill:
                raise Broken("padding")
            whole = padded[:-fill]
            (length,) = struct.unpack(">I", whole[16:20])
            message, appid = whole[20 : 20 + length], whole[20 + length :]
            if len(message) != length or appid != self._appid:
                raise Broken("appid")
            return message.decode()
        except (ValueError, IndexError, struct.error, binascii.Error) as error:
            raise Broken(type(error).__name__) from None

    def _cipher(self) -> Cipher[CBC]:
        return Cipher(AES(self._key), CBC(self._key[:16]))

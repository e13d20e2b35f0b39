"""crypto: how does WeCom sign and seal what it pushes, and open what it is answered?

Written after the vendor's description (document 90968), not after our own program: the two check each other.
"""

from __future__ import annotations

import base64
import hashlib
import random
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32
"""PKCS#7 over 32 bytes, not over the 16 of AES itself."""


class NotSealed(Exception):
    """What we were answered was not signed or not sealed by somebody who holds the keys."""


@dataclass(frozen=True)
class Envelope:
    """The keys of one application's callback."""

    token: str
    aes_key: str
    receive_id: str

    @property
    def key(self) -> bytes:
        return base64.b64decode(f"{self.aes_key}=")

    def sign(self, timestamp: str, nonce: str, sealed: str) -> str:
        joined = "".join(sorted([self.token, timestamp, nonce, sealed]))
        return hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest()

    def seal(self, text: str, rng: random.Random) -> str:
        """Encrypt: 16 bytes of chance, the length, the text, whom it is for."""
        content = text.encode()
        plain = rng.randbytes(16) + len(content).to_bytes(4, "big") + content + self.receive_id.encode()
        padding = BLOCK - len(plain) % BLOCK
        plain += bytes([padding]) * padding
        encryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.key[:16])).encryptor()
        return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt. Raises NotSealed."""
        try:
            decryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.key[:16])).decryptor()
            plain = decryptor.update(base64.b64decode(sealed)) + decryptor.finalize()
        except ValueError as error:
            raise NotSealed(str(error)) from None
        plain = plain[: -plain[-1]]
        size = int.from_bytes(plain[16:20], "big")
        if plain[20 + size :] != self.receive_id.encode():
            raise NotSealed("sealed for somebody else")
        return plain[20 : 20 + size].decode()

"""Keys: what is sealed with, and told apart by, something that is not in the database."""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Keys:
    """Everything derived from the one secret in `security.key_file` (32 bytes)."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ValueError("the key file holds 32 bytes")
        self._secret = secret
        self.derive = cache(self._derive)
        self._box = AESGCM(self._derive("fields"))

    @classmethod
    def from_file(cls, path: Path) -> Keys:
        """Read the key, or make one where there is none yet (mode 600). Raises ValueError for a damaged file."""
        try:
            return cls(path.read_bytes())
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            secret = os.urandom(32)
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secret)
                os.fsync(descriptor)
            try:
                os.link(draft, path)  # fails where another process was first: then its key is the key
            except FileExistsError:
                pass
            finally:
                draft.unlink()
            return cls(path.read_bytes())

    def _derive(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, purpose.encode(), hashlib.sha256)

    def digest(self, purpose: str, *parts: object) -> bytes:
        """A keyed digest of 32 bytes. The parts are joined unambiguously.

        BLAKE2b with a key, three at every tap: HMAC as OpenSSL does it looks its algorithm up anew each time,
        which costs six times as much where something else has used the processor meanwhile.
        """
        message = "".join([f"{len(text)}:{text}" for text in map(str, parts)])
        return hashlib.blake2b(message.encode(), key=self.derive(purpose), digest_size=32).digest()

    def seal(self, text: str) -> bytes:
        """Encrypt a text for a column: nonce of 12 bytes, then ciphertext and tag."""
        return self.seal_bytes(text.encode())

    def seal_bytes(self, content: bytes) -> bytes:
        """The same for what is no text."""
        nonce = os.urandom(12)
        return nonce + self._box.encrypt(nonce, content, None)

    def open(self, sealed: bytes) -> str:
        """Decrypt. Raises ValueError where this key did not seal it."""
        return self.open_bytes(sealed).decode()

    def open_bytes(self, sealed: bytes) -> bytes:
        """The same for what is no text."""
        try:
            return self._box.decrypt(sealed[:12], sealed[12:], None)
        except InvalidTag:
            raise ValueError("sealed with another key, or damaged") from None

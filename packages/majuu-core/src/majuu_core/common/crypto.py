"""Encryption at rest and keyed hashes.

Every key is derived from one of the project's master keys (newest first) for one named purpose with HKDF-SHA-256
(RFC 5869), so that a value made for one purpose is worthless for another. Encryption is AES-256-GCM (NIST SP 800-38D)
with a random 96-bit nonce; the ciphertext names its master key, so that a rotation can tell old values from new ones.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from majuu_core.common import randomness

_VERSION = "m1"
MIN_MASTER_LENGTH = 32


class DecryptionError(Exception):
    """The value was made with a key we no longer have, or it was changed."""


@lru_cache(maxsize=256)
def derive_key(master: str, purpose: str) -> bytes:
    """32 bytes for one purpose. ``master`` is any string of at least 32 characters."""
    if len(master) < MIN_MASTER_LENGTH:
        raise ValueError("a master key has at least 32 characters; make one with `manage.py majuu_generate_key`")
    return HKDF(algorithm=SHA256(), length=32, salt=b"majuu", info=purpose.encode()).derive(master.encode())


def key_id(master: str) -> str:
    """Eight hexadecimal characters that name a master key without revealing it."""
    return hashlib.sha256(b"majuu-key-id" + master.encode()).hexdigest()[:8]


def keyed_hash(master: str, purpose: str, message: bytes) -> bytes:
    """HMAC-SHA-256 under the key derived for this purpose."""
    return hmac.digest(derive_key(master, purpose), message, "sha256")


def encrypt_with(key: bytes, plaintext: bytes, *, bound_to: str) -> str:
    """AES-256-GCM under this very key (32 random or derived bytes), as URL-safe text: nonce, ciphertext, tag."""
    nonce = randomness.secret_bytes(12)
    return base64.urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to.encode())).decode()


def decrypt_with(key: bytes, value: str, *, bound_to: str) -> bytes:
    """What ``encrypt_with`` made. Raises DecryptionError when the key does not fit or the value was changed."""
    try:
        sealed = base64.urlsafe_b64decode(value)
        # The decoder overlooks foreign characters and spare bits; a stored value has exactly one spelling.
        if base64.urlsafe_b64encode(sealed).decode() != value:
            raise ValueError("not the canonical spelling")
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], bound_to.encode())
    except (ValueError, InvalidTag):
        raise DecryptionError("the value was changed or belongs elsewhere") from None


class Cipher:
    """Authenticated encryption for one purpose, with rotation.

    ``masters`` is newest first: the first one encrypts, all of them decrypt. ``bound_to`` ties a ciphertext to its
    place (a row's id), so that a value copied to another row does not open.
    """

    def __init__(self, masters: Sequence[str], purpose: str) -> None:
        if not masters:
            raise ValueError("at least one master key is needed")
        self._keys = {key_id(master): derive_key(master, purpose) for master in masters}
        self.current_key_id = key_id(masters[0])
        self.mark = f"{_VERSION}.{self.current_key_id}."  # every value made with the newest key starts like this

    def encrypt(self, plaintext: bytes, *, bound_to: str) -> str:
        return self.mark + encrypt_with(self._keys[self.current_key_id], plaintext, bound_to=bound_to)

    def decrypt(self, value: str, *, bound_to: str) -> bytes:
        """Raises DecryptionError when no key fits or the value or its place was changed."""
        try:
            version, name, body = value.split(".")
            if version != _VERSION:
                raise DecryptionError(f"unknown format {version[:8]!r}")
            key = self._keys[name]
        except KeyError:
            raise DecryptionError("the master key that made this value is not configured any more") from None
        except ValueError:
            raise DecryptionError("the value was changed or belongs elsewhere") from None
        return decrypt_with(key, body, bound_to=bound_to)

    def needs_rotation(self, value: str) -> bool:
        """True when the value was not made with the newest key."""
        return not value.startswith(self.mark)

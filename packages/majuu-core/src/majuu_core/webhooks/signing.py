"""Signatures of outgoing webhooks: Standard Webhooks 1.0, symmetric (``v1``).

Signed is ``<id>.<timestamp>.<body>``; the signature is the base64 of its HMAC-SHA-256. Receivers verify with any
Standard Webhooks library.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

from majuu_core.common import randomness

SECRET_PREFIX = "whsec_"  # noqa: S105 - not a secret, the mark of one
_SECRET_BYTES = 32


def new_secret() -> str:
    """``whsec_`` and the base64 of 32 bytes that nobody can guess."""
    return SECRET_PREFIX + base64.b64encode(randomness.secret_bytes(_SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes to sign with. Raises ValueError for something that is not a secret of this kind."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("not a webhook signing secret") from None
    if not secret.startswith(SECRET_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("not a webhook signing secret")
    return key


def sign(keys: Iterable[bytes], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header: one ``v1,…`` for each key, separated by spaces.

    ``timestamp`` is the Unix time of the attempt in whole seconds.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys)

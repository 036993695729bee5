"""The id under which our own requests are known, at Safaricom and to us, before anything was answered.

B2C v3 takes an ``OriginatorConversationID`` of ours, refuses it when it comes twice, echoes it in every result and can
be asked by it. Ours is made from our public id and the shortcode's passkey: the same whenever it is made, so that
nothing has to be kept, and a result that names it was written by somebody to whom we sent it, even when the
acknowledgement was lost.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from majuu_mpesa.credentials import MpesaCredentials

_TAIL = 6  # of our public id, to find the request by eye in the organisation's portal


def own_conversation_id(credentials: MpesaCredentials, reference: str) -> str:
    """31 letters, digits and a dash for the payout or refund with this public id."""
    key = f"{credentials.shortcode}\n{credentials.passkey.get_secret_value()}".encode()
    digest = hmac.new(key, f"originator-conversation\n{reference}".encode(), hashlib.sha256).digest()
    tail = "".join(character for character in reference if character.isascii() and character.isalnum())[-_TAIL:]
    return f"{tail}-{base64.b32encode(digest[:15]).decode().lower()}"


def is_own(credentials: MpesaCredentials, reference: str | None, named: str | None) -> bool:
    """True when ``named`` is our own id for this reference. Compares in constant time."""
    if not reference or not named or not named.isascii():
        return False
    return hmac.compare_digest(own_conversation_id(credentials, reference), named)

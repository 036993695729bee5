"""Addresses that only their owner can know: the customer's page and the callbacks of charges and accounts.

A callback address is derived, not stored: the subject's id and an HMAC of it, both written with an alphabet that cannot
spell any word M-Pesa forbids in callback addresses. Changing the first of MAJUU_ENCRYPTION_KEYS changes new addresses;
old ones stay valid as long as their key is listed.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from majuu_core import configuration
from majuu_core.common import crypto, randomness
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.models import Charge, IncomingPayment, PaymentIntent, Payout, Refund

CALLBACK_PREFIX = "/in/"
_PURPOSE = "callback-address"
_KINDS: Mapping[str, type[Any]] = {"p": Charge, "a": ProviderAccount, "o": Payout, "r": Refund, "i": IncomingPayment}


@dataclass(frozen=True, slots=True)
class CallbackSubject:
    """What a callback address belongs to.

    Kind "p" is a charge, "o" a payout, "r" a refund, "i" an incoming payment, "a" a provider account.
    """

    kind: str
    id: uuid.UUID

    @property
    def model(self) -> type[Any]:
        """The table it stands in."""
        return _KINDS[self.kind]


def payment_url(intent: PaymentIntent) -> str:
    """The customer's page for this intent."""
    return f"{configuration.public_url()}/pay/{intent.link_token}"


def new_link_token() -> str:
    """160 unguessable bits for a payment link."""
    return randomness.encode_url_safe(randomness.secret_bytes(20))


def charge_callback_url(charge_id: uuid.UUID) -> str:
    """Where the provider tells us about this charge."""
    return configuration.public_url() + _path("p", charge_id)


def account_callback_url(account_id: uuid.UUID) -> str:
    """Where the provider tells us about everything of this account."""
    return configuration.public_url() + _path("a", account_id)


def payout_callback_url(payout_id: uuid.UUID) -> str:
    """Where the provider tells us about this payout; ``<address>/timeout`` where it tells that it took too long."""
    return configuration.public_url() + _path("o", payout_id)


def refund_callback_url(refund_id: uuid.UUID) -> str:
    """Where the provider tells us about this refund; as for payouts."""
    return configuration.public_url() + _path("r", refund_id)


def incoming_callback_url(incoming_id: uuid.UUID) -> str:
    """Where the provider answers whether this incoming payment really arrived."""
    return configuration.public_url() + _path("i", incoming_id)


def read_callback_path(subject: str, secret: str) -> CallbackSubject | None:
    """The subject, if the secret belongs to it; None otherwise. Compares in constant time."""
    kind, encoded = subject[:1], subject[1:]
    if kind not in _KINDS:
        return None
    try:
        value = uuid.UUID(bytes=randomness.decode_url_safe(encoded, size=16))
    except ValueError:
        return None
    if not secret.isascii():
        return None
    good = [hmac.compare_digest(_secret(master, subject), secret) for master in configuration.encryption_keys()]
    return CallbackSubject(kind, value) if any(good) else None


def _path(kind: str, value: uuid.UUID) -> str:
    subject = kind + randomness.encode_url_safe(value.bytes)
    return f"{CALLBACK_PREFIX}{subject}/{_secret(configuration.encryption_keys()[0], subject)}"


def _secret(master: str, subject: str) -> str:
    return randomness.encode_url_safe(crypto.keyed_hash(master, _PURPOSE, subject.encode())[:20])

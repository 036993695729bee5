"""Disputes: the values that cross the contract when a customer's bank or a provider takes a payment back.

As in types.py: frozen, keyword-only; amounts are ``moneyed.Money``, times are timezone-aware.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from moneyed import Money


class DisputeStatus(StrEnum):
    """How far a dispute is."""

    NEEDS_RESPONSE = "needs_response"  # evidence can be sent until ``respond_by``
    UNDER_REVIEW = "under_review"  # the provider or the bank looks at it
    WON = "won"  # decided for the store: what was withdrawn comes back
    LOST = "lost"  # decided for the customer
    ACCEPTED = "accepted"  # the store gave in
    EXPIRED = "expired"  # nobody answered in time, or an inquiry ended without a chargeback


class DisputeReason(StrEnum):
    """What the customer says, in words that are the same for every provider."""

    FRAUDULENT = "fraudulent"
    NOT_RECEIVED = "not_received"
    NOT_AS_DESCRIBED = "not_as_described"
    DUPLICATE = "duplicate"
    CREDIT_NOT_PROCESSED = "credit_not_processed"
    CANCELED = "canceled"
    INCORRECT_AMOUNT = "incorrect_amount"
    UNRECOGNIZED = "unrecognized"
    GENERAL = "general"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeState:
    """What the provider says about one dispute at one moment."""

    provider_reference: str  # the dispute's own id at the provider
    payment_reference: str  # the payment's ``provider_reference`` or ``receipt``, as the provider names it
    status: DisputeStatus
    reason: DisputeReason
    amount: Money  # in dispute, above zero
    opened_at: datetime
    charge_reference: str = ""  # our public id of the charge, where the provider repeats it
    provider_reason: str = ""  # exactly as the provider sent it
    # What the provider holds back because of it now, fees apart: 0 for an inquiry and after a win. None: not said.
    withdrawn: Money | None = None
    fee: Money | None = None  # kept for the dispute until now, in all
    respond_by: datetime | None = None
    occurred_at: datetime | None = None  # when it became so; an older state never overwrites a newer one
    raw: Mapping[str, Any] = field(default_factory=dict)  # redacted already


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceField:
    """One thing a provider takes as evidence. ``name`` is the provider's own word, ``kind`` is "text" or "file"."""

    name: str
    kind: str
    label: str
    hint: str = ""
    max_length: int = 20_000  # characters of a text
    content_types: tuple[str, ...] = ()  # of a file
    max_bytes: int = 0  # of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """One file of evidence, as it is sent."""

    field: str
    name: str
    content_type: str
    content: bytes = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRequest:
    """Evidence for a dispute. With ``submit`` the provider passes it on, and it cannot be changed any more."""

    idempotency_key: str
    reference: str  # our public id of the dispute
    provider_reference: str
    texts: Mapping[str, str] = field(default_factory=dict)
    files: tuple[EvidenceFile, ...] = ()
    submit: bool = False

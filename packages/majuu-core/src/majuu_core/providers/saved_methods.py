"""Saved payment methods: the values that cross the contract when a customer leaves a card for later.

Only tokens of the provider and what people recognise a card by; never a card number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from majuu_core.providers.types import Failure, NextAction


class SavedMethodStatus(StrEnum):
    """How far a saved method is."""

    REQUIRES_ACTION = "requires_action"  # the customer must do something: see next_action
    PENDING = "pending"  # the provider works on it
    ACTIVE = "active"  # payments may name it
    FAILED = "failed"  # it was not saved; see failure
    REMOVED = "removed"  # it was, and is not any more


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMethodState:
    """What the provider says about one saved method."""

    status: SavedMethodStatus
    provider_reference: str  # of the saving itself: what the provider is asked by
    customer_reference: str = ""  # the provider's id of the customer
    method_reference: str = ""  # the provider's id of the method: what payments name
    reference: str = ""  # our public id of the saved method, where the provider repeats it
    brand: str = ""  # "visa"
    last4: str = ""
    expires: str = ""  # "2030-04", where it expires
    next_action: NextAction | None = None
    failure: Failure | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)  # redacted already

    def __post_init__(self) -> None:
        if (self.status is SavedMethodStatus.REQUIRES_ACTION) != (self.next_action is not None):
            raise ValueError("next_action is set exactly when status is REQUIRES_ACTION")
        if (self.status is SavedMethodStatus.FAILED) != (self.failure is not None):
            raise ValueError("failure is set exactly when status is FAILED")
        if self.status is SavedMethodStatus.ACTIVE and not self.method_reference:
            raise ValueError("an active method has the id that payments name")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveMethodRequest:
    """Save a customer's method for later payments."""

    idempotency_key: str
    reference: str  # our public id of the saved method
    payment_method: str  # "card" …
    payment_method_data: Mapping[str, str] = field(default_factory=dict)
    customer: str = ""  # our public id of the customer
    customer_reference: str = ""  # the provider's, where it knows them already
    customer_name: str = ""
    customer_email: str = ""
    return_url: str = ""

"""A store's customers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from majuu_core.audit.services import record_entry
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.common.redaction import contains_card_number
from majuu_core.database.errors import is_unique_violation
from majuu_core.merchants.models import Store
from majuu_core.payments.intents import check_metadata
from majuu_core.payments.models import Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDetails:
    """Who it is. ``reference`` is the shop's own number, unique in its store and mode; "" without one."""

    reference: str = ""
    name: str = ""
    email: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


def create_customer(*, store: Store, livemode: bool, details: CustomerDetails) -> Customer:
    """Write a customer down. Raises Conflict for a reference that is taken, Invalid for what cannot be kept."""
    check_metadata(details.metadata)
    for name in ("reference", "name"):
        if contains_card_number(getattr(details, name)):
            raise Invalid("card_number_refused", "This looks like a card number. Never send one here.", field=name)
    customer = Customer(
        store=store,
        livemode=livemode,
        reference=details.reference or None,
        name=details.name,
        email=details.email,
        metadata=dict(details.metadata),
    )
    try:
        with transaction.atomic():
            customer.save(force_insert=True)
            record_entry(
                action="customer.created",
                object_id=customer.public_id,
                merchant_id=store.merchant_id,
                store_id=store.pk,
                changes={"reference": [None, details.reference]},
            )
    except IntegrityError as problem:
        if not is_unique_violation(problem):
            raise
        text = "There is a customer with this reference. List customers by it, and use that one."
        raise Conflict("customer_reference_taken", text, field="reference") from None
    return customer


def get_customer(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> Customer:
    """The store's customer. Raises NotFound, also for another store's and another mode's."""
    try:
        key = Customer.uuid_of(public_id)
        return Customer.objects.select_related("store").get(pk=key, store_id=store_id, livemode=livemode)
    except (ValueError, Customer.DoesNotExist):
        raise NotFound("customer_not_found", "There is no such customer in this store and mode.") from None

"""What the payer typed as account number: which store and which order it names."""

from __future__ import annotations

import re
import uuid

from majuu_core.merchants.models import Store
from majuu_core.payments.models import IncomingPayment, PaymentIntent
from majuu_core.payments.transitions import FINAL_INTENT

_PREFIXED = re.compile(r"\s*([A-Za-z][A-Za-z0-9]{1,7})[\s/#:._-]+(\S.*?)\s*")


def read_account_reference(text: str) -> tuple[str, str]:
    """The store's prefix, in capitals ("" without one), and the order reference.

    The one place where a fuller grammar comes in.
    """
    found = _PREFIXED.fullmatch(text)
    return (found[1].upper(), found[2]) if found else ("", text.strip())


def named_store(incoming: IncomingPayment) -> Store | None:
    """The store whose prefix was typed, if money of this account may be its."""
    prefix, _ = read_account_reference(incoming.account_reference)
    store = Store.objects.filter(account_prefix=prefix, is_active=True).first() if prefix else None
    return store if store is not None and _is_permitted(incoming, store) else None


def named_intent(incoming: IncomingPayment, store: Store | None) -> uuid.UUID | None:
    """The one open intent that was named. None also when several have the reference.

    Money at the platform's own account names a store first: any shop could else take another's by using its order
    numbers.
    """
    text, (_, order) = incoming.account_reference.strip(), read_account_reference(incoming.account_reference)
    if not text:
        return None
    intents = PaymentIntent.objects.filter(
        livemode=incoming.livemode, currency=incoming.currency, is_parked=False
    ).exclude(status__in=FINAL_INTENT)
    if store is not None:
        intents = intents.filter(store=store, reference__in={order, text})
    elif incoming.provider_account.store is not None:
        merchant = incoming.provider_account.store.merchant_id
        stores = Store.objects.filter(merchant_id=merchant, is_active=True).values_list("pk", flat=True)
        intents = intents.filter(store_id__in=list(stores), reference=text)
    else:
        return None
    found = list(intents.values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def _is_permitted(incoming: IncomingPayment, store: Store) -> bool:
    owner = incoming.provider_account.store
    return owner is None or owner.merchant_id == store.merchant_id

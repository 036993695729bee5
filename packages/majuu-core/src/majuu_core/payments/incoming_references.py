"""What the payer typed as account number: which store and which order it names.

Plain text is compared as it is. What customers make of it (no separator, O for 0, words around it, a check character)
is read by account_references.py; there too only the whole text counts, or one whose check character holds.
"""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

from django.db.models import QuerySet

from majuu_core.merchants.models import Store
from majuu_core.payments.account_references import (
    canonical,
    full_reference,
    parse_account_reference,
    possible_prefixes,
    readings,
    whole_readings,
)
from majuu_core.payments.models import IncomingPayment, PaymentIntent
from majuu_core.payments.reference_shapes import possible_references, shapes_of
from majuu_core.payments.transitions import FINAL_INTENT

_EXAMPLES = 200  # of the newest numbers, to learn how the shop writes them
_ORDERED_LATER = timedelta(days=1)
_TELLING = 4  # characters; shorter order numbers are typed by chance
_PREFIXED = re.compile(r"\s*([A-Za-z][A-Za-z0-9]{1,7})[\s/#:._-]+(\S.*?)\s*")


def read_account_reference(text: str) -> tuple[str, str]:
    """The store's prefix, in capitals ("" without one), and the order reference, where something parts them."""
    found = _PREFIXED.fullmatch(text)
    return (found[1].upper(), found[2]) if found else ("", text.strip())


def named_store(incoming: IncomingPayment) -> Store | None:
    """The store whose prefix was typed, if money of this account may be its."""
    prefix, _ = read_account_reference(incoming.account_reference)
    store = Store.objects.filter(account_prefix=prefix, is_active=True).first() if prefix else None
    store = store or _store_by_grammar(incoming.account_reference)
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
        livemode=incoming.livemode,
        currency=incoming.currency,
        is_parked=False,
        created_at__lt=incoming.occurred_at + _ORDERED_LATER,
    ).exclude(status__in=FINAL_INTENT)
    if store is not None:
        intents = intents.filter(store=store)
        exact = {order, text}
    elif incoming.provider_account.store is not None:
        merchant = incoming.provider_account.store.merchant_id
        stores = Store.objects.filter(merchant_id=merchant, is_active=True).values_list("pk", flat=True)
        intents = intents.filter(store_id__in=list(stores))
        exact = {text}
    else:
        return None
    found = list(intents.filter(reference__in=exact).values_list("pk", flat=True)[:2])
    found = found or _intents_by_grammar(intents, text)
    return found[0] if len(found) == 1 else None


def _store_by_grammar(text: str) -> Store | None:
    """The one store whose prefix begins the text, however it was typed."""
    stores = Store.objects.filter(account_prefix__in=possible_prefixes(text), is_active=True)
    by_prefix = {store.account_prefix: store for store in stores if store.account_prefix}
    read = parse_account_reference(text, by_prefix) if by_prefix else None
    alike = [] if read is None else [one for one in by_prefix if canonical(one) == canonical(read.prefix)]
    return by_prefix[alike[0]] if len(alike) == 1 else None


def _intents_by_grammar(intents: QuerySet[PaymentIntent], text: str) -> list[uuid.UUID]:
    """The intents whose order number was typed in another way than the shop writes it; two are enough to know."""
    newest = list(intents.order_by("-pk").values_list("reference", "store__account_prefix")[:_EXAMPLES])
    prefixes = {prefix for _, prefix in newest if prefix}
    likely = possible_references(text, prefixes, shapes_of(reference for reference, _ in newest)) - {""}
    rows = intents.filter(reference__in=likely).values_list("pk", "reference", "store__account_prefix")
    return [pk for pk, reference, prefix in rows if _is_typed(text, reference, prefix or "")][:2]


def _is_typed(text: str, reference: str, prefix: str) -> bool:
    order = canonical(reference)
    if len(order) < _TELLING:
        return False
    whole = whole_readings(text)
    return full_reference(prefix, reference) in readings(text) or order in whole or canonical(prefix) + order in whole


def _is_permitted(incoming: IncomingPayment, store: Store) -> bool:
    owner = incoming.provider_account.store
    return owner is None or owner.merchant_id == store.merchant_id

"""Which orders unclaimed money may belong to, and which money an order: a fixed number of indexed queries, then scores.

Money on a store's own provider account concerns the stores of its merchant. Money on the platform's accounts may belong
to any store; a store is shown only what one of its own orders explains.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeGuard

from django.db.models import DecimalField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from majuu_core.common import clock
from majuu_core.merchants.models import Store
from majuu_core.merchants.provider_accounts import candidate_accounts
from majuu_core.merchants.services import INTAKE_CODE
from majuu_core.payments.account_references import canonical, parse_account_reference, possible_prefixes
from majuu_core.payments.models import Charge, IncomingPayment, PaymentIntent
from majuu_core.payments.reference_shapes import possible_references, shapes_of
from majuu_core.payments.suggestions import (
    ROUNDINGS,
    Arrival,
    Expectation,
    Suggestion,
    arrival_keys,
    expectation_keys,
    rank,
    round_up,
    score_pair,
    subscriber,
)

WINDOW = timedelta(days=21)  # orders and money further apart are not brought together
LEAST_SCORE = 20  # below, a suggestion is noise
MOST_SHOWN = 5
NAME_KEY = "customer_name"  # of an intent's metadata
_NEWEST = 2000  # orders looked at whatever their amount
_MOST_TARGETED = 500
_NEWEST_MONEY = 1000
_STATUS = PaymentIntent.Status
_OPEN = (_STATUS.REQUIRES_PAYMENT_METHOD, _STATUS.PROCESSING, _STATUS.REQUIRES_ACTION)
_COLUMNS = (
    *("pk", "store_id", "store__merchant_id", "store__account_prefix", "reference", "amount", "amount_received"),
    *("currency", "status", "customer_phone", "customer_email", "created_at", "expires_at"),
)
_OWED = ExpressionWrapper(
    F("amount") - F("amount_received"), output_field=DecimalField(max_digits=19, decimal_places=4)
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose orders count: one mode, and one store or all."""

    livemode: bool
    store_id: uuid.UUID | None = None

    def limit(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of this mode and these stores."""
        rows = rows.filter(livemode=self.livemode)
        return rows if self.store_id is None else rows.filter(store_id=self.store_id)


def unclaimed_money(*, livemode: bool, store_id: uuid.UUID) -> QuerySet[IncomingPayment]:
    """Money nobody has claimed that a store may be asked about: on its merchant's accounts, and on the platform's."""
    merchant = Store.objects.filter(pk=store_id).values("merchant_id")
    named_nobody_else = Q(store__code=INTAKE_CODE) | Q(store__merchant_id__in=merchant)
    rows = _unclaimed(livemode).filter(on_permitted_accounts(store_id), named_nobody_else)
    return rows.select_related("provider_account__store", "store")


def on_permitted_accounts(store_id: uuid.UUID) -> Q:
    """Incoming payments at the platform's accounts and at those of the store's merchant."""
    merchant = Store.objects.filter(pk=store_id).values("merchant_id")
    return Q(provider_account__store__isnull=True) | Q(provider_account__store__merchant_id__in=merchant)


def last_receiver(*, livemode: bool, store_id: uuid.UUID) -> str:
    """The number that money last arrived at on an account this store is paid through, its own before the platform's."""
    accounts = candidate_accounts(store=store_id, livemode=livemode)
    rows = IncomingPayment.objects.filter(provider_account__in=accounts, channel__in=("paybill", ""))
    own_first = F("provider_account__store_id").asc(nulls_last=True)
    return rows.order_by(own_first, "-pk").values_list("receiver", flat=True).first() or ""


def suggest_orders(
    incoming: Sequence[IncomingPayment], *, store_id: uuid.UUID | None = None
) -> dict[uuid.UUID, list[Suggestion]]:
    """For each of the payments, all of one mode, the orders it may pay, the best first.

    ``store_id`` limits them to one store's. Otherwise every store that may claim the money counts, and a store's
    suggestion is weighed against those of the others.
    """
    if not incoming:
        return {}
    scope = Scope(incoming[0].livemode, store_id)
    orders = _Orders(scope, incoming)
    return {row.pk: orders.suggest(row) for row in incoming}


def suggest_money(intent: PaymentIntent) -> list[tuple[IncomingPayment, Suggestion]]:
    """The unclaimed money that may pay an order, the best first."""
    rows = {row.pk: row for row in _money_near(intent)}
    orders = _Orders(Scope(intent.livemode, intent.store_id), list(rows.values()), only=intent)
    pairs = [found for row in rows.values() for found in orders.score(row)]
    return [(rows[found.arrival.key], found) for found in _shown(rank(pairs))]


class _Orders:
    """The orders that some payments may pay, read once, found by what they have in common with each."""

    def __init__(self, scope: Scope, incoming: Sequence[IncomingPayment], only: PaymentIntent | None = None) -> None:
        self._prefixes = _read_prefixes(incoming)
        found = {} if only is None else _read(PaymentIntent.objects.filter(pk=only.pk))
        oldest, newest = _span(incoming)
        near = scope.limit(PaymentIntent.objects.filter(pk__gte=_first_id(oldest - WINDOW), created_at__lte=newest))
        near = near.filter(status__in=(*_OPEN, _STATUS.CANCELED)).annotate(_owed=_OWED)
        if only is None:
            found = _read(near.order_by("-pk")[:_NEWEST])
        shapes = shapes_of(row["reference"] for row in found.values())
        written = {row.pk: self._possible_references(row, shapes) for row in incoming}
        if only is None:
            # Apart, so that a thousand orders of one price do not push out the one whose number was typed.
            for wanted in (_same_phone_or_number(incoming, written), _same_amount(incoming)):
                found |= _read(near.filter(wanted).order_by("-pk")[:_MOST_TARGETED])
        phones = _read_phones(found)
        expected = [_expectation(row, phones[key]) for key, row in found.items()]
        self._named = _read_named(expected, frozenset[str]().union(*written.values()))
        self._by_key: dict[tuple[str, object], list[Expectation]] = defaultdict(list)
        for one in expected:
            for key in set(expectation_keys(one)):
                self._by_key[key].append(one)
        self._written = written

    def suggest(self, row: IncomingPayment) -> list[Suggestion]:
        """What this payment may pay, rivals weighed."""
        return _shown(rank(self.score(row)))

    def score(self, row: IncomingPayment) -> list[Suggestion]:
        """What this payment may pay, each by itself."""
        arrival = self._arrival(row)
        owners = {store.merchant_id for store in (row.provider_account.store, row.store) if _is_somebody(store)}
        near = {one.key: one for key in set(arrival_keys(arrival)) for one in self._by_key.get(key, ())}
        found = (score_pair(arrival, one) for one in near.values() if owners <= {one.merchant})
        return [one for one in found if one.score]

    def _possible_references(self, row: IncomingPayment, shapes: Sequence[str]) -> frozenset[str]:
        if not row.account_reference.strip():
            return frozenset()
        return possible_references(row.account_reference, self._prefixes, shapes)

    def _arrival(self, row: IncomingPayment) -> Arrival:
        read = parse_account_reference(row.account_reference, self._prefixes) if self._prefixes else None
        prefix = canonical(read.prefix) if read else ""
        owners = [stores for found, stores in self._prefixes.items() if read and canonical(found) == prefix]
        named = (self._named.get(text, frozenset()) for text in self._written[row.pk])
        return Arrival(
            key=row.pk,
            amount=row.amount.amount,
            currency=row.currency,
            occurred_at=row.occurred_at,
            account_reference=row.account_reference,
            payer_name=row.payer_name,
            phone=row.payer_phone,
            phone_hash=row.payer_phone_hash,
            phone_masked=row.payer_phone_masked,
            named_orders=frozenset().union(*named),
            named_stores=frozenset[uuid.UUID]().union(*owners),
            prefix=prefix,
            prefix_is_certain=bool(read and read.check_holds),
        )


def _is_somebody(store: Store | None) -> TypeGuard[Store]:
    return store is not None and store.code != INTAKE_CODE


def _shown(ranked: Iterable[Suggestion]) -> list[Suggestion]:
    return [one for one in ranked if one.score >= LEAST_SCORE][:MOST_SHOWN]


def _unclaimed(livemode: bool) -> QuerySet[IncomingPayment]:
    return IncomingPayment.objects.filter(
        livemode=livemode, ownership=IncomingPayment.Ownership.UNCLAIMED, status=IncomingPayment.Status.SUCCEEDED
    )


def _money_near(intent: PaymentIntent) -> list[IncomingPayment]:
    since = _first_id(intent.created_at - timedelta(hours=1))
    rows = unclaimed_money(livemode=intent.livemode, store_id=intent.store_id).filter(pk__gte=since)
    rows = rows.filter(occurred_at__lte=intent.created_at + WINDOW)
    remaining = max(intent.amount.amount - intent.amount_received.amount, Decimal(0))
    amounts = {intent.amount.amount, remaining, *(round_up(remaining, unit) for unit in ROUNDINGS)}
    digits = subscriber(intent.customer_phone)
    payer = Q(account_reference=intent.reference) if intent.reference else Q()
    payer |= Q(payer_phone__in=_phone_spellings(digits)) if digits else Q(pk=None)
    newest = list(rows.order_by("-pk")[:_NEWEST_MONEY])
    targeted = (rows.filter(wanted).order_by("-pk")[:_MOST_TARGETED] for wanted in (payer, Q(amount__in=amounts)))
    return [*newest, *(row for found in targeted for row in found)]


def _span(incoming: Sequence[IncomingPayment]) -> tuple[datetime, datetime]:
    """The earliest payment, and until when orders may have been made: a payment may come a little before its order."""
    times = [row.occurred_at for row in incoming] or [clock.now()]
    return min(times), max(times) + timedelta(hours=1)


def _first_id(moment: datetime) -> uuid.UUID:
    """The smallest id a row made at this time can have: ids are ordered by time."""
    milliseconds = max(int(moment.timestamp() * 1000), 0)
    return uuid.UUID(int=milliseconds << 80)


def _same_amount(incoming: Sequence[IncomingPayment]) -> Q:
    amounts = {row.amount.amount for row in incoming}
    return Q(amount__in=amounts) | Q(_owed__in=amounts)


def _same_phone_or_number(incoming: Sequence[IncomingPayment], written: Mapping[uuid.UUID, frozenset[str]]) -> Q:
    told = (subscriber(text) for row in incoming for text in (row.payer_phone, row.account_reference))
    spellings = {spelling for digits in told if digits for spelling in _phone_spellings(digits)}
    references = frozenset[str]().union(*written.values()) - {""}
    return Q(customer_phone__in=spellings) | Q(reference__in=references)


def _phone_spellings(digits: str) -> Iterator[str]:
    """How a phone is usually stored."""
    yield from (f"254{digits}", f"+254{digits}", f"0{digits}", digits)


def _read(rows: QuerySet[PaymentIntent]) -> dict[uuid.UUID, dict[str, Any]]:
    return {row["pk"]: row for row in rows.values(*_COLUMNS, _name=KeyTextTransform(NAME_KEY, "metadata"))}


def _read_phones(found: Mapping[uuid.UUID, Any]) -> Mapping[uuid.UUID, list[str]]:
    """The phones that were tried for each order."""
    phones: dict[uuid.UUID, list[str]] = defaultdict(list)
    rows = Charge.objects.filter(payment_intent_id__in=list(found)).exclude(payer="")
    for key, payer in rows.order_by().values_list("payment_intent_id", "payer"):
        phones[key].append(payer)
    return phones


def _read_prefixes(incoming: Sequence[IncomingPayment]) -> dict[str, frozenset[uuid.UUID]]:
    """The stores whose prefix any of the account references may begin with."""
    possible = frozenset[str]().union(*(possible_prefixes(row.account_reference) for row in incoming))
    rows = Store.objects.filter(account_prefix__in=possible).values_list("account_prefix", "pk")
    return {prefix: frozenset([key]) for prefix, key in rows if prefix}


def _read_named(
    expected: Sequence[Expectation], texts: frozenset[str]
) -> Mapping[str, frozenset[tuple[uuid.UUID, str]]]:
    """Which orders, whatever became of them, have one of these numbers: by number, as (store, canonical number)."""
    stores = {one.store for one in expected}
    rows = PaymentIntent.objects.filter(store_id__in=stores, reference__in=texts - {""})
    found: dict[str, frozenset[tuple[uuid.UUID, str]]] = {}
    for store, reference in rows.order_by().values_list("store_id", "reference").distinct():
        named = (store, canonical(reference))
        found[reference] = found.get(reference, frozenset()) | {named}
    return found


def _expectation(row: Mapping[str, Any], tried: Sequence[str]) -> Expectation:
    amount, received = row["amount"], row["amount_received"]
    return Expectation(
        key=row["pk"],
        store=row["store_id"],
        merchant=row["store__merchant_id"],
        amount=amount,
        remaining=max(amount - received, Decimal(0)),
        currency=row["currency"],
        created_at=row["created_at"],
        prefix=row["store__account_prefix"] or "",
        reference=row["reference"],
        is_open=row["status"] in _OPEN and row["expires_at"] > clock.now(),
        phones=tuple(dict.fromkeys(filter(None, (row["customer_phone"], *tried)))),
        name=row["_name"] or "",
        email=row["customer_email"],
    )

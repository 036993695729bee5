"""Our side of a close: the payments that moved money, what the ledger holds of them, and who told us."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum

from majuu_core.common import ids
from majuu_core.common.money import Money
from majuu_core.ledger.chart import AccountKind
from majuu_core.ledger.models import LedgerTransfer
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.models import Charge, Dispute, IncomingPayment, Payout, Refund
from majuu_core.payments.selectors import charges_told_of
from majuu_core.reports.matching import IN, OUT, Nameless, Record

_POSTED = (LedgerTransfer.Phase.POSTED, LedgerTransfer.Phase.POST_PENDING)
_MOVED = {
    Charge: Q(status=Charge.Status.SUCCEEDED),
    IncomingPayment: Q(status__in=[IncomingPayment.Status.SUCCEEDED, IncomingPayment.Status.REVERSED]),
    Refund: Q(status=Refund.Status.SUCCEEDED),
    Payout: Q(status=Payout.Status.SUCCEEDED),
}
# Two rows of one receipt that are one payment: the charge stands for both.
_ONE_WITH_ITS_CHARGE = Q(ownership=IncomingPayment.Ownership.CHARGE, charge__isnull=False)
_FEES = AccountKind.PROVIDER_FEES
_COLUMNS = ("pk", "receipt", "amount", "currency", "occurred_at", "created_at")


_ORDER: tuple[type[Any], ...] = (Charge, IncomingPayment, Refund, Payout)


def records_by_receipt(account: ProviderAccount, receipts: Iterable[str]) -> dict[str, list[Record]]:
    """What we have under these receipts at this provider, in whichever account and whenever."""
    wanted = set(receipts)
    found: list[Record] = []
    for model in _ORDER:
        rows = _moved(model).filter(receipt__in=wanted, livemode=account.livemode)
        found += _read(model, rows.filter(provider_account__provider=account.provider))
        if model is not IncomingPayment:  # a statement may go by what the provider acknowledged
            others = _moved(model).filter(provider_account=account, provider_reference__in=wanted)
            found += [
                replace(record, receipt=record.reference)
                for record in _read(model, others)
                if record.receipt not in wanted
            ]
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in _with_ledger(found):
        grouped[record.receipt].append(record)
    return grouped


def records_told(
    account: ProviderAccount, object_ids: Iterable[str], references: Iterable[str]
) -> tuple[list[Record], list[Record]]:
    """What goes by these public ids of ours, and what this account acknowledged under these references."""
    names, told = list(object_ids), set(references)
    by_id: list[Record] = []
    by_reference: list[Record] = []
    for model in (Charge, Refund, Payout):
        rows = _moved(model).filter(livemode=account.livemode, provider_account__provider=account.provider)
        keys = [key for key in (_key_of(model, name) for name in names) if key is not None]
        by_id += _read(model, rows.filter(pk__in=keys)) if keys else []
        if told:
            by_reference += _read(model, rows.filter(provider_account=account, provider_reference__in=told))
    count = len(by_id)
    found = list(_with_ledger([*by_id, *by_reference]))
    return found[:count], found[count:]


def _key_of(model: type[Any], name: str) -> uuid.UUID | None:
    """The primary key that a public id names; None for another kind, or for what only looks like one."""
    try:
        return ids.decode_id(model.id_prefix, name)
    except ValueError:
        return None


def refunds_by_original(account: ProviderAccount, receipts: Iterable[str]) -> dict[str, list[Record]]:
    """Refunds whose own receipt nobody told us, by the receipt of the payment they take back."""
    rows = _moved(Refund).filter(provider_account=account, charge__receipt__in=set(receipts), receipt__isnull=True)
    grouped: dict[str, list[Record]] = defaultdict(list)
    for record in _with_ledger(_read(Refund, rows)):
        grouped[record.original].append(record)
    return grouped


def disputed_receipts(account: ProviderAccount, receipts: Iterable[str]) -> set[str]:
    """Which of these are references of our disputes at this account, or of payments that are disputed."""
    wanted = set(receipts)
    rows = Dispute.objects.filter(provider_account=account)
    named = rows.filter(
        Q(provider_reference__in=wanted) | Q(charge__provider_reference__in=wanted) | Q(charge__receipt__in=wanted)
    )
    columns = named.values_list("provider_reference", "charge__provider_reference", "charge__receipt")
    return {name for names in columns for name in names if name} & wanted


def accounts_like(account: ProviderAccount) -> list[uuid.UUID]:
    """Every account of this provider and mode: one shortcode may have been entered twice."""
    rows = ProviderAccount.objects.filter(provider=account.provider, livemode=account.livemode)
    return list(rows.values_list("pk", flat=True))


def read_day(
    account: ProviderAccount, start: datetime, end: datetime, *, size: int
) -> Iterator[tuple[int, list[Record]]]:
    """Everything of ours from ``start`` to before ``end``, in pieces, with how many rows each piece has."""
    for model in _ORDER:
        last: tuple[datetime, uuid.UUID] | None = None
        while True:
            rows = _of_day(model, account, start, end).order_by("occurred_at", "pk")
            if last is not None:
                rows = rows.filter(Q(occurred_at__gt=last[0]) | Q(occurred_at=last[0], pk__gt=last[1]))
            piece = list(rows.values_list("pk", "occurred_at")[:size])
            if not piece:
                break
            last = (piece[-1][1], piece[-1][0])
            found = _read(model, _moved(model).filter(pk__in=[pk for pk, _ in piece]))
            yield len(piece), list(_with_ledger(found))


def count_day(account: ProviderAccount, start: datetime, end: datetime) -> int:
    """How many rows ``read_day`` will give."""
    return sum(_of_day(model, account, start, end).count() for model in _ORDER)


def nameless_charges(
    account: ProviderAccount, amounts: Iterable[Money], start: datetime, end: datetime, *, open_ones: bool = False
) -> list[Nameless]:
    """Charges of these amounts started in the time whose receipt we do not know; or those whose outcome is open."""
    states = (
        [Charge.Status.UNKNOWN, Charge.Status.PENDING, Charge.Status.REQUIRES_ACTION]
        if open_ones
        else [Charge.Status.SUCCEEDED]
    )
    rows = Charge.objects.filter(
        provider_account=account,
        receipt__isnull=True,
        status__in=states,
        amount__in={amount.amount for amount in amounts},
        # Public ids are ordered by time, and so is the index of their primary keys.
        pk__gte=_first_id(start),
        pk__lt=_first_id(end),
    )
    return [
        Nameless(
            object_id=ids.encode_id(Charge.id_prefix, pk), amount=Money(amount, currency), started_at=at, phone=phone
        )
        for pk, amount, currency, at, phone in rows.order_by("pk").values_list(
            "pk", "amount", "currency", "created_at", "payer"
        )
    ]


def _first_id(at: datetime) -> uuid.UUID:
    return uuid.UUID(int=int(at.timestamp() * 1000) << 80)


def _moved(model: type[Any]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(_MOVED[model])
    return rows.exclude(_ONE_WITH_ITS_CHARGE) if model is IncomingPayment else rows


def _of_day(model: type[Any], account: ProviderAccount, start: datetime, end: datetime) -> QuerySet[Any]:
    return _moved(model).filter(provider_account=account, occurred_at__gte=start, occurred_at__lt=end)


def _read(model: type[Any], rows: QuerySet[Any]) -> list[Record]:
    extra: tuple[str, ...] = ("source",) if model is IncomingPayment else ("fee", "provider_reference")
    extra += {Charge: ("amount_received",), Refund: ("charge__receipt",)}.get(model, ())
    values = list(rows.order_by("pk").values(*_COLUMNS, *extra))
    told = charges_told_of([row["pk"] for row in values]) if model is Charge else set()
    return [_record(model, row, told) for row in values]


def _record(model: type[Any], row: Mapping[str, Any], told: set[uuid.UUID]) -> Record:
    currency, fee = row["currency"], row.get("fee")
    amount = row["amount_received"] if model is Charge else row["amount"]
    was_told = row["pk"] in told if model is Charge else row.get("source", "webhook") == "webhook"
    return Record(
        object_id=ids.encode_id(model.id_prefix, row["pk"]),
        receipt=row["receipt"] or "",
        direction=IN if model in (Charge, IncomingPayment) else OUT,
        amount=Money(amount, currency),
        occurred_at=row["occurred_at"] or row["created_at"],
        fee=Money(fee, currency) if fee else None,
        reference=row.get("provider_reference") or "",
        original=row.get("charge__receipt") or "",
        was_told=was_told,
        keeps_fees=model is not IncomingPayment,
    )


def _with_ledger(records: Iterable[Record]) -> Iterator[Record]:
    """The records with what the ledger holds of each on the provider's clearing account.

    A charge and the incoming payment that is the same money are booked once, under either's name.
    """
    found = list(records)
    twins = _twins([record.object_id for record in found if record.object_id.startswith(f"{Charge.id_prefix}_")])
    names = [name for record in found for name in (record.object_id, *(twin for twin, _ in twins[record.object_id]))]
    booked, fees = _booked(names), _fees_booked(names)
    for record in found:
        sign, currency = (1 if record.direction == IN else -1), record.amount.currency.code
        same = [record.object_id, *(twin for twin, _ in twins[record.object_id])]
        amounts = [booked[name, currency] for name in same if (name, currency) in booked]
        yield replace(
            record,
            booked=Money(sign * sum(amounts), currency) if amounts else None,
            fee=next((fees[name] for name in same if name in fees), record.fee),
            was_told=record.was_told or any(source == "webhook" for _, source in twins[record.object_id]),
        )


def _twins(charges: list[str]) -> dict[str, list[tuple[str, str]]]:
    """Public id of a charge to the incoming payments that are the same money, each with how it was learned."""
    twins: dict[str, list[tuple[str, str]]] = defaultdict(list)
    keys = [ids.decode_id(Charge.id_prefix, name) for name in charges]
    rows = IncomingPayment.objects.filter(_ONE_WITH_ITS_CHARGE, charge_id__in=keys).order_by("pk")
    for pk, charge_id, source in rows.values_list("pk", "charge_id", "source"):
        name = ids.encode_id(Charge.id_prefix, charge_id)
        twins[name].append((ids.encode_id(IncomingPayment.id_prefix, pk), source))
    return twins


def _booked(references: list[str]) -> dict[tuple[str, str], Decimal]:
    """Public id and currency to what came to clearing accounts less what left them, fees apart."""
    rows = LedgerTransfer.objects.filter(transaction__reference__in=references, phase__in=_POSTED).order_by()
    came = rows.filter(debit_account__kind=AccountKind.PROVIDER_CLEARING)
    left = rows.filter(credit_account__kind=AccountKind.PROVIDER_CLEARING)
    came, left = came.exclude(credit_account__kind=_FEES), left.exclude(debit_account__kind=_FEES)
    net: dict[tuple[str, str], Decimal] = {}
    for sign, side in ((1, came), (-1, left)):
        for reference, currency, total in side.values_list("transaction__reference", "currency").annotate(
            total=Sum("amount")
        ):
            net[reference, currency] = net.get((reference, currency), Decimal(0)) + sign * total
    return net


def _fees_booked(references: list[str]) -> dict[str, Money]:
    """Public id to what the ledger holds of the provider's fee, in whichever currency the provider keeps it."""
    rows = LedgerTransfer.objects.filter(transaction__reference__in=references, phase__in=_POSTED).order_by()
    kept = rows.filter(debit_account__kind=_FEES, credit_account__kind=AccountKind.PROVIDER_CLEARING)
    given = rows.filter(debit_account__kind=AccountKind.PROVIDER_CLEARING, credit_account__kind=_FEES)
    fees: dict[str, Money] = {}
    for sign, side in ((1, kept), (-1, given)):
        totals = side.values_list("transaction__reference", "currency").annotate(total=Sum("amount"))
        for reference, currency, total in totals:
            fee = Money(sign * total, currency)
            known = fees.get(reference)
            fees[reference] = fee if known is None or known.currency != fee.currency else known + fee
    return {reference: fee for reference, fee in fees.items() if fee.amount}

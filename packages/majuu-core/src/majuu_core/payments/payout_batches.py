"""Many payouts at once: looked at as a whole first, then stored whole or not at all, then sent by a worker.

When a batch's sum in a currency is above the approval limit, each of its payouts in that currency waits for a second
person: a large amount does not get smaller by being split over rows.
"""

from __future__ import annotations

import csv
import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count
from moneyed import Money

from majuu_core.audit.services import record_entry
from majuu_core.common import clock, ids
from majuu_core.common.cells import safe_cell
from majuu_core.common.money import format_amount
from majuu_core.common.problems import Conflict, NotFound, Problem
from majuu_core.configuration import payout_approval_limit
from majuu_core.database.batch import WriteBatch
from majuu_core.merchants.models import Store
from majuu_core.merchants.people import acting_person, require_second_person
from majuu_core.payments.locks import lock_waiting_payouts
from majuu_core.payments.models import Payout, PayoutBatch
from majuu_core.payments.payout_accounts import PayoutDetails, PayoutRoute, payout_routes, route_for
from majuu_core.payments.payout_files import RowError, read_csv, read_details
from majuu_core.payments.payouts import (
    add_approval,
    add_payout,
    ask_plugins,
    check_details,
    fill_payout,
    require_payout_cover,
    require_permission_to_hold,
)
from majuu_core.payments.representation import represent_time
from majuu_core.providers import operations
from majuu_core.providers.installed import installed_providers

_TOGETHER = 10  # payouts written in one statement
_LOOKED_UP = 500
EXPORT_COLUMNS = (
    *("payout", "reference", "amount", "currency", "fee", "status", "destination", "recipient_name", "receipt"),
    *("failure_code", "failure_message", "parked", "description", "created_at", "occurred_at"),
)


@dataclass(slots=True)
class BatchPreview:
    """What an upload would do. Nothing is stored while there is an error."""

    name: str
    content_hash: str
    payouts: list[Payout] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    @property
    def totals(self) -> dict[str, Money]:
        """The sum in each currency."""
        sums: dict[str, Money] = {}
        for payout in self.payouts:
            code = payout.currency
            sums[code] = sums[code] + payout.amount if code in sums else payout.amount
        return sums

    @property
    def waiting(self) -> int:
        """How many need a second person."""
        return sum(payout.status == Payout.Status.REQUIRES_APPROVAL for payout in self.payouts)


def preview_csv(*, store: Store, livemode: bool, content: bytes, name: str = "") -> BatchPreview:
    """Read a CSV file and say of every row whether it could be paid. Calls nobody and stores nothing."""
    table = read_csv(content, destinations=destination_columns())
    preview = BatchPreview(name=name[:200], content_hash=hashlib.sha256(content).hexdigest(), errors=table.errors)
    currency = store.default_currency
    wanted = [(row, read_details(row, table, currency=currency)) for row in table.rows]
    _fill(preview, store, livemode, [(row.number, details) for row, details in wanted if details is not None])
    return preview


def preview_rows(
    *, store: Store, livemode: bool, rows: Sequence[PayoutDetails], content_hash: str, name: str = ""
) -> BatchPreview:
    """As preview_csv, for rows that came as data. They are counted from 1."""
    preview = BatchPreview(name=name[:200], content_hash=content_hash)
    _fill(preview, store, livemode, list(enumerate(rows, start=1)))
    return preview


def create_batch(*, store: Store, livemode: bool, preview: BatchPreview) -> PayoutBatch:
    """Store every payout of a preview without errors; a worker sends them. Returns the batch.

    Raises Conflict when the same content was uploaded before, when a reference was used meanwhile, or when the money is
    not there. Nothing is stored then.
    """
    if preview.errors:
        raise ValueError("a batch with errors is not stored")
    batch = PayoutBatch(
        id=ids.new_uuid(),
        store=store,
        livemode=livemode,
        name=preview.name,
        content_hash=preview.content_hash,
        rows=len(preview.payouts),
        created_by=acting_person()[:80],
        created_at=clock.now(),
    )
    try:
        with transaction.atomic():
            _insert(batch, preview.payouts)
    except IntegrityError:
        _refuse_repetition(store.pk, livemode, preview.content_hash)
        text = "A reference of this batch was used meanwhile. Nothing was stored; look at the preview again."
        raise Conflict("payout_reference_used", text) from None
    return batch


def approve_batch(*, batch: PayoutBatch) -> int:
    """Approve every payout of the batch that waits; returns how many. Raises Denied and Conflict as approve_payout."""
    person = require_second_person(batch.created_by)
    total = 0
    while True:
        with transaction.atomic():
            waiting = lock_waiting_payouts(batch.pk, _LOOKED_UP)
            for group in _groups(waiting, _TOGETHER):
                writes = WriteBatch()
                for payout in group:
                    add_approval(writes, payout, person)
                writes.execute()
        total += len(waiting)
        if len(waiting) < _LOOKED_UP:
            return total


def get_batch(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> PayoutBatch:
    """The store's batch. Raises NotFound, also for another store's and another mode's."""
    try:
        return PayoutBatch.objects.get(pk=PayoutBatch.uuid_of(public_id), store_id=store_id, livemode=livemode)
    except (ValueError, PayoutBatch.DoesNotExist):
        raise NotFound("payout_batch_not_found", "There is no such batch in this store and mode.") from None


def represent_batches(batches: Sequence[PayoutBatch]) -> list[dict[str, Any]]:
    """Batches as the API shows them, with how their payouts stand. One query for all of them."""
    counts: dict[uuid.UUID, dict[str, int]] = {batch.pk: {} for batch in batches}
    rows = Payout.objects.filter(batch__in=list(counts)).values("batch_id", "status").annotate(count=Count("pk"))
    for key, status, count in rows.order_by().values_list("batch_id", "status", "count"):
        counts[key][status] = count
    return [
        {
            "id": batch.public_id,
            "object": "payout_batch",
            "livemode": batch.livemode,
            "name": batch.name,
            "rows": batch.rows,
            "statuses": counts[batch.pk],
            "created_at": represent_time(batch.created_at),
        }
        for batch in batches
    ]


def export_batch(batch: PayoutBatch) -> Iterator[list[str]]:
    """The batch's payouts as they now stand, headings first, safe for spreadsheets. Streams."""
    yield list(EXPORT_COLUMNS)
    for payout in Payout.objects.filter(batch=batch).order_by("pk").iterator(chunk_size=_LOOKED_UP):
        values: Mapping[str, object] = {
            "payout": payout.public_id,
            "amount": Decimal(format_amount(payout.amount)),
            "fee": Decimal(format_amount(payout.fee)),
            "destination": " ".join(str(value) for value in payout.destination.values()),
            "parked": payout.parked_reason if payout.is_parked else "",
        }
        yield [safe_cell(values.get(name, getattr(payout, name, ""))) for name in EXPORT_COLUMNS]


class _Line:
    """What csv.writer writes to: gives the line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def batch_as_csv(batch: PayoutBatch) -> Iterator[str]:
    """export_batch, line by line."""
    writer = csv.writer(_Line())
    for cells in export_batch(batch):
        yield writer.writerow(cells)


def represent_preview(preview: BatchPreview) -> dict[str, Any]:
    """What an upload would do, as the API shows it. At most a hundred errors are listed."""
    return {
        "object": "payout_batch_preview",
        "name": preview.name,
        "rows": len(preview.payouts),
        "totals": {code: format_amount(amount) for code, amount in sorted(preview.totals.items())},
        "requires_approval": preview.waiting,
        "error_count": len(preview.errors),
        "errors": [
            {"row": error.row, "column": error.column, "code": error.code, "message": error.message}
            for error in preview.errors[:100]
        ],
    }


def destination_columns() -> list[str]:
    """Every heading that says where money goes, of all providers that send some."""
    senders = [provider for provider in installed_providers() if "payout" in operations(provider)]
    names = [item.name for provider in senders for item in provider.info.payout_fields]
    return list(dict.fromkeys(names))


def _fill(preview: BatchPreview, store: Store, livemode: bool, wanted: Sequence[tuple[int, PayoutDetails]]) -> None:
    """Check every row as if it were alone, then the references and the sums of all. Raises Denied as create_payout."""

    @lru_cache(maxsize=64)
    def routes(currency: str, provider: str) -> list[PayoutRoute]:
        return payout_routes(store, livemode, currency, provider)

    numbers: dict[str, int] = {}
    for number, details in wanted:
        try:
            check_details(details)
            known = routes(details.amount.currency.code, details.provider)
            payout = fill_payout(store, livemode, details, None, route_for(known, details, livemode))
            ask_plugins(payout)
        except Problem as problem:
            column = problem.field.removeprefix("destination.")
            preview.errors.append(RowError(number, column, problem.code, problem.message))
            continue
        first = numbers.setdefault(payout.reference, number)
        if first != number:
            text = f"The reference {payout.reference} stands in row {first} already."
            preview.errors.append(RowError(number, "reference", "reference_twice", text))
        preview.payouts.append(payout)
    require_permission_to_hold(preview.payouts)
    _refuse_used_references(preview, store.pk, livemode, numbers)
    _require_approval_of_sums(preview)
    if PayoutBatch.objects.filter(store_id=store.pk, livemode=livemode, content_hash=preview.content_hash).exists():
        preview.errors.append(RowError(0, "", "payout_batch_repeated", "The same content was uploaded before."))
    preview.errors.sort(key=lambda error: error.row)


def _refuse_used_references(
    preview: BatchPreview, store_id: uuid.UUID, livemode: bool, numbers: Mapping[str, int]
) -> None:
    for group in _groups(list(numbers), _LOOKED_UP):
        used = Payout.objects.filter(store_id=store_id, livemode=livemode, reference__in=group)
        for reference in used.values_list("reference", flat=True):
            text = f"The reference {reference} belongs to an earlier payout. A reference is used once, for ever."
            preview.errors.append(RowError(numbers[reference], "reference", "payout_reference_used", text))


def _require_approval_of_sums(preview: BatchPreview) -> None:
    for code, total in preview.totals.items():
        limit = payout_approval_limit(code)
        if limit is not None and total.amount > limit:
            for payout in preview.payouts:
                if payout.currency == code:
                    payout.status = Payout.Status.REQUIRES_APPROVAL


def _insert(batch: PayoutBatch, payouts: Sequence[Payout]) -> None:
    batch.save(force_insert=True)
    require_payout_cover(payouts)
    for group in _groups(payouts, _TOGETHER):
        writes = WriteBatch()
        for payout in group:
            payout.batch = batch
            if payout.status == Payout.Status.PENDING:
                payout.send_at = batch.created_at
            add_payout(writes, payout)
        writes.execute()
    record_entry(
        action="payout_batch.created",
        object_id=batch.public_id,
        merchant_id=batch.store.merchant_id,
        store_id=batch.store_id,
        changes={"name": [None, batch.name], "rows": [None, batch.rows]},
    )


def _refuse_repetition(store_id: uuid.UUID, livemode: bool, content_hash: str) -> None:
    earlier = PayoutBatch.objects.filter(store_id=store_id, livemode=livemode, content_hash=content_hash).first()
    if earlier is not None:
        raise Conflict("payout_batch_repeated", f"The same content was uploaded before: {earlier.public_id}.")


def _groups(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group

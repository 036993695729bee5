"""A table of payouts is looked at as a whole, stored whole or not at all, and sent by a worker."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.problems import Conflict, Denied
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.models import Payout, PayoutBatch
from majuu_core.payments.payout_batches import (
    EXPORT_COLUMNS,
    BatchPreview,
    approve_batch,
    create_batch,
    export_batch,
    preview_csv,
    represent_batches,
    represent_preview,
)
from majuu_core.payments.payout_sending import send_due_payouts
from majuu_core.providers import InvalidCredentials
from majuu_core.testing.fake import FakeProvider
from tests.core.payments.payout_support import CHECKER, MAKER, Paymaster

HEAD = "reference,amount,phone\n"
GOOD = HEAD + "SAL-1,1500,254712345678\nSAL-2,7702,254712345679\nSAL-3,2500.50,254712345670\n"


def look(paymaster: Paymaster, content: str) -> BatchPreview:
    with acting_as(MAKER):
        return preview_csv(store=paymaster.store, livemode=False, content=content.encode(), name="November.csv")


def store(paymaster: Paymaster, content: str) -> PayoutBatch:
    preview = look(paymaster, content)
    assert preview.errors == []
    with acting_as(MAKER):
        return create_batch(store=paymaster.store, livemode=False, preview=preview)


def nothing_stored() -> bool:
    return not (Payout.objects.exists() or PayoutBatch.objects.exists() or LedgerTransaction.objects.exists())


def test_a_preview_says_what_would_happen_and_stores_nothing(paymaster: Paymaster) -> None:
    shown = represent_preview(look(paymaster, GOOD))
    assert (shown["rows"], shown["totals"], shown["requires_approval"]) == (3, {"KES": "11702.50"}, 0)
    assert (shown["error_count"], shown["errors"]) == (0, [])
    assert nothing_stored()
    assert Event.objects.count() == 0


def test_a_batch_is_stored_with_its_holds_and_sent_by_the_worker(paymaster: Paymaster) -> None:
    """Given three rows, when the batch is stored, then their money is held, and the worker sends each once."""
    batch = store(paymaster, GOOD)
    assert (batch.name, batch.rows, batch.created_by) == ("November.csv", 3, "user:901")
    assert paymaster.books() == (Decimal(0), Decimal("11702.50"))
    assert AuditEntry.objects.filter(action="payout_batch.created", object_id=batch.public_id).count() == 1
    assert (send_due_payouts(), send_due_payouts()) == (3, 0)
    assert list(batch.payouts.order_by("pk").values_list("reference", "status")) == [
        ("SAL-1", "succeeded"),
        ("SAL-2", "failed"),
        ("SAL-3", "succeeded"),
    ]
    assert represent_batches([batch])[0]["statuses"] == {"succeeded": 2, "failed": 1}
    assert paymaster.books() == (Decimal("-4000.50"), Decimal(0))
    assert list(find_problems()) == []


def test_one_wrong_row_stores_none(paymaster: Paymaster) -> None:
    """Given many kinds of faults, then each is named by row and column, and the batch cannot be stored."""
    paymaster.send("1500", "OLD-1")
    preview = look(
        paymaster,
        HEAD
        + "SAL-1,1500,07\n"
        + "SAL-1,1500,07\n"
        + "OLD-1,1500,07\n"
        + "SAL-4,-5,07\n"
        + 'SAL-5,"1,500",07\n'
        + "SAL-6,5,4111111111111111\n",
    )
    assert [(error.row, error.column, error.code) for error in preview.errors] == [
        (3, "reference", "reference_twice"),
        (4, "reference", "payout_reference_used"),
        (5, "amount", "amount_not_positive"),
        (6, "amount", "amount_invalid"),
        (7, "phone", "card_number_refused"),
    ]
    with pytest.raises(ValueError, match="errors"):
        create_batch(store=paymaster.store, livemode=False, preview=preview)
    assert (Payout.objects.count(), PayoutBatch.objects.count()) == (1, 0)


def test_the_same_content_again_is_refused(paymaster: Paymaster) -> None:
    preview = look(paymaster, GOOD)
    store(paymaster, GOOD)
    assert [error.code for error in look(paymaster, GOOD).errors if error.row == 0] == ["payout_batch_repeated"]
    with acting_as(MAKER), pytest.raises(Conflict) as refused:  # somebody was faster since the preview
        create_batch(store=paymaster.store, livemode=False, preview=preview)
    assert refused.value.code == "payout_batch_repeated"
    assert (Payout.objects.count(), PayoutBatch.objects.count()) == (3, 1)


def test_a_reference_used_meanwhile_refuses_all(paymaster: Paymaster) -> None:
    preview = look(paymaster, GOOD)
    paymaster.send("1", "SAL-3")
    with acting_as(MAKER), pytest.raises(Conflict) as refused:
        create_batch(store=paymaster.store, livemode=False, preview=preview)
    assert refused.value.code == "payout_reference_used"
    assert (Payout.objects.count(), PayoutBatch.objects.count()) == (1, 0)
    assert paymaster.books() == (Decimal(-1), Decimal(0))


def test_refused_credentials_keep_a_batch_until_they_are_mended(
    paymaster: Paymaster, virtual_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given credentials that the provider refuses, then all rows wait with their money held, and go once mended."""

    def refuse(*_: Any) -> Any:
        raise InvalidCredentials("expired")

    batch = store(paymaster, HEAD + "SAL-1,1500,254712345678\nSAL-2,2500.50,254712345679\n")
    held = Decimal("4000.50")
    assert paymaster.books() == (Decimal(0), held)
    with monkeypatch.context() as patch:
        patch.setattr(FakeProvider, "payout", refuse)
        assert (send_due_payouts(), send_due_payouts()) == (batch.rows, 0)
    waiting = batch.payouts.filter(status="pending", follow_up_at=None, send_at__gt=virtual_clock.now())
    assert (waiting.count(), paymaster.books()) == (batch.rows, (Decimal(0), held))
    virtual_clock.advance(300)
    assert (send_due_payouts(), send_due_payouts()) == (batch.rows, 0)
    assert set(batch.payouts.values_list("status", flat=True)) == {"succeeded"}
    assert paymaster.books() == (-held, Decimal(0))


def test_without_custody_a_batch_is_refused_as_a_whole(db: None, virtual_clock: Any) -> None:
    """Given the platform's account only, then already the preview says that this site holds no money for others."""
    pool = Paymaster(pooled=True, funds="20000")
    with pytest.raises(Denied) as refused:
        look(pool, GOOD)
    assert (refused.value.code, Payout.objects.count()) == ("custodial_disabled", 0)


def test_pooled_money_must_cover_the_sum(db: None, virtual_clock: Any, custodian: None) -> None:
    pool = Paymaster(pooled=True, funds="11702.49")
    transactions = LedgerTransaction.objects.count()
    preview = look(pool, GOOD)
    with pytest.raises(Conflict) as refused:
        create_batch(store=pool.store, livemode=False, preview=preview)
    assert refused.value.code == "insufficient_funds"
    assert (Payout.objects.count(), LedgerTransaction.objects.count()) == (0, transactions)


# --- approval -------------------------------------------------------------------------------------------------------

LARGE = HEAD + "".join(f"R{number},20000,254712345678\n" for number in range(30))


def test_a_large_sum_does_not_get_smaller_by_rows(paymaster: Paymaster) -> None:
    """Given rows that are each below the limit and a sum that is above it, then all wait for a second person."""
    assert look(paymaster, LARGE).waiting == 30
    batch = store(paymaster, LARGE)
    assert (send_due_payouts(), paymaster.books()) == (0, (Decimal(0), Decimal(600_000)))
    with acting_as(MAKER), pytest.raises(Conflict):
        approve_batch(batch=batch)
    with acting_as(Actor(type="key", id="key_x")), pytest.raises(Denied):
        approve_batch(batch=batch)
    assert set(batch.payouts.values_list("status", "approved_by")) == {("requires_approval", "")}
    with acting_as(CHECKER):
        assert (approve_batch(batch=batch), approve_batch(batch=batch)) == (30, 0)
    assert set(batch.payouts.values_list("status", "approved_by")) == {("pending", "user:902")}
    assert (send_due_payouts(20), send_due_payouts(20)) == (20, 10)
    assert paymaster.books() == (Decimal(-600_000), Decimal(0))
    assert AuditEntry.objects.filter(action="payout.approved", actor_id="902").count() == 30


# --- out again ------------------------------------------------------------------------------------------------------


def test_the_export_is_safe_for_spreadsheets(paymaster: Paymaster) -> None:
    """Given a hostile reference and a hostile name told by the provider, then no cell of the export is a formula."""
    evil = '=HYPERLINK("http://evil.example")'
    quoted = '"' + evil.replace('"', '""') + '"'
    batch = store(paymaster, f"reference,amount,phone,description\n{quoted},1500,+254712345678,@SUM(A1)\n")
    Payout.objects.update(recipient_name="\t=cmd", parked_reason="-1", is_parked=True)
    out = io.StringIO()
    csv.writer(out).writerows(export_batch(batch))
    headings, cells = csv.reader(io.StringIO(out.getvalue()))
    row = dict(zip(headings, cells, strict=True))
    assert tuple(headings) == EXPORT_COLUMNS
    assert (row["reference"], row["destination"]) == (f"'{evil}", "'+254712345678")
    assert (row["description"], row["recipient_name"], row["parked"]) == ("'@SUM(A1)", "'\t=cmd", "'-1")
    assert (row["amount"], row["currency"], row["status"]) == ("1500.00", "KES", "pending")


def test_a_look_at_many_rows_costs_as_many_queries_as_at_one(
    paymaster: Paymaster, django_assert_num_queries: Any
) -> None:
    one = look(paymaster, HEAD + "A,1,07\n")
    assert one.errors == []
    many = HEAD + "".join(f"B{number},1,07\n" for number in range(100))
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(
        connection,
    ) as first:
        look(paymaster, HEAD + "C,1,07\n")
    with django_assert_num_queries(len(first)):
        assert look(paymaster, many).errors == []

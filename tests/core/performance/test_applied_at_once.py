"""The short way to complete a payment: what was read may have changed meanwhile, and money must not notice.

PostgreSQL only; elsewhere every message takes the long way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from unittest.mock import patch

import pytest
from django.db import connection, transaction

from majuu_core.audit.models import AuditEntry
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.payments import settling
from majuu_core.payments.intents import cancel_payment_intent
from majuu_core.payments.locks import Seen, look_at_charge
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.settling import apply_if_unchanged, apply_result
from majuu_core.providers import Failure, FailureCode, Result, ResultStatus
from majuu_core.webhooks import inbound_processing
from majuu_core.webhooks.models import InboundEvent, InboundWebhook
from tests.core.payments.support import Till
from tests.core.performance.conftest import Callback

pytestmark = pytest.mark.postgresql

PAID, HELD = (Decimal(7724), Decimal(0)), (Decimal(0), Decimal(7724))
Waiting = Callable[[], Charge]
Paid = Callable[[Charge], Callback]


def _seen(charge: Charge) -> Seen:
    seen = look_at_charge(charge.pk)
    assert seen is not None
    return seen


def _result(charge: Charge) -> Result:
    return Result(status=ResultStatus.SUCCEEDED, provider_reference=charge.provider_reference, amount=charge.amount)


def test_a_charge_that_is_as_it_was_read_is_completed(till: Till, waiting: Waiting) -> None:
    charge = waiting()

    applied = apply_if_unchanged(seen=_seen(charge), result=_result(charge), extend=lambda batch: None)

    assert applied is not None
    assert applied.changed
    charge.refresh_from_db()
    assert (charge.status, charge.payment_intent.status) == ("succeeded", "succeeded")
    assert till.books()["store_payable"] == PAID


@pytest.mark.parametrize("model", [Charge, PaymentIntent])
def test_nothing_is_written_when_either_row_has_changed(
    till: Till, waiting: Waiting, model: type[Charge] | type[PaymentIntent]
) -> None:
    """given a charge as read / when somebody touches it or its intent first / then nothing at all is written."""
    charge = waiting()
    seen, result = _seen(charge), _result(charge)
    key = charge.pk if model is Charge else charge.payment_intent_id
    model.objects.filter(pk=key).update(parked_reason="touched")
    counts = [kind.objects.count() for kind in (LedgerTransaction, Event, AuditEntry)]

    assert apply_if_unchanged(seen=seen, result=result, extend=lambda batch: None) is None

    charge.refresh_from_db()
    assert (charge.status, charge.payment_intent.status) == ("pending", "processing")
    assert [kind.objects.count() for kind in (LedgerTransaction, Event, AuditEntry)] == counts
    assert till.books()["store_payable"] == HELD


def test_inside_a_transaction_the_short_way_is_closed(waiting: Waiting) -> None:
    """given an open transaction / then nothing is tried: a refused statement would spoil it."""
    charge = waiting()
    seen = _seen(charge)

    with transaction.atomic():
        assert apply_if_unchanged(seen=seen, result=_result(charge), extend=lambda batch: None) is None
        assert Charge.objects.get(pk=charge.pk).status == "pending"


def test_an_overtaken_callback_takes_the_long_way(waiting: Waiting, paid: Paid, till: Till) -> None:
    """given a callback whose charge changes after it was read / when it is applied / then under locks, and once."""
    charge = waiting()
    callback = paid(charge)

    def overtaken(**arguments: object) -> object:
        PaymentIntent.objects.filter(pk=charge.payment_intent_id).update(description="changed meanwhile")
        return apply_if_unchanged(**arguments)  # type: ignore[arg-type]

    with patch.object(inbound_processing, "apply_if_unchanged", overtaken):
        answer = callback.post()

    assert answer.status_code == 200
    charge.refresh_from_db()
    assert (charge.status, charge.payment_intent.description) == ("succeeded", "changed meanwhile")
    assert [row.state for row in InboundWebhook.objects.all()] == ["applied"]
    assert InboundEvent.objects.count() == 1
    assert till.books()["store_payable"] == PAID


def test_money_for_an_intent_canceled_meanwhile_is_booked(waiting: Waiting, paid: Paid, till: Till) -> None:
    """given a callback read before a cancellation / when it is applied after it / then it is a late success."""
    charge = waiting()
    seen, result = _seen(charge), _result(charge)
    cancel_payment_intent(intent=charge.payment_intent)

    assert apply_if_unchanged(seen=seen, result=result, extend=lambda batch: None) is None
    apply_result(charge_id=charge.pk, result=result)

    charge.refresh_from_db()
    assert (charge.status, charge.payment_intent.status) == ("succeeded", "succeeded")
    assert charge.payment_intent.canceled_at is not None
    assert till.books()["store_payable"] == PAID


def test_a_message_that_cannot_be_applied_is_kept(waiting: Waiting, paid: Paid) -> None:
    """given a fault while applying, on both ways / when a callback comes / then it waits for the worker."""
    charge = waiting()
    callback = paid(charge)

    def broken(*arguments: object, **named: object) -> None:
        raise RuntimeError("a fault of ours")

    with patch.object(settling, "plan_outcome", broken):
        answer = callback.post()

    assert answer.status_code == 500
    charge.refresh_from_db()
    assert charge.status == "pending"
    kept = InboundWebhook.objects.get()
    assert (kept.state, kept.next_attempt_at, kept.processed_at) == ("received", kept.received_at, None)
    assert InboundEvent.objects.count() == 0


def test_the_same_callback_on_many_threads_completes_once(waiting: Waiting, paid: Paid, till: Till) -> None:
    """given one callback / when sixteen threads deliver it at once / then the money is booked once, all are kept."""
    callback = paid(charge := waiting())
    start, statuses = threading.Barrier(16), []

    def deliver() -> None:
        try:
            start.wait()
            statuses.append(callback.post().status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 16
    states = sorted(InboundWebhook.objects.values_list("state", flat=True))
    assert states == ["applied"] + ["duplicate"] * 15
    assert LedgerTransaction.objects.filter(reference=charge.public_id, kind="charge").count() == 1
    assert till.books()["store_payable"] == PAID
    assert Event.objects.filter(type="payment_intent.succeeded").count() == 1


def test_different_answers_at_once_end_in_one_state(waiting: Waiting, till: Till) -> None:
    """given a charge / when a success and a failure are applied at once / then the success stands, booked once."""
    charge = waiting()
    start = threading.Barrier(2)
    failure = Failure(code=FailureCode.DECLINED, provider_code="declined", message="Declined.")
    failed = Result(status=ResultStatus.FAILED, provider_reference=charge.provider_reference, failure=failure)

    def apply(result: Result) -> None:
        try:
            seen = _seen(charge)
            start.wait()
            if apply_if_unchanged(seen=seen, result=result, extend=lambda batch: None) is None:
                apply_result(charge_id=charge.pk, result=result)
        finally:
            connection.close()

    threads = [threading.Thread(target=apply, args=(result,)) for result in (_result(charge), failed)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    charge.refresh_from_db()
    assert (charge.status, charge.payment_intent.status) == ("succeeded", "succeeded")
    assert till.books()["store_payable"] == PAID

"""Answers, callbacks, questions, cancellations and customers, all at the same moment: money moves once."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.merchants.models import Store
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments import charges, follow_ups
from majuu_core.payments.addresses import charge_callback_url
from majuu_core.payments.follow_ups import follow_up_charge, run_due_follow_ups
from majuu_core.payments.intents import cancel_payment_intent, expire_due_intents
from majuu_core.payments.models import Charge, PaymentIntent, ProviderCall
from majuu_core.payments.settling import apply_result
from majuu_core.providers import Result, ResultStatus, WebhookRequest
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_core.webhooks.models import InboundEvent, InboundWebhook
from tests.core.payments.support import Till
from tests.core.races.threads import Rendezvous, answers, at_once

pytestmark = pytest.mark.postgresql
PAID = Result(status=ResultStatus.SUCCEEDED)
NOTHING = (Decimal(0), Decimal(0))
PENDING_AMOUNT = "7723"  # pending for an hour, then paid


def letter(till: Till, charge: Charge) -> WebhookRequest:
    """What the mock provider would send about the charge now."""
    provider: Any = provider_for(till.account)
    made: WebhookRequest = provider.make_webhook(
        reference=charge.public_id, provider_reference=charge.provider_reference
    )
    return made


def deliver(charge: Charge, request: WebhookRequest) -> int:
    headers = {name: value for name, value in request.headers.items() if name != "content-type"}
    path = charge_callback_url(charge.pk).removeprefix("http://testserver")
    answer = Client().generic("POST", path, request.body, content_type="application/json", headers=headers)
    return answer.status_code


def counting(function: Callable[..., Any], counter: list[int]) -> Callable[..., Any]:
    def counted(*args: Any, **kwargs: Any) -> Any:
        counter.append(threading.get_ident())
        return function(*args, **kwargs)

    return counted


def succeeded_events() -> dict[str, int]:
    types = ("charge.succeeded", "payment_intent.succeeded")
    return dict(Counter(Event.objects.filter(type__in=types).values_list("type", flat=True)))


ONCE = {"charge.succeeded": 1, "payment_intent.succeeded": 1}


def test_16_threads_confirming_one_intent_start_one_charge(till: Till) -> None:
    intent = till.intent(PENDING_AMOUNT)
    calls: list[int] = []
    with mock.patch.object(FakeProvider, "sale", counting(FakeProvider.sale, calls)):
        results = at_once([partial(till.pay, PaymentIntent.objects.get(pk=intent.pk)) for _ in range(16)])
    refused = [result for result in results if isinstance(result, Conflict)]
    assert [problem.code for problem in refused] == ["charge_in_progress"] * 15
    assert (len(calls), Charge.objects.count()) == (1, 1)
    assert till.books()["store_payable"] == (Decimal(0), Decimal(PENDING_AMOUNT))


def test_partial_payments_of_16_threads_never_exceed_the_amount(till: Till) -> None:
    intent = till.intent("1000")
    for _ in range(6):
        at_once([partial(till.pay, PaymentIntent.objects.get(pk=intent.pk), "300") for _ in range(8)])
    intent.refresh_from_db()
    assert intent.amount_received.amount == Decimal(900)
    assert Charge.objects.filter(status="succeeded").count() == 3
    assert till.books()["store_payable"] == (Decimal(900), Decimal(0))


def test_a_callback_that_overtakes_the_answer_wins(till: Till, virtual_clock: VirtualClock) -> None:
    """The provider has answered "pending", and before that is written the callback says paid."""
    intent = till.intent(PENDING_AMOUNT)
    meeting = Rendezvous()

    def late(**kwargs: Any) -> Any:
        meeting.stop_here()
        return apply_result(**kwargs)

    with mock.patch.object(charges, "apply_result", late):
        results: list[Any] = []
        paying = threading.Thread(target=lambda: results.extend(at_once([partial(till.pay, intent)])))
        paying.start()
        assert meeting.reached.wait(20)
        virtual_clock.advance(3600)
        charge = Charge.objects.get()
        reference = provider_for(till.account)._start("sale", _request(charge)).provider_reference  # type: ignore[attr-defined]
        charge.provider_reference = reference
        assert deliver(charge, letter(till, charge)) == 200
        charge.refresh_from_db()
        assert charge.status == "succeeded"
        meeting.go_on.set()
        paying.join(20)
    answers(results)
    charge.refresh_from_db()
    intent.refresh_from_db()
    assert (charge.status, intent.status, succeeded_events()) == ("succeeded", "succeeded", ONCE)
    assert charge.follow_up_at is None
    assert till.books()["store_payable"] == (Decimal(PENDING_AMOUNT), Decimal(0))


def _request(charge: Charge) -> Any:
    from majuu_core.providers import PaymentRequest

    return PaymentRequest(
        idempotency_key=charge.public_id,
        reference=charge.public_id,
        amount=charge.amount,
        payment_method="mock",
        payment_method_data={},
    )


@pytest.mark.parametrize("repetition", range(5))
def test_answer_question_and_callback_say_paid_at_once(
    till: Till, virtual_clock: VirtualClock, repetition: int
) -> None:
    _, charge = till.pay_new(PENDING_AMOUNT)
    virtual_clock.advance(3600)
    told = letter(till, charge)
    works: list[Callable[[], Any]] = [partial(apply_result, charge_id=charge.pk, result=PAID) for _ in range(4)]
    works += [partial(follow_up_charge, charge.pk) for _ in range(4)]
    works += [partial(deliver, charge, told) for _ in range(4)]
    answers(at_once(works))
    process_waiting()
    assert succeeded_events() == ONCE
    assert till.books() == {
        "provider_clearing": (Decimal(PENDING_AMOUNT), Decimal(0)),
        "store_payable": (Decimal(PENDING_AMOUNT), Decimal(0)),
    }
    assert set(InboundWebhook.objects.values_list("state", flat=True)) <= {"applied", "duplicate"}
    assert LedgerTransaction.objects.filter(reference=charge.public_id).count() == 2


@pytest.mark.parametrize("repetition", range(3))
def test_the_same_callback_16_times_at_once_is_applied_once(
    till: Till, virtual_clock: VirtualClock, repetition: int
) -> None:
    _, charge = till.pay_new(PENDING_AMOUNT)
    virtual_clock.advance(3600)
    told = letter(till, charge)
    assert answers(at_once([partial(deliver, charge, told)] * 16)) == [200] * 16
    process_waiting()
    states = Counter(InboundWebhook.objects.values_list("state", flat=True))
    assert states == {"applied": 1, "duplicate": 15}
    assert (InboundEvent.objects.count(), succeeded_events()) == (1, ONCE)


def test_workers_share_the_questions(till: Till, virtual_clock: VirtualClock) -> None:
    for _ in range(5):
        till.pay_new("7724")
    virtual_clock.advance(10)
    asked: list[int] = []
    with mock.patch.object(follow_ups, "ask", counting(follow_ups.ask, asked)):
        taken = answers(at_once([run_due_follow_ups] * 8))
    assert (sum(taken), len(asked)) == (5, 5)
    assert run_due_follow_ups() == 0


def test_workers_share_the_messages(till: Till, virtual_clock: VirtualClock) -> None:
    _, charge = till.pay_new(PENDING_AMOUNT)
    virtual_clock.advance(3600)
    told = letter(till, charge)
    with (
        mock.patch("majuu_core.webhooks.inbound.process_signed"),
        mock.patch("majuu_core.webhooks.inbound.apply_at_once", return_value=False),
    ):
        for _ in range(5):
            deliver(charge, told)
    virtual_clock.advance(120)
    assert sum(answers(at_once([process_waiting] * 8))) == 5
    assert Counter(InboundWebhook.objects.values_list("state", flat=True)) == {"applied": 1, "duplicate": 4}
    assert succeeded_events() == ONCE


@pytest.mark.parametrize("repetition", range(4))
@pytest.mark.parametrize("late_success", ["succeed", "park"])
def test_cancellation_against_success(till: Till, late_success: str, repetition: int) -> None:
    Store.objects.update(late_success=late_success)
    intent, charge = till.pay_new(PENDING_AMOUNT)
    cancel: Callable[[], Any] = partial(cancel_payment_intent, intent=intent)
    succeed: Callable[[], Any] = partial(apply_result, charge_id=charge.pk, result=PAID)
    first, _ = at_once([cancel, succeed])
    intent.refresh_from_db()
    charge.refresh_from_db()
    canceled_first = not isinstance(first, Conflict)
    assert charge.status == "succeeded"
    parked = canceled_first and late_success == "park"
    assert (intent.status, intent.is_parked) == ("canceled" if parked else "succeeded", parked)
    account = "store_unapplied" if parked else "store_payable"
    assert till.books() == {
        "provider_clearing": (Decimal(PENDING_AMOUNT), Decimal(0)),
        account: (Decimal(PENDING_AMOUNT), Decimal(0)),
    }


@pytest.mark.parametrize("repetition", range(4))
def test_expiry_against_a_new_payment(till: Till, virtual_clock: VirtualClock, repetition: int) -> None:
    """The last second: the intent is canceled or paid, never both."""
    intent = till.intent("1500")
    virtual_clock.advance(intent.expires_at - virtual_clock.now())
    works: list[Callable[[], Any]] = [partial(till.pay, intent), expire_due_intents]
    paid, _ = at_once(works)
    intent.refresh_from_db()
    assert isinstance(paid, Conflict)
    assert (intent.status, intent.cancellation_reason, Charge.objects.count()) == ("canceled", "expired", 0)


def test_success_and_failure_at_once_end_in_success(till: Till) -> None:
    for _ in range(8):
        _, charge = till.pay_new(PENDING_AMOUNT)
        failed = Result(status=ResultStatus.CANCELED)
        works: list[Callable[[], Any]] = [
            partial(apply_result, charge_id=charge.pk, result=result) for result in (PAID, failed, PAID, failed)
        ]
        answers(at_once(works))
        charge.refresh_from_db()
        assert (charge.status, charge.payment_intent.status) == ("succeeded", "succeeded")
    assert till.books()["store_payable"] == (Decimal(PENDING_AMOUNT) * 8, Decimal(0))


def test_everything_at_once_for_one_intent_deadlocks_nobody(till: Till, virtual_clock: VirtualClock) -> None:
    intent = till.intent(PENDING_AMOUNT)
    for attempt in range(4):
        works: list[Callable[[], Any]] = []
        for charge in Charge.objects.filter(payment_intent=intent):
            works += [partial(follow_up_charge, charge.pk), partial(apply_result, charge_id=charge.pk, result=PAID)]
            works.append(partial(apply_result, charge_id=charge.pk, result=Result(status=ResultStatus.CANCELED)))
        works += [partial(till.pay, intent, part) for part in ("1000", "2000", "3000", None)]
        works += [expire_due_intents, run_due_follow_ups]
        if attempt:  # an intent that is canceled at once takes no money to disagree about
            works.append(partial(cancel_payment_intent, intent=intent))
        problems = [result for result in at_once(works) if isinstance(result, Exception)]
        assert all(isinstance(problem, Conflict) or "remains" in str(problem) for problem in problems), problems
        virtual_clock.advance(60)
    intent.refresh_from_db()
    charges = Charge.objects.all()
    received = sum(charge.amount_received.amount for charge in charges)
    # A part that arrives after the cancellation waits for a decision: it is in the books, not on the intent.
    parked = sum(charge.amount_received.amount for charge in charges if charge.is_parked)
    books = till.books()
    assert books.get("provider_clearing", NOTHING)[0] == received
    assert intent.amount_received.amount == books.get("store_payable", NOTHING)[0]
    assert intent.surplus.amount == books.get("store_surplus", NOTHING)[0]
    assert parked == books.get("store_unapplied", NOTHING)[0]
    assert intent.amount_received.amount + intent.surplus.amount + parked == received
    assert intent.amount_received <= intent.amount


def test_each_transaction_takes_its_locks_in_one_statement_before_it_writes(till: Till) -> None:
    intent = till.intent(PENDING_AMOUNT)
    with CaptureQueriesContext(connection) as first:
        till.pay(intent)
    charge = Charge.objects.get()
    with CaptureQueriesContext(connection) as second:
        apply_result(charge_id=charge.pk, result=PAID)
    with CaptureQueriesContext(connection) as third:
        cancel_payment_intent(intent=till.intent("100"))
    assert [locked_then_written(queries) for queries in (first, second, third)] == [2, 1, 1]
    assert 'OF "majuu_payments_charge", "majuu_payments_paymentintent"' in sql_of(second)[1]


def sql_of(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries.captured_queries]


def locked_then_written(queries: CaptureQueriesContext) -> int:
    """How many transactions there were; each has exactly one FOR UPDATE, before its first write of payments."""
    transactions: list[list[str]] = []
    for sql in sql_of(queries):
        if sql == "BEGIN":
            transactions.append([])
        elif transactions:
            transactions[-1].append(sql)
    for statements in transactions:
        locks = [number for number, sql in enumerate(statements) if "FOR UPDATE" in sql]
        writes = [
            number for number, sql in enumerate(statements) if re.search(r'(UPDATE|INSERT INTO) "majuu_payments_', sql)
        ]
        assert len(locks) == 1, statements
        assert all(locks[0] < number for number in writes)
    return len(transactions)


def test_what_was_said_is_kept_by_everyone(till: Till, virtual_clock: VirtualClock) -> None:
    """Repeated answers change nothing, but every exchange with the provider stays on record."""
    _, charge = till.pay_new(PENDING_AMOUNT)
    call = ProviderCall(
        provider_account=till.account,
        charge=charge,
        operation="fetch",
        method="GET",
        url="https://x",
        started_at=virtual_clock.now(),
        duration_ms=1,
    )
    records = [ProviderCall(**{**_values(call), "id": None}) for _ in range(8)]
    for record in records:
        record.pk = ProviderCall._meta.pk.get_default()
    answers(at_once([partial(apply_result, charge_id=charge.pk, result=PAID, records=[item]) for item in records]))
    assert ProviderCall.objects.filter(charge=charge).count() == 8
    assert succeeded_events() == ONCE


def _values(call: ProviderCall) -> dict[str, Any]:
    return {field.attname: getattr(call, field.attname) for field in call._meta.concrete_fields}

"""Many refunds, messages and questions at the same moment: never more goes back than came (promise P7)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Invalid
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.outgoing import apply_outgoing
from majuu_core.payments.refund_notices import record_external_refund
from majuu_core.payments.refund_outcomes import REFUNDS, follow_up_refund, run_due_refund_questions
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.providers import Result, ResultStatus
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.inbound_processing import process_waiting
from tests.core.api.support import Shop
from tests.core.payments.refund_support import deliver, give_back, letter
from tests.core.payments.support import Till
from tests.core.races.threads import answers, at_once

pytestmark = pytest.mark.postgresql
NOTHING = (Decimal(0), Decimal(0))


def refund_sum(charge: Charge) -> Decimal:
    alive = Refund.objects.filter(charge=charge).exclude(status__in=["failed", "canceled"])
    return sum((refund.amount.amount for refund in alive), start=Decimal(0))


@pytest.mark.parametrize("part", ["300", "999.99", "1000"])
def test_50_refunds_of_one_charge_never_exceed_what_was_received(
    till: Till, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, charge = till.pay_new("1000")
    calls: list[str] = []
    original = FakeProvider.refund

    def counted(self: FakeProvider, request: Any) -> Result:
        calls.append(request.reference)
        return original(self, request)

    monkeypatch.setattr(FakeProvider, "refund", counted)
    results = at_once([partial(give_back, till, charge, part) for _ in range(50)])
    made = [result for result in results if isinstance(result, Refund)]
    refused = [result for result in results if isinstance(result, Invalid)]
    fits = int(Decimal(1000) / Decimal(part))
    assert (len(made), len(refused)) == (fits, 50 - fits)
    assert {problem.code for problem in refused} <= {"refund_amount_out_of_range", "refund_nothing_left"}
    assert sorted(calls) == sorted(refund.public_id for refund in made)  # each sent once, no other
    charge.refresh_from_db()
    charge.payment_intent.refresh_from_db()
    assert charge.amount_refunded == charge.payment_intent.amount_refunded == fits * Decimal(part)
    left = Decimal(1000) - charge.amount_refunded
    assert till.books().get("store_payable", NOTHING) == (left, Decimal(0))


def test_refunds_of_a_charge_its_intent_and_the_dashboard_at_once(till: Till) -> None:
    """Charge by charge, by the intent, and made elsewhere: what we make ourselves fits, what was made is booked."""
    intent = till.intent("900")
    for part in ("300", "300", "300"):
        till.pay(intent, part)
        intent.refresh_from_db()
    charges = list(intent.charges.order_by("pk"))
    whole = RefundDetails(payment_intent=intent.public_id, amount=Money("700", "KES"), reason="All at once")
    works: list[Any] = [partial(create_refund, store=till.store, livemode=False, details=whole) for _ in range(8)]
    works += [partial(give_back, till, charge, "100") for charge in charges for _ in range(5)]
    results = at_once(works)
    assert all(not isinstance(result, Exception) or isinstance(result, Invalid) for result in results), results
    for charge in charges:
        charge.refresh_from_db()
        assert refund_sum(charge) == charge.amount_refunded <= Decimal(300)
    intent.refresh_from_db()
    assert intent.amount_refunded == sum(charge.amount_refunded for charge in charges)


@pytest.mark.parametrize("repetition", range(3))
def test_answer_question_and_message_say_done_at_once(till: Till, virtual_clock: VirtualClock, repetition: int) -> None:
    _, charge = till.pay_new("20000")
    refund = give_back(till, charge, "7723")
    virtual_clock.advance(3600)
    told = letter(till, refund)
    done = Result(status=ResultStatus.SUCCEEDED)
    works: list[Any] = [partial(apply_outgoing, REFUNDS, refund.pk, done) for _ in range(4)]
    works += [partial(follow_up_refund, refund.pk) for _ in range(4)]
    works += [partial(deliver, refund, told) for _ in range(4)]
    answers(at_once(works))
    process_waiting()
    charge.refresh_from_db()
    assert charge.amount_refunded == Decimal(7723)
    assert Event.objects.filter(object_id=refund.public_id, type="refund.succeeded").count() == 1
    assert LedgerTransaction.objects.filter(reference=refund.public_id).count() == 2
    assert till.books()["store_payable"] == (Decimal(12277), Decimal(0))


def test_16_identical_requests_make_one_refund(till: Till, key: str) -> None:
    _, charge = till.pay_new("1000")
    body = {"charge": charge.public_id, "amount": "400", "reason": "Broken"}
    send = partial(lambda: Shop(key).post("/refunds", body, Idempotency_Key="refund-once"))
    responses = answers(at_once([send] * 16))
    assert Counter(response.status_code for response in responses).keys() <= {201, 409}
    assert len({response.content for response in responses if response.status_code == 201}) == 1
    assert Refund.objects.count() == 1


def test_one_refund_made_elsewhere_is_recorded_once_by_16(till: Till) -> None:
    _, charge = till.pay_new("1000")
    record = partial(record_external_refund, charge=charge, provider_reference="dash-1", amount=Money("100", "KES"))
    made = answers(at_once([record] * 16))
    assert (len({refund.pk for refund in made}), Refund.objects.count()) == (1, 1)
    assert till.books()["store_payable"] == (Decimal(900), Decimal(0))


def test_workers_share_the_questions(till: Till, virtual_clock: VirtualClock) -> None:
    _, charge = till.pay_new("50000")
    for _ in range(5):
        give_back(till, charge, "7724")
    virtual_clock.advance(10)
    assert sum(answers(at_once([run_due_refund_questions] * 8))) == 5

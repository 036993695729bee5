"""Disputes, payouts and the transaction search against the simulated PayPal, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from majuu_core.common import clock
from majuu_core.common.money import Money
from majuu_core.providers import (
    DisputeReason,
    DisputeState,
    DisputeStatus,
    EvidenceFile,
    EvidenceRequest,
    FetchRequest,
    FollowUpRequest,
    PayoutRequest,
    ResultStatus,
    Trust,
)
from majuu_core.testing.harness import new_reference

pytest.importorskip("majuu_sim.paypal", reason="majuu-sim is not installed")
from tests.paypal.shop import Shop

S = DisputeStatus
USD_20 = Money("20.00", "USD")


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


def _fetch(shop: Shop, dispute_id: str) -> DisputeState:
    return shop.provider().fetch_dispute(FetchRequest(reference="dp", provider_reference=dispute_id))


def _told(shop: Shop, event_type: str) -> DisputeState:
    shop.wait(2)
    message = shop.messages_of(event_type)[-1]
    assert shop.provider().verify_webhook(message) is Trust.SIGNED
    [event] = shop.provider().parse_webhook(message)
    assert event.type == "dispute.updated"
    assert event.dispute is not None
    return event.dispute


def test_a_dispute_is_told_answered_and_won(shop: Shop) -> None:
    request, paid = shop.pay()
    opened = shop.sim.open_dispute(paid.receipt or "")

    told = _told(shop, "CUSTOMER.DISPUTE.CREATED")
    answered = shop.provider().submit_evidence(
        EvidenceRequest(
            idempotency_key="key-evidence",
            reference="dp_1",
            provider_reference=opened.id,
            texts={"notes": "Delivered.", "carrier_name": "DHL", "tracking_number": "JJD00"},
            files=(
                EvidenceFile(
                    field="PROOF_OF_DELIVERY_SIGNATURE",
                    name="slip.pdf",
                    content_type="application/pdf",
                    content=b"%PDF-1.4 signed by Jane",
                ),
            ),
            submit=True,
        )
    )
    shop.sim.decide_dispute(opened.id, "seller")

    assert (told.status, told.reason) == (S.NEEDS_RESPONSE, DisputeReason.NOT_RECEIVED)
    assert (told.amount, told.charge_reference, told.payment_reference) == (USD_20, request.reference, paid.receipt)
    assert told.respond_by == clock.now().replace(second=0) + timedelta(days=10)
    assert answered.status is S.UNDER_REVIEW
    won = _told(shop, "CUSTOMER.DISPUTE.RESOLVED")
    assert (won.status, won.withdrawn) == (S.WON, Money("0.00", "USD"))
    assert won == _fetch(shop, opened.id)
    stored = [one for one in shop.exchanges if one.operation == "provide_evidence"]
    assert len(stored) == 1
    assert "signed by Jane" not in stored[0].request_body


def test_a_chargeback_of_the_bank_takes_the_money_and_a_fee_at_once(shop: Shop) -> None:
    _, paid = shop.pay()
    opened = shop.sim.open_dispute(paid.receipt or "", channel="EXTERNAL", reason="UNAUTHORISED")

    taken = _fetch(shop, opened.id)
    shop.sim.decide_dispute(opened.id, "buyer")
    lost = _fetch(shop, opened.id)

    assert (taken.reason, taken.withdrawn, taken.fee) == (DisputeReason.FRAUDULENT, USD_20, Money("15.00", "USD"))
    assert (lost.status, lost.withdrawn, lost.fee) == (S.LOST, USD_20, Money("15.00", "USD"))


def test_giving_in_gives_the_money_back(shop: Shop) -> None:
    _, paid = shop.pay()
    opened = shop.sim.open_dispute(paid.receipt or "")
    wanted = FollowUpRequest(idempotency_key="key-accept", reference="dp_1", provider_reference=opened.id)

    first, second = shop.provider().accept_dispute(wanted), shop.provider().accept_dispute(wanted)

    assert (first.status, first.withdrawn) == (S.ACCEPTED, USD_20)
    assert second == first
    shop.wait(2)
    [reversal] = shop.messages_of("PAYMENT.CAPTURE.REVERSED")
    assert shop.provider().parse_webhook(reversal) == []  # the dispute tells it


def test_disputes_are_listed_page_by_page(shop: Shop) -> None:
    opened = []
    for _ in range(3):
        _, paid = shop.pay()
        opened.append(shop.sim.open_dispute(paid.receipt or "").id)
        shop.clock.advance(60)

    everything = list(shop.provider().list_disputes(since=clock.now() - timedelta(days=1)))
    lately = list(shop.provider().list_disputes(since=clock.now() - timedelta(seconds=70)))

    assert [state.provider_reference for state in everything] == opened[::-1]
    assert [state.provider_reference for state in lately] == opened[-1:]


def _payout(outcome: str, shop: Shop) -> PayoutRequest:
    shop.sim.script(outcome, operation="payout_create")
    reference = new_reference("po")
    return PayoutRequest(
        idempotency_key=f"key-{reference}",
        reference=reference,
        amount=Money("15.50", "EUR"),
        destination={"email": "jane@example.com"},
    )


@pytest.mark.parametrize(
    ("outcome", "event_type", "status", "later"),
    [
        ("pay", "SUCCEEDED", ResultStatus.SUCCEEDED, ResultStatus.SUCCEEDED),
        ("unclaimed", "UNCLAIMED", ResultStatus.PENDING, ResultStatus.FAILED),
        ("payout_returned", "RETURNED", ResultStatus.FAILED, ResultStatus.FAILED),
        ("payout_blocked", "BLOCKED", ResultStatus.FAILED, ResultStatus.FAILED),
    ],
)
def test_what_becomes_of_a_payout(
    shop: Shop, outcome: str, event_type: str, status: ResultStatus, later: ResultStatus
) -> None:
    request = _payout(outcome, shop)

    sent = shop.provider().payout(request)
    shop.wait(5)
    shop.wait(5)
    message = shop.messages_of(f"PAYMENT.PAYOUTS-ITEM.{event_type}")[-1]
    assert shop.provider().verify_webhook(message) is Trust.SIGNED
    [event] = shop.provider().parse_webhook(message)
    shop.wait(31 * 86_400)
    question = FetchRequest(reference=request.reference, provider_reference=sent.provider_reference)

    assert sent.status is ResultStatus.PENDING
    assert (event.reference, event.provider_reference) == (request.reference, sent.provider_reference)
    assert (event.result.status, event.result.amount) == (status, request.amount)
    assert shop.provider().fetch_payout(question).status is later


def test_a_payout_whose_answer_was_lost_is_found_again(shop: Shop) -> None:
    request = _payout("timeout_after_commit", shop)

    with pytest.raises(Exception, match="no answer"):
        shop.provider().payout(request)
    again = shop.provider().payout(request)  # as core resends it
    shop.wait(46 * 86_400)
    much_later = shop.provider().payout(request)  # PayPal has forgotten the key, but not the batch's name

    assert again.provider_reference == much_later.provider_reference
    assert much_later.status is ResultStatus.SUCCEEDED
    assert len(shop.sim.payouts()) == 1


def test_the_statement_holds_every_movement(shop: Shop) -> None:
    request, paid = shop.pay()
    refund = FollowUpRequest(
        idempotency_key="key-re",
        reference=new_reference("re"),
        provider_reference=paid.provider_reference or "",
        receipt=paid.receipt,
        amount=Money("5.00", "USD"),
    )
    made = shop.provider().refund(refund)
    sent = _payout("pay", shop)
    shop.provider().payout(sent)
    shop.wait(5)
    today = clock.now().date()

    lines = list(shop.provider().list_settlement_lines(start=today - timedelta(days=40), end=today))

    found = {line.kind: line for line in lines}
    assert (found["charge"].receipt, found["charge"].reference) == (paid.receipt, request.reference)
    assert (found["charge"].gross, found["charge"].fee) == (USD_20, Money("1.19", "USD"))
    assert (found["refund"].receipt, found["refund"].gross) == (made.receipt, Money("-5.00", "USD"))
    assert found["payout"].gross == Money("-15.50", "EUR")
    assert len(lines) == 3

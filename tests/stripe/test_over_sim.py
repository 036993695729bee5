"""The whole way: the official SDK, over HTTP, against the simulated Stripe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

pytest.importorskip("majuu_sim.stripe", reason="majuu-sim is not installed")

from majuu_core.common import clock
from majuu_core.common.money import Money
from majuu_core.providers import (
    DisputeStatus,
    EvidenceFile,
    EvidenceRequest,
    FetchRequest,
    FollowUpRequest,
    InvalidPaymentData,
    OutcomeUnknown,
    PaymentRequest,
    RequestRejected,
    Result,
    ResultStatus,
    SavedMethodState,
    SavedMethodStatus,
)
from majuu_core.testing.harness import Outcome, new_reference
from majuu_sim.stripe import Endpoint
from majuu_stripe.events import NEEDED_EVENTS
from tests.stripe.harness import ENDPOINT, StripeHarness, signed
from tests.stripe.harness import SIGNING_SECRET as SECRET

_S = ResultStatus


@pytest.fixture
def harness() -> Iterator[StripeHarness]:
    harness = StripeHarness(available_after=172_800.0)
    yield harness
    harness.close()


def pay(harness: StripeHarness, **changes: Any) -> tuple[PaymentRequest, Result]:
    request = replace(harness.payment(), **changes)
    return request, harness.make_provider().sale(request)


def by_token(token: str) -> dict[str, Any]:
    return {"payment_method_data": {"payment_method": token}}


def fetch(harness: StripeHarness, request: PaymentRequest, reference: str | None) -> Result:
    question = FetchRequest(reference=request.reference, provider_reference=reference)
    return harness.make_provider().fetch_payment(question)


def give_back(harness: StripeHarness, result: Result, amount: str | None = None) -> FollowUpRequest:
    money = Money(amount, "KES") if amount else None
    return replace(harness.follow_up("re", result, amount=money), paid=Money(1500, "KES"))


def told(harness: StripeHarness, kind: str) -> list[Any]:
    """What the provider makes of every event of this kind so far."""
    provider = harness.make_provider()
    bodies = [json.dumps(event).encode() for event in harness.events() if event["type"] == kind]
    return [event for body in bodies for event in provider.parse_webhook(signed(body, SECRET))]


def test_a_payment_in_stripes_page_from_beginning_to_end(harness: StripeHarness) -> None:
    request = harness.payment(Outcome.NEEDS_ACTION)
    opened = harness.make_provider().sale(request)
    assert opened.status is _S.REQUIRES_ACTION
    assert opened.provider_reference is not None
    assert opened.provider_reference.startswith("cs_test_")
    assert opened.next_action is not None
    assert opened.next_action.expires_at is not None
    assert timedelta(minutes=59) < opened.next_action.expires_at - clock.now() <= timedelta(minutes=60)

    harness.sim.pay_session(opened.provider_reference, "pm_card_chargeDeclined")
    declined = fetch(harness, request, opened.provider_reference)
    harness.sim.pay_session(opened.provider_reference)
    paid = fetch(harness, request, opened.provider_reference)

    assert declined.status is _S.REQUIRES_ACTION  # another card may follow
    assert (paid.status, paid.provider_reference, paid.amount) == (
        _S.SUCCEEDED,
        opened.provider_reference,
        Money(1500, "KES"),
    )
    assert paid.fee == Money("43.80", "KES")  # 2.9 % and 30 of the smallest unit
    assert paid.receipt is not None
    assert paid.receipt.startswith("ch_")
    assert told(harness, "payment_intent.payment_failed") == []
    [done] = told(harness, "checkout.session.completed")
    assert (done.reference, done.result.status, done.result.provider_reference) == (
        request.reference,
        _S.SUCCEEDED,
        opened.provider_reference,
    )
    [charged] = told(harness, "charge.succeeded")
    assert (charged.result.receipt, charged.result.provider_reference) == (paid.receipt, None)


def test_a_page_can_be_closed_and_runs_out(harness: StripeHarness) -> None:
    provider = harness.make_provider()
    first, second = harness.payment(Outcome.NEEDS_ACTION), harness.payment(Outcome.NEEDS_ACTION)
    closed, left = provider.sale(first), provider.sale(second)

    voided = provider.void(harness.follow_up("ch", closed))
    again = provider.void(harness.follow_up("ch", closed))
    harness.clock.advance(3700)
    harness.sim.run_due()

    assert (voided.status, again.status) == (_S.CANCELED, _S.CANCELED)
    assert fetch(harness, second, left.provider_reference).status is _S.CANCELED
    assert {event.reference for event in told(harness, "checkout.session.expired")} == {
        first.reference,
        second.reference,
    }


def test_a_paid_page_cannot_be_voided(harness: StripeHarness) -> None:
    request = harness.payment(Outcome.NEEDS_ACTION)
    opened = harness.make_provider().sale(request)
    harness.sim.pay_session(opened.provider_reference or "")

    with pytest.raises(RequestRejected):
        harness.make_provider().void(harness.follow_up("ch", opened))

    assert fetch(harness, request, opened.provider_reference).status is _S.SUCCEEDED


def test_a_hold_in_stripes_page_is_captured_in_part(harness: StripeHarness) -> None:
    request = harness.payment(Outcome.NEEDS_ACTION)
    opened = harness.make_provider().authorize(request)
    harness.sim.pay_session(opened.provider_reference or "")
    held = fetch(harness, request, opened.provider_reference)

    taken = harness.make_provider().capture(harness.follow_up("ch", held, amount=Money(600, "KES")))

    assert (held.status, held.amount, held.receipt) == (_S.AUTHORIZED, Money(1500, "KES"), None)
    assert (taken.status, taken.amount, taken.provider_reference) == (
        _S.SUCCEEDED,
        Money(600, "KES"),
        opened.provider_reference,
    )
    assert told(harness, "checkout.session.completed") == []
    [at_first] = told(harness, "payment_intent.amount_capturable_updated")
    assert (at_first.result.status, at_first.reference) == (_S.AUTHORIZED, request.reference)


def test_capturing_more_or_other_money_takes_nothing(harness: StripeHarness) -> None:
    request = harness.payment()
    held = harness.make_provider().authorize(request)

    for money, code in ((Money("1500.01", "KES"), "amount_too_large"), (Money(5, "USD"), "currency_mismatch")):
        with pytest.raises(RequestRejected) as refused:
            harness.make_provider().capture(harness.follow_up("ch", held, amount=money))
        assert refused.value.code == code

    assert fetch(harness, request, held.provider_reference).status is _S.AUTHORIZED
    assert harness.count_payments(request) == 0


def test_a_hold_that_ran_out_says_so(harness: StripeHarness) -> None:
    request = harness.payment()
    held = harness.make_provider().authorize(request)
    harness.clock.advance(8 * 86_400)
    harness.sim.run_due()

    late = harness.make_provider().capture(harness.follow_up("ch", held))

    assert (late.status, late.provider_reference) == (_S.CANCELED, held.provider_reference)
    assert harness.count_payments(request) == 0


@pytest.mark.parametrize(("approve", "status"), [(True, _S.SUCCEEDED), (False, _S.FAILED)])
def test_a_bank_asks_and_the_customer_answers(harness: StripeHarness, approve: bool, status: ResultStatus) -> None:
    request, asked = pay(harness, **by_token("pm_card_threeDSecure2Required"))

    harness.sim.authenticate(asked.provider_reference or "", approve=approve)
    answered = fetch(harness, request, asked.provider_reference)

    assert asked.status is _S.REQUIRES_ACTION
    assert asked.next_action is not None
    assert asked.next_action.type == "redirect"
    assert answered.status is status
    if answered.failure is not None:
        assert answered.failure.code == "authentication_failed"


def test_without_a_way_back_the_bank_asks_in_the_shops_own_page(harness: StripeHarness) -> None:
    _, asked = pay(harness, return_url="", **by_token("pm_card_threeDSecure2Required"))

    assert asked.next_action is not None
    assert asked.next_action.type == "use_client_secret"
    assert asked.next_action.data["client_secret"].startswith(f"{asked.provider_reference}_secret_")
    assert asked.next_action.data["publishable_key"] == "pk_test_contract001"


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDS, Outcome.NEEDS_ACTION])
def test_a_payment_is_found_by_our_own_id(harness: StripeHarness, outcome: Outcome) -> None:
    request = harness.payment(outcome)
    first = harness.make_provider().sale(request)
    before = fetch(harness, request, None)
    harness.settle()

    found = fetch(harness, request, None)

    assert before.status is first.status
    assert (found.status, found.provider_reference) == (_S.SUCCEEDED, first.provider_reference)


def test_a_payment_is_found_before_the_search_knows_it() -> None:
    harness = StripeHarness(search_lag=60.0)
    try:
        request, first = pay(harness)
        found = fetch(harness, request, None)
        nothing = fetch(harness, harness.payment(), None)
    finally:
        harness.close()

    assert (found.status, found.provider_reference) == (_S.SUCCEEDED, first.provider_reference)
    assert nothing.status is _S.UNKNOWN


def test_refunds_in_parts_until_nothing_is_left(harness: StripeHarness) -> None:
    _, paid = pay(harness)
    provider = harness.make_provider()

    first = provider.refund(give_back(harness, paid, "1000"))
    with pytest.raises(RequestRejected):
        provider.refund(give_back(harness, paid, "500.01"))
    rest = provider.refund(give_back(harness, paid))
    nothing = provider.refund(give_back(harness, paid))

    assert (first.amount, rest.amount) == (Money(1000, "KES"), Money(500, "KES"))
    assert (first.status, rest.status, nothing.status) == (_S.SUCCEEDED, _S.SUCCEEDED, _S.FAILED)
    assert nothing.failure is not None
    assert nothing.failure.provider_code == "charge_already_refunded"


def test_a_refund_is_found_by_our_own_id(harness: StripeHarness) -> None:
    _, paid = pay(harness)
    wanted = give_back(harness, paid, "10")
    made = harness.make_provider().refund(wanted)

    found = harness.make_provider().fetch_refund(FetchRequest(reference=wanted.reference, provider_reference=None))

    assert (found.status, found.provider_reference) == (_S.SUCCEEDED, made.provider_reference)
    other = FetchRequest(reference=new_reference("re"), provider_reference=made.provider_reference)
    assert harness.make_provider().fetch_refund(other).status is _S.UNKNOWN


def test_a_refund_that_fails_after_days(harness: StripeHarness) -> None:
    _, paid = pay(harness, **by_token("pm_card_refundFail"))
    wanted = give_back(harness, paid)
    made = harness.make_provider().refund(wanted)
    harness.clock.advance(4 * 86_400)
    harness.sim.run_due()

    later = harness.make_provider().fetch_refund(
        FetchRequest(reference=wanted.reference, provider_reference=made.provider_reference)
    )

    assert (made.status, later.status) == (_S.SUCCEEDED, _S.FAILED)
    [failed] = told(harness, "refund.failed")
    assert (failed.reference, failed.result.status) == (wanted.reference, _S.FAILED)
    assert made.occurred_at is not None
    assert failed.result.occurred_at >= made.occurred_at + timedelta(days=3)


def test_a_refund_made_in_the_dashboard_names_the_charge(harness: StripeHarness) -> None:
    request, paid = pay(harness)
    made = harness.sim.refund_in_dashboard(paid.receipt or "", 20_000)

    [event] = told(harness, "refund.created")

    assert (event.reference, event.provider_reference, event.result.amount) == (
        request.reference,
        made["id"],
        Money(200, "KES"),
    )


def test_a_saved_card_is_charged_while_nobody_is_there(harness: StripeHarness) -> None:
    provider = harness.make_provider()
    wanted = harness.save_method()
    saved = provider.save_method(wanted)
    again = provider.save_method(wanted)
    second = provider.save_method(replace(harness.save_method(), customer=wanted.customer))

    assert (saved.status, saved.brand, saved.last4, saved.reference) == (
        SavedMethodStatus.ACTIVE,
        "visa",
        "4242",
        wanted.reference,
    )
    assert again == saved
    assert second.customer_reference == saved.customer_reference  # one customer, however many cards
    _, paid = pay(harness, **by_saved(saved))
    assert paid.status is _S.SUCCEEDED
    gone = provider.forget_method(saved)
    assert (gone.status, provider.forget_method(gone).status) == (SavedMethodStatus.REMOVED, SavedMethodStatus.REMOVED)
    question = FetchRequest(reference=wanted.reference, provider_reference=saved.provider_reference)
    assert provider.fetch_saved_method(question).status is SavedMethodStatus.REMOVED
    _, refused = pay(harness, **by_saved(saved))
    assert (refused.status, refused.failure and refused.failure.code) == (_S.FAILED, "invalid_payment_method")


def by_saved(saved: SavedMethodState) -> dict[str, Any]:
    return {
        "payment_method_data": {},
        "saved_method": saved.method_reference,
        "customer_reference": saved.customer_reference,
        "customer_present": False,
    }


def test_a_card_is_saved_in_stripes_page(harness: StripeHarness) -> None:
    wanted = harness.save_method(Outcome.NEEDS_ACTION)
    opened = harness.make_provider().save_method(wanted)
    question = FetchRequest(reference=wanted.reference, provider_reference=opened.provider_reference)
    by_ours = FetchRequest(reference=wanted.reference, provider_reference=None)
    harness.sim.pay_session(opened.provider_reference)

    saved = harness.make_provider().fetch_saved_method(question)

    assert (opened.status, opened.method_reference) == (SavedMethodStatus.REQUIRES_ACTION, "")
    assert (saved.status, saved.provider_reference) == (SavedMethodStatus.ACTIVE, opened.provider_reference)
    assert saved.method_reference.startswith("pm_")
    assert harness.make_provider().fetch_saved_method(by_ours) == saved
    [done] = told(harness, "setup_intent.succeeded")
    assert (done.reference, done.saved_method.last4) == (wanted.reference, "4242")
    with pytest.raises(OutcomeUnknown):
        harness.make_provider().fetch_saved_method(FetchRequest(reference=new_reference("sm"), provider_reference=None))


def test_a_card_is_saved_for_somebody(harness: StripeHarness) -> None:
    with pytest.raises(InvalidPaymentData) as refused:
        harness.make_provider().save_method(
            replace(harness.save_method(Outcome.NEEDS_ACTION), customer="", return_url="")
        )

    assert {one.code for one in refused.value.violations} == {"customer_required", "return_url_required"}


def evidence(dispute_id: str, **changes: Any) -> EvidenceRequest:
    reference = new_reference("dp")
    values: dict[str, Any] = {"idempotency_key": reference, "reference": reference, "provider_reference": dispute_id}
    return EvidenceRequest(**(values | changes))


def test_a_dispute_is_answered_and_won(harness: StripeHarness) -> None:
    request, paid = pay(harness)
    opened = harness.sim.dispute(paid.receipt or "", reason="product_not_received")
    provider = harness.make_provider()
    proof = EvidenceFile(
        field="shipping_documentation", name="pod.pdf", content_type="application/pdf", content=b"%PDF-1.7 signed"
    )

    found = provider.fetch_dispute(FetchRequest(reference="dp_x", provider_reference=opened["id"]))
    kept = provider.submit_evidence(evidence(opened["id"], texts={"shipping_carrier": "Posta"}))
    sent = provider.submit_evidence(evidence(opened["id"], files=(proof,), submit=True))
    harness.sim.decide_dispute(opened["id"], won=True)
    won = provider.fetch_dispute(FetchRequest(reference="dp_x", provider_reference=opened["id"]))

    assert (found.status, found.reason, found.charge_reference, found.payment_reference) == (
        DisputeStatus.NEEDS_RESPONSE,
        "not_received",
        request.reference,
        paid.receipt,
    )
    assert (found.amount, found.withdrawn, found.fee) == (
        Money(1500, "KES"),
        Money(1500, "KES"),
        Money(15, "KES"),
    )
    assert found.respond_by is not None
    assert found.respond_by > clock.now()
    assert (kept.status, sent.status) == (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW)
    stored = harness.sim.object(opened["id"])["evidence"]
    assert (stored["shipping_carrier"], stored["shipping_documentation"][:5]) == ("Posta", "file_")
    assert (won.status, won.withdrawn) == (DisputeStatus.WON, Money(0, "KES"))
    assert [state.provider_reference for state in provider.list_disputes(since=clock.now() - timedelta(days=1))] == [
        opened["id"]
    ]
    assert list(provider.list_disputes(since=clock.now() + timedelta(days=1))) == []


def test_a_dispute_is_given_up(harness: StripeHarness) -> None:
    _, paid = pay(harness)
    opened = harness.sim.dispute(paid.receipt or "")
    provider = harness.make_provider()
    wanted = replace(harness.follow_up("dp", paid), provider_reference=opened["id"])

    given_up = provider.accept_dispute(wanted)
    again = provider.accept_dispute(replace(wanted, idempotency_key="another"))
    asked = provider.fetch_dispute(FetchRequest(reference="dp_x", provider_reference=opened["id"]))

    assert [state.status for state in (given_up, again, asked)] == [DisputeStatus.ACCEPTED] * 3
    assert given_up.withdrawn == Money(1500, "KES")


def test_a_disputed_payment_is_not_given_back(harness: StripeHarness) -> None:
    _, paid = pay(harness)
    harness.sim.dispute(paid.receipt or "")

    refused = harness.make_provider().refund(give_back(harness, paid))

    assert (refused.status, refused.failure and refused.failure.provider_code) == (_S.FAILED, "charge_disputed")


def test_an_inquiry_holds_nothing_back(harness: StripeHarness) -> None:
    _, paid = pay(harness)
    harness.sim.dispute(paid.receipt or "", inquiry=True)

    [event] = told(harness, "charge.dispute.created")

    assert (event.dispute.status, event.dispute.withdrawn) == (DisputeStatus.NEEDS_RESPONSE, Money(0, "KES"))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"texts": {"favourite_colour": "blue"}}, "evidence_unknown", "favourite_colour"),
        ({"texts": {"receipt": "see attachment"}}, "evidence_unknown", "receipt"),
        ({"texts": {"uncategorized_text": "x" * 20_001}}, "evidence_too_long", "uncategorized_text"),
        (
            {"texts": {"uncategorized_text": "card 4242424242424242"}},
            "card_number_refused",
            "uncategorized_text",
        ),
        ({}, "evidence_empty", "evidence"),
    ],
)
def test_evidence_that_stripe_does_not_take(
    harness: StripeHarness, changes: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(InvalidPaymentData) as refused:
        harness.make_provider().submit_evidence(evidence("du_1", **changes))

    assert [(one.code, one.field) for one in refused.value.violations] == [(code, field)]
    assert not harness.exchanges


@pytest.mark.parametrize(
    ("name", "content_type", "content", "code"),
    [
        ("receipt", "text/html", b"<html>", "evidence_type"),
        ("receipt", "image/png", b"%PDF-1.7", "evidence_type"),
        ("shipping_carrier", "image/png", b"\x89PNG\r\n\x1a\n", "evidence_unknown"),
        ("receipt", "application/pdf", b"%PDF-" + b"x" * 4_500_000, "evidence_too_large"),
    ],
)
def test_files_that_stripe_does_not_take(
    harness: StripeHarness, name: str, content_type: str, content: bytes, code: str
) -> None:
    file = EvidenceFile(field=name, name="a", content_type=content_type, content=content)

    with pytest.raises(InvalidPaymentData) as refused:
        harness.make_provider().submit_evidence(evidence("du_1", files=(file,)))

    assert [one.code for one in refused.value.violations] == [code]
    assert not harness.exchanges


def test_the_statement_holds_payments_refunds_disputes_and_payouts(harness: StripeHarness) -> None:
    request, paid = pay(harness, amount=Money(200, "USD"))
    refund = harness.make_provider().refund(
        replace(give_back(harness, paid), amount=Money(50, "USD"), paid=Money(200, "USD"))
    )
    harness.clock.advance(3 * 86_400)
    harness.sim.run_due()
    payout = harness.sim.make_payout("usd")
    today = clock.now().date()

    lines = list(harness.make_provider().list_settlement_lines(start=today - timedelta(days=3), end=today))

    shown = {(line.kind, line.gross, line.fee, line.provider_reference, line.payout_reference) for line in lines}
    assert shown == {
        ("charge", Money(200, "USD"), Money("6.10", "USD"), paid.provider_reference, payout["id"]),
        ("refund", Money(-50, "USD"), Money(0, "USD"), refund.provider_reference, payout["id"]),
        ("payout", Money("-143.90", "USD"), Money(0, "USD"), payout["id"], payout["id"]),
    }
    [sale] = [line for line in lines if line.kind == "charge"]
    assert (sale.reference, sale.receipt) == (request.reference, paid.receipt)
    assert sale.occurred_at is not None
    assert sale.settled_on == sale.occurred_at.date() + timedelta(days=2)
    assert len({line.line_id for line in lines}) == 3
    assert list(harness.make_provider().list_settlement_lines(start=date(2020, 1, 1), end=date(2020, 1, 2))) == []


def test_the_statement_of_a_dispute(harness: StripeHarness) -> None:
    _, paid = pay(harness)
    opened = harness.sim.dispute(paid.receipt or "")
    today = clock.now().date()

    lines = list(harness.make_provider().list_settlement_lines(start=today, end=today))

    [line] = [line for line in lines if line.kind == "dispute"]
    assert (line.gross, line.fee, line.provider_reference) == (Money(-1500, "KES"), Money(15, "KES"), opened["id"])
    assert line.receipt == paid.receipt


def test_the_statement_has_as_many_pages_as_it_needs(harness: StripeHarness) -> None:
    provider = harness.make_provider()
    for _ in range(3):
        pay(harness)
    account = provider._account()

    found = list(account.api.pages(lambda v1, params: v1.balance_transactions.list(params), {"limit": 2}))
    first = list(account.api.pages(lambda v1, params: v1.balance_transactions.list(params), {"limit": 2}, most=1))

    assert len({one["id"] for one in found}) == 3
    assert len(first) == 2


def checks(harness: StripeHarness, url: str = ENDPOINT) -> dict[str, str]:
    return {check.name: check.state for check in harness.make_provider().self_checks(callback_url=url)}


def test_an_account_that_is_well_set_up(harness: StripeHarness) -> None:
    assert set(checks(harness).values()) == {"ok"}


def test_an_endpoint_that_is_not_there_or_lacks_events(harness: StripeHarness) -> None:
    assert checks(harness, "https://elsewhere.example/in/x")["webhook_endpoint"] == "error"
    assert checks(harness, "")["webhook_endpoint"] == "error"
    few = Endpoint(url=ENDPOINT, secrets=(SECRET,), enabled_events=("charge.succeeded",), api_version="2020-08-27")
    harness.sim.set_endpoints(few)
    found = checks(harness, f"{ENDPOINT}/")

    assert (found["webhook_endpoint"], found["webhook_events"], found["api_version"]) == ("ok", "error", "warning")
    harness.sim.set_endpoints(replace(few, enabled_events=NEEDED_EVENTS))
    assert checks(harness)["webhook_events"] == "ok"


def test_old_api_versions_tell_the_same(harness: StripeHarness) -> None:
    harness.sim.set_endpoints(Endpoint(url=ENDPOINT, secrets=(SECRET,), api_version="2020-08-27"))
    request, paid = pay(harness)
    harness.make_provider().refund(give_back(harness, paid, "100"))

    [done] = told(harness, "payment_intent.succeeded")
    [refunded] = told(harness, "charge.refunded")

    assert (done.reference, done.result.receipt, done.result.amount) == (
        request.reference,
        paid.receipt,
        Money(1500, "KES"),
    )
    assert (refunded.type, refunded.result.amount) == ("refund.updated", Money(100, "KES"))


def test_zero_and_three_decimal_currencies(harness: StripeHarness) -> None:
    for amount, currency, wire in ((Money(500, "JPY"), "jpy", 500), (Money("5.12", "KWD"), "kwd", 5120)):
        _, paid = pay(harness, amount=amount)
        held = harness.sim.object(paid.provider_reference or "")
        assert (held["amount"], held["currency"], paid.amount) == (wire, currency, amount)
    _, paid = pay(harness, amount=Money(5000, "UGX"))
    assert (harness.sim.object(paid.provider_reference or "")["amount"], paid.amount) == (500_000, Money(5000, "UGX"))


def test_a_question_that_nobody_answers_can_be_taken_back(harness: StripeHarness) -> None:
    """Given a customer who left the bank's page, then a void ends the payment, and the bank's yes comes too late."""
    request, asked = pay(harness, **by_token("pm_card_threeDSecure2Required"))

    voided = harness.make_provider().void(harness.follow_up("ch", asked))

    assert (voided.status, voided.provider_reference) == (_S.CANCELED, asked.provider_reference)
    with pytest.raises(RuntimeError):
        harness.sim.authenticate(asked.provider_reference or "")
    assert fetch(harness, request, asked.provider_reference).status is _S.CANCELED
    assert harness.count_payments(request) == 0

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import stripe as sdk

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.providers import DisputeStatus, ProviderEvent, ResultStatus, Trust, WebhookRejected, WebhookRequest
from majuu_stripe.events import NEEDED_EVENTS, READERS
from tests.stripe.support import (
    AT,
    CHARGE,
    REFUND,
    SIGNING_SECRET,
    Stripe,
    answer,
    charge,
    dispute,
    event,
    intent,
    make_provider,
    message,
    metadata,
    money,
    refund,
    refusal,
    session,
)

_S = ResultStatus
HOSTED = metadata(flow="checkout")


def read(made: dict[str, Any], *answers: httpx.Response) -> list[ProviderEvent]:
    return list(make_provider(Stripe(*answers)).parse_webhook(message(made)))


@pytest.mark.parametrize(
    ("kind", "about", "status", "names"),
    [
        ("payment_intent.succeeded", intent(), _S.SUCCEEDED, "pi_1"),
        ("payment_intent.amount_capturable_updated", intent("requires_capture"), _S.AUTHORIZED, "pi_1"),
        ("payment_intent.canceled", intent("canceled"), _S.CANCELED, "pi_1"),
        (
            "payment_intent.payment_failed",
            intent("requires_payment_method", last_payment_error={"code": "expired_card"}),
            _S.FAILED,
            "pi_1",
        ),
        ("payment_intent.requires_action", intent("requires_action"), _S.REQUIRES_ACTION, "pi_1"),
        ("charge.succeeded", charge(), _S.SUCCEEDED, "pi_1"),
        ("charge.succeeded", charge(captured=False), _S.AUTHORIZED, "pi_1"),
        ("charge.captured", charge(amount_captured=60_000), _S.SUCCEEDED, "pi_1"),
        ("charge.updated", charge(balance_transaction="txn_1"), _S.SUCCEEDED, "pi_1"),
        ("charge.expired", charge(captured=False), _S.CANCELED, "pi_1"),
        ("charge.refunded", charge(captured=False, refunded=True), _S.CANCELED, "pi_1"),
        ("checkout.session.completed", session(), _S.SUCCEEDED, "cs_test_1"),
        ("checkout.session.async_payment_succeeded", session(), _S.SUCCEEDED, "cs_test_1"),
        ("checkout.session.async_payment_failed", session(payment_status="unpaid"), _S.FAILED, "cs_test_1"),
        ("checkout.session.expired", session("expired"), _S.CANCELED, "cs_test_1"),
    ],
)
def test_what_happened_to_a_payment(kind: str, about: dict[str, Any], status: ResultStatus, names: str) -> None:
    [told] = read(event(kind, about))

    assert (told.event_id, told.type, told.reference, told.provider_reference) == (
        "evt_1",
        "payment.updated",
        CHARGE,
        names,
    )
    assert (told.result.status, told.result.provider_reference) == (status, names)
    assert told.occurred_at == datetime.fromtimestamp(AT + 10, UTC)


def test_a_payment_in_stripes_page_keeps_its_sessions_name() -> None:
    """The event may come before the answer: the charge's reference must not become the payment intent's."""
    for kind, about in (
        ("payment_intent.succeeded", intent(metadata=HOSTED)),
        ("charge.succeeded", charge(metadata=HOSTED)),
        ("charge.expired", charge(captured=False, metadata=HOSTED)),
    ):
        [told] = read(event(kind, about))
        assert (told.reference, told.result.provider_reference) == (CHARGE, None)


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        # A card that was declined in Stripe's page, or a bank that asks there: the page is still open.
        (
            "payment_intent.payment_failed",
            intent("requires_payment_method", last_payment_error={"code": "expired_card"}, metadata=HOSTED),
        ),
        ("payment_intent.requires_action", intent("requires_action", metadata=HOSTED)),
        ("charge.succeeded", charge(status="failed")),
        # Held in Stripe's page: the payment intent's own event says how much.
        ("checkout.session.completed", session(payment_status="unpaid")),
        # Newer versions tell of refunds in events of their own.
        ("charge.refunded", charge(refunded=True, amount_refunded=150_000)),
        # Kinds that mean nothing to us.
        ("customer.created", {"id": "cus_1", "object": "customer"}),
        ("invoice.paid", {"id": "in_1", "object": "invoice", "metadata": metadata()}),
        ("payment_intent.created", intent("requires_payment_method")),
        # Another system's, in the same Stripe account; another Majuu's.
        ("payment_intent.succeeded", intent(metadata={})),
        ("payment_intent.succeeded", intent(metadata={"majuu_reference": "order-7"})),
        ("payment_intent.succeeded", intent(metadata=metadata(account="pa_other"))),
        ("checkout.session.completed", session(metadata=None)),
        ("setup_intent.succeeded", {"id": "seti_1", "object": "setup_intent", "status": "succeeded", "metadata": {}}),
    ],
)
def test_what_is_none_of_our_business_leaves_no_event(kind: str, about: dict[str, Any]) -> None:
    assert read(event(kind, about)) == []


def test_an_event_of_a_connected_account_is_not_ours() -> None:
    assert read(event("payment_intent.succeeded", intent(), account="acct_2")) == []


def test_a_refund_of_ours_is_told_under_its_own_id() -> None:
    for kind in ("refund.created", "refund.updated", "charge.refund.updated"):
        [told] = read(event(kind, refund()))
        assert (told.type, told.reference, told.provider_reference) == ("refund.updated", REFUND, "re_1")
        assert (told.result.status, told.result.amount) == (_S.SUCCEEDED, money("500.00"))


def test_a_refund_that_fails_days_later_failed_then() -> None:
    failed = refund(status="failed", failure_reason="expired_or_canceled_card")

    [told] = read(event("refund.failed", failed, created=AT + 259_200))

    assert told.result.status is _S.FAILED
    assert told.result.occurred_at == datetime.fromtimestamp(AT + 259_200, UTC)
    assert told.result.failure is not None
    assert told.result.failure.provider_code == "expired_or_canceled_card"


def test_a_refund_made_in_the_dashboard_names_our_charge() -> None:
    [told] = read(event("refund.created", refund(metadata={})), answer(200, charge()))

    assert (told.type, told.reference, told.provider_reference) == ("refund.updated", CHARGE, "re_1")


def test_what_a_partial_capture_releases_is_no_refund() -> None:
    """Stripe shows it as a refund of the charge that never moved on the balance."""
    released = refund(metadata={}, balance_transaction=None)
    listed = {"object": "list", "data": [released]}

    assert read(event("refund.created", released)) == []
    assert read(event("charge.refunded", charge(amount_captured=60_000, refunds=listed))) == []
    for status in ("pending", "succeeded"):
        [ours] = read(event("refund.created", refund(balance_transaction=None, status=status)))
        assert (ours.reference, ours.result.status) == (REFUND, status)


def test_whose_a_charge_is_is_asked_once() -> None:
    stripe = Stripe(answer(200, charge()), answer(200, charge(id="ch_2", metadata={})))
    provider = make_provider(stripe)
    ours = message(event("refund.created", refund(metadata={})))
    theirs = message(event("refund.created", refund(metadata={}, charge="ch_2")))

    assert [len(provider.parse_webhook(one)) for one in (ours, ours, theirs, theirs)] == [1, 1, 0, 0]
    assert [request.url.path for request in stripe.requests] == ["/v1/charges/ch_1", "/v1/charges/ch_2"]


def test_a_charge_that_is_gone_is_nobodys() -> None:
    assert read(event("refund.created", refund(metadata={})), refusal(404, code="resource_missing")) == []


def test_stripe_sends_again_what_could_not_be_looked_up() -> None:
    with pytest.raises(WebhookRejected, match="sends the event again"):
        read(event("refund.created", refund(metadata={})), refusal(500, type="api_error"))


def test_older_versions_list_the_refunds_in_their_charge() -> None:
    listed = {"object": "list", "data": [refund(), refund(id="re_2", metadata={})]}

    first, second = read(event("charge.refunded", charge(refunds=listed), api_version="2022-08-01"))

    assert (first.event_id, first.reference) == ("evt_1:re_1", REFUND)
    assert (second.event_id, second.reference) == ("evt_1:re_2", CHARGE)


@pytest.mark.parametrize(
    ("about", "status", "withdrawn", "fee"),
    [
        (dispute(), DisputeStatus.NEEDS_RESPONSE, "1500.00", "15.00"),
        (dispute("under_review"), DisputeStatus.UNDER_REVIEW, "1500.00", "15.00"),
        (dispute("warning_needs_response", balance_transactions=[]), DisputeStatus.NEEDS_RESPONSE, "0", None),
        (dispute("warning_closed", balance_transactions=[]), DisputeStatus.EXPIRED, "0", None),
        (
            dispute(
                "won",
                balance_transactions=[
                    {"amount": -150_000, "fee": 1500, "currency": "kes"},
                    {"amount": 150_000, "fee": 0, "currency": "kes"},
                ],
            ),
            DisputeStatus.WON,
            "0",
            "15.00",
        ),
        (dispute("lost", evidence_details={"due_by": AT + 9, "submission_count": 1}), DisputeStatus.LOST, "1500", "15"),
        (
            dispute("lost", evidence_details={"due_by": AT + 9, "submission_count": 0}),
            DisputeStatus.EXPIRED,
            "1500",
            "15",
        ),
        (dispute("lost", metadata={"majuu_accepted": "true"}), DisputeStatus.ACCEPTED, "1500", "15"),
        (dispute("of_2031"), DisputeStatus.UNDER_REVIEW, "1500", "15"),
    ],
)
def test_a_dispute_is_told_with_what_it_costs(
    about: dict[str, Any], status: DisputeStatus, withdrawn: str, fee: str | None
) -> None:
    [told] = read(event("charge.dispute.updated", about), answer(200, charge()))

    state = told.dispute
    assert (told.type, told.reference, told.provider_reference, told.result.status) == (
        "dispute.updated",
        None,
        "du_1",
        _S.UNKNOWN,
    )
    assert state is not None
    assert (state.status, state.reason, state.provider_reason) == (status, "not_received", "product_not_received")
    assert (state.payment_reference, state.charge_reference) == ("ch_1", CHARGE)
    assert state.amount == money("1500.00")
    assert state.withdrawn == money(withdrawn)
    assert state.fee == (money(fee) if fee else None)
    assert state.opened_at == datetime.fromtimestamp(AT, UTC)
    assert state.occurred_at == datetime.fromtimestamp(AT + 10, UTC)


def test_a_dispute_that_is_paid_out_in_another_currency_is_held_back_in_its_own() -> None:
    taken = [{"amount": -1161, "fee": 1500, "currency": "usd"}]

    [told] = read(event("charge.dispute.created", dispute(balance_transactions=taken)), answer(200, charge()))

    assert told.dispute is not None
    assert (told.dispute.withdrawn, told.dispute.fee) == (money("1500.00"), money("15.00", "USD"))


def test_another_systems_dispute_leaves_no_event() -> None:
    assert read(event("charge.dispute.created", dispute()), answer(200, charge(metadata={}))) == []


def test_a_saved_card_is_told_with_what_people_know_it_by() -> None:
    made = {
        "id": "seti_1",
        "object": "setup_intent",
        "status": "succeeded",
        "customer": "cus_1",
        "payment_method": "pm_1",
        "metadata": metadata("sm_1"),
    }
    method = {
        "id": "pm_1",
        "customer": "cus_1",
        "card": {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2030},
    }

    [told] = read(event("setup_intent.succeeded", made), answer(200, method))
    [bare] = read(event("setup_intent.succeeded", made), refusal(500))

    assert told.saved_method is not None
    assert (told.type, told.reference, told.provider_reference) == ("saved_method.updated", "sm_1", "seti_1")
    assert (told.saved_method.status, told.saved_method.method_reference) == ("active", "pm_1")
    assert (told.saved_method.brand, told.saved_method.last4, told.saved_method.expires) == ("visa", "4242", "2030-04")
    assert bare.saved_method is not None
    assert (bare.saved_method.status, bare.saved_method.brand) == ("active", "")


def test_what_the_endpoint_must_send_is_read() -> None:
    assert set(NEEDED_EVENTS) < READERS.keys()
    assert {"payment_intent.succeeded", "refund.failed", "charge.dispute.closed"} <= set(NEEDED_EVENTS)


@pytest.mark.parametrize(
    "made",
    [
        event("payment_intent.succeeded", intent(), id=None),
        event("payment_intent.succeeded", intent(), id="evt_" + "x" * 300),
        event("payment_intent.succeeded", intent(), type=7),
        event("payment_intent.succeeded", intent(), created="now"),
        event("payment_intent.succeeded", intent(), data={"object": "pi_1"}),
        event("payment_intent.succeeded", intent(), data=None),
        event("payment_intent.succeeded", intent(), object="v2.core.event"),
        event("payment_intent.succeeded", intent(), livemode=True),
        event("payment_intent.succeeded", intent(), livemode=None),
        event("payment_intent.succeeded", intent(currency="xxq")),
        event("charge.dispute.created", dispute(amount=None, charge=charge())),
    ],
)
def test_what_cannot_be_read_is_rejected(made: dict[str, Any]) -> None:
    with pytest.raises(WebhookRejected):
        read(made)


@pytest.mark.parametrize("kind", sorted(READERS))
@pytest.mark.parametrize("hole", ["metadata", "currency", "amount", "created", "status", "payment_intent", "charge"])
def test_a_missing_field_is_survived(kind: str, hole: str) -> None:
    """Whatever is missing, the message is read, left alone or rejected; never an error page."""
    for about in (intent(), charge(), session(), refund(), dispute()):
        about.pop(hole, None)
        try:
            read(event(kind, about), *[refusal(404, code="resource_missing")] * 3)
        except WebhookRejected:
            pass


def signed(body: bytes, secret: str = SIGNING_SECRET, at: int = AT) -> WebhookRequest:
    header = sdk.WebhookSignature.generate_signature_header(body.decode(), secret, at)
    return WebhookRequest(
        method="POST", headers={"stripe-signature": header}, query={}, body=body, remote_addr="3.18.12.63"
    )


BODY = json.dumps(event("payment_intent.succeeded", intent(description="Ndizi — sokoni"))).encode()


@pytest.mark.parametrize("age", [-300, -1, 0, 299, 300])
def test_a_signature_is_good_for_five_minutes_by_our_own_clock(age: int) -> None:
    with use_clock(VirtualClock(datetime.fromtimestamp(AT + age, UTC))):
        assert make_provider().verify_webhook(signed(BODY)) is Trust.SIGNED


@pytest.mark.parametrize("age", [-301, 301, 86_400])
def test_an_old_signature_is_refused(age: int) -> None:
    with (
        use_clock(VirtualClock(datetime.fromtimestamp(AT + age, UTC))),
        pytest.raises(WebhookRejected, match="seconds"),
    ):
        make_provider().verify_webhook(signed(BODY))


def test_any_of_the_secrets_will_do() -> None:
    both = make_provider(webhook_secrets=["whsec_newest001", SIGNING_SECRET])
    header = signed(BODY).headers["stripe-signature"] + ",v1=" + "0" * 64 + ",v0=abc"
    with use_clock(VirtualClock(datetime.fromtimestamp(AT, UTC))):
        assert both.verify_webhook(signed(BODY)) is Trust.SIGNED
        assert both.verify_webhook(signed(BODY, "whsec_newest001")) is Trust.SIGNED
        rotated = WebhookRequest(
            method="POST", headers={"stripe-signature": header}, query={}, body=BODY, remote_addr=""
        )
        assert make_provider().verify_webhook(rotated) is Trust.SIGNED


def test_what_is_signed_wrong_is_refused() -> None:
    good = signed(BODY)
    later = f"t={AT + 60}," + good.headers["stripe-signature"].partition(",")[2]
    bad = [
        ({}, BODY),
        ({"stripe-signature": later}, BODY),
        ({"stripe-signature": good.headers["stripe-signature"].replace("v1=", "v0=")}, BODY),
        (good.headers, BODY + b" "),
        (good.headers, json.dumps(json.loads(BODY), indent=1).encode()),
        (signed(BODY, "whsec_another0001").headers, BODY),
    ]
    with use_clock(VirtualClock(datetime.fromtimestamp(AT, UTC))):
        for headers, body in bad:
            forged = WebhookRequest(method="POST", headers=headers, query={}, body=body, remote_addr="3.18.12.63")
            with pytest.raises(WebhookRejected):
                make_provider().verify_webhook(forged)


def test_without_a_signing_secret_nothing_is_believed() -> None:
    with pytest.raises(WebhookRejected, match="no signing secret"):
        make_provider(webhook_secrets=[]).verify_webhook(signed(BODY))

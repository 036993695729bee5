from __future__ import annotations

import traceback
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.providers import (
    EvidenceFile,
    EvidenceRequest,
    FetchRequest,
    FollowUpRequest,
    InvalidCredentials,
    InvalidPaymentData,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
    Violation,
)
from majuu_stripe.transport import operation_of
from tests.stripe.support import (
    AT,
    CHARGE,
    KEY,
    REFUND,
    Stripe,
    answer,
    charge,
    dispute,
    follow_up,
    intent,
    make_provider,
    money,
    payment,
    refund,
    refusal,
    session,
)


def sent(stripe: Stripe, number: int = 0) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(stripe.requests[number].content.decode()).items()}


def back(**changes: Any) -> FollowUpRequest:
    """A request to give back a payment of KES 1,500."""
    paid = Result(status=ResultStatus.SUCCEEDED, provider_reference="pi_1", receipt="ch_1")
    return follow_up(paid, paid=money("1500.00"), **changes)


def test_a_token_is_charged_at_once() -> None:
    stripe = Stripe(answer(200, intent(latest_charge=charge(balance_transaction={"fee": 4380, "currency": "kes"}))))

    result = make_provider(stripe, statement_descriptor_suffix="Duka").sale(
        payment(merchant_reference="ORDER-7", metadata={"table": "4"}, customer_reference="cus_9")
    )

    [request] = stripe.requests
    assert (request.method, str(request.url)) == ("POST", "https://api.stripe.com/v1/payment_intents")
    assert request.headers["idempotency-key"] == CHARGE
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["stripe-version"] == "2026-10-28.endive"
    assert sent(stripe) == {
        "amount": "150000",
        "currency": "kes",
        "payment_method": "pm_card_visa",
        "payment_method_types[0]": "card",
        "confirm": "true",
        "expand[0]": "latest_charge.balance_transaction",
        "capture_method": "automatic",
        "metadata[table]": "4",
        "metadata[majuu_order]": "ORDER-7",
        "metadata[majuu_reference]": CHARGE,
        "metadata[majuu_account]": "pa_test",
        "metadata[majuu_flow]": "direct",
        "description": "ORDER-7",
        "statement_descriptor_suffix": "Duka",
        "customer": "cus_9",
        "return_url": "https://shop.example.co.ke/thanks",
    }
    assert result.status is ResultStatus.SUCCEEDED
    assert (result.provider_reference, result.receipt, result.amount) == ("pi_1", "ch_1", money("1500.00"))
    assert (result.fee, result.payer) == (money("43.80"), "visa ····4242")
    assert result.occurred_at == datetime.fromtimestamp(AT, UTC)


def test_without_a_token_the_customer_goes_to_stripes_page() -> None:
    stripe = Stripe(answer(200, session("open")))
    with use_clock(VirtualClock(datetime(2026, 3, 1, 9, 0, 20, tzinfo=UTC))):
        result = make_provider(stripe).authorize(
            payment(payment_method_data={}, description="Two baskets", customer_email="asha@example.com")
        )

    assert sent(stripe) == {
        "mode": "payment",
        "payment_method_types[0]": "card",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "kes",
        "line_items[0][price_data][unit_amount]": "150000",
        "line_items[0][price_data][product_data][name]": "Two baskets",
        "client_reference_id": CHARGE,
        "metadata[majuu_reference]": CHARGE,
        "metadata[majuu_account]": "pa_test",
        "metadata[majuu_flow]": "checkout",
        "payment_intent_data[capture_method]": "manual",
        "payment_intent_data[metadata][majuu_reference]": CHARGE,
        "payment_intent_data[metadata][majuu_account]": "pa_test",
        "payment_intent_data[metadata][majuu_flow]": "checkout",
        "payment_intent_data[description]": "Two baskets",
        "success_url": "https://shop.example.co.ke/thanks",
        "cancel_url": "https://shop.example.co.ke/thanks",
        "customer_email": "asha@example.com",
        "expires_at": str(AT + 3600),
    }
    assert (result.status, result.provider_reference) == (ResultStatus.REQUIRES_ACTION, "cs_test_1")
    assert result.next_action is not None
    assert dict(result.next_action.data) == {"url": "https://checkout.stripe.com/c/pay/cs_test_1"}
    assert result.next_action.expires_at == datetime.fromtimestamp(AT + 3600, UTC)


@pytest.mark.parametrize(("minutes", "hours"), [(0, 1), (28, 1), (30, 2), (95, 3), (24 * 60, 25)])
def test_a_repeated_request_is_the_same_one(minutes: int, hours: int) -> None:
    """Stripe refuses a known key with other parameters: the end of the page may not depend on the moment."""
    stripe = Stripe(answer(200, session("open")))
    with use_clock(VirtualClock(datetime(2026, 3, 1, 9, tzinfo=UTC) + timedelta(minutes=minutes))):
        make_provider(stripe).sale(payment(payment_method_data={}))

    assert sent(stripe)["expires_at"] == str(AT + 3600 * hours)


def test_what_only_sounds_like_card_data_is_no_harm() -> None:
    stripe = Stripe(answer(200, intent()))
    data = {"payment_method": "pm_1", "company": "Duka", "phone_number": "0712345678", "expected": "soon"}

    make_provider(stripe).sale(payment(payment_method_data=data))

    assert "Duka" not in stripe.requests[0].content.decode()


def test_nobody_there_means_off_session() -> None:
    stripe = Stripe(
        answer(
            402,
            {
                "error": {
                    "type": "card_error",
                    "code": "authentication_required",
                    "message": "The bank wants to ask.",
                    "payment_intent": intent("requires_payment_method"),
                }
            },
        )
    )

    result = make_provider(stripe).sale(
        payment(payment_method_data={}, saved_method="pm_7", customer_reference="cus_9", customer_present=False)
    )

    assert sent(stripe)["off_session"] == "true"
    assert (sent(stripe)["payment_method"], sent(stripe)["customer"]) == ("pm_7", "cus_9")
    assert "return_url" not in sent(stripe)
    assert (result.status, result.provider_reference) == (ResultStatus.FAILED, "pi_1")
    assert result.failure is not None
    assert (result.failure.code, result.failure.provider_code) == ("authentication_failed", "authentication_required")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        (
            {"payment_method_data": {"payment_method": "4242 4242 4242 4242"}},
            "card_number_refused",
            "payment_method_data",
        ),
        ({"payment_method_data": {"note": "5555555555554444"}}, "card_number_refused", "payment_method_data"),
        ({"payment_method_data": {"card[cvc]": "123"}}, "card_data_refused", "payment_method_data"),
        ({"payment_method_data": {"exp_month": "12"}}, "card_data_refused", "payment_method_data"),
        ({"payment_method_data": {"CardNumber": "on file"}}, "card_data_refused", "payment_method_data"),
        (
            {"payment_method_data": {"payment_method": "visa"}},
            "payment_method_invalid",
            "payment_method_data.payment_method",
        ),
        ({"payment_method_data": {}, "return_url": ""}, "return_url_required", "return_url"),
        ({"payment_method": "mpesa_stk"}, "payment_method_unsupported", "payment_method"),
        ({"saved_method": "pm_7"}, "customer_required", "customer"),
        ({"saved_method": "4711", "customer_reference": "cus_9"}, "saved_method_invalid", "saved_method"),
        ({"customer_present": False}, "saved_method_required", "saved_method"),
        ({"customer_reference": "9"}, "customer_invalid", "customer"),
        ({"amount": money("10", "GHS")}, "currency_unsupported", "amount"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_sent(changes: dict[str, Any], code: str, field: str) -> None:
    stripe = Stripe()

    with pytest.raises(InvalidPaymentData) as refused:
        make_provider(stripe).sale(payment(**changes))

    found: list[Violation] = list(refused.value.violations)
    assert [(one.code, one.field) for one in found] == [(code, field)]
    assert "4242" not in str(refused.value)
    assert stripe.requests == []


@pytest.mark.parametrize(
    ("response", "kind", "said"),
    [
        (refusal(400, code="parameter_unknown", message="Received unknown parameter"), RequestRejected, "unknown"),
        (refusal(401, message="Invalid API Key provided: sk_test_****0000"), InvalidCredentials, "secret key"),
        (refusal(403, message="does not have the required permissions"), InvalidCredentials, "permissions"),
        (refusal(404, code="resource_missing"), RequestRejected, "No."),
        (refusal(409, code="idempotency_key_in_use"), OutcomeUnknown, "idempotency key"),
        (refusal(400, type="idempotency_error"), OutcomeUnknown, "idempotency key"),
        (refusal(429, code="lock_timeout"), RateLimited, "too many"),
        (refusal(500, type="api_error"), OutcomeUnknown, "500"),
        (httpx.Response(502, text="<html>Bad gateway</html>"), OutcomeUnknown, "502"),
        (httpx.Response(400, text="<html>Bad request</html>"), OutcomeUnknown, "400"),
        (httpx.Response(200, text="<html>Hello</html>"), OutcomeUnknown, "200"),
        (httpx.Response(302, headers={"location": "https://elsewhere.test"}), OutcomeUnknown, "302"),
    ],
)
def test_every_refusal_has_its_name(response: httpx.Response, kind: type[ProviderError], said: str) -> None:
    with pytest.raises(kind) as raised:
        make_provider(Stripe(response)).sale(payment())

    assert said in str(raised.value)
    assert KEY not in "".join(traceback.format_exception(raised.value))


def test_a_rate_limit_says_how_long() -> None:
    with pytest.raises(RateLimited) as raised:
        make_provider(Stripe(answer(429, {"error": {"message": "slow down"}}, **{"Retry-After": "7"}))).sale(payment())

    assert raised.value.retry_after == 7


def test_a_lost_answer_is_unknown_and_a_cut_line_is_not_sent() -> None:
    def hang(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow")

    with pytest.raises(OutcomeUnknown):
        make_provider(hang).sale(payment())
    with pytest.raises(NotSent):
        make_provider().sale(payment())


def test_a_currency_nobody_knows_is_not_guessed() -> None:
    with pytest.raises(OutcomeUnknown, match="xxq"):
        make_provider(Stripe(answer(200, intent(currency="xxq")))).sale(payment())


def test_exchanges_are_recorded_without_secrets_and_without_files() -> None:
    stripe = Stripe(answer(200, {"id": "file_1", "object": "file"}), answer(200, dispute(charge=charge())))
    provider = make_provider(stripe, options={"base_url": "https://stripe.test"})
    file = EvidenceFile(
        field="receipt", name="receipt.pdf", content_type="application/pdf", content=b"%PDF-1.7 Asha Otieno"
    )

    provider.submit_evidence(
        EvidenceRequest(
            idempotency_key="key",
            reference="dp_1",
            provider_reference="du_1",
            texts={"customer_name": "Asha Otieno"},
            files=(file,),
            submit=True,
        )
    )

    upload, update = provider.context.http.exchanges  # type: ignore[attr-defined]
    assert (upload.operation, update.operation) == ("post files", "post disputes")
    assert upload.url == "https://stripe.test/v1/files"
    assert upload.request_body.startswith("a file of evidence, ")
    assert "Asha" not in upload.request_body
    assert all(KEY not in repr(exchange) for exchange in (upload, update))
    assert b'filename="receipt.pdf"' in stripe.requests[0].content
    assert stripe.requests[0].headers["idempotency-key"] == "key-receipt"
    assert sent(stripe, 1) == {
        "evidence[customer_name]": "Asha Otieno",
        "evidence[receipt]": "file_1",
        "submit": "true",
        "expand[0]": "charge",
    }


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("post", "/v1/payment_intents", "post payment_intents"),
        ("get", "/v1/payment_intents/pi_3Nv?expand[0]=x", "get payment_intents"),
        ("post", "/v1/payment_intents/pi_3Nv/capture", "post payment_intents/capture"),
        ("post", "/v1/checkout/sessions/cs_test_a1B2/expire", "post checkout/sessions/expire"),
        ("get", "/v1/payment_intents/search", "get payment_intents/search"),
        ("get", "/v1/balance_transactions", "get balance_transactions"),
    ],
)
def test_an_exchange_has_a_name_without_ids(method: str, path: str, name: str) -> None:
    assert operation_of(method, f"https://api.stripe.com{path}") == name


def test_a_refund_names_the_charge_and_compares_the_currency() -> None:
    stripe = Stripe(answer(200, refund()))

    result = make_provider(stripe).refund(back(amount=money("500.00"), reason="Broken"))

    assert sent(stripe) == {
        "charge": "ch_1",
        "amount": "50000",
        "metadata[majuu_reason]": "Broken",
        "metadata[majuu_reference]": REFUND,
        "metadata[majuu_account]": "pa_test",
    }
    assert (result.status, result.provider_reference, result.amount) == (
        ResultStatus.SUCCEEDED,
        "re_1",
        money("500.00"),
    )
    with pytest.raises(RequestRejected) as refused:
        make_provider(Stripe()).refund(back(amount=money("5", "USD")))
    assert refused.value.code == "currency_mismatch"


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("charge_already_refunded", "declined"),
        ("charge_disputed", "declined"),
        ("balance_insufficient", "insufficient_funds"),
    ],
)
def test_a_refund_that_cannot_be_is_a_failed_one(code: str, failure: str) -> None:
    result = make_provider(Stripe(refusal(400, code=code))).refund(back())

    assert result.status is ResultStatus.FAILED
    assert result.failure is not None
    assert (result.failure.code, result.failure.provider_code) == (failure, code)


def test_a_refund_of_too_much_is_a_wrong_request() -> None:
    with pytest.raises(RequestRejected) as refused:
        make_provider(Stripe(refusal(400, code="amount_too_large"))).refund(back())

    assert refused.value.code == "amount_too_large"


def test_somebody_elses_payment_is_not_ours() -> None:
    other = intent(metadata={"majuu_reference": CHARGE, "majuu_account": "pa_other"})
    question = FetchRequest(reference=CHARGE, provider_reference="pi_1")

    assert make_provider(Stripe(answer(200, other))).fetch_payment(question).status is ResultStatus.UNKNOWN
    assert make_provider(Stripe(refusal(404, code="resource_missing"))).fetch_payment(question).status is (
        ResultStatus.UNKNOWN
    )
    stripe = Stripe()
    named = FetchRequest(reference=CHARGE, provider_reference="ws_CO_1234")  # another provider's
    assert make_provider(stripe).fetch_payment(named).status is ResultStatus.UNKNOWN
    assert stripe.requests == []

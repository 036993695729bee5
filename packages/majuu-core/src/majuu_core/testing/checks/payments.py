"""Taking money: sale, or authorize where there is no sale."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.providers import (
    FailureCode,
    InvalidPaymentData,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, WebhookKind
from majuu_core.testing.kit import check
from majuu_core.testing.steps import (
    NO_MONEY,
    OPEN,
    PAID,
    any_payment,
    attempt,
    complete,
    describe,
    expect,
    fetch,
    finish,
    has,
    pay,
    refused,
    start,
)

_PAY = ("payment",)
_ACTION_DATA = {
    "redirect": {"url"},
    "await_phone_prompt": {"phone"},
    "use_client_secret": set[str](),
    "display_instructions": {"text", "reference"},
}


@check(
    "payment",
    needs=_PAY,
    why="This is what everything is for.",
    fix="Report a paid payment as succeeded.",
    required=True,
)
def good_payment_ends_paid(harness: ProviderHarness) -> None:
    _, result = pay(harness)
    wanted = ResultStatus.SUCCEEDED if has(harness, "sale") else ResultStatus.AUTHORIZED
    expect(result.status is wanted, f"a good payment ended as {describe(result)}")


@check(
    "payment",
    needs=_PAY,
    why="Without the provider's reference nobody can look the payment up, refund it or find it in a statement.",
    fix="Set provider_reference on every result that is paid or may become so.",
    required=True,
)
def reference_comes_with_the_answer(harness: ProviderHarness) -> None:
    for outcome in (Outcome.SUCCEEDS, Outcome.PENDING, Outcome.NEEDS_ACTION):
        try:
            result = start(harness, harness.payment(outcome))
        except NotOffered:
            continue
        expect(result.provider_reference, f"{describe(result)} came without a provider_reference")


@check(
    "payment",
    needs=_PAY,
    why="Core books what the provider reports; an amount or currency that was not asked for parks the payment.",
    fix="Report the provider's amount in the payment's currency and in its major unit (KES 10.50, not 1050).",
    required=True,
)
def amount_and_currency_are_echoed(harness: ProviderHarness) -> None:
    request = harness.payment()
    first = start(harness, request)
    for result in (first, finish(harness, request, first)):
        expect(result.amount in (None, request.amount), f"asked for {request.amount}, reported {result.amount}")


@check(
    "payment",
    needs=_PAY,
    why="If nobody ever reports the amount, core cannot notice that another one was paid.",
    fix="Set Result.amount in the answer, in fetch_payment or in the webhook's event.",
)
def amount_is_reported_somewhere(harness: ProviderHarness) -> None:
    request = harness.payment()
    first = start(harness, request)
    last = finish(harness, request, first)
    reported = [first.amount, last.amount]
    if has(harness, "parse_webhook") and reported == [None, None]:
        events = harness.make_provider().parse_webhook(harness.webhook(WebhookKind.GOOD, request, last))  # type: ignore[attr-defined]
        reported += [event.result.amount for event in events]
    expect(any(reported), "neither the answer, nor the fetch, nor the webhook says how much was paid")


@check(
    "payment",
    needs=_PAY,
    why="A provider that repeats what was asked hides that the customer paid something else.",
    fix="Read the amount from the provider's answer, never from the request.",
)
def other_amount_is_passed_on(harness: ProviderHarness) -> None:
    request, result = pay(harness, Outcome.WRONG_AMOUNT)
    expect(result.amount is not None, "the amount that the provider reported was left out")
    expect(result.amount != request.amount, "the provider reported another amount, the result says all is well")


@check(
    "payment",
    needs=_PAY,
    why="USD 100 is not KES 100.",
    fix="Read the currency from the provider's answer, never from the request.",
)
def other_currency_is_passed_on(harness: ProviderHarness) -> None:
    request, result = pay(harness, Outcome.WRONG_CURRENCY)
    expect(result.amount is not None, "the amount that the provider reported was left out")
    expect(
        result.amount is not None and result.amount.currency != request.amount.currency,
        "the provider reported another currency, the result says all is well",
    )


@check(
    "payment",
    needs=_PAY,
    why="Core sends the same key again after a lost answer; a second payment would charge the customer twice.",
    fix="Pass idempotency_key to the provider, or set info.replay_safe = False so that core never resends.",
)
def same_key_never_pays_twice(harness: ProviderHarness) -> None:
    if not harness.provider_class.info.replay_safe:
        raise NotOffered("the provider has no idempotency keys, and core never resends")
    request = harness.payment()
    first, second = start(harness, request), start(harness, request)
    expect(
        first.provider_reference == second.provider_reference,
        f"one key made two payments: {first.provider_reference} and {second.provider_reference}",
    )
    try:
        count = harness.count_payments(request)
    except NotOffered:
        return
    expect(count == 1, f"the provider holds {count} payments for one key")


@check(
    "payment",
    needs=_PAY,
    why="Two payments under one reference are one in the books, and one of them is lost.",
    fix="Make the provider's reference from its answer to this very request.",
    required=True,
)
def two_payments_have_two_references(harness: ProviderHarness) -> None:
    first, second = start(harness, any_payment(harness)), start(harness, any_payment(harness))
    expect(
        first.provider_reference != second.provider_reference,
        f"two payments share the reference {first.provider_reference}",
    )


@check(
    "payment",
    needs=_PAY,
    why="A decline is everyday life. An exception would alarm people and leave the payment in doubt.",
    fix="Return Result(status=FAILED, failure=…); never raise for a definite no.",
    required=True,
)
def decline_is_a_value(harness: ProviderHarness) -> None:
    request = harness.payment(Outcome.DECLINED)
    seen = attempt(lambda: finish(harness, request, start(harness, request)))
    expect(isinstance(seen, Result) and seen.status in NO_MONEY, f"a declined payment ended as {describe(seen)}")


@check(
    "payment",
    needs=_PAY,
    why="Support and the merchant's developers work from the provider's own code and words.",
    fix="Fill failure.provider_code as the provider sent it and failure.message with words fit for the merchant.",
)
def decline_says_why(harness: ProviderHarness) -> None:
    _, result = pay(harness, Outcome.DECLINED)
    if result.failure is None:
        raise NotOffered("the decline is reported as canceled, which has no failure")
    expect(result.failure.provider_code.strip(), "provider_code is empty")
    expect(result.failure.message.strip(), "the failure has no message")


@check(
    "payment",
    needs=_PAY,
    why="The customer can help themselves when they learn that money is missing.",
    fix="Map the provider's code to FailureCode.INSUFFICIENT_FUNDS.",
)
def missing_money_is_named(harness: ProviderHarness) -> None:
    _, result = pay(harness, Outcome.INSUFFICIENT_FUNDS)
    code = result.failure.code if result.failure else None
    expect(code is FailureCode.INSUFFICIENT_FUNDS, f"missing money is reported as {describe(result)}")


@check(
    "payment",
    needs=_PAY,
    why="A customer who cancelled is not a card thief; shops treat the two differently.",
    fix="Return canceled, or failed with FailureCode.CUSTOMER_CANCELED.",
)
def cancelling_is_named(harness: ProviderHarness) -> None:
    _, result = pay(harness, Outcome.CUSTOMER_CANCELS)
    named = result.failure is not None and result.failure.code is FailureCode.CUSTOMER_CANCELED
    expect(named or result.status is ResultStatus.CANCELED, f"the customer cancelled; reported as {describe(result)}")


@check(
    "payment",
    needs=_PAY,
    why="After a lost answer the money may have moved: whoever calls it failed lets the customer pay again.",
    fix="Raise OutcomeUnknown, or return UNKNOWN, for timeouts after sending.",
)
def lost_answer_is_unknown(harness: ProviderHarness) -> None:
    for outcome in (Outcome.LOST_PAID, Outcome.LOST_UNPAID):
        try:
            request = harness.payment(outcome)
        except NotOffered:
            continue
        seen = attempt(lambda request=request: start(harness, request))  # type: ignore[misc]
        _expect_doubt(seen, "a lost answer")


@check(
    "payment",
    needs=_PAY,
    why="A provider that stumbles after taking the money answers 5xx all the same.",
    fix="Raise OutcomeUnknown for 5xx and for answers that cannot be read.",
)
def server_error_is_unknown(harness: ProviderHarness) -> None:
    request = harness.payment(Outcome.SERVER_ERROR)
    _expect_doubt(attempt(lambda: start(harness, request)), "a server error")


@check(
    "payment",
    needs=_PAY,
    why="Only NotSent may be sent again without looking; anything else leaves a payment in doubt that never was.",
    fix="Raise NotSent when there was no connection. ProviderHttp does it for you.",
)
def not_sent_is_named(harness: ProviderHarness) -> None:
    request = harness.payment(Outcome.NOT_SENT)
    seen = attempt(lambda: start(harness, request))
    expect(isinstance(seen, NotSent), f"no connection ended as {describe(seen)}")


@check(
    "payment",
    needs=_PAY,
    why="A wrong request is our bug and must be mended; as a decline it would stay hidden for weeks.",
    fix="Raise RequestRejected with the provider's code for a 4xx.",
)
def wrong_request_is_no_decline(harness: ProviderHarness) -> None:
    request = harness.payment(Outcome.REJECTED)
    seen = attempt(lambda: start(harness, request))
    expect(isinstance(seen, (RequestRejected, InvalidPaymentData)), f"a refused request ended as {describe(seen)}")


@check(
    "payment",
    needs=_PAY,
    why="Too many requests means later, not no.",
    fix="Raise RateLimited, with retry_after in seconds when the provider tells.",
)
def rate_limit_is_named(harness: ProviderHarness) -> None:
    request = harness.payment(Outcome.RATE_LIMITED)
    seen = attempt(lambda: start(harness, request))
    expect(isinstance(seen, RateLimited), f"a rate limit ended as {describe(seen)}")
    wait = getattr(seen, "retry_after", None)
    expect(wait is None or (isinstance(wait, int) and wait >= 0), f"retry_after is {wait!r}, not whole seconds")


@check(
    "payment",
    needs=_PAY,
    why="Goods leave the house on succeeded. A payment that is only accepted is not paid.",
    fix="Return PENDING until the provider says that the money moved.",
)
def pending_is_not_paid(harness: ProviderHarness) -> None:
    result = start(harness, harness.payment(Outcome.PENDING))
    expect(result.status in OPEN, f"an unfinished payment is reported as {describe(result)}")


@check(
    "payment",
    needs=_PAY,
    why="Checkout can only show what it understands; a broken address strands the customer.",
    fix="Use a known NextAction.type, fill its data, and send people to https addresses only.",
)
def next_action_can_be_shown(harness: ProviderHarness) -> None:
    result = start(harness, harness.payment(Outcome.NEEDS_ACTION))
    expect(result.next_action is not None, f"the customer must act, but the result is {describe(result)}")
    action = result.next_action
    if action is None:
        return
    expect(action.type in _ACTION_DATA, f"next_action.type {action.type!r} is not known")
    missing = _ACTION_DATA.get(action.type, set()) - set(action.data)
    expect(not missing, f"next_action.data lacks {sorted(missing)}")
    url = action.data.get("url", "https://")
    local = url.startswith(("http://127.0.0.1", "http://localhost"))
    expect(url.startswith("https://") or local, f"the redirect goes to {url[:40]!r}")


@check(
    "payment",
    needs=_PAY,
    why="An amount in a currency that the account does not take ends as another amount on somebody's statement.",
    fix="Refuse currencies outside info.currencies before sending, with InvalidPaymentData or RequestRejected.",
    required=True,
)
def foreign_currency_is_refused(harness: ProviderHarness) -> None:
    request = any_payment(harness)
    outside = next(code for code in ("IRR", "KPW", "XDR") if code not in harness.provider_class.info.currencies)
    foreign = replace(request, amount=Money(request.amount.amount, outside))
    seen = attempt(lambda: start(harness, foreign))
    ok = refused(seen, (InvalidPaymentData, RequestRejected))
    expect(ok, f"{outside}, which is not in info.currencies, ended as {describe(seen)}")


@check(
    "payment",
    needs=_PAY,
    why="Rounding takes money from somebody without asking.",
    fix="Refuse an amount that does not fit the provider's unit with InvalidPaymentData; never round.",
    required=True,
)
def amount_is_never_rounded(harness: ProviderHarness) -> None:
    request = any_payment(harness)
    odd = replace(request, amount=Money(request.amount.amount + Decimal("0.0004"), request.amount.currency))
    seen = attempt(lambda: start(harness, odd))
    ok = refused(seen, (InvalidPaymentData, RequestRejected))
    expect(ok, f"{odd.amount.amount} {odd.amount.currency.code} ended as {describe(seen)}")


@check(
    "payment",
    needs=_PAY,
    why="Nothing or less than nothing is no payment; some providers take a negative amount for a refund.",
    fix="Refuse amounts of zero and below with InvalidPaymentData.",
    required=True,
)
def nothing_is_not_paid(harness: ProviderHarness) -> None:
    for number in (0, -100):
        request = any_payment(harness)
        nothing = replace(request, amount=Money(number, request.amount.currency))
        seen = attempt(lambda nothing=nothing: start(harness, nothing))  # type: ignore[misc]
        expect(refused(seen, (InvalidPaymentData, RequestRejected)), f"an amount of {number} ended as {describe(seen)}")


@check(
    "payment",
    needs=_PAY,
    why="Results are stored and shown: a float in them is an inexact amount, a naive time is the wrong hour.",
    fix="Give times with a zone, fees that are not negative, short references, and a raw of plain JSON without floats.",
    required=True,
)
def results_are_well_formed(harness: ProviderHarness) -> None:
    for outcome in (Outcome.SUCCEEDS, Outcome.DECLINED, Outcome.PENDING):
        try:
            request = harness.payment(outcome)
        except NotOffered:
            continue
        first = start(harness, request)
        _expect_well_formed(first)
        _expect_well_formed(finish(harness, request, first))


@check(
    "payment",
    needs=_PAY,
    why="The web process starts the payment, the worker looks it up; memory of one is not there in the other.",
    fix="Keep nothing on the instance; put what must be shared into context.cache or ask the provider.",
    required=True,
)
def another_process_finds_it(harness: ProviderHarness) -> None:
    request = harness.payment()
    first = start(harness, request)
    harness.settle()
    found = fetch(harness, request, first)
    found = complete(harness, request, found, first) if found.needs_completion else found
    expect(found.status in PAID, f"a new instance sees the paid payment as {describe(found)}")


def _expect_doubt(seen: object, what: str) -> None:
    doubt = isinstance(seen, OutcomeUnknown) or (isinstance(seen, Result) and seen.status is ResultStatus.UNKNOWN)
    expect(doubt, f"{what} ended as {describe(seen)}")  # type: ignore[arg-type]


def _expect_well_formed(result: Result) -> None:
    expect(result.occurred_at is None or _is_aware(result.occurred_at), "occurred_at has no time zone")
    expect(result.fee is None or result.fee.amount >= 0, f"the fee is {result.fee}")
    reference = result.provider_reference
    expect(reference is None or 0 < len(reference) <= 255, f"provider_reference is {reference!r}")
    expect(not _holds_float(result.raw), "raw holds a float")
    try:
        json.dumps(result.raw)
    except (TypeError, ValueError) as problem:
        expect(False, f"raw is not plain JSON: {problem}")


def _is_aware(moment: datetime) -> bool:
    return moment.utcoffset() is not None


def _holds_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_float(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(_holds_float(item) for item in value)
    return isinstance(value, float)

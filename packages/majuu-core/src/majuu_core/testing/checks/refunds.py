"""Giving money back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import cast

from moneyed import Money

from majuu_core.common import clock
from majuu_core.providers import (
    FetchRequest,
    FollowUpRequest,
    InvalidPaymentData,
    OutcomeUnknown,
    PaymentRequest,
    PlansRefunds,
    ProviderError,
    RefundQuestion,
    RefundRoute,
    RequestRejected,
    Result,
    ResultStatus,
    SupportsRefund,
)
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, new_reference
from majuu_core.testing.kit import check
from majuu_core.testing.steps import (
    NO_MONEY,
    PAID,
    any_payment,
    attempt,
    describe,
    expect,
    finish_refund,
    paid,
    pay,
    refused,
)

_NEEDS = ("payment", "refund")
_REFUSALS = (InvalidPaymentData, RequestRejected)
_ROUTES = (*_NEEDS, "refund_routes")
_METHOD = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PHONE = "254712345678"


def _provider(harness: ProviderHarness) -> SupportsRefund:
    return cast(SupportsRefund, harness.make_provider())


@check(
    "refund",
    needs=_NEEDS,
    why="The customer waits for this money.",
    fix="Report succeeded, at once or by fetch_refund, with the amount that went back.",
    required=True,
)
def full_refund_ends_paid_back(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    wanted = harness.refund(request, result)
    last = finish_refund(harness, wanted, _provider(harness).refund(wanted))
    expect(last.status is ResultStatus.SUCCEEDED, f"a good refund ended as {describe(last)}")
    expect(last.amount in (None, request.amount), f"{request.amount} was paid, {last.amount} given back")


@check(
    "refund",
    needs=_NEEDS,
    why="Half the goods came back, half the money goes back: no more and no less.",
    fix="Refund exactly FollowUpRequest.amount; when the provider cannot, refuse and set partial_refunds = False.",
    required=True,
)
def partial_refund_keeps_its_word(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    half = Money((request.amount.amount / 2).quantize(Decimal(1)), request.amount.currency)
    wanted = replace(harness.refund(request, result), amount=half)
    seen = attempt(lambda: finish_refund(harness, wanted, _provider(harness).refund(wanted)))
    if not harness.provider_class.info.partial_refunds:
        expect(refused(seen, _REFUSALS), f"partial_refunds is False, a partial refund ended as {describe(seen)}")
        return
    expect(isinstance(seen, Result) and seen.status is ResultStatus.SUCCEEDED, f"it ended as {describe(seen)}")
    expect(isinstance(seen, Result) and seen.amount in (None, half), f"asked to give back {half}, it was another")


@check(
    "refund",
    needs=_NEEDS,
    why="Giving back more than was paid is giving away the merchant's money.",
    fix="Refuse with RequestRejected; do not cut the amount down in silence.",
    required=True,
)
def refunding_more_is_refused(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    wanted = replace(harness.refund(request, result), amount=request.amount * 2)
    seen = attempt(lambda: _provider(harness).refund(wanted))
    expect(refused(seen, _REFUSALS), f"a refund of twice the payment ended as {describe(seen)}")


@check(
    "refund",
    needs=_NEEDS,
    why="KES 100 given back as USD 100 is a hundred times too much.",
    fix="Refuse a refund in another currency than the payment's with RequestRejected.",
)
def other_currency_is_refused(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    other = "USD" if request.amount.currency.code != "USD" else "EUR"
    wanted = replace(harness.refund(request, result), amount=Money(1, other))
    seen = attempt(lambda: _provider(harness).refund(wanted))
    expect(refused(seen, _REFUSALS), f"a refund in another currency ended as {describe(seen)}")


@check(
    "refund",
    needs=_NEEDS,
    why="A payment that failed has nothing to give back.",
    fix="Refuse with RequestRejected when the provider says that there is no money.",
)
def unpaid_payment_is_not_refunded(harness: ProviderHarness) -> None:
    request, result = pay(harness, Outcome.DECLINED)
    if not result.provider_reference:
        raise NotOffered("the provider gives no reference to declined payments")
    wanted = harness.refund(request, result)
    seen = attempt(lambda: finish_refund(harness, wanted, _provider(harness).refund(wanted)))
    expect(refused(seen, _REFUSALS), f"a refund of a declined payment ended as {describe(seen)}")


@check(
    "refund",
    needs=_NEEDS,
    why="Core sends the same key again after a lost answer; a second refund is the merchant's loss.",
    fix="Pass idempotency_key to the provider, or set info.replay_safe = False.",
)
def same_key_never_refunds_twice(harness: ProviderHarness) -> None:
    if not harness.provider_class.info.replay_safe:
        raise NotOffered("the provider has no idempotency keys, and core never resends")
    request, result = paid(harness)
    wanted = harness.refund(request, result)
    first, second = _provider(harness).refund(wanted), _provider(harness).refund(wanted)
    expect(first.provider_reference == second.provider_reference, "one key made two refunds")


@check(
    "refund",
    needs=_NEEDS,
    why="After a lost answer the money may be on its way back.",
    fix="Raise OutcomeUnknown, or return UNKNOWN, for timeouts after sending.",
)
def lost_answer_is_unknown(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    wanted = harness.refund(request, result, Outcome.LOST_PAID)
    seen = attempt(lambda: _provider(harness).refund(wanted))
    doubt = isinstance(seen, OutcomeUnknown) or (isinstance(seen, Result) and seen.status is ResultStatus.UNKNOWN)
    expect(doubt, f"a lost answer to a refund ended as {describe(seen)}")


@check(
    "refund",
    needs=_NEEDS,
    why="A refund that the provider declines must not look like money on its way.",
    fix="Return Result(status=FAILED, failure=…) from refund or fetch_refund.",
)
def decline_is_a_value(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    wanted = harness.refund(request, result, Outcome.DECLINED)
    seen = attempt(lambda: finish_refund(harness, wanted, _provider(harness).refund(wanted)))
    expect(isinstance(seen, Result) and seen.status in NO_MONEY, f"a declined refund ended as {describe(seen)}")


@check(
    "refund",
    needs=_NEEDS,
    why="A refund that nobody sent is not money given back.",
    fix="Return UNKNOWN from fetch_refund when the provider knows nothing under our reference.",
    required=True,
)
def unheard_of_refund_is_unknown(harness: ProviderHarness) -> None:
    amount = any_payment(harness).amount
    for reference in (None, "made-up"):
        request = FetchRequest(reference=new_reference("re"), provider_reference=reference, amount=amount)
        seen = attempt(lambda request=request: _provider(harness).fetch_refund(request))  # type: ignore[misc]
        good = isinstance(seen, ProviderError) or seen.status not in PAID
        expect(good, f"a refund that was never sent is {describe(seen)}")


@check(
    "refund",
    needs=_NEEDS,
    why="The payment's reference is not the refund's: a look-up by it finds the payment and calls it a refund.",
    fix="Set provider_reference to the refund's own id.",
    required=True,
)
def refund_has_its_own_reference(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    made = _provider(harness).refund(harness.refund(request, result))
    expect(made.provider_reference, "a refund came without a provider_reference")
    expect(made.provider_reference != result.provider_reference, "the refund carries the payment's reference")


@check(
    "refund",
    needs=_NEEDS,
    why="Goods come back one after the other; a second part that is taken for the first is never paid back.",
    fix="Tell refunds apart by their own reference and key; set partial_refunds = False when only one is possible.",
)
def several_parts_are_several_refunds(harness: ProviderHarness) -> None:
    if not harness.provider_class.info.partial_refunds:
        raise NotOffered("the provider gives back everything or nothing")
    request, result = paid(harness)
    made = [_part(harness, request, result, Decimal("0.25")) for _ in range(2)]
    ends = [finish_refund(harness, wanted, first) for wanted, first in made]
    expect(all(end.status is ResultStatus.SUCCEEDED for end in ends), f"the parts ended as {[*map(describe, ends)]}")
    first, second = (answer.provider_reference for _, answer in made)
    expect(first != second, f"two refunds of one payment share the reference {first}")


@check(
    "refund",
    needs=_NEEDS,
    why="Core counts what was given back, and so must the provider: between two systems money is given back twice.",
    fix="Refuse with RequestRejected, or report FAILED, when the refunds together are more than was paid.",
)
def parts_are_never_more_than_the_whole(harness: ProviderHarness) -> None:
    if not harness.provider_class.info.partial_refunds:
        raise NotOffered("the provider gives back everything or nothing")
    if harness.refunds_are_payouts:
        raise NotOffered("money is given back by payouts; only core can count them")
    request, result = paid(harness)
    finish_refund(harness, *_part(harness, request, result, Decimal("0.5")))
    seen = attempt(lambda: finish_refund(harness, *_part(harness, request, result, Decimal("0.75"))))
    expect(refused(seen, _REFUSALS), f"half was given back; three quarters more ended as {describe(seen)}")


@check(
    "refund",
    needs=_NEEDS,
    why="Two people press the button, or a shop sends it again under another key: it is the same money.",
    fix="Refuse with RequestRejected, or report FAILED, when everything was given back already.",
)
def money_given_back_is_not_given_again(harness: ProviderHarness) -> None:
    if harness.refunds_are_payouts:
        raise NotOffered("money is given back by payouts; only core can count them")
    request, result = paid(harness)
    first = harness.refund(request, result)
    finish_refund(harness, first, _provider(harness).refund(first))
    again = harness.refund(request, result)
    seen = attempt(lambda: finish_refund(harness, again, _provider(harness).refund(again)))
    again_paid = isinstance(seen, Result) and seen.status in PAID
    expect(not again_paid, f"a second refund of everything ended as {describe(seen)}")


@check(
    "refund",
    needs=_NEEDS,
    why="A refund may fail days later, when the customer's account is closed; unless it is told, nobody pays them.",
    fix="Report FAILED with a failure from fetch_refund (or the webhook), also after it looked good.",
)
def late_failure_is_told(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    wanted = harness.refund(request, result, Outcome.FAILS_LATE)
    first = _provider(harness).refund(wanted)
    expect(first.status not in NO_MONEY, f"a refund that fails later is {describe(first)} at once")
    harness.settle()
    last = harness.learn_refund(wanted, first)
    expect(last.status in NO_MONEY, f"the refund failed later, and is told as {describe(last)}")


def _part(
    harness: ProviderHarness, request: PaymentRequest, result: Result, share: Decimal
) -> tuple[FollowUpRequest, Result]:
    amount = Money((request.amount.amount * share).quantize(Decimal(1)), request.amount.currency)
    wanted = replace(harness.refund(request, result), amount=amount)
    return wanted, _provider(harness).refund(wanted)


def _question(harness: ProviderHarness, share: int = 1, days: int = 0) -> tuple[RefundQuestion, Result]:
    """A question about a payment that was really made, for a share of it, so many days later."""
    request, result = paid(harness)
    return _ask_about(request, result, share, days), result


def _ask_about(request: PaymentRequest, result: Result, share: int = 1, days: int = 0) -> RefundQuestion:
    now = clock.now()
    return RefundQuestion(
        amount=Money((request.amount.amount / share).quantize(Decimal(1)), request.amount.currency),
        paid=request.amount,
        refunded=Money(0, request.amount.currency),
        paid_at=result.occurred_at or now,
        now=now + timedelta(days=days),
        receipt=result.receipt,
        provider_reference=result.provider_reference,
        payer_phone=_PHONE,
    )


def _routes(harness: ProviderHarness, question: RefundQuestion) -> Sequence[RefundRoute]:
    return cast(PlansRefunds, harness.make_provider()).refund_routes(question)


def _questions(harness: ProviderHarness) -> list[RefundQuestion]:
    """All kinds of payments: whole and in part, young and old, with and without what names them."""
    question, _ = _question(harness)
    part, _ = _question(harness, share=2, days=400)
    nameless = replace(question, receipt=None, provider_reference=None, payer_phone="")
    return [question, part, nameless]


@check(
    "refund",
    needs=_ROUTES,
    why="The plan is shown first and made again when it is carried out: both must say the same.",
    fix="Decide by the RefundQuestion alone, its `now` included; call nobody, keep nothing.",
)
def routes_are_pure(harness: ProviderHarness) -> None:
    for question in _questions(harness):
        calls = len(harness.exchanges)
        provider = cast(PlansRefunds, harness.make_provider())
        first, again = list(provider.refund_routes(question)), list(provider.refund_routes(question))
        expect(first == again == list(_routes(harness, question)), "the same question got different answers")
        expect(len(harness.exchanges) == calls, "planning a refund called the provider")


@check(
    "refund",
    needs=_ROUTES,
    why="Whoever decides about a refund reads these sentences; a way without one, or with two meanings, helps nobody.",
    fix="Return every way, each with a method of its own, a sentence as its reason, and books_as reversal or payout.",
)
def routes_are_explained(harness: ProviderHarness) -> None:
    for question in _questions(harness):
        routes = list(_routes(harness, question))
        expect(routes, "there is no way at all: return the closed ones too, with their reasons")
        methods = [route.method for route in routes]
        expect(len(methods) == len(set(methods)), f"a method is named twice: {methods}")
        for route in routes:
            expect(_METHOD.fullmatch(route.method), f"{route.method!r} is no method: use a lower-case word")
            expect(route.reason.strip(), f"{route.method} has no reason")
            expect(route.books_as in ("reversal", "payout"), f"{route.method} books as {route.books_as!r}")


@check(
    "refund",
    needs=_ROUTES,
    why="Core can only give a way what it knows how to ask for.",
    fix='Let `needs` name "phone" or fields of ProviderInfo.payout_fields, and need nothing else.',
)
def needs_can_be_given(harness: ProviderHarness) -> None:
    known = {"phone", *(item.name for item in harness.provider_class.info.payout_fields)}
    for question in _questions(harness):
        for route in _routes(harness, question):
            odd = sorted(set(route.needs) - known)
            expect(not odd, f"{route.method} needs {odd}, which nobody can give")


@check(
    "refund",
    needs=_ROUTES,
    why="A way that was shown as open and is refused when it is taken makes the plan worthless.",
    fix="Mark a way as possible only when refund() with its method and what it needs is taken by the provider.",
)
def open_route_is_taken(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    question = _ask_about(request, result)
    chosen = next((route for route in _routes(harness, question) if route.possible), None)
    if chosen is None:
        raise NotOffered("no way is open for a good, young payment")
    wanted = replace(
        harness.refund(request, result),
        method=chosen.method,
        amount=question.amount,
        paid=question.paid,
        destination={name: _PHONE for name in chosen.needs if name == "phone"},
    )
    seen = attempt(lambda: _provider(harness).refund(wanted))
    expect(not refused(seen, _REFUSALS), f"{chosen.method} was open, and taking it ended as {describe(seen)}")

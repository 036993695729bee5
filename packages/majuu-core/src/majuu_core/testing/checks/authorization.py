"""Holding money first and taking it later."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from moneyed import Money

from majuu_core.providers import (
    InvalidPaymentData,
    PaymentRequest,
    ProviderError,
    RequestRejected,
    Result,
    ResultStatus,
    SupportsAuthorization,
)
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness
from majuu_core.testing.kit import check
from majuu_core.testing.steps import NO_MONEY, attempt, describe, expect, fetch, finish, prepared, refused

_NEEDS = ("authorize", "capture", "void")
_REFUSALS = (InvalidPaymentData, RequestRejected)


def _provider(harness: ProviderHarness) -> SupportsAuthorization:
    return cast(SupportsAuthorization, harness.make_provider())


def _held(harness: ProviderHarness) -> tuple[PaymentRequest, Result]:
    provider, request = harness.make_provider(), harness.payment()
    result = finish(harness, request, cast(SupportsAuthorization, provider).authorize(prepared(provider, request)))
    expect(result.status is ResultStatus.AUTHORIZED, f"a good authorization ended as {describe(result)}")
    return request, result


@check(
    "authorization",
    needs=_NEEDS,
    why="A hold that is reported as paid is money that does not exist.",
    fix="Return AUTHORIZED from authorize; SUCCEEDED is for captured money.",
    required=True,
)
def authorizing_only_holds(harness: ProviderHarness) -> None:
    _held(harness)


@check(
    "authorization",
    needs=_NEEDS,
    why="Captured is when the merchant has the money.",
    fix="Return SUCCEEDED with the captured amount.",
    required=True,
)
def capture_takes_what_was_held(harness: ProviderHarness) -> None:
    request, held = _held(harness)
    amount = request.amount
    result = _provider(harness).capture(harness.follow_up("ch", held))
    expect(result.status is ResultStatus.SUCCEEDED, f"a capture ended as {describe(result)}")
    expect(result.amount in (None, amount), f"held {amount}, captured {result.amount}")


@check(
    "authorization",
    needs=_NEEDS,
    why="A merchant who ships half the order captures half the money; all of it would be theft.",
    fix="Capture exactly FollowUpRequest.amount; when the provider cannot, refuse and set partial_captures = False.",
    required=True,
)
def partial_capture_keeps_its_word(harness: ProviderHarness) -> None:
    request, held = _held(harness)
    amount = request.amount
    half = Money((amount.amount / 2).quantize(Decimal(1)), amount.currency)
    seen = attempt(lambda: _provider(harness).capture(harness.follow_up("ch", held, amount=half)))
    if not harness.provider_class.info.partial_captures:
        expect(refused(seen, _REFUSALS), f"partial_captures is False, a partial capture ended as {describe(seen)}")
        return
    expect(isinstance(seen, Result) and seen.status is ResultStatus.SUCCEEDED, f"it ended as {describe(seen)}")
    expect(isinstance(seen, Result) and seen.amount in (None, half), f"asked to capture {half}, another was captured")


@check(
    "authorization",
    needs=_NEEDS,
    why="The customer agreed to the amount that was held, and to no more.",
    fix="Refuse with RequestRejected; do not cut the amount down in silence.",
    required=True,
)
def capturing_more_is_refused(harness: ProviderHarness) -> None:
    request, held = _held(harness)
    amount = request.amount
    seen = attempt(lambda: _provider(harness).capture(harness.follow_up("ch", held, amount=amount * 2)))
    expect(refused(seen, _REFUSALS), f"held {amount}, a capture of twice as much ended as {describe(seen)}")


@check(
    "authorization",
    needs=_NEEDS,
    why="A voided hold gives the customer their money back at once.",
    fix="Return CANCELED from void.",
    required=True,
)
def void_releases_the_hold(harness: ProviderHarness) -> None:
    _, held = _held(harness)
    result = _provider(harness).void(harness.follow_up("ch", held))
    expect(result.status is ResultStatus.CANCELED, f"a void ended as {describe(result)}")


@check(
    "authorization",
    needs=_NEEDS,
    why="Core sends the same key again after a lost answer; a second capture takes the money twice.",
    fix="Pass idempotency_key to the provider, or set info.replay_safe = False.",
)
def same_key_never_captures_twice(harness: ProviderHarness) -> None:
    if not harness.provider_class.info.replay_safe:
        raise NotOffered("the provider has no idempotency keys, and core never resends")
    _, held = _held(harness)
    request = harness.follow_up("ch", held)
    first, second = _provider(harness).capture(request), _provider(harness).capture(request)
    expect(first.provider_reference == second.provider_reference, "one key made two captures")


@check(
    "authorization",
    needs=_NEEDS,
    why="A decline is everyday life, also for a hold.",
    fix="Return Result(status=FAILED, failure=…) from authorize.",
)
def decline_is_a_value(harness: ProviderHarness) -> None:
    request = harness.payment(Outcome.DECLINED)
    seen = attempt(lambda: finish(harness, request, _provider(harness).authorize(request)))
    expect(isinstance(seen, Result) and seen.status in NO_MONEY, f"a declined authorization ended as {describe(seen)}")


@check(
    "authorization",
    needs=_NEEDS,
    why="The books follow what the provider says was captured; untold, a short capture looks whole.",
    fix="Set Result.amount to the captured amount, in capture's answer or in fetch_payment of its reference.",
)
def captured_amount_is_reported(harness: ProviderHarness) -> None:
    request, held = _held(harness)
    if not harness.provider_class.info.partial_captures:
        raise NotOffered("the provider captures everything or nothing")
    half = Money((request.amount.amount / 2).quantize(Decimal(1)), request.amount.currency)
    taken = _provider(harness).capture(harness.follow_up("ch", held, amount=half))
    told = [taken.amount, fetch(harness, request, taken).amount]
    expect(any(told), "neither the answer nor the look-up says how much was captured")
    expect(all(amount in (None, half) for amount in told), f"{half} was captured, reported are {told}")


@check(
    "authorization",
    needs=_NEEDS,
    why="A capture is the last of its hold. A second one takes money that the customer was told is free again.",
    fix="Refuse it with RequestRejected, or answer with the capture that was made.",
)
def capturing_again_takes_nothing(harness: ProviderHarness) -> None:
    _, held = _held(harness)
    first = _provider(harness).capture(harness.follow_up("ch", held))
    seen = attempt(lambda: _provider(harness).capture(harness.follow_up("ch", held)))
    same = isinstance(seen, Result) and seen.provider_reference == first.provider_reference
    expect(same or refused(seen, _REFUSALS), f"a second capture of one hold ended as {describe(seen)}")


@check(
    "authorization",
    needs=_NEEDS,
    why="The customer was told that the hold is gone.",
    fix="Refuse with RequestRejected, or report the payment as canceled.",
)
def voided_hold_is_not_captured(harness: ProviderHarness) -> None:
    _, held = _held(harness)
    _provider(harness).void(harness.follow_up("ch", held))
    seen = attempt(lambda: _provider(harness).capture(harness.follow_up("ch", held)))
    expect(refused(seen, _REFUSALS), f"a capture of a voided hold ended as {describe(seen)}")


@check(
    "authorization",
    needs=_NEEDS,
    why="Core sends a void again after a lost answer; an error would leave a hold in doubt that is gone.",
    fix="Answer CANCELED again for the same key.",
)
def same_key_voids_once(harness: ProviderHarness) -> None:
    if not harness.provider_class.info.replay_safe:
        raise NotOffered("the provider has no idempotency keys, and core never resends")
    _, held = _held(harness)
    request = harness.follow_up("ch", held)
    _provider(harness).void(request)
    again = attempt(lambda: _provider(harness).void(request))
    canceled = isinstance(again, Result) and again.status is ResultStatus.CANCELED
    expect(canceled, f"a void that was sent again ended as {describe(again)}")


@check(
    "authorization",
    needs=_NEEDS,
    why="The answer to a void may be lost; then only a look-up can tell that the customer has the money back.",
    fix="Report a voided hold as canceled from fetch_payment.",
)
def voided_hold_stays_void(harness: ProviderHarness) -> None:
    request, held = _held(harness)
    _provider(harness).void(harness.follow_up("ch", held))
    found = fetch(harness, request, held)
    expect(found.status in NO_MONEY, f"the hold was voided, the look-up says {describe(found)}")


@check(
    "authorization",
    needs=_NEEDS,
    why="Captured money cannot be let go as if it were held: it must be given back, and the books must say so.",
    fix="Refuse a void of captured money with RequestRejected.",
)
def captured_money_is_not_voided(harness: ProviderHarness) -> None:
    request, held = _held(harness)
    taken = _provider(harness).capture(harness.follow_up("ch", held))
    seen = attempt(lambda: _provider(harness).void(harness.follow_up("ch", held)))
    untouched = isinstance(seen, ProviderError) or seen.status is not ResultStatus.CANCELED
    expect(untouched, f"a void after the capture ended as {describe(seen)}")
    found = fetch(harness, request, taken)
    expect(found.status is ResultStatus.SUCCEEDED, f"after a void that came too late the capture is {describe(found)}")

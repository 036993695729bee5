"""Holding money first and taking it later."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from moneyed import Money

from majuu_core.providers import InvalidPaymentData, RequestRejected, Result, ResultStatus, SupportsAuthorization
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness
from majuu_core.testing.kit import check
from majuu_core.testing.steps import NO_MONEY, attempt, describe, expect, finish, refused

_NEEDS = ("authorize", "capture", "void")
_REFUSALS = (InvalidPaymentData, RequestRejected)


def _provider(harness: ProviderHarness) -> SupportsAuthorization:
    return cast(SupportsAuthorization, harness.make_provider())


def _held(harness: ProviderHarness) -> tuple[Money, Result]:
    request = harness.payment()
    result = finish(harness, request, _provider(harness).authorize(request))
    expect(result.status is ResultStatus.AUTHORIZED, f"a good authorization ended as {describe(result)}")
    return request.amount, result


@check(
    "authorization",
    needs=_NEEDS,
    why="A hold that is reported as paid is money that does not exist.",
    fix="Return AUTHORIZED from authorize; SUCCEEDED is for captured money.",
)
def authorizing_only_holds(harness: ProviderHarness) -> None:
    _held(harness)


@check(
    "authorization",
    needs=_NEEDS,
    why="Captured is when the merchant has the money.",
    fix="Return SUCCEEDED with the captured amount.",
)
def capture_takes_what_was_held(harness: ProviderHarness) -> None:
    amount, held = _held(harness)
    result = _provider(harness).capture(harness.follow_up("ch", held))
    expect(result.status is ResultStatus.SUCCEEDED, f"a capture ended as {describe(result)}")
    expect(result.amount in (None, amount), f"held {amount}, captured {result.amount}")


@check(
    "authorization",
    needs=_NEEDS,
    why="A merchant who ships half the order captures half the money; all of it would be theft.",
    fix="Capture exactly FollowUpRequest.amount; when the provider cannot, refuse and set partial_captures = False.",
)
def partial_capture_keeps_its_word(harness: ProviderHarness) -> None:
    amount, held = _held(harness)
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
)
def capturing_more_is_refused(harness: ProviderHarness) -> None:
    amount, held = _held(harness)
    seen = attempt(lambda: _provider(harness).capture(harness.follow_up("ch", held, amount=amount * 2)))
    expect(refused(seen, _REFUSALS), f"held {amount}, a capture of twice as much ended as {describe(seen)}")


@check(
    "authorization",
    needs=_NEEDS,
    why="A voided hold gives the customer their money back at once.",
    fix="Return CANCELED from void.",
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

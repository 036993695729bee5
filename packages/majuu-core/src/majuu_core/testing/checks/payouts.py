"""Sending money out."""

from __future__ import annotations

from typing import cast

from majuu_core.providers import (
    FetchRequest,
    OutcomeUnknown,
    PayoutRequest,
    ProviderError,
    Result,
    ResultStatus,
    SupportsPayout,
)
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, new_reference
from majuu_core.testing.kit import check
from majuu_core.testing.steps import NO_MONEY, OPEN, PAID, attempt, describe, expect

_NEEDS = ("payout",)


def _provider(harness: ProviderHarness) -> SupportsPayout:
    return cast(SupportsPayout, harness.make_provider())


def _finish(harness: ProviderHarness, request: PayoutRequest, result: Result) -> Result:
    if result.status not in OPEN:
        return result
    harness.settle()
    return harness.learn_payout(request, result)


@check(
    "payout",
    needs=_NEEDS,
    why="Somebody waits for this money.",
    fix="Report succeeded, at once or by fetch_payout, with the amount that was sent.",
    required=True,
)
def good_payout_ends_sent(harness: ProviderHarness) -> None:
    request = harness.payout()
    last = _finish(harness, request, _provider(harness).payout(request))
    expect(last.status is ResultStatus.SUCCEEDED, f"a good payout ended as {describe(last)}")
    expect(last.amount in (None, request.amount), f"asked to send {request.amount}, sent {last.amount}")


@check(
    "payout",
    needs=_NEEDS,
    why="Money that was sent twice does not come back.",
    fix="Pass idempotency_key to the provider, or set info.replay_safe = False.",
)
def same_key_never_sends_twice(harness: ProviderHarness) -> None:
    if not harness.provider_class.info.replay_safe:
        raise NotOffered("the provider has no idempotency keys, and core never resends")
    request = harness.payout()
    first, second = _provider(harness).payout(request), _provider(harness).payout(request)
    expect(first.provider_reference == second.provider_reference, "one key made two payouts")


@check(
    "payout",
    needs=_NEEDS,
    why="After a lost answer the money may be gone; whoever calls it failed sends it again.",
    fix="Raise OutcomeUnknown, or return UNKNOWN, for timeouts after sending.",
)
def lost_answer_is_unknown(harness: ProviderHarness) -> None:
    request = harness.payout(Outcome.LOST_PAID)
    seen = attempt(lambda: _provider(harness).payout(request))
    doubt = isinstance(seen, OutcomeUnknown) or (isinstance(seen, Result) and seen.status is ResultStatus.UNKNOWN)
    expect(doubt, f"a lost answer to a payout ended as {describe(seen)}")


@check(
    "payout",
    needs=_NEEDS,
    why="A refused payout gives the money back to the merchant's balance; an exception leaves it in doubt.",
    fix="Return Result(status=FAILED, failure=…) from payout or fetch_payout.",
)
def decline_is_a_value(harness: ProviderHarness) -> None:
    request = harness.payout(Outcome.DECLINED)
    seen = attempt(lambda: _finish(harness, request, _provider(harness).payout(request)))
    expect(isinstance(seen, Result) and seen.status in NO_MONEY, f"a refused payout ended as {describe(seen)}")


@check(
    "payout",
    needs=_NEEDS,
    why="A payout that nobody sent has neither arrived nor failed.",
    fix="Return UNKNOWN from fetch_payout when the provider knows nothing under our reference.",
    required=True,
)
def unheard_of_payout_is_unknown(harness: ProviderHarness) -> None:
    for reference in (None, "made-up"):
        request = FetchRequest(reference=new_reference("po"), provider_reference=reference)
        seen = attempt(lambda request=request: _provider(harness).fetch_payout(request))  # type: ignore[misc]
        good = isinstance(seen, ProviderError) or seen.status not in PAID
        expect(good, f"a payout that was never sent is {describe(seen)}")

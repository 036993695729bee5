"""Steps that the contract checks share: they call a provider as core does."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import cast

from majuu_core.providers import (
    FetchRequest,
    FollowUpRequest,
    PaymentProvider,
    PaymentRequest,
    PreparesPayments,
    ProviderError,
    Result,
    ResultStatus,
    SupportsAuthorization,
    SupportsCompletion,
    SupportsSale,
    operations,
)
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness
from majuu_core.testing.kit import CheckFailed

PAID = frozenset({ResultStatus.SUCCEEDED, ResultStatus.AUTHORIZED})
OPEN = frozenset({ResultStatus.PENDING, ResultStatus.REQUIRES_ACTION, ResultStatus.UNKNOWN})
NO_MONEY = frozenset({ResultStatus.FAILED, ResultStatus.CANCELED})


def expect(condition: object, seen: str) -> None:
    """Fail the check with a sentence about what was seen."""
    if not condition:
        raise CheckFailed(seen)


def prepared(provider: PaymentProvider, request: PaymentRequest) -> PaymentRequest:
    """The request as core sends it on."""
    return provider.prepare_payment(request) if isinstance(provider, PreparesPayments) else request


def start(harness: ProviderHarness, request: PaymentRequest) -> Result:
    """Sale, or authorize for a provider that only has that, by a new instance."""
    return start_with(harness.make_provider(), request)


def start_with(provider: PaymentProvider, request: PaymentRequest) -> Result:
    """Prepare and send a payment with this instance."""
    request = prepared(provider, request)
    if isinstance(provider, SupportsSale):
        return provider.sale(request)
    return cast(SupportsAuthorization, provider).authorize(request)


def fetch(harness: ProviderHarness, request: PaymentRequest, result: Result | None) -> Result:
    """Ask for the truth, by a new instance. Without a result there is no provider reference, as after a timeout."""
    return harness.make_provider().fetch_payment(
        FetchRequest(
            reference=request.reference,
            provider_reference=result.provider_reference if result else None,
            amount=request.amount,
        )
    )


def finish(harness: ProviderHarness, request: PaymentRequest, result: Result) -> Result:
    """The last word about a payment: at once, or after the other side settled it."""
    if result.status not in OPEN:
        return result
    harness.settle()
    found = fetch(harness, request, result)
    return complete(harness, request, found, result) if found.needs_completion else found


def complete(harness: ProviderHarness, request: PaymentRequest, *results: Result) -> Result:
    """Take the money of a payment that the customer approved, as core does when they come back."""
    reference = next((item.provider_reference for item in results if item.provider_reference), "")
    return cast(SupportsCompletion, harness.make_provider()).complete(
        FollowUpRequest(
            idempotency_key=f"{request.idempotency_key}-complete",
            reference=request.reference,
            provider_reference=reference,
            webhook_url=request.webhook_url,
        )
    )


def any_payment(harness: ProviderHarness) -> PaymentRequest:
    """A payment of whatever end the harness can arrange, for checks that never come to its end."""
    for outcome in (Outcome.SUCCEEDS, Outcome.NEEDS_ACTION):
        try:
            return harness.payment(outcome)
        except NotOffered:
            continue
    return harness.payment(Outcome.PENDING)


def pay(harness: ProviderHarness, outcome: Outcome = Outcome.SUCCEEDS) -> tuple[PaymentRequest, Result]:
    """A payment taken to its end."""
    request = harness.payment(outcome)
    return request, finish(harness, request, start(harness, request))


def paid(harness: ProviderHarness) -> tuple[PaymentRequest, Result]:
    """A payment whose money was taken, by capture where the provider only authorizes."""
    request, result = pay(harness)
    if result.status is ResultStatus.AUTHORIZED:
        provider = cast(SupportsAuthorization, harness.make_provider())
        result = provider.capture(harness.follow_up("ch", result))
    expect(result.status is ResultStatus.SUCCEEDED, f"a good payment ended as {result.status}")
    return request, result


def finish_refund(harness: ProviderHarness, request: FollowUpRequest, result: Result) -> Result:
    """The last word about a refund."""
    if result.status not in OPEN:
        return result
    harness.settle()
    return harness.learn_refund(request, result)


def attempt(call: Callable[[], Result]) -> Result | ProviderError:
    """What came of a call: a result, or one of the contract's exceptions. Anything else is passed on."""
    try:
        return call()
    except ProviderError as problem:
        return problem


def refused(what: Result | ProviderError, kinds: Collection[type[ProviderError]]) -> bool:
    """True when a call was refused: by exception of these kinds, or by a result that says that no money moved."""
    return what.status in NO_MONEY if isinstance(what, Result) else isinstance(what, tuple(kinds))


def describe(what: Result | BaseException) -> str:
    """A result or an exception in a few words."""
    if isinstance(what, Result):
        return f"a result {what.status}" + (f" ({what.failure.code})" if what.failure else "")
    return f"{type(what).__name__}"


def has(harness: ProviderHarness, operation: str) -> bool:
    """True when the provider implements the operation."""
    return operation in operations(harness.provider_class)

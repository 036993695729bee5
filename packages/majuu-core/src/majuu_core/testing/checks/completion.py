"""The second call: complete, when the customer comes back from a redirect or an approval."""

from __future__ import annotations

from majuu_core.providers import PaymentRequest, ProviderError, Result, ResultStatus
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness
from majuu_core.testing.kit import check
from majuu_core.testing.steps import OPEN, PAID, attempt, complete, describe, expect, fetch, start

_NEEDS = ("payment", "complete")


@check(
    "complete",
    needs=_NEEDS,
    why="A customer may come back from the redirect without having paid.",
    fix="Ask the provider; never take the return itself for proof.",
)
def coming_back_is_not_paying(harness: ProviderHarness) -> None:
    request = harness.payment(Outcome.NEEDS_ACTION)
    result = start(harness, request)
    seen = attempt(lambda: complete(harness, request, result))
    good = isinstance(seen, ProviderError) or seen.status not in PAID
    expect(good, f"the customer came back without paying: {describe(seen)}")


@check(
    "complete",
    needs=_NEEDS,
    why="This is how an approved payment becomes money.",
    fix="Report succeeded (or authorized) once the customer approved.",
)
def approved_payment_ends_paid(harness: ProviderHarness) -> None:
    request, result = _approved(harness)
    seen = complete(harness, request, result)
    expect(seen.status in PAID, f"the customer approved, and it is {describe(seen)}")
    expect(seen.amount in (None, request.amount), f"{request.amount} was approved, {seen.amount} was taken")


@check(
    "complete",
    needs=_NEEDS,
    why="The customer approves and closes the browser. Core learns it by a look-up or a webhook, or never.",
    fix="Return PENDING with needs_completion=True for a payment that is approved and not taken yet.",
)
def approved_one_says_so(harness: ProviderHarness) -> None:
    request, result = _approved(harness)
    found = fetch(harness, request, result)
    good = found.status in PAID or found.needs_completion
    expect(good, f"the customer approved, and the look-up says {describe(found)} without needs_completion")


@check(
    "complete",
    needs=_NEEDS,
    why="The customer's return, the webhook and the worker all complete the payment: it is one payment all the same.",
    fix="Pass the key on, and when the payment is completed already answer with what became of it.",
)
def completing_twice_takes_once(harness: ProviderHarness) -> None:
    request, result = _approved(harness)
    first = complete(harness, request, result)
    second = attempt(lambda: complete(harness, request, result))
    again = isinstance(second, Result) and second.status in PAID
    expect(again, f"completed a second time it is {describe(second)}")
    same = isinstance(second, Result) and (second.provider_reference, second.receipt) == (
        first.provider_reference,
        first.receipt,
    )
    expect(same, f"completing twice gave {first.provider_reference} and then another payment")
    try:
        count = harness.count_payments(request)
    except NotOffered:
        return
    expect(count == 1, f"the provider holds {count} payments after two completions")


@check(
    "complete",
    needs=_NEEDS,
    why="People press back and forward. Asking too early must not spoil a payment that is approved a minute later.",
    fix="When the customer has not approved yet, report the present state and change nothing.",
)
def early_completion_spoils_nothing(harness: ProviderHarness) -> None:
    request = harness.payment(Outcome.NEEDS_ACTION)
    result = start(harness, request)
    attempt(lambda: complete(harness, request, result))
    early = fetch(harness, request, result)
    expect(early.status in OPEN, f"completed too early, and now it is {describe(early)}")
    harness.settle()
    last = complete(harness, request, result)
    expect(last.status in PAID, f"completed too early, then approved and completed: {describe(last)}")


@check(
    "complete",
    needs=_NEEDS,
    why="The answer to a completion may be lost; a look-up that says approved lets core go on asking for ever.",
    fix="Report a completed payment as paid, by the reference that complete gave and by the first one.",
)
def completed_one_is_found_paid(harness: ProviderHarness) -> None:
    request, result = _approved(harness)
    last = complete(harness, request, result)
    for known in (last, result):
        found = fetch(harness, request, known)
        expect(found.status in PAID, f"completed, and the look-up says {describe(found)}")


def _approved(harness: ProviderHarness) -> tuple[PaymentRequest, Result]:
    """A payment whose customer did what was asked, and what its first answer was."""
    request = harness.payment(Outcome.NEEDS_ACTION)
    result = start(harness, request)
    expect(result.status is ResultStatus.REQUIRES_ACTION, f"the customer must act, but it is {describe(result)}")
    harness.settle()
    return request, result

"""Asking for the truth: fetch_payment."""

from __future__ import annotations

from dataclasses import replace

from majuu_core.providers import FetchRequest, ProviderError, Result, ResultStatus
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, new_reference
from majuu_core.testing.kit import check
from majuu_core.testing.steps import NO_MONEY, PAID, any_payment, attempt, describe, expect, fetch, finish, pay, start

_PAY = ("payment",)


@check(
    "fetch",
    needs=_PAY,
    why="After a lost answer core asks by our reference. An invented yes gives goods away, an invented no pays twice.",
    fix="Return UNKNOWN when the provider knows nothing under our reference.",
    required=True,
)
def unheard_of_payment_is_unknown(harness: ProviderHarness) -> None:
    amount = any_payment(harness).amount
    request = FetchRequest(reference=new_reference("ch"), provider_reference=None, amount=amount)
    seen = attempt(lambda: harness.make_provider().fetch_payment(request))
    unknown = isinstance(seen, Result) and seen.status is ResultStatus.UNKNOWN
    expect(unknown, f"a payment that was never sent is {describe(seen)}")


@check(
    "fetch",
    needs=_PAY,
    why="A reference from a forged message must not turn into money.",
    fix="Report only what the provider answers about exactly this reference.",
    required=True,
)
def made_up_reference_is_not_paid(harness: ProviderHarness) -> None:
    _, result = pay(harness)
    for wrong in (f"{(result.provider_reference or 'x')[:-4]}0000", "made-up", ""):
        request = FetchRequest(reference=new_reference("ch"), provider_reference=wrong)
        seen = attempt(lambda request=request: harness.make_provider().fetch_payment(request))  # type: ignore[misc]
        good = isinstance(seen, ProviderError) or seen.status not in PAID
        expect(good, f"the made-up reference {wrong!r} is {describe(seen)}")


@check(
    "fetch",
    needs=_PAY,
    why="Core asks as often as it likes; asking must change nothing.",
    fix="Make fetch_payment a pure look-up.",
    required=True,
)
def asking_twice_changes_nothing(harness: ProviderHarness) -> None:
    request, result = pay(harness)
    first, second = fetch(harness, request, result), fetch(harness, request, result)
    expect(first == second, f"first {describe(first)}, then {describe(second)}")


@check(
    "fetch",
    needs=_PAY,
    why="An answer and a look-up that disagree leave the books undecided.",
    fix="Map the look-up's states with the same table as the answer's.",
)
def decline_stays_declined(harness: ProviderHarness) -> None:
    request, result = pay(harness, Outcome.DECLINED)
    if result.provider_reference is None:
        raise NotOffered("the provider gives no reference to declined payments")
    found = fetch(harness, request, result)
    expect(found.status in NO_MONEY, f"declined at first, {describe(found)} when asked again")


@check(
    "fetch",
    needs=_PAY,
    why="This is how a pending payment is resolved when the webhook never comes.",
    fix="Follow the provider's state; report succeeded once it is paid, and not before.",
)
def pending_turns_into_paid(harness: ProviderHarness) -> None:
    request = harness.payment(Outcome.PENDING)
    first = start(harness, request)
    early = fetch(harness, request, first)
    expect(early.status not in PAID | NO_MONEY, f"before the customer answered the payment is {describe(early)}")
    last = finish(harness, request, first)
    expect(last.status in PAID, f"after the customer paid it is {describe(last)}")


@check(
    "fetch",
    needs=_PAY,
    why="The money moved although the answer was lost. Called failed, the customer pays a second time.",
    fix="Look up by our reference; where the provider cannot, return UNKNOWN and let the webhook decide.",
)
def lost_and_paid_is_never_called_failed(harness: ProviderHarness) -> None:
    found = _after_lost_answer(harness, Outcome.LOST_PAID)
    expect(found.status not in NO_MONEY, f"the money moved, the look-up says {describe(found)}")


@check(
    "fetch",
    needs=_PAY,
    why="The answer was lost and nothing happened. Called paid, goods are given away.",
    fix="Report succeeded only when the provider says so about this very payment.",
)
def lost_and_unpaid_is_never_called_paid(harness: ProviderHarness) -> None:
    found = _after_lost_answer(harness, Outcome.LOST_UNPAID)
    expect(found.status not in PAID, f"no money moved, the look-up says {describe(found)}")


@check(
    "fetch",
    needs=_PAY,
    why="The customer reads the amount that was paid; the look-up must not make it up either.",
    fix="Report the provider's amount, or None, never the one that FetchRequest carries.",
)
def amount_is_not_copied_from_the_question(harness: ProviderHarness) -> None:
    request, result = pay(harness)
    other = replace(request, amount=request.amount * 2)
    found = fetch(harness, other, result)
    expect(found.amount != other.amount, f"asked about {other.amount}, the look-up agrees; {request.amount} was paid")


def _after_lost_answer(harness: ProviderHarness, outcome: Outcome) -> Result:
    request = harness.payment(outcome)
    attempt(lambda: start(harness, request))
    harness.settle()
    return fetch(harness, request, None)

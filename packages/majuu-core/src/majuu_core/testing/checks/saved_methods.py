"""Methods that customers leave for later payments."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from majuu_core.common.redaction import contains_card_number
from majuu_core.providers import (
    FetchRequest,
    InvalidPaymentData,
    PaymentRequest,
    ProviderError,
    Result,
    SavedMethodState,
    SavedMethodStatus,
    SaveMethodRequest,
    SupportsSavedMethods,
)
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, new_reference
from majuu_core.testing.kit import CheckFailed, check
from majuu_core.testing.steps import NO_MONEY, PAID, attempt, describe, expect, finish, start

_NEEDS = ("save_method", "fetch_saved_method", "forget_method")
_PAYING = (*_NEEDS, "payment")
_OPEN = frozenset({SavedMethodStatus.REQUIRES_ACTION, SavedMethodStatus.PENDING})
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_LAST4 = re.compile(r"\d{4}")


def _provider(harness: ProviderHarness) -> SupportsSavedMethods:
    return cast(SupportsSavedMethods, harness.make_provider())


def _fetch(harness: ProviderHarness, request: SaveMethodRequest, reference: str | None) -> SavedMethodState:
    return _provider(harness).fetch_saved_method(
        FetchRequest(reference=request.reference, provider_reference=reference)
    )


def _save(
    harness: ProviderHarness, outcome: Outcome = Outcome.SUCCEEDS
) -> tuple[SaveMethodRequest, SavedMethodState, SavedMethodState]:
    """A saving, its first answer and the last word about it."""
    request = harness.save_method(outcome)
    first = _provider(harness).save_method(request)
    if first.status not in _OPEN:
        return request, first, first
    harness.settle()
    return request, first, _fetch(harness, request, first.provider_reference)


def _active(harness: ProviderHarness) -> SavedMethodState:
    _, _, state = _save(harness)
    expect(state.status is SavedMethodStatus.ACTIVE, f"a good saving ended as {state.status}")
    return state


def _pay_by(harness: ProviderHarness, state: SavedMethodState) -> tuple[PaymentRequest, Result | ProviderError]:
    request = replace(
        harness.payment(),
        saved_method=state.method_reference,
        customer_reference=state.customer_reference,
        customer_present=False,
    )
    return request, attempt(lambda: finish(harness, request, start(harness, request)))


@check(
    "saved",
    needs=_NEEDS,
    why="The customer trusts that the next payment needs no card in their hands.",
    fix="Report ACTIVE, at once or by fetch_saved_method, with the reference that was given first.",
    required=True,
)
def good_saving_ends_active(harness: ProviderHarness) -> None:
    _, first, last = _save(harness)
    expect(last.status is SavedMethodStatus.ACTIVE, f"a good saving ended as {last.status}")
    same = first.provider_reference and first.provider_reference == last.provider_reference
    expect(same, f"the saving is {first.provider_reference!r} at first and {last.provider_reference!r} later")


@check(
    "saved",
    needs=_NEEDS,
    why="A bank may ask the customer first. A method that is called active before that fails when nobody is there.",
    fix="Return REQUIRES_ACTION with next_action until the customer has answered.",
)
def asked_for_action_is_not_active(harness: ProviderHarness) -> None:
    request = harness.save_method(Outcome.NEEDS_ACTION)
    first = _provider(harness).save_method(request)
    early = _fetch(harness, request, first.provider_reference)
    for state in (first, early):
        expect(state.status in _OPEN, f"the customer has not answered, and the method is {state.status}")


@check(
    "saved",
    needs=_NEEDS,
    why="A card that the bank refuses is everyday life; an exception would alarm people.",
    fix="Return SavedMethodState(status=FAILED, failure=…).",
)
def decline_is_a_value(harness: ProviderHarness) -> None:
    request = harness.save_method(Outcome.DECLINED)
    try:
        state = _provider(harness).save_method(request)
        if state.status in _OPEN:
            harness.settle()
            state = _fetch(harness, request, state.provider_reference)
    except ProviderError as problem:
        raise CheckFailed(f"a declined saving ended as {describe(problem)}") from problem
    expect(state.status is SavedMethodStatus.FAILED, f"a declined saving ended as {state.status}")


@check(
    "saved",
    needs=_NEEDS,
    why="Whoever can make up a saved method can pay with somebody else's card.",
    fix="Report ACTIVE only for what the provider answers about exactly this reference.",
    required=True,
)
def made_up_one_is_not_active(harness: ProviderHarness) -> None:
    request, _, known = _save(harness)
    for wrong in (None, "", "made-up", f"{known.provider_reference[:-4]}0000"):
        ours = replace(request, reference=new_reference("pm"))
        try:
            state = _fetch(harness, ours, wrong)
        except ProviderError:
            continue
        expect(state.status is not SavedMethodStatus.ACTIVE, f"the made-up reference {wrong!r} is an active method")


@check(
    "saved",
    needs=_NEEDS,
    why="Core sends the same key again after a lost answer; two methods would be one too many to forget.",
    fix="Pass idempotency_key to the provider, or set info.replay_safe = False.",
)
def same_key_saves_once(harness: ProviderHarness) -> None:
    if not harness.provider_class.info.replay_safe:
        raise NotOffered("the provider has no idempotency keys, and core never resends")
    request = harness.save_method()
    first, second = _provider(harness).save_method(request), _provider(harness).save_method(request)
    expect(first.provider_reference == second.provider_reference, "one key made two savings")


@check(
    "saved",
    needs=_NEEDS,
    why="States are stored and shown. A card number in them is a breach, and a fine.",
    fix="Keep the provider's tokens, the brand and the last four digits; pass raw through redact.",
)
def no_card_number_is_kept(harness: ProviderHarness) -> None:
    for state in (*_save(harness)[1:], _provider(harness).forget_method(_active(harness))):
        text = f"{state!r} {dict(state.raw)}"
        expect(not contains_card_number(text), "a card number stands in a saved method")
        expect(not any(secret in text for secret in harness.secrets if secret), "a secret stands in a saved method")


@check(
    "saved",
    needs=_NEEDS,
    why="People recognise their card by these; a wrong form is shown to them as it is.",
    fix='Give last4 as four digits and expires as "2030-04"; leave empty what the provider does not tell.',
)
def description_can_be_shown(harness: ProviderHarness) -> None:
    state = _active(harness)
    expect(not state.last4 or _LAST4.fullmatch(state.last4), f"last4 is {state.last4!r}")
    expect(not state.expires or _MONTH.fullmatch(state.expires), f"expires is {state.expires!r}")


@check(
    "saved",
    needs=_PAYING,
    why="A method that is active and cannot pay stops a subscription.",
    fix="Pay by PaymentRequest.saved_method and customer_reference, without asking the customer.",
)
def saved_one_pays(harness: ProviderHarness) -> None:
    request, seen = _pay_by(harness, _active(harness))
    expect(isinstance(seen, Result) and seen.status in PAID, f"a payment by a saved method ended as {describe(seen)}")
    wrong = isinstance(seen, Result) and seen.amount not in (None, request.amount)
    expect(not wrong, f"asked for {request.amount}, another amount was reported")


@check(
    "saved",
    needs=_NEEDS,
    why="People press the button twice, and core asks again after a lost answer: gone is gone.",
    fix="Report REMOVED again for a method that is gone already.",
)
def forgetting_again_says_removed(harness: ProviderHarness) -> None:
    state = _active(harness)
    for time in ("the first", "the second"):
        try:
            found = _provider(harness).forget_method(state).status
        except ProviderError as problem:
            raise CheckFailed(f"forgetting for {time} time ended as {describe(problem)}") from problem
        expect(found is SavedMethodStatus.REMOVED, f"forgotten for {time} time the method is {found}")


@check(
    "saved",
    needs=_PAYING,
    why="The customer took the permission back. A payment all the same is a theft, and an error page helps nobody.",
    fix="Return Result(status=FAILED, failure=…) for a payment by a method that is gone.",
)
def forgotten_one_pays_nothing(harness: ProviderHarness) -> None:
    state = _active(harness)
    _provider(harness).forget_method(state)
    _, seen = _pay_by(harness, state)
    declined = isinstance(seen, InvalidPaymentData) or (isinstance(seen, Result) and seen.status in NO_MONEY)
    expect(declined, f"a payment by a forgotten method ended as {describe(seen)}")

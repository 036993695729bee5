"""What the payer enters, and what the payer is told."""

from __future__ import annotations

from typing import cast

from majuu_core.providers import ExplainsFailures, InvalidPaymentData, PreparesPayments
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness
from majuu_core.testing.kit import check
from majuu_core.testing.steps import expect, pay


@check(
    "prepare",
    needs=("payment", "prepare_payment"),
    why="Core may prepare a request again after a restart; the second time must not change it.",
    fix="Make prepare_payment leave a prepared request as it is.",
)
def preparing_twice_changes_nothing(harness: ProviderHarness) -> None:
    provider = cast(PreparesPayments, harness.make_provider())
    once = provider.prepare_payment(harness.payment())
    twice = provider.prepare_payment(once)
    expect(once == twice, f"prepared once: {once.payment_method_data}, twice: {twice.payment_method_data}")


@check(
    "prepare",
    needs=("payment", "prepare_payment"),
    why="Preparing is for the payer's data. Whoever changes the amount or the key there changes the payment.",
    fix="Return the request with other payment_method_data only.",
)
def money_and_key_are_left_alone(harness: ProviderHarness) -> None:
    request = harness.payment()
    made = cast(PreparesPayments, harness.make_provider()).prepare_payment(request)
    before = (request.amount, request.idempotency_key, request.reference, request.payment_method)
    after = (made.amount, made.idempotency_key, made.reference, made.payment_method)
    expect(before == after, f"{before} became {after}")


@check(
    "prepare",
    needs=("payment", "prepare_payment"),
    why="The customer can mend a wrong number when they are told which field is wrong and how.",
    fix="Raise InvalidPaymentData with a Violation that names the code, the field and what to do.",
)
def bad_data_is_explained(harness: ProviderHarness) -> None:
    request = harness.bad_payment()
    try:
        cast(PreparesPayments, harness.make_provider()).prepare_payment(request)
    except InvalidPaymentData as problem:
        expect(problem.violations, "InvalidPaymentData carries no violations")
        whole = all(item.code and item.message.strip() and item.field for item in problem.violations)
        expect(whole, "a violation lacks its code, its message or its field")
        return
    expect(False, "bad data was taken")


@check(
    "explain",
    needs=("payment", "explain_failure"),
    why="People who are told what happened and what to do next try again; the others leave.",
    fix="Explain every provider code that a customer can cause, in English and in Swahili.",
)
def declines_are_explained_in_both_languages(harness: ProviderHarness) -> None:
    _, result = pay(harness, Outcome.INSUFFICIENT_FUNDS)
    if result.failure is None:
        raise NotOffered("the decline carries no failure")
    provider, texts = cast(ExplainsFailures, harness.make_provider()), []
    for language in ("en", "sw"):
        found = provider.explain_failure(result.failure.provider_code, language=language)
        whole = found is not None and bool(found.text.strip()) and bool(found.next_step.strip())
        expect(whole, f"the code {result.failure.provider_code!r} has no explanation and next step in {language!r}")
        texts.append(found)
    expect(texts[0] != texts[1], "English and Swahili are the same text")


@check(
    "explain",
    needs=("explain_failure",),
    why="Providers invent new codes; the page that shows the failure must not break on them.",
    fix="Return None for codes and languages that you do not know.",
)
def unknown_codes_are_survived(harness: ProviderHarness) -> None:
    provider = cast(ExplainsFailures, harness.make_provider())
    for code in ("", "no-such-code", "-1", "é"):
        for language in ("en", "sw", "fr"):
            try:
                found = provider.explain_failure(code, language=language)
            except Exception as problem:  # noqa: BLE001 - whatever comes is the finding
                expect(False, f"the code {code!r} in {language!r} raised {type(problem).__name__}")
            else:
                whole = found is None or bool(found.text.strip())
                expect(whole, f"the code {code!r} in {language!r} has an empty explanation")

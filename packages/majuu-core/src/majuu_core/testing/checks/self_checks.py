"""Finding out what is wrong with an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from majuu_core.providers import ChecksItself, PaymentProvider, SelfCheck
from majuu_core.testing.harness import NotOffered, ProviderHarness
from majuu_core.testing.kit import check
from majuu_core.testing.steps import expect

_NEEDS = ("self_checks",)
_ADDRESSES = ("https://pay.example.com/in/account/secret", "http://127.0.0.1/in/account/secret", "not an address", "")


def _answers(provider: PaymentProvider, address: str) -> Sequence[SelfCheck]:
    try:
        return list(cast(ChecksItself, provider).self_checks(callback_url=address))
    except Exception as problem:  # noqa: BLE001 - raising is what the check is about
        expect(False, f"self_checks raised {type(problem).__name__} for the address {address!r}")
        return ()


def _providers(harness: ProviderHarness) -> list[PaymentProvider]:
    try:
        return [harness.make_provider(), harness.make_provider_with_bad_credentials()]
    except NotOffered:
        return [harness.make_provider()]


@check(
    "self_check",
    needs=_NEEDS,
    why="Whoever runs the checks has a broken account; an exception tells them nothing about it.",
    fix="Catch what goes wrong and yield it as an error that says what to do.",
)
def trouble_is_an_answer(harness: ProviderHarness) -> None:
    for provider in _providers(harness):
        for address in _ADDRESSES:
            for answer in _answers(provider, address):
                expect(answer.state in {"ok", "warning", "error"}, f"{answer.name} has the state {answer.state!r}")
                expect(answer.name and answer.message, f"{answer!r} has no name or no message")


@check(
    "self_check",
    needs=_NEEDS,
    why="The answers are printed, mailed and shown in the console.",
    fix="Name the field that is wrong, never its value.",
)
def no_secret_is_told(harness: ProviderHarness) -> None:
    for address in _ADDRESSES:
        try:
            answers = list(cast(ChecksItself, harness.make_provider()).self_checks(callback_url=address))
        except Exception:  # noqa: BLE001, S112 - another check is about that
            continue
        for answer in answers:
            told = any(secret and secret in f"{answer.name} {answer.message}" for secret in harness.secrets)
            expect(not told, f"{answer.name} tells a secret")

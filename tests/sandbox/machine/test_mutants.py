"""The machine finds what it is there to find: with one safeguard taken out, a promise breaks within a few runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from majuu_core.payments import bookings, calls, charges, follow_ups, outcomes
from majuu_core.providers import Result, ResultStatus, Trust
from majuu_core.webhooks import inbound, inbound_processing
from majuu_mpesa.provider import MpesaProvider
from majuu_paypal import orders as paypal_orders
from majuu_stripe import events as stripe_events
from majuu_stripe import mapping, signatures
from tests.sandbox.machine.drivers import ProviderDriver
from tests.sandbox.machine.machine import make_machine
from tests.sandbox.machine.mpesa_driver import MpesaDriver
from tests.sandbox.machine.paypal_driver import PaypalDriver
from tests.sandbox.machine.profiles import machine_settings
from tests.sandbox.machine.stripe_driver import PAGE, PAID, REFUSED, StripeDriver
from tests.sandbox.machine.world import Stage

Mutation = Callable[[], AbstractContextManager[Any]]
CONFIRMED = Result(status=ResultStatus.SUCCEEDED)


def _lost_answers_are_failures() -> AbstractContextManager[Any]:
    real = calls.take_money

    def take(*args: Any, **kwargs: Any) -> Result:
        result = real(*args, **kwargs)
        return result if result.status is not ResultStatus.UNKNOWN else Result(status=ResultStatus.CANCELED)

    return mock.patch.object(charges, "take_money", take)


def _references_are_believed() -> AbstractContextManager[Any]:
    real = follow_ups.ask

    def ask(conversation: Any, charge: Any, reference: str | None = None) -> tuple[Result, int | None]:
        result, wait = real(conversation, charge, reference)
        return replace(result, provider_reference=result.provider_reference or reference), wait

    return mock.patch.object(inbound_processing, "ask", ask)


MUTATIONS: dict[str, Mutation] = {
    "a second prompt while the first may still be paid": lambda: mock.patch.object(charges, "check_payable"),
    "a lost answer is answered by a second request": lambda: mock.patch.object(
        MpesaProvider, "info", replace(MpesaProvider.info, replay_safe=True)
    ),
    "a lost answer is a failure": _lost_answers_are_failures,
    "a callback is believed without asking": lambda: mock.patch.object(
        inbound_processing, "ask", return_value=(CONFIRMED, None)
    ),
    "a reference is believed without asking": _references_are_believed,
    "what cannot be read is not kept": lambda: mock.patch.object(
        inbound, "_reject", lambda provider, row, reason: provider.webhook_response(accepted=False)
    ),
    "a hold is never released": lambda: mock.patch.object(bookings, "release_hold"),
    "nobody asks again": lambda: mock.patch.object(follow_ups, "_next_values", return_value={}),
}


def fewer(examples: int) -> settings:
    return settings(
        machine_settings(), max_examples=examples, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False
    )


def _every_request_is_a_new_one() -> AbstractContextManager[Any]:
    keys = count()
    return mock.patch.object(paypal_orders, "request_id", lambda *parts: f"{parts[0]}-{next(keys)}")


def _any_account_will_do(value: dict[str, Any], prefix: str, account_id: str) -> str:
    return str(value.get("metadata", {}).get("majuu_reference", ""))


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A provider that signs, what is taken out, and what would show it.

    ``only`` narrows the driver's choices: of a dozen forgeries, one rarely meets an unpaid charge in a few hundred
    examples.
    """

    driver: Callable[[], ProviderDriver]
    mutation: Mutation
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


# What Stripe and PayPal would get away with.
SIGNED_MUTATIONS: dict[str, Mutant] = {
    "a signature is not looked at": Mutant(
        driver=StripeDriver, mutation=lambda: mock.patch.object(signatures, "verify", return_value=Trust.SIGNED)
    ),
    "a signature is good for ever": Mutant(
        driver=StripeDriver,
        mutation=lambda: mock.patch.object(signatures, "TOLERANCE_SECONDS", 10**9),
        only={"forgeries": ("stale",)},
    ),
    "another Majuu's message is ours": Mutant(
        driver=StripeDriver,
        mutation=lambda: mock.patch.object(stripe_events, "reference_of", _any_account_will_do),
        only={"forgeries": ("other_majuu",)},
    ),
    "a signed amount is not compared with what was asked": Mutant(
        driver=StripeDriver, mutation=lambda: mock.patch.object(outcomes, "_reason_to_park", return_value="")
    ),
    "a declined card ends a page that stays open": Mutant(
        driver=StripeDriver,
        mutation=lambda: mock.patch.object(mapping, "is_hosted", return_value=False),
        only={"people": (PAGE,), "visits": ((REFUSED,), (REFUSED, PAID))},
    ),
    "a lost answer is answered by a second order": Mutant(driver=PaypalDriver, mutation=_every_request_is_a_new_one),
}


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="proves the machine, not the database")
@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_missing_safeguard_is_found(name: str, make_stage: Callable[[ProviderDriver], Stage]) -> None:
    stage = make_stage(MpesaDriver())
    with MUTATIONS[name](), pytest.raises(AssertionError):
        run_state_machine_as_test(make_machine(stage), settings=fewer(300))


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="proves the machine, not the database")
@pytest.mark.parametrize("name", sorted(SIGNED_MUTATIONS))
def test_a_missing_safeguard_of_a_signed_provider_is_found(
    name: str, make_stage: Callable[[ProviderDriver], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = SIGNED_MUTATIONS[name]
    driver = mutant.driver()
    for attribute, choices in mutant.only.items():
        monkeypatch.setattr(driver, attribute, choices)
    stage = make_stage(driver)
    with mutant.mutation(), pytest.raises(AssertionError):
        run_state_machine_as_test(make_machine(stage), settings=fewer(1000))

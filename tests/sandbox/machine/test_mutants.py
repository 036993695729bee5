"""The machine finds what it is there to find: with one safeguard taken out, a promise breaks within a few runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from majuu_core.payments import bookings, calls, charges, follow_ups
from majuu_core.providers import Result, ResultStatus
from majuu_core.webhooks import inbound, inbound_processing
from majuu_mpesa.provider import MpesaProvider
from tests.sandbox.machine.drivers import ProviderDriver
from tests.sandbox.machine.machine import make_machine
from tests.sandbox.machine.mpesa_driver import MpesaDriver
from tests.sandbox.machine.profiles import machine_settings
from tests.sandbox.machine.world import Stage

Mutation = Callable[[], AbstractContextManager[Any]]
PAID = Result(status=ResultStatus.SUCCEEDED)


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
        inbound_processing, "ask", return_value=(PAID, None)
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


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="proves the machine, not the database")
@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_missing_safeguard_is_found(name: str, make_stage: Callable[[ProviderDriver], Stage]) -> None:
    stage = make_stage(MpesaDriver())
    with MUTATIONS[name](), pytest.raises(AssertionError):
        run_state_machine_as_test(make_machine(stage), settings=fewer(300))

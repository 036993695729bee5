"""Proof that the kit can fail: every broken provider is caught by exactly the checks declared for it."""

from __future__ import annotations

import pytest

from majuu_core.testing.kit import all_checks, run
from majuu_core.testing.mock_harness import MockHarness
from tests.core.testing.full_provider import FullHarness
from tests.core.testing.mutants import MUTANTS, Mutant
from tests.core.testing.mutants.base import harness_for


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.provider.__name__)
def test_a_broken_provider_is_caught_by_its_checks_and_no_other(mutant: Mutant) -> None:
    report = run(harness_for(mutant.provider))

    assert report.ids("failed") == mutant.caught_by


def test_every_check_is_proved_by_a_mutant() -> None:
    proved = {check for mutant in MUTANTS for check in mutant.caught_by}

    assert proved == {check.id for check in all_checks()}


def test_the_mock_provider_passes_everything_that_it_can() -> None:
    report = run(MockHarness)

    assert report.ids("failed") == frozenset()
    assert {result.group for result in report.results if result.outcome == "skipped" and not result.left_out} == {
        "prepare",
        "refund",  # its routes
        "settlement",
    }
    assert {result.id for result in report.left_out} == {
        "currency.unsupported_currency_is_never_sent",
        "secrecy.not_in_stored_exchanges",
        "webhook.wrong_sender_is_refused",
    }


def test_a_provider_with_all_capabilities_passes_every_check() -> None:
    report = run(FullHarness)

    assert report.ids("passed") == {check.id for check in all_checks()}

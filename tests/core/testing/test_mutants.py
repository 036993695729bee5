"""Proof that the kit can fail: every broken provider is caught by exactly the checks declared for it."""

from __future__ import annotations

import pytest

from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.harness import ProviderHarness
from majuu_core.testing.kit import all_checks, run
from majuu_core.testing.mock_harness import MockHarness
from tests.core.testing.full_provider import FullHarness, FullProvider
from tests.core.testing.mutants import MUTANTS, Mutant


def harness_for(provider: type[FakeProvider]) -> type[ProviderHarness]:
    base = FullHarness if issubclass(provider, FullProvider) else MockHarness
    return type(f"HarnessOf{provider.__name__}", (base,), {"provider_class": provider})


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
    assert report.ids("skipped") == {
        "prepare.bad_data_is_explained",
        "prepare.money_and_key_are_left_alone",
        "prepare.preparing_twice_changes_nothing",
        "refund.needs_can_be_given",
        "refund.open_route_is_taken",
        "refund.routes_are_explained",
        "refund.routes_are_pure",
        "secrecy.not_in_stored_exchanges",
        "settlement.lines_are_well_formed",
        "settlement.paid_payment_is_listed",
        "settlement.reading_twice_changes_nothing",
        "webhook.wrong_sender_is_refused",
    }


def test_a_provider_with_all_capabilities_passes_every_check() -> None:
    report = run(FullHarness)

    assert report.ids("passed") == {check.id for check in all_checks()}

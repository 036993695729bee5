"""The provider contract, over the simulated Daraja."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from majuu_core.testing.contract import ProviderContractTests
from majuu_mpesa.callback_urls import forbidden_words

pytest.importorskip("majuu_sim.daraja", reason="majuu-sim is not installed")
from tests.mpesa.harness import MpesaHarness, MpesaPayingBackHarness


class TestMpesa(ProviderContractTests):
    @pytest.fixture
    def harness(self) -> Iterator[MpesaHarness]:
        harness = MpesaHarness()
        yield harness
        harness.close()


class TestMpesaPayingBack(ProviderContractTests):
    @pytest.fixture
    def harness(self) -> Iterator[MpesaPayingBackHarness]:
        harness = MpesaPayingBackHarness()
        yield harness
        harness.close()


def test_no_address_of_the_harness_is_one_that_daraja_refuses() -> None:
    harness = MpesaHarness()

    assert forbidden_words(harness._address("r", "re_exe0cmd0sql0query")) == []

    harness.close()

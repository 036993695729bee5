"""The provider contract, over the simulated PayPal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from majuu_core.testing.contract import ProviderContractTests

pytest.importorskip("majuu_sim.paypal", reason="majuu-sim is not installed")
from tests.paypal.harness import PaypalHarness


class TestPaypal(ProviderContractTests):
    @pytest.fixture
    def harness(self) -> Iterator[PaypalHarness]:
        harness = PaypalHarness()
        yield harness
        harness.close()

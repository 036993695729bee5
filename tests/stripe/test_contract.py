"""The provider contract, over the simulated Stripe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from majuu_core.testing.contract import ProviderContractTests

pytest.importorskip("majuu_sim.stripe", reason="majuu-sim is not installed")
from tests.stripe.harness import StripeHarness


class TestStripe(ProviderContractTests):
    @pytest.fixture
    def harness(self) -> Iterator[StripeHarness]:
        harness = StripeHarness()
        yield harness
        harness.close()

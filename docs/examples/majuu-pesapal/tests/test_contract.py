"""Majuu's contract, over HTTP against the small Pesapal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from majuu_core.testing.contract import ProviderContractTests
from majuu_pesapal.testing import PesapalHarness


class TestPesapal(ProviderContractTests):
    @pytest.fixture
    def harness(self) -> Iterator[PesapalHarness]:
        harness = PesapalHarness()
        yield harness
        harness.close()

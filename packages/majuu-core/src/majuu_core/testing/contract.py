"""The provider contract as a pytest class. Subclass it, supply ``harness``, and every check becomes a test.

::

    class TestMyProvider(ProviderContractTests):
        @pytest.fixture
        def harness(self):
            harness = MyHarness()
            yield harness
            harness.close()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

from majuu_core.providers import PaymentProvider
from majuu_core.testing.harness import Outcome, ProviderHarness, WebhookKind
from majuu_core.testing.kit import Check, all_checks, run_one

__all__ = ["Outcome", "ProviderContractTests", "ProviderHarness", "WebhookKind"]


class ProviderContractTests:
    """One test a check, named after its id. Checks about capabilities that the provider lacks are skipped."""

    checks: ClassVar[tuple[Check, ...]] = all_checks()

    @pytest.fixture
    def harness(self) -> ProviderHarness:
        """Supply this in the subclass."""
        raise NotImplementedError("give your subclass a `harness` fixture that returns a ProviderHarness")

    @pytest.fixture
    def provider(self, harness: ProviderHarness) -> PaymentProvider:
        """An instance for tests of your own."""
        return harness.make_provider()

    def test_contract_is_not_weakened(self) -> None:
        """A check may only be replaced when it is marked xfail with a reason, so that everybody sees it."""
        weakened = [
            name
            for name, test in vars(ProviderContractTests).items()
            if name.startswith("test_") and not _is_kept(getattr(type(self), name, None), test)
        ]
        assert not weakened, f"{', '.join(weakened)} replaced without @pytest.mark.xfail(reason=…)"
        marks = [mark.name for mark in getattr(type(self), "pytestmark", [])]
        assert not {"skip", "skipif", "xfail"} & set(marks), "the whole class is skipped or expected to fail"
        assert type(self).checks is ProviderContractTests.checks, "the list of checks is replaced"


def _is_kept(mine: object, original: object) -> bool:
    reasons = [mark.kwargs.get("reason") for mark in getattr(mine, "pytestmark", []) if mark.name == "xfail"]
    return mine is original or any(reasons)


def _as_test(item: Check) -> Callable[[ProviderContractTests, ProviderHarness], None]:
    def test(self: ProviderContractTests, harness: ProviderHarness) -> None:
        result = run_one(item, harness)
        if result.outcome == "skipped":
            pytest.skip(result.detail)
        if result.outcome == "failed":
            pytest.fail(result.detail, pytrace=False)

    test.__name__ = item.test_name
    test.__qualname__ = f"ProviderContractTests.{item.test_name}"
    test.__doc__ = f"{item.why} {item.fix}"
    return test


for _check in all_checks():
    setattr(ProviderContractTests, _check.test_name, _as_test(_check))

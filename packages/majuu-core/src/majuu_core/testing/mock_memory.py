"""What the mock provider remembers, in the cache that all processes share.

Everything that decides whether a payment was made is written in its reference. A cache that loses something makes the
mock provider forgetful about what came later (a capture, a refund); it asks for completion again, say.
"""

from __future__ import annotations

from decimal import Decimal

from majuu_core.providers import ProviderContext, ResultStatus
from majuu_core.testing.mock_amounts import behaviour_for
from majuu_core.testing.mock_wire import MockReference

_KEPT_SECONDS = 30 * 24 * 3600
_NO_MONEY = frozenset({ResultStatus.FAILED, ResultStatus.CANCELED})


class MockMemory:
    """Short texts by kind and name, for one account."""

    def __init__(self, context: ProviderContext) -> None:
        self._cache, self._prefix = context.cache, f"mock:{context.account_id}:"

    def get(self, kind: str, name: str) -> str:
        """What was kept; empty when nothing was."""
        return self._cache.get(f"{self._prefix}{kind}:{name}") or ""

    def keep(self, kind: str, name: str, value: str) -> None:
        """Remember it for thirty days."""
        self._cache.set(f"{self._prefix}{kind}:{name}", value, seconds=_KEPT_SECONDS)

    def give_back(self, payment: MockReference, refund: MockReference) -> bool:
        """Take down a refund that ends well. False: with the earlier ones it would be more than was paid."""
        if behaviour_for(refund.amount).after in _NO_MONEY:
            return True
        with self._cache.lock(f"{self._prefix}refunds:{payment.nonce}", seconds=5):
            before = dict(item.split("=") for item in self.get("refunds", payment.nonce).split())
            before[refund.nonce] = str(refund.amount.amount)
            if sum(map(Decimal, before.values())) > payment.amount.amount:
                return False
            self.keep("refunds", payment.nonce, " ".join(f"{name}={amount}" for name, amount in before.items()))
            return True

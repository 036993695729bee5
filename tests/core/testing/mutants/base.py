"""How a mutant is declared, and what several of them need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from majuu_core.providers import (
    Failure,
    FailureCode,
    PaymentProvider,
    ProviderContext,
    Result,
    ResultStatus,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.harness import ProviderHarness
from majuu_core.testing.mock_harness import OLD_SECRET, MockHarness
from majuu_core.testing.mock_memory import MockMemory
from tests.core.testing.full_provider import FullHarness, FullProvider


@dataclass(frozen=True)
class Mutant:
    provider: type[FakeProvider]
    caught_by: frozenset[str]


MUTANTS: list[Mutant] = []


def harness_for(provider: type[FakeProvider]) -> type[ProviderHarness]:
    """The harness of a mutant: that of the provider it was made from."""
    base = FullHarness if issubclass(provider, FullProvider) else MockHarness
    return type(f"HarnessOf{provider.__name__}", (base,), {"provider_class": provider})


def caught_by(*ids: str) -> Any:
    """Declare a mutant and the checks that must fail for it."""

    def declare(provider: type[FakeProvider]) -> type[FakeProvider]:
        MUTANTS.append(Mutant(provider, frozenset(ids)))
        return provider

    return declare


def without(*operations: str) -> Any:
    """FakeProvider's code in a class that lacks some operations."""

    def start(self: Any, context: ProviderContext) -> None:
        self.context = context
        self._secret = context.credentials.secret.get_secret_value().encode()  # type: ignore[attr-defined]
        self._secrets = (self._secret, OLD_SECRET.encode())
        self._memory = MockMemory(context)

    left_out = {*operations, "__dict__", "__weakref__", "__abstractmethods__", "_abc_impl"}
    parts = [part for part in reversed(FakeProvider.__mro__) if part not in PaymentProvider.__mro__]
    kept = {name: value for part in parts for name, value in vars(part).items() if name not in left_out}
    return type("Less", (PaymentProvider,), {**kept, "__init__": start})


FAILED = Result(
    status=ResultStatus.FAILED,
    failure=Failure(code=FailureCode.PROCESSING_ERROR, provider_code="x", message="Something went wrong."),
)

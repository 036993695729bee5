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


@dataclass(frozen=True)
class Mutant:
    provider: type[FakeProvider]
    caught_by: frozenset[str]


MUTANTS: list[Mutant] = []


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

    kept = {name: value for name, value in vars(FakeProvider).items() if name not in {*operations, "__dict__"}}
    return type("Less", (PaymentProvider,), {**kept, "__init__": start})


FAILED = Result(
    status=ResultStatus.FAILED,
    failure=Failure(code=FailureCode.PROCESSING_ERROR, provider_code="x", message="Something went wrong."),
)

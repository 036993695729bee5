"""Core is a plugin too: what it contributes through the same hooks as everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from majuu_core.plugins import hookimpl
from majuu_core.testing.fake import FakeProvider


@hookimpl
def register_payment_providers() -> list[type[FakeProvider]]:
    """The "mock" method of test mode."""
    return [FakeProvider]


@hookimpl(trylast=True)
def select_provider_account(candidates: Sequence[Any]) -> Any:
    """The first candidate, when no plugin chose another."""
    return candidates[0] if candidates else None

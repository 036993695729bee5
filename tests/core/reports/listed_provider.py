"""A provider that lists its own statement, for tests that know no real one. Its days are those of UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from moneyed import Money

from majuu_core.plugins import hookimpl
from majuu_core.providers import PaymentProvider, SettlementLine
from tests.core.checkout.phone_provider import PhoneProvider

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


class ListedProvider(PhoneProvider):
    """Lists what a test put into ``lines``."""

    code: ClassVar[str] = "listed"
    lines: ClassVar[list[SettlementLine]] = []
    asked: ClassVar[list[tuple[date, date]]] = []

    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        self.asked.append((start, end))
        for line in self.lines:
            if line.occurred_at is not None and start <= line.occurred_at.date() <= end:
                yield line


class ListedPlugin:
    """Offers it."""

    @hookimpl
    def register_payment_providers(self) -> list[type[PaymentProvider]]:
        return [ListedProvider]


def listed(line_id: str, kind: str, gross: Money, fee: str = "0", at: datetime = NOON, **more: Any) -> SettlementLine:
    """One line; it is known to the provider by its own name unless the test says otherwise."""
    return SettlementLine(
        line_id=line_id,
        kind=kind,
        gross=gross,
        fee=Money(fee, gross.currency),
        occurred_at=at,
        settled_on=at.date(),
        provider_reference=more.pop("provider_reference", f"own-{line_id}"),
        **more,
    )

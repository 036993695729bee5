"""For which times a whole statement is there: only then does its silence mean that nothing happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from majuu_core.merchants.models import ProviderAccount
from majuu_core.reports.days import SKEW
from majuu_core.reports.models import Settlement


@dataclass(frozen=True, slots=True)
class Coverage:
    """Spans of time, apart from each other and in order."""

    spans: tuple[tuple[datetime, datetime], ...]

    @classmethod
    def of(cls, account: ProviderAccount, start: datetime, end: datetime) -> Self:
        """What the imported statements of an account cover around a time.

        A file with rows that could not be read covers nothing: what seems missing may stand in those rows.
        """
        rows = Settlement.objects.filter(
            provider_account=account,
            state=Settlement.State.IMPORTED,
            unreadable_rows=0,
            covers_from__lt=end + 2 * SKEW,
            covers_until__gt=start - 2 * SKEW,
        )
        return cls(joined(rows.values_list("covers_from", "covers_until")))

    def holds(self, at: datetime) -> bool:
        """Whether a payment at this time would be on a statement, had it happened; clocks may differ by ten minutes."""
        return self.is_whole(at - SKEW, at + SKEW)

    def is_whole(self, start: datetime, end: datetime) -> bool:
        """Whether all of the time is covered."""
        return any(first <= start and end <= last for first, last in self.spans)


def joined(spans: Iterable[tuple[datetime | None, datetime | None]]) -> tuple[tuple[datetime, datetime], ...]:
    """Spans that touch or overlap become one."""
    found: list[tuple[datetime, datetime]] = []
    for start, end in sorted((start, end) for start, end in spans if start is not None and end is not None):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)

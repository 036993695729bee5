"""What was measured, beside what it should be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, kw_only=True)
class Target:
    """What must be reached and what we aim for. ``upwards``: more is better."""

    must: float
    goal: float
    upwards: bool = True

    def verdict(self, value: float) -> str:
        """ "goal", "must" or "MISSED"."""
        for name, line in (("goal", self.goal), ("must", self.must)):
            if value >= line if self.upwards else value <= line:
                return name
        return "MISSED"

    @property
    def sign(self) -> str:
        return "≥" if self.upwards else "≤"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number. Without a target it is told for information."""

    name: str
    value: float
    target: Target | None = None
    note: str = ""

    @property
    def missed(self) -> bool:
        return self.target is not None and self.target.verdict(self.value) == "MISSED"


def percentile(values: Iterable[float], percent: int) -> float:
    """The smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(ceil(len(ordered) * percent / 100) - 1, 0)]


def as_table(measures: Sequence[Measure]) -> str:
    """The measures as aligned text."""
    rows = [("what", "measured", "must", "goal", "reached", "")]
    for one in measures:
        target = one.target
        rows.append(
            (
                one.name,
                _number(one.value),
                f"{target.sign} {_number(target.must)}" if target else "",
                f"{target.sign} {_number(target.goal)}" if target else "",
                target.verdict(one.value) if target else "",
                one.note,
            )
        )
    widths = [max(len(row[place]) for row in rows) for place in range(5)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]).rstrip()
        for row in rows
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"

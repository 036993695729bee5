"""A long statement is read, previewed, imported and closed in memory that does not grow with it."""

from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.xlsx import write_xlsx
from majuu_core.reports.closing import close_day
from majuu_core.reports.models import Mismatch, SettlementLine
from majuu_core.reports.uploads import import_settlement, stage_statement
from tests.sandbox.month.test_month import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
HEAD = "Receipt No.,Completion Time,Details,Transaction Status,Paid In,Withdrawn,Balance,Other Party Info"
DAY = date(2026, 1, 10)
# Tracing makes every allocation slow, so that this many are traced in the suite. MAJUU_LINES=100000 traces as many.
LINES = int(os.environ.get("MAJUU_LINES", "3000"))
FEW = 500
# What pieces of 500 lines need, and the caches of parsers and queries.
BOUND = 16 * 1024 * 1024
# The 2,500 more lines, kept as rows of text alone, would take half as much again.
MAY_GROW = 1024 * 1024


def rows(count: int) -> Iterator[list[str]]:
    start = datetime(2026, 1, 10, tzinfo=UTC)
    for number in range(count):
        at = start + timedelta(milliseconds=number * 86_400_000 // count)
        yield [
            f"UA{number:08}",
            f"{at:%d-%m-%Y %H:%M:%S}",
            f"Pay Bill from 2547{number:08} - PAYER {number}",
            "Completed",
            f"{100 + number % 900:,}.00",
            "",
            f"{number * 100:,}.00",
            f"2547{number:08} - PAYER {number}",
        ]


def as_csv(count: int) -> Iterator[bytes]:
    yield f"{HEAD}\r\n".encode()
    for row in rows(count):
        yield (",".join(f'"{cell}"' for cell in row) + "\r\n").encode()


def as_xlsx(count: int) -> Iterator[bytes]:
    return write_xlsx(iter_rows(count))


def iter_rows(count: int) -> Iterator[list[str]]:
    yield HEAD.split(",")
    yield from rows(count)


def run(account, chunks: Iterator[bytes], name: str, seen: list[tuple[int, int]]) -> int:
    """Everything that happens to a statement; returns the most memory it took beside what was there."""
    gc.collect()
    gc.freeze()  # what other tests left behind must not put off the collection of what this one leaves:
    gc.collect()  # a full one waits for a quarter of what the last full one left alive
    tracemalloc.start()
    try:
        staged = stage_statement(account=account, chunks=chunks, name=name)
        import_settlement(settlement=staged)
        close_day(account=account, day=DAY, progress=lambda done, expected: seen.append((done, expected)))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.unfreeze()


@pytest.mark.parametrize(
    ("form", "name"), [(as_csv, "day.csv"), pytest.param(as_xlsx, "day.xlsx", marks=pytest.mark.once)]
)
def test_memory_does_not_grow_with_the_statement(form, name: str) -> None:
    account = make_account()
    seen: list[tuple[int, int]] = []
    with use_clock(VirtualClock(datetime(2026, 1, 12, 9, tzinfo=UTC))):
        run(account, form(FEW), name, seen)  # whatever is made once
        small = run(make_account(), form(FEW), name, seen)
        seen.clear()
        large = run(make_account(), form(LINES), name, seen)
    assert SettlementLine.objects.count() == 2 * FEW + LINES
    assert Mismatch.objects.filter(kind="missing_here").count() == 2 * FEW + LINES
    assert large < BOUND, (small, large)
    assert large - small < MAY_GROW, (small, large)
    # and the bar moves steadily to its end
    assert len(seen) >= LINES // 500
    assert seen == sorted(seen)
    assert seen[-1] == (LINES, LINES)

"""Reading the provider's statement."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import cast

from majuu_core.common import clock
from majuu_core.providers import Result, SettlementLine, SupportsSettlements
from majuu_core.testing.harness import NotOffered, ProviderHarness
from majuu_core.testing.kit import check
from majuu_core.testing.steps import expect, paid

_NEEDS = ("payment", "list_settlement_lines")
_KINDS = frozenset({"charge", "refund", "fee", "payout", "dispute", "adjustment"})


def _lines(harness: ProviderHarness) -> list[SettlementLine]:
    today = clock.now().date()
    return _between(harness, today - timedelta(days=1), today + timedelta(days=1))


def _between(harness: ProviderHarness, start: date, end: date) -> list[SettlementLine]:
    return list(cast(SupportsSettlements, harness.make_provider()).list_settlement_lines(start=start, end=end))


def _is_about(line: SettlementLine, result: Result) -> bool:
    """By the payment's reference, or by its receipt where the statement knows only that."""
    by_receipt = result.receipt is not None and line.receipt == result.receipt
    return by_receipt or line.provider_reference == result.provider_reference


def _same(first: SettlementLine, second: SettlementLine) -> bool:
    """One movement, by everything but the line's own id."""
    return replace(first, line_id="") == replace(second, line_id="")


@check(
    "settlement",
    needs=_NEEDS,
    why="Reconciliation starts from the payments that we know; one that is missing looks stolen.",
    fix="List every payment of the period under the reference or the receipt that the answer gave.",
    required=True,
)
def paid_payment_is_listed(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    found = [line for line in _lines(harness) if _is_about(line, result)]
    expect(len(found) == 1, f"the statement lists the payment {len(found)} times")
    expect(found[0].gross == request.amount, f"{request.amount} was paid, the statement says {found[0].gross}")


@check(
    "settlement",
    needs=_NEEDS,
    why="A fee in another currency than its payment, or a line outside the period, cannot be booked.",
    fix="Give fee and gross one currency, fees that are not negative, a known kind, and only lines of the period.",
    required=True,
)
def lines_are_well_formed(harness: ProviderHarness) -> None:
    paid(harness)
    today = clock.now().date()
    for line in _lines(harness):
        expect(line.kind in _KINDS, f"the kind {line.kind!r} is not known")
        expect(line.fee.currency == line.gross.currency, f"gross {line.gross}, fee {line.fee}")
        expect(line.fee.amount >= 0, f"the fee is {line.fee}")
        expect(abs((line.settled_on - today).days) <= 1, f"asked for {today} give or take a day, got {line.settled_on}")


@check(
    "settlement",
    needs=_NEEDS,
    why="Statements are read again when something was missing; a changed answer books money twice.",
    fix="Make list_settlement_lines a pure look-up.",
    required=True,
)
def reading_twice_changes_nothing(harness: ProviderHarness) -> None:
    paid(harness)
    first, second = _lines(harness), _lines(harness)
    expect(first == second, f"{len(first)} lines at first, then {len(second)} or other ones")


@check(
    "settlement",
    needs=_NEEDS,
    why="A day that is left out at the end of every import is a day whose money nobody matches.",
    fix="Include both days; ask the provider for the start of the day after `end` where it excludes the end.",
)
def both_days_are_included(harness: ProviderHarness) -> None:
    _, result = paid(harness)
    line = next((line for line in _lines(harness) if _is_about(line, result)), None)
    if line is None:
        raise NotOffered("the statement does not list the payment at all")
    day = line.occurred_at.date() if line.occurred_at else line.settled_on
    for start, end in ((day, day), (day - timedelta(days=1), day), (day, day + timedelta(days=1))):
        found = any(_same(line, other) for other in _between(harness, start, end))
        expect(found, f"the line of {day} is not listed from {start} to {end}")


@check(
    "settlement",
    needs=_NEEDS,
    why="A line is known by its id: two lines with one id are one in the books, and one of them is lost.",
    fix="Take the provider's own id of the line, of its fee or of its payout; leave line_id empty where it has none.",
)
def line_ids_are_unique(harness: ProviderHarness) -> None:
    paid(harness)
    paid(harness)
    ids = [line.line_id for line in _lines(harness) if line.line_id]
    twice = sorted(item for item, times in Counter(ids).items() if times > 1)
    expect(not twice, f"several lines share the id {twice[:3]}")


@check(
    "settlement",
    needs=_NEEDS,
    why="Statements are listed again every night: a line with a new id is booked a second time.",
    fix="Never number lines by their place in the answer or by the days that were asked for.",
)
def line_ids_are_stable(harness: ProviderHarness) -> None:
    paid(harness)
    before, today = _lines(harness), clock.now().date()
    paid(harness)
    for asked in (_lines(harness), _between(harness, today - timedelta(days=3), today + timedelta(days=1))):
        for line in before:
            ids = {other.line_id for other in asked if _same(line, other)}
            expect(ids in (set(), {line.line_id}), f"one line has the ids {sorted({line.line_id, *ids})}")

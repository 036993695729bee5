"""Reading the provider's statement."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from majuu_core.common import clock
from majuu_core.providers import SettlementLine, SupportsSettlements
from majuu_core.testing.harness import ProviderHarness
from majuu_core.testing.kit import check
from majuu_core.testing.steps import expect, paid

_NEEDS = ("payment", "list_settlement_lines")
_KINDS = frozenset({"charge", "refund", "fee", "payout", "adjustment"})


def _lines(harness: ProviderHarness) -> list[SettlementLine]:
    provider, today = cast(SupportsSettlements, harness.make_provider()), clock.now().date()
    return list(provider.list_settlement_lines(start=today - timedelta(days=1), end=today + timedelta(days=1)))


@check(
    "settlement",
    needs=_NEEDS,
    why="Reconciliation starts from the payments that we know; one that is missing looks stolen.",
    fix="List every payment of the period under the reference that the answer gave.",
)
def paid_payment_is_listed(harness: ProviderHarness) -> None:
    request, result = paid(harness)
    found = [line for line in _lines(harness) if line.provider_reference == result.provider_reference]
    expect(len(found) == 1, f"the statement lists the payment {len(found)} times")
    expect(found[0].gross == request.amount, f"{request.amount} was paid, the statement says {found[0].gross}")


@check(
    "settlement",
    needs=_NEEDS,
    why="A fee in another currency than its payment, or a line outside the period, cannot be booked.",
    fix="Give fee and gross one currency, fees that are not negative, a known kind, and only lines of the period.",
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
)
def reading_twice_changes_nothing(harness: ProviderHarness) -> None:
    paid(harness)
    first, second = _lines(harness), _lines(harness)
    expect(first == second, f"{len(first)} lines at first, then {len(second)} or other ones")

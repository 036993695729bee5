"""What a provider's payout to the bank holds, and whether that adds up."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, Count, DecimalField, F, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from majuu_core.common.money import Money
from majuu_core.reports.models import BankPayout, Direction, SettlementLine

_NET = DecimalField(max_digits=19, decimal_places=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The lines that a payout holds: how many, and what they are worth after fees."""

    count: int
    net: Money

    def adds_up_to(self, amount: Money) -> bool:
        """Whether it is exactly that much."""
        return self.net == amount


def lines_of(payout: BankPayout) -> QuerySet[SettlementLine]:
    """What the payout holds."""
    named = SettlementLine.objects.filter(
        provider_account_id=payout.provider_account_id,
        payout_reference=payout.payout_reference,
        currency=payout.currency,
    )
    return named.exclude(kind=SettlementLine.Kind.PAYOUT)


def content_of(payout: BankPayout) -> Content:
    """The sum of the payout's lines, by the database."""
    signed = Case(When(direction=Direction.IN, then=F("amount")), default=-F("amount"), output_field=_NET)
    kept = Coalesce(F("fee"), Value(Decimal(0)), output_field=_NET)
    found = lines_of(payout).aggregate(count=Count("pk"), net=Sum(signed - kept))
    return Content(count=found["count"], net=Money(found["net"] or 0, payout.currency))

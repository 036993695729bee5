"""Money that only a statement tells of: what came in goes to the intake, line by line, once.

For providers that nobody can ask. A line may be given any number of times: its receipt is known by then.
"""

from __future__ import annotations

import logging

from django.db.models import Exists, OuterRef, QuerySet

from majuu_core.common.storable import storable
from majuu_core.payments.by_hand import is_by_hand
from majuu_core.payments.incoming import Arrival, take_incoming
from majuu_core.payments.incoming_named import reference_given_at
from majuu_core.payments.models import IncomingPayment
from majuu_core.payments.notices import Ending
from majuu_core.providers import IncomingMoney, StatementProblem
from majuu_core.reports.intake import LONGEST_RECEIVER, money_of
from majuu_core.reports.models import Direction, Settlement, SettlementLine

logger = logging.getLogger("majuu.reports")
_PIECE = 200
_SHOWN = 100


def take_in_arrivals(settlement: Settlement) -> list[StatementProblem]:
    """Hand what came in on this statement to the intake; returns the lines that it would not take.

    Nothing for providers that tell of money themselves. Talks to nobody, but settles each payment in transactions of
    its own, so never inside one.
    """
    if not is_by_hand(settlement.provider_account.provider):
        return []
    refused: list[StatementProblem] = []
    last = 0
    while piece := list(_untold(settlement).filter(pk__gt=last).order_by("pk")[:_PIECE]):
        last = piece[-1].pk
        refused += [problem for line in piece if (problem := _take(settlement, line)) is not None]
    return refused[:_SHOWN]


def _untold(settlement: Settlement) -> QuerySet[SettlementLine]:
    account = settlement.provider_account
    known = IncomingPayment.objects.filter(
        provider=account.provider,
        livemode=account.livemode,
        receipt=OuterRef("receipt"),
        amount=OuterRef("amount"),
        currency=OuterRef("currency"),
    )
    lines = SettlementLine.objects.filter(provider_account=account, seen_in=settlement, direction=Direction.IN)
    return lines.filter(~Exists(known), kind=SettlementLine.Kind.CHARGE)


def _take(settlement: Settlement, line: SettlementLine) -> StatementProblem | None:
    account = settlement.provider_account
    verdict = take_incoming(
        Arrival(account=account, money=_money(settlement, line), source="statement", verified_by="statement")
    )
    if verdict.ending is not Ending.PARKED:
        return None
    logger.error("the line %s of %s is not taken in: %s", line.receipt, settlement.public_id, verdict.reason)
    return StatementProblem(
        line_number=line.line_number, column="amount", message=verdict.reason, value=str(line.money)
    )


def _money(settlement: Settlement, line: SettlementLine) -> IncomingMoney:
    """What the payer wrote is longer than what is kept of it: the reference that was given out counts first."""
    account = settlement.provider_account
    plain = money_of(line, storable(account.name, LONGEST_RECEIVER))
    named = reference_given_at(account, f"{line.reference} {line.description}")
    return IncomingMoney(
        receipt=plain.receipt,
        amount=plain.amount,
        occurred_at=plain.occurred_at,
        receiver=plain.receiver,
        account_reference=named or plain.account_reference,
        payer_name=plain.payer_name,
        channel="bank",
        raw=plain.raw,
    )

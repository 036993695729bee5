"""Money on the statement that nobody knows here, taken into the platform's intake, from where a store can claim it."""

from __future__ import annotations

from collections.abc import Callable

from majuu_core.common.problems import Conflict
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.notices import Ending, Verdict
from majuu_core.providers import IncomingMoney
from majuu_core.reports.models import Direction, Mismatch, SettlementLine

# The intake's own service: it keeps and books money of an account, any number of times for the same receipt.
TakeIn = Callable[[ProviderAccount, IncomingMoney], Verdict]
_LineKind = SettlementLine.Kind


def may_be_taken_in(mismatch: Mismatch) -> bool:
    """Whether it is a customer's payment that is missing here."""
    return (
        mismatch.kind == Mismatch.Kind.MISSING_HERE
        and mismatch.direction == Direction.IN
        and mismatch.state != Mismatch.State.RESOLVED
        and mismatch.line is not None
        and mismatch.line.kind == _LineKind.CHARGE
    )


def take_into_intake(*, mismatch: Mismatch, receiver: str, take_in: TakeIn) -> Verdict:
    """Hand the line's money to the intake; the next run of the close finds it and settles the difference.

    ``receiver`` is the shortcode or account it went to. Raises Conflict for a difference that is no such payment, and
    when the intake says that a person has to look.
    """
    row = Mismatch.objects.select_related("line", "provider_account").get(pk=mismatch.pk)
    line = row.line
    if line is None or not may_be_taken_in(row):
        raise Conflict("mismatch_not_incoming", "Only a payment that came in and is missing here can be taken in.")
    verdict = take_in(row.provider_account, money_of(line, receiver))
    if verdict.ending in (Ending.PARKED, Ending.REJECTED):
        raise Conflict("intake_refused", verdict.reason)
    return verdict


def money_of(line: SettlementLine, receiver: str) -> IncomingMoney:
    """The line as the intake takes money. The statement's own words for the payer stay words: they prove no phone."""
    return IncomingMoney(
        receipt=line.receipt,
        amount=line.money,
        occurred_at=line.occurred_at,
        receiver=receiver,
        account_reference=line.reference,
        payer_name=line.counterparty,
        raw=dict(line.raw),
    )

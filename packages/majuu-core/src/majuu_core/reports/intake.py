"""Money on the statement that nobody knows here, taken into the platform's intake, from where a store can claim it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from majuu_core.audit.services import record_entry
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.incoming import Arrival, take_incoming
from majuu_core.payments.models import IncomingPayment
from majuu_core.payments.notices import Ending, Verdict
from majuu_core.providers import IncomingMoney
from majuu_core.reports.models import Direction, Mismatch, SettlementLine
from majuu_core.reports.requests import request_close

# The intake's own service: it keeps and books money of an account, any number of times for the same receipt.
TakeIn = Callable[[ProviderAccount, IncomingMoney], Verdict]
LONGEST_RECEIVER = 64
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


def take_from_statement(account: ProviderAccount, money: IncomingMoney) -> Verdict:
    """Give the money to the intake. A statement is the provider's own word: nobody is asked whether it arrived."""
    return take_incoming(Arrival(account=account, money=money, source="statement", verified_by="statement"))


def likely_receiver(account: ProviderAccount) -> str:
    """The shortcode or account number that money came to last at this account; "" when none has come."""
    rows = IncomingPayment.objects.filter(provider_account=account).order_by("-pk")
    return rows.values_list("receiver", flat=True).first() or ""


def take_into_intake(*, mismatch: Mismatch, receiver: str, take_in: TakeIn = take_from_statement) -> Verdict:
    """Hand the line's money to the intake, and have the day closed again, which settles the difference.

    ``receiver`` is the shortcode or account it went to. Talks to the network, so never inside a transaction. Once it
    was taken in, doing it again changes nothing. Raises Invalid without a receiver, Conflict for a difference that is
    no such payment, and when the intake says that a person has to look.
    """
    receiver = receiver.strip()
    if not 1 <= len(receiver) <= LONGEST_RECEIVER:
        text = f"Say which shortcode or account the money went to, in at most {LONGEST_RECEIVER} characters."
        raise Invalid("receiver_missing", text, field="receiver")
    row = Mismatch.objects.select_related("line", "close", "provider_account__store").get(pk=mismatch.pk)
    line = row.line
    if line is None or not may_be_taken_in(row):
        raise Conflict("mismatch_not_incoming", "Only a payment that came in and is missing here can be taken in.")
    verdict = take_in(row.provider_account, money_of(line, receiver))
    if verdict.ending in (Ending.PARKED, Ending.REJECTED):
        raise Conflict("intake_refused", verdict.reason)
    record_entry(
        action="mismatch.taken_in", object_id=row.public_id, changes={"receipt": line.receipt, "receiver": receiver}
    )
    with suppress(Conflict):  # it is being closed at this moment: the run after this one finds it
        request_close(close=row.close)
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

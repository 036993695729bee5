"""Stripe's statement: balance transactions, each with the payout that took it to the bank."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from majuu_core.common import clock
from majuu_core.common.money import Money
from majuu_core.providers import OutcomeUnknown, SettlementLine
from majuu_stripe.account import Account
from majuu_stripe.fields import Obj, id_of, inside, moment, money, obj, reference_of, seconds_of, text, whole

CHARGE, REFUND, FEE, PAYOUT, DISPUTE, ADJUSTMENT = "charge", "refund", "fee", "payout", "dispute", "adjustment"
_KIND: dict[str, str] = {
    **dict.fromkeys(("charge", "payment"), CHARGE),
    **dict.fromkeys(("refund", "payment_refund", "payment_failure_refund", "refund_failure"), REFUND),
    **dict.fromkeys(("payment_reversal", "partial_capture_reversal"), REFUND),
    **dict.fromkeys(("stripe_fee", "stripe_fx_fee", "application_fee", "tax_fee", "network_cost"), FEE),
    **dict.fromkeys(("payout", "payout_cancel", "payout_failure", "payout_minimum_balance_hold"), PAYOUT),
}
_DISPUTES = ("dp_", "du_", "pdp_")
# Automatic payouts hold what became available shortly before them; the oldest money waits this long.
_LONGEST_WAIT = timedelta(days=45)
_LONGEST_DESCRIPTION = 200


def list_lines(account: Account, *, start: date, end: date) -> Iterator[SettlementLine]:
    """Everything that moved on the Stripe balance on these days, in UTC."""
    since = datetime.combine(start, time.min, UTC)
    until = datetime.combine(end + timedelta(days=1), time.min, UTC)
    payouts = _payouts_by_line(account, since, until)
    wanted = {"created": {"gte": seconds_of(since), "lt": seconds_of(until)}, "expand": ["data.source"]}
    for found in account.api.pages(lambda v1, params: v1.balance_transactions.list(params), wanted):
        yield line_of(account, found, payout=payouts.get(text(found, "id"), ""))


def line_of(account: Account, found: Obj, *, payout: str = "") -> SettlementLine:
    """One balance transaction. Raises OutcomeUnknown for one without amount or time."""
    gross, fee, at = money(found, "amount"), money(found, "fee"), moment(found, "created")
    if gross is None or at is None:
        raise OutcomeUnknown("a line of Stripe's statement cannot be read")
    fee = fee or Money(0, gross.currency)
    if fee.amount < 0:  # a fee that Stripe gave back is money in
        gross, fee = gross - fee, Money(0, gross.currency)
    source, kind = obj(found, "source"), _kind(found)
    return SettlementLine(
        provider_reference=_provider_reference(found, source),
        kind=kind,
        gross=gross,
        fee=fee,
        settled_on=(moment(found, "available_on") or at).date(),
        occurred_at=at,
        description=text(found, "description")[:_LONGEST_DESCRIPTION],
        line_id=text(found, "id"),
        reference=reference_of(source, "", account.account_id),
        receipt=_receipt(found, source),
        payout_reference=payout or (id_of(found, "source") if kind == PAYOUT else ""),
        presented=_presented(source, gross) if kind in (CHARGE, REFUND) else None,
    )


def _presented(source: Obj, gross: Money) -> Money | None:
    """What the customer paid or got back, where Stripe settles it in another currency."""
    captured = "amount_captured" if whole(source, "amount_captured") else "amount"
    told = money(source, captured)
    return told if told is not None and told.currency != gross.currency and told.amount > 0 else None


def _kind(found: Obj) -> str:
    known = _KIND.get(text(found, "type"))
    if known is not None:
        return known
    category = text(found, "reporting_category")
    if id_of(found, "source").startswith(_DISPUTES) or category.startswith("dispute"):
        return DISPUTE
    return ADJUSTMENT


def _provider_reference(found: Obj, source: Obj) -> str:
    """What core knows the money by: a payment by its intent, all else by its own id."""
    if text(source, "object") == "charge":
        return id_of(source, "payment_intent") or text(source, "id")
    return id_of(found, "source") or text(found, "id")


def _receipt(found: Obj, source: Obj) -> str:
    """The charge that the line is about: its own id, or that of the charge which it takes back."""
    if text(source, "object") == "charge":
        return text(source, "id")
    return id_of(source, "charge")


def _payouts_by_line(account: Account, since: datetime, until: datetime) -> dict[str, str]:
    """Which automatic payout holds which line. A manual payout names none."""
    last = min(until + _LONGEST_WAIT, clock.now() + timedelta(days=1))
    wanted = {"created": {"gte": seconds_of(since), "lte": seconds_of(last)}}
    found: dict[str, str] = {}
    for payout in account.api.pages(lambda v1, params: v1.payouts.list(params), wanted):
        name = text(payout, "id")
        if inside(payout, "automatic") is not True or not name:
            continue
        for line in account.api.pages(lambda v1, params: v1.balance_transactions.list(params), {"payout": name}):
            found[text(line, "id")] = name
    return found

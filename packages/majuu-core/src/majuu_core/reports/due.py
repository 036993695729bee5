"""Closes that are due: yesterday of every account, and every day about which a statement said something new."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Max, Min, Q

from majuu_core.common import clock
from majuu_core.common.problems import Conflict
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.calls import Conversation, keep_calls, refuse_open_transaction
from majuu_core.providers import (
    IncomingMoney,
    ListsIncoming,
    ProviderError,
    ReadsStatements,
    StatementLine,
    SupportsSettlements,
)
from majuu_core.reports.closing import close_day
from majuu_core.reports.days import bounds, day_of, zone_of
from majuu_core.reports.listed import as_statement_lines
from majuu_core.reports.models import Close, Settlement
from majuu_core.reports.models import SettlementLine as SettlementLineRow
from majuu_core.reports.uploads import save_listed

logger = logging.getLogger("majuu.reports")
# Before that the day's last callbacks and the provider's own list may still be on their way.
READY_AFTER = timedelta(hours=2)
# A worker that was away longer than that does not close the days it missed by itself.
MOST_MISSED = timedelta(days=31)
# A payout to the bank is looked into for lines that are at most that old.
LONGEST_WAIT = timedelta(days=14)


def run_due_closes(limit: int = 1) -> int:
    """Plan yesterday's closes, then run those that wait, the oldest day first; returns how many were run."""
    plan_closes()
    now = clock.now()
    due = Close.objects.filter(
        Q(state=Close.State.WAITING) | Q(state=Close.State.RUNNING, leased_until__lt=now)
    ).select_related("provider_account")
    return sum(_run_safely(close) for close in list(due.order_by("day", "pk")[:limit]))


def plan_closes() -> int:
    """Closes until yesterday for every active account whose statement can be had. Returns how many are new."""
    made = 0
    for account in ProviderAccount.objects.filter(is_active=True).order_by("pk").iterator():
        try:
            made += _plan(account)
        except Exception:  # an account that cannot be opened must not keep the others waiting
            logger.exception("planning the close of %s", account)
    return made


def _plan(account: ProviderAccount) -> int:
    if not isinstance(provider_for(account), (ReadsStatements, SupportsSettlements)):
        return 0
    zone = zone_of(account)
    day = day_of(clock.now() - READY_AFTER, zone) - timedelta(days=1)
    if account.created_at >= bounds(day, zone)[1]:
        return 0
    return sum(_plan_day(account, wanted, zone) for wanted in _days_until(account, day))


def _days_until(account: ProviderAccount, yesterday: date) -> list[date]:
    """Yesterday, and the days before it on which no worker ran: those after the latest close."""
    first = yesterday - MOST_MISSED
    rows = Close.objects.filter(provider_account=account, day__gte=first, day__lte=yesterday)
    latest = rows.aggregate(latest=Max("day"))["latest"]
    missed = 1 if latest is None else (yesterday - latest).days
    return [yesterday - timedelta(days=days) for days in reversed(range(missed))]


def _plan_day(account: ProviderAccount, day: date, zone: str) -> int:
    _, is_new = Close.objects.get_or_create(
        provider_account=account, day=day, defaults={"livemode": account.livemode, "time_zone": zone}
    )
    return int(is_new)


def _run_safely(close: Close) -> int:
    try:
        collect_statement(account=close.provider_account, day=close.day)
        close_day(account=close.provider_account, day=close.day)
    except Conflict:
        return 0
    except Exception:  # the close says what happened, and the next statement or person starts it again
        logger.exception("closing %s", close)
        Close.objects.filter(pk=close.pk, state=Close.State.WAITING).update(
            state=Close.State.FAILED, message="It could not be started: see the log."
        )
    return 1


def collect_statement(*, account: ProviderAccount, day: date) -> None:
    """Ask the provider for what it can list of the day. An error is logged: an uploaded statement does as well."""
    refuse_open_transaction()
    conversation = Conversation(account)
    provider, zone = conversation.provider(), zone_of(account)
    start, end = bounds(day, zone)
    try:
        if isinstance(provider, SupportsSettlements):
            _save_settlements(account, provider, day, day, zone)
            if (first := _first_day_to_repeat(account, day)) is not None:
                _save_settlements(account, provider, first, day - timedelta(days=1), zone)
        elif isinstance(provider, ListsIncoming):
            listed = _from_incoming(provider, start, end)
            save_listed(account=account, source=Settlement.Source.PULL, lines=listed, zone=zone, covers=(start, end))
    except ProviderError as problem:
        logger.warning("the statement of %s for %s: %s", account, day, problem)
    finally:
        keep_calls(conversation)


def _save_settlements(
    account: ProviderAccount, provider: SupportsSettlements, first: date, last: date, zone: str
) -> None:
    listed = as_statement_lines(provider.list_settlement_lines(start=first, end=last))
    covers = (bounds(first, zone)[0], bounds(last, zone)[1])
    save_listed(account=account, source=Settlement.Source.SETTLEMENTS, lines=listed, zone=zone, covers=covers)


def _first_day_to_repeat(account: ProviderAccount, day: date) -> date | None:
    """Since when lines went to the bank with a payout of this day: the oldest day with lines that no payout holds yet.

    None when there was no payout, or when no line before the day waits for one.
    """
    lines = SettlementLineRow.objects.filter(provider_account=account, line_id__isnull=False)
    if not lines.filter(day=day, kind=SettlementLineRow.Kind.PAYOUT).exclude(payout_reference="").exists():
        return None
    waiting = lines.filter(day__gte=day - LONGEST_WAIT, day__lt=day, payout_reference="")
    oldest: date | None = waiting.aggregate(oldest=Min("day"))["oldest"]
    return oldest


def _from_incoming(provider: ListsIncoming, start: datetime, end: datetime) -> Iterator[StatementLine]:
    money: IncomingMoney
    for number, money in enumerate(provider.list_incoming(start=start, end=end), 1):
        yield StatementLine(
            line_number=number,
            receipt=money.receipt,
            kind="charge",
            direction="in",
            amount=money.amount,
            occurred_at=money.occurred_at,
            counterparty=money.payer_phone or money.payer_phone_masked or money.payer_name,
            reference=money.account_reference,
        )

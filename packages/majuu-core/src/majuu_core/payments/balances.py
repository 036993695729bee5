"""What stands on the accounts behind a provider account: asked for, told at once or later, watched.

A question is a snapshot. It is written down first, then the provider is asked with no transaction open; what it says
is written to the same row. Told later by webhook, it is known by the id that the provider gave to the question.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery

from majuu_core import configuration
from majuu_core.audit.services import build_entry
from majuu_core.common import clock, ids
from majuu_core.common.problems import Conflict
from majuu_core.common.redaction import redact_text
from majuu_core.common.storable import storable
from majuu_core.database.errors import is_unique_violation
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import record_health
from majuu_core.payments.addresses import account_callback_url
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.payments.low_balances import watch_balances
from majuu_core.payments.models import BalanceLine, BalanceSnapshot
from majuu_core.payments.notices import APPLIED, Ending, Notice, Verdict, duplicate, parked, waiting
from majuu_core.providers import (
    AccountBalance,
    BalanceAnswer,
    BalanceQuery,
    InvalidCredentials,
    ResultStatus,
    SupportsBalances,
)
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")
TOPIC = "balance"
# After this a question counts as not answered; an answer that comes later all the same is taken.
ANSWER_WITHIN = timedelta(hours=1)
# Between the provider's acknowledgement and its being written down, the answer may come already.
_ACKNOWLEDGED_WITHIN = timedelta(minutes=2)
_MOST_LINES = 50
_Status = BalanceSnapshot.Status


def request_balances(*, account: ProviderAccount) -> BalanceSnapshot:
    """Ask the provider what stands on its accounts. The snapshot is reported now, later by webhook, or has failed.

    Raises Conflict (``balances_not_offered``) when the provider does not tell. Talks to the network.
    """
    if not tells_balances(account.provider):
        raise Conflict("balances_not_offered", f"The provider {account.provider} does not tell balances.")
    refuse_open_transaction()
    snapshot = BalanceSnapshot(provider_account=account, livemode=account.livemode)
    _insert(snapshot)
    return _ask(snapshot)


def tells_balances(provider: str) -> bool:
    """Whether the installed provider with this code can be asked."""
    return provider in _providers_that_tell()


def request_due_balances() -> int:
    """Ask for every active account that was not asked in this period (``MAJUU_BALANCE_MINUTES``). Returns how many.

    The key of a period's own question follows from account and period, so of several workers one asks.
    """
    give_up_unanswered()
    minutes = configuration.balance_minutes()
    if not minutes:
        return 0
    start = _period_start(clock.now(), minutes)
    asked = BalanceSnapshot.objects.filter(pk__gte=ids.first_uuid(start)).values("provider_account_id")
    due = ProviderAccount.objects.filter(is_active=True, provider__in=_providers_that_tell()).exclude(pk__in=asked)
    return sum(_ask_for_period(account, start) for account in due.select_related("store").order_by("pk")[:100])


def give_up_unanswered() -> int:
    """Close questions that nobody answered within an hour. Returns how many."""
    late = BalanceSnapshot.objects.filter(
        pk__lt=ids.first_uuid(clock.now() - ANSWER_WITHIN),
        pk__gte=ids.first_uuid(clock.now() - 48 * ANSWER_WITHIN),
        status=_Status.REQUESTED,
    )
    return sum(_fail(snapshot, "The provider never answered.") for snapshot in late.select_related("provider_account"))


def apply_balance_report(notice: Notice) -> Verdict:
    """Take what a provider tells about balances, if it names a question that we asked for this account."""
    event = notice.event
    asked = BalanceSnapshot.objects.filter(provider_account=notice.account).select_related("provider_account__store")
    snapshot = asked.filter(provider_reference=event.provider_reference).order_by("-pk").first()
    if snapshot is None or not event.provider_reference:
        fresh = asked.filter(provider_reference="", status=_Status.REQUESTED)
        if fresh.filter(requested_at__gte=clock.now() - _ACKNOWLEDGED_WITHIN).exists():
            return waiting("A question was just asked, and its acknowledgement is not written down yet.")
        return parked(f"Nobody asked for balances under the reference {storable(event.provider_reference, 100)}.")
    if event.result.status not in {ResultStatus.SUCCEEDED, ResultStatus.FAILED}:
        return Verdict(Ending.APPLIED, "A notice that it takes longer; it decides nothing.")
    if event.result.status is ResultStatus.FAILED or not event.balances:
        failure = event.result.failure
        return _verdict(_fail(snapshot, failure.message if failure else "The provider named no account."))
    return _verdict(_report(snapshot, event.balances))


def latest_balances(accounts: Sequence[ProviderAccount]) -> dict[uuid.UUID, BalanceSnapshot]:
    """The last reported snapshot of each account, with its lines, by the account's key. Always two or three queries."""
    newest = BalanceSnapshot.objects.filter(provider_account=OuterRef("pk"), status=_Status.REPORTED).order_by("-pk")
    rows = ProviderAccount.objects.filter(pk__in=[account.pk for account in accounts])
    keys = rows.annotate(newest=Subquery(newest.values("pk")[:1])).values_list("newest", flat=True)
    found = BalanceSnapshot.objects.filter(pk__in=[key for key in keys if key is not None])
    return {snapshot.provider_account_id: snapshot for snapshot in found.prefetch_related("lines")}


def _ask_for_period(account: ProviderAccount, start: datetime) -> int:
    snapshot = BalanceSnapshot(
        id=_period_key(account, start), provider_account=account, livemode=account.livemode, requested_at=clock.now()
    )
    try:
        _insert(snapshot)
    except IntegrityError as problem:
        if not is_unique_violation(problem):
            raise
        return 0  # another worker asks
    _ask(snapshot)
    return 1


def _insert(snapshot: BalanceSnapshot) -> None:
    with transaction.atomic():
        snapshot.save(force_insert=True)
        _audit(snapshot, "balance_snapshot.requested")


def _ask(snapshot: BalanceSnapshot) -> BalanceSnapshot:
    account = snapshot.provider_account
    conversation = Conversation(account, about=snapshot.public_id)
    query = BalanceQuery(reference=snapshot.public_id, webhook_url=f"{account_callback_url(account.pk)}/{TOPIC}")
    answer: BalanceAnswer | None = None
    problem = ""
    try:
        provider = conversation.provider()
        assert isinstance(provider, SupportsBalances)  # noqa: S101 - asked before
        answer = provider.request_balances(query)
    except InvalidCredentials as error:
        problem = "The provider refused the account's credentials."
        record_health(account=account, healthy=False, message=str(error))
    except Exception as error:  # noqa: BLE001 - whatever it was, the question has no answer
        # A provider's bug, a lost answer, credentials that do not open: the next period asks again.
        logger.warning("balances of %s are not told: %s", account.public_id, type(error).__name__)
        problem = str(error) or type(error).__name__
    for record in conversation.records():
        record.save(force_insert=True)
    if answer is None:
        _fail(snapshot, problem)
    elif answer.balances is None:
        _acknowledge(snapshot, answer.provider_reference)
    else:
        _report(snapshot, answer.balances, answer.provider_reference)
    snapshot.refresh_from_db()
    return snapshot


def _acknowledge(snapshot: BalanceSnapshot, reference: str | None) -> None:
    if not reference:
        _fail(snapshot, "The provider gave no reference under which it will answer.")
        return
    BalanceSnapshot.objects.filter(pk=snapshot.pk).update(provider_reference=storable(reference, 128))


def _report(snapshot: BalanceSnapshot, balances: Sequence[AccountBalance], reference: str | None = None) -> bool:
    """Write the balances down. False when they were before."""
    now = clock.now()
    values = {"provider_reference": storable(reference, 128)} if reference else {}
    with transaction.atomic():
        open_row = BalanceSnapshot.objects.filter(pk=snapshot.pk).exclude(status=_Status.REPORTED)
        if not open_row.update(status=_Status.REPORTED, reported_at=now, message="", **values):
            return False
        BalanceLine.objects.bulk_create([_line(snapshot, item) for item in balances[:_MOST_LINES]])
        _audit(snapshot, "balance_snapshot.reported")
    watch_balances(snapshot.provider_account)
    return True


def _line(snapshot: BalanceSnapshot, item: AccountBalance) -> BalanceLine:
    return BalanceLine(
        snapshot=snapshot,
        name=storable(item.name, 100),
        currency=item.current.currency.code,
        current=item.current.amount,
        available=item.available.amount if item.available is not None else None,
        reserved=item.reserved.amount if item.reserved is not None else None,
        uncleared=item.uncleared.amount if item.uncleared is not None else None,
    )


def _fail(snapshot: BalanceSnapshot, message: str) -> bool:
    with transaction.atomic():
        waits = BalanceSnapshot.objects.filter(pk=snapshot.pk, status=_Status.REQUESTED)
        if not waits.update(status=_Status.FAILED, message=storable(redact_text(message), 300)):
            return False
        _audit(snapshot, "balance_snapshot.failed")
    return True


def _verdict(changed: bool) -> Verdict:
    return APPLIED if changed else duplicate("This question was answered before.")


def _audit(snapshot: BalanceSnapshot, action: str) -> None:
    account = snapshot.provider_account
    entry = build_entry(
        action=action,
        object_id=snapshot.public_id,
        merchant_id=account.store.merchant_id if account.store is not None else None,
        store_id=account.store_id,
        changes={"provider_account": account.public_id},
    )
    entry.save(force_insert=True)


def _providers_that_tell() -> list[str]:
    return [provider.code for provider in installed_providers() if issubclass(provider, SupportsBalances)]


def _period_start(now: datetime, minutes: int) -> datetime:
    seconds = minutes * 60
    return now - timedelta(seconds=int(now.timestamp()) % seconds, microseconds=now.microsecond)


def _period_key(account: ProviderAccount, start: datetime) -> uuid.UUID:
    """A UUIDv7 of the period's first millisecond; what is random in others says whose question it is."""
    digest = int.from_bytes(hashlib.sha256(account.pk.bytes).digest()[:10], "big")
    number = ids.first_uuid(start).int | 0x7 << 76 | (digest >> 62 & 0xFFF) << 64 | 0b10 << 62 | digest & (1 << 62) - 1
    return uuid.UUID(int=number)

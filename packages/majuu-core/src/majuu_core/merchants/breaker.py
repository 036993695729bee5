"""A circuit breaker for each provider account: while nobody answers there, nobody is kept waiting.

Calls that got no answer one after the other open it. Open, nothing is called for a while; then one caller may probe
(half-open). An answer closes it, silence opens it for twice as long. All of it stands on the account's own row, so
that every process knows, and who has loaded the account asks no further question.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from majuu_core.common import clock
from majuu_core.common.redaction import redact_text
from majuu_core.merchants.credentials import record_account_entry
from majuu_core.merchants.models import ProviderAccount

logger = logging.getLogger("majuu.payments")
FAILURES_TO_OPEN = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
# As long as a probe may take; a process that dies with it gives it back.
PROBE_LEASE = timedelta(seconds=60)
_B = ProviderAccount.Breaker


def admit(account: ProviderAccount) -> bool:
    """Whether the provider may be called for this account now. True for one caller that takes the probe on itself."""
    if account.breaker == _B.CLOSED or account.breaker_until is None:
        return True
    if account.breaker_until > clock.now():
        return False
    mine = ProviderAccount.objects.filter(
        pk=account.pk, breaker=account.breaker, breaker_until=account.breaker_until
    ).update(breaker=_B.HALF_OPEN, breaker_until=clock.now() + PROBE_LEASE)
    return mine == 1


def seconds_closed_to_calls(account: ProviderAccount) -> int:
    """For how long nobody is called; 0 when calls are made."""
    if account.breaker == _B.CLOSED or account.breaker_until is None:
        return 0
    return max(int((account.breaker_until - clock.now()).total_seconds()), 0)


def record_answer(account: ProviderAccount) -> None:
    """The provider answered, whatever it said. Writes only when something had gone wrong before."""
    if account.breaker == _B.CLOSED and account.breaker_failures == 0:
        return
    with transaction.atomic():
        row = _locked(account)
        before = row.breaker
        _write(row, _B.CLOSED, 0, None, "")
        if before != _B.CLOSED:
            record_account_entry(row, "provider_account.resumed", {"breaker": [before, str(_B.CLOSED)]})
            logger.warning("%s answers again", row)
    _copy(row, account)


def record_silence(account: ProviderAccount, reason: str) -> None:
    """A call got no answer: refused, timed out, or an error of the provider's own."""
    # Those that were under way when it opened say nothing new: the pause grows by probes.
    counted = ProviderAccount.objects.filter(pk=account.pk).exclude(breaker=_B.OPEN)
    counted.update(breaker_failures=F("breaker_failures") + 1)
    with transaction.atomic():
        row = _locked(account)
        opens = row.breaker == _B.HALF_OPEN or (row.breaker == _B.CLOSED and row.breaker_failures >= FAILURES_TO_OPEN)
        if opens:
            before = row.breaker
            until = clock.now() + _pause(row.breaker_failures)
            _write(row, _B.OPEN, row.breaker_failures, until, redact_text(reason)[:200])
            if before == _B.CLOSED:
                record_account_entry(row, "provider_account.paused", {"breaker": [before, str(_B.OPEN)]})
            logger.error("%s does not answer (%s); not called until %s", row, row.breaker_reason, until)
    _copy(row, account)


def close_breaker(*, account: ProviderAccount) -> ProviderAccount:
    """Call the provider again at once, as a person decided."""
    with transaction.atomic():
        row = _locked(account)
        if row.breaker != _B.CLOSED:
            before = row.breaker
            _write(row, _B.CLOSED, 0, None, "")
            record_account_entry(row, "provider_account.resumed", {"breaker": [before, str(_B.CLOSED)]})
    return row


def _pause(failures: int) -> timedelta:
    """Twice as long after each probe that found nobody."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(max(failures - FAILURES_TO_OPEN, 0), 10)
    return min(doubled, LONGEST_PAUSE)


def _locked(account: ProviderAccount) -> ProviderAccount:
    return ProviderAccount.objects.select_for_update().defer("credentials").get(pk=account.pk)


def _write(row: ProviderAccount, state: str, failures: int, until: datetime | None, reason: str) -> None:
    row.breaker, row.breaker_failures, row.breaker_until, row.breaker_reason = state, failures, until, reason
    row.save(update_fields=["breaker", "breaker_failures", "breaker_until", "breaker_reason"])


def _copy(row: ProviderAccount, account: ProviderAccount) -> None:
    account.breaker, account.breaker_failures = row.breaker, row.breaker_failures
    account.breaker_until, account.breaker_reason = row.breaker_until, row.breaker_reason

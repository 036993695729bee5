"""Alerts: raised once, written home about once, cleared when the trouble is over.

Who notices a trouble says all that stands, again and again: ``keep_alerts`` raises what is new and clears what is gone.
Two workers may do so at once; the unique ``open_key`` lets one of them write.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from majuu_core import configuration
from majuu_core.audit.services import record_entry
from majuu_core.common import clock
from majuu_core.common.storable import storable
from majuu_core.database.errors import is_unique_violation
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.models import Alert

logger = logging.getLogger("majuu.alerts")
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What was seen now. ``subject`` says of what; ``detail`` what was seen and what to do, without any secret."""

    subject: str
    title: str
    detail: str
    livemode: bool
    account: ProviderAccount | None = None


def open_alerts() -> QuerySet[Alert]:
    """All that is not over, the newest first."""
    return Alert.objects.filter(open_key__isnull=False).select_related("provider_account").order_by("-pk")


def keep_alerts(*, kind: str, troubles: Iterable[Trouble], within: QuerySet[Alert] | None = None) -> int:
    """Let the open alerts of a kind be just these troubles. Returns how many were raised or cleared.

    ``within`` restricts which alerts were looked at: others of the kind are left as they are.
    """
    wanted = {trouble.subject: trouble for trouble in troubles}
    rows = (Alert.objects.all() if within is None else within).filter(kind=kind, open_key__isnull=False)
    standing = {alert.subject: alert for alert in rows}
    raised = sum(raise_alert(kind=kind, trouble=wanted[subject]) for subject in wanted.keys() - standing.keys())
    return raised + sum(clear_alert(standing[subject]) for subject in standing.keys() - wanted.keys())


def raise_alert(*, kind: str, trouble: Trouble) -> bool:
    """Write the alert down. False when one of this kind and subject is open already."""
    alert = Alert(
        kind=kind,
        subject=storable(trouble.subject, 150),
        open_key=_key(kind, trouble.subject),
        livemode=trouble.livemode,
        provider_account=trouble.account,
        title=storable(" ".join(trouble.title.split()), 200),
        detail=storable(trouble.detail, 1000),
    )
    try:
        with transaction.atomic():
            alert.save(force_insert=True)
            _audit(alert, "alert.raised", {"kind": kind, "title": alert.title})
    except IntegrityError as problem:
        if not is_unique_violation(problem):
            raise
        return False
    logger.error("alert: %s: %s", alert.title, alert.detail)
    return True


def clear_alert(alert: Alert) -> bool:
    """It is over. False when somebody had noticed that before."""
    with transaction.atomic():
        still_open = Alert.objects.filter(pk=alert.pk, open_key__isnull=False)
        if not still_open.update(open_key=None, cleared_at=clock.now()):
            return False
        _audit(alert, "alert.cleared", {"kind": alert.kind})
    return True


def mail_new_alerts() -> int:
    """Write about alerts that nobody was told of, one letter for all of them. Returns how many are in it.

    An alert that was over before anybody was told is not written about.
    """
    new = list(open_alerts().filter(mailed_at__isnull=True).order_by("pk")[:MOST_SHOWN])
    # Marked first, each in one conditional update: of several workers one writes about it.
    now = clock.now()
    mine = [alert for alert in new if Alert.objects.filter(pk=alert.pk, mailed_at__isnull=True).update(mailed_at=now)]
    if not mine:
        return 0
    addresses = configuration.alert_emails()
    if not addresses:
        logger.warning("%d alerts, and neither MAJUU_ALERT_EMAILS nor ADMINS says whom to write to", len(mine))
        return len(mine)
    try:
        send_mail(_subject_line(mine), _letter(mine), None, list(addresses))
    except Exception:  # each mail backend has errors of its own; the next look tries again
        logger.exception("the letter about %d alerts cannot be sent", len(mine))
        Alert.objects.filter(pk__in=[alert.pk for alert in mine]).update(mailed_at=None)
        return 0
    return len(mine)


def _subject_line(alerts: list[Alert]) -> str:
    more = f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""
    return f"Majuu: {alerts[0].title}{more}"


def _letter(alerts: list[Alert]) -> str:
    parts = [
        f"{alert.title} ({'live' if alert.livemode else 'test'} mode, {alert.raised_at:%d %B %Y %H:%M} UTC)\n"
        f"{alert.detail}"
        for alert in alerts
    ]
    return "\n\n".join([*parts, f"What is open now: {configuration.public_url()}/console/"]) + "\n"


def _key(kind: str, subject: str) -> str:
    return storable(f"{kind}:{subject}", 190)


def _audit(alert: Alert, action: str, changes: dict[str, object]) -> None:
    account = alert.provider_account
    record_entry(
        action=action,
        object_id=alert.public_id,
        merchant_id=account.store.merchant_id if account is not None and account.store is not None else None,
        store_id=account.store_id if account is not None else None,
        changes=changes | ({"provider_account": account.public_id} if account is not None else {}),
    )

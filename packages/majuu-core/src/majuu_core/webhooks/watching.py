"""What staff should be told of: looked for every minute by the worker (the loop ``alerts.watch``).

Each look says all that is wrong now; ``payments.alerts`` raises what is new and clears what is over.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, QuerySet

from majuu_core import configuration
from majuu_core.audit.delivery import is_anchor_overdue, late_places
from majuu_core.common import clock, ids
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.alerts import Trouble, keep_alerts, mail_new_alerts
from majuu_core.payments.dispute_alerts import watch_disputes
from majuu_core.payments.lapsing import watch_lapsing
from majuu_core.payments.low_balances import watch_all_balances
from majuu_core.payments.models import Alert, Charge, Dispute, IncomingPayment, PaymentIntent
from majuu_core.webhooks.models import InboundWebhook
from majuu_core.webhooks.self_test import SELF_TEST_TOPIC

# Fewer payments than this without a callback say nothing: a customer may have left the telephone at home.
WAITING_CHARGES = 3
# As long as a customer usually takes to answer the prompt.
CUSTOMER_TIME = timedelta(minutes=2)
_LOOK_BACK = timedelta(hours=2)
ANCHOR_GRACE = timedelta(minutes=15)
PARKED_TOO_LONG = timedelta(days=1)
_MOST_COUNTED = 1000


def watch() -> int:
    """Look at everything, raise and clear alerts, and write about new ones. Returns how much changed."""
    changed = watch_all_balances() + _watch_callbacks() + _watch_health() + _watch_breakers()
    changed += watch_lapsing()
    changed += keep_alerts(kind=Alert.Kind.ANCHOR, troubles=_anchors())
    changed += keep_alerts(kind=Alert.Kind.PARKED, troubles=_parked()) + watch_disputes()
    return changed + mail_new_alerts()


def _watch_health() -> int:
    refused = ProviderAccount.objects.filter(is_active=True, health=ProviderAccount.Health.UNHEALTHY)
    troubles = [
        Trouble(
            subject=account.public_id,
            title=f"{account.name} refuses its credentials",
            detail=f"The provider said: {account.health_message or 'nothing more'}. Enter the credentials anew, then "
            f"run manage.py majuu_check_account {account.public_id}. Payments through this account fail until then.",
            livemode=account.livemode,
            account=account,
        )
        for account in refused.select_related("store").defer("credentials")
    ]
    return keep_alerts(kind=Alert.Kind.UNHEALTHY, troubles=troubles)


def _watch_breakers() -> int:
    paused = ProviderAccount.objects.filter(is_active=True).exclude(breaker=ProviderAccount.Breaker.CLOSED)
    troubles = [
        Trouble(
            subject=account.public_id,
            title=f"{account.name} does not answer",
            detail=f"{account.breaker_failures} calls in a row got no answer, the last because of: "
            f"{account.breaker_reason or 'silence'}. It is tried again by itself; payments fail until then, or go to "
            "the store's next account. Look at the provider's status page.",
            livemode=account.livemode,
            account=account,
        )
        for account in paused.select_related("store").defer("credentials")
    ]
    return keep_alerts(kind=Alert.Kind.NO_ANSWER, troubles=troubles)


def _watch_callbacks() -> int:
    """Raise for accounts that fell silent; an alert is over when a callback comes, or nobody wants to hear of it."""
    minutes = configuration.callback_silence_minutes()
    standing = {
        alert.provider_account_id: alert
        for alert in Alert.objects.filter(kind=Alert.Kind.CALLBACK_SILENCE, open_key__isnull=False)
    }
    if not minutes:
        return keep_alerts(kind=Alert.Kind.CALLBACK_SILENCE, troubles=())
    recent = _callbacks(clock.now() - timedelta(minutes=minutes)).values_list("provider_account_id", flat=True)
    talking = set(recent.distinct())
    silent = {trouble.subject: trouble for trouble in _silent_accounts(minutes, talking)}
    for key, alert in standing.items():
        heard = key in talking or _callbacks(alert.raised_at).filter(provider_account_id=key).exists()
        if not heard and alert.subject not in silent:
            # Nobody pays any more, so nobody calls back either: that does not say that it works again.
            silent[alert.subject] = _standing_trouble(alert)
    return keep_alerts(kind=Alert.Kind.CALLBACK_SILENCE, troubles=silent.values())


def _standing_trouble(alert: Alert) -> Trouble:
    return Trouble(
        subject=alert.subject,
        title=alert.title,
        detail=alert.detail,
        livemode=alert.livemode,
        account=alert.provider_account,
    )


def _callbacks(since: datetime) -> QuerySet[InboundWebhook]:
    """What providers told us since then. Our own test is none of it, nor what was refused at the door."""
    return (
        InboundWebhook.objects.filter(pk__gte=ids.first_uuid(since), provider_account__isnull=False)
        .exclude(topic=SELF_TEST_TOPIC)
        .exclude(state=InboundWebhook.State.REJECTED)
    )


def _silent_accounts(minutes: int, talking: set[uuid.UUID]) -> Iterator[Trouble]:
    """Accounts whose payments the provider took on over HTTP, several of them, without one callback since."""
    now = clock.now()
    last = dict(
        _callbacks(now - _LOOK_BACK)
        .exclude(provider_account_id__in=talking)
        .values_list("provider_account_id")
        .annotate(last=Max("received_at"))
    )
    quiet = ProviderAccount.objects.filter(is_active=True).exclude(pk__in=talking)
    waiting = _answered_charges(now - _LOOK_BACK, now - CUSTOMER_TIME).filter(provider_account__in=quiet)
    counted = set(
        waiting.values("provider_account_id")
        .annotate(number=Count("pk", distinct=True))
        .filter(number__gte=WAITING_CHARGES)
        .values_list("provider_account_id", flat=True)
    )
    for account in quiet.filter(pk__in=counted).select_related("store").defer("credentials"):
        since = last.get(account.pk, now - _LOOK_BACK)
        mine = waiting.filter(provider_account=account, created_at__gt=since)
        found = mine.aggregate(number=Count("pk", distinct=True), first=Min("created_at"))
        if found["number"] >= WAITING_CHARGES and now - found["first"] >= timedelta(minutes=minutes):
            yield _silence(account, found, since if account.pk in last else None)


def _answered_charges(start: datetime, end: datetime) -> QuerySet[Charge]:
    """Charges of that time that the provider took on. One that answers without HTTP, as the mock does, calls nobody."""
    return Charge.objects.filter(
        pk__gte=ids.first_uuid(start),
        pk__lt=ids.first_uuid(end),
        provider_reference__isnull=False,
        calls__status__gte=200,
        calls__status__lt=300,
    )


def _silence(account: ProviderAccount, found: dict[str, Any], last: datetime | None) -> Trouble:
    refused = InboundWebhook.objects.filter(
        provider_account=account, pk__gte=ids.first_uuid(found["first"]), state=InboundWebhook.State.REJECTED
    )[:_MOST_COUNTED].count()
    heard = f"The last callback came on {last:%d %B at %H:%M} UTC." if last else "No callback came for two hours."
    doors = f" {refused} were refused at the door: see the rejected inbound webhooks for the reason." if refused else ""
    return Trouble(
        subject=account.public_id,
        title=f"No callbacks for {account.name}",
        detail=f"{found['number']} payments since {found['first']:%d %B %H:%M} UTC were taken on by the provider, and "
        f"it told us of none. {heard}{doors} A firewall in front of this site may block them: run manage.py "
        f"majuu_check_account {account.public_id} --callback. Outcomes are still learnt by asking, only later.",
        livemode=account.livemode,
        account=account,
    )


def _anchors() -> Iterator[Trouble]:
    """Anchors that were not made, or did not reach a place outside the database."""
    for name, count in late_places(ANCHOR_GRACE).items():
        yield Trouble(
            subject=f"anchor/{name}",
            title=f'Audit anchors do not reach "{name}"',
            detail=f"{count} anchors of the audit trail have not been taken there for {ANCHOR_GRACE}. The log "
            "majuu.audit says why. Until they arrive, whoever owns the database could rewrite the trail unseen.",
            livemode=True,
        )
    if is_anchor_overdue(ANCHOR_GRACE):
        yield Trouble(
            subject="anchor/made",
            title="No audit anchor was made",
            detail="Entries were sealed, and no anchor signed since. Run manage.py majuu_audit anchor: it says why.",
            livemode=True,
        )


def _parked() -> Iterator[Trouble]:
    """What has waited for a decision for more than a day, by table and mode."""
    line = clock.now() - PARKED_TOO_LONG
    old = ids.first_uuid(line)
    tables: tuple[tuple[str, str, QuerySet[Any], str], ...] = (
        ("payments", "Payment intents", PaymentIntent.objects.filter(is_parked=True, pk__lt=old), "livemode"),
        ("charges", "Charges", Charge.objects.filter(is_parked=True, pk__lt=old), "livemode"),
        ("disputes", "Disputes", Dispute.objects.filter(is_parked=True, pk__lt=old), "livemode"),
        ("incoming", "Incoming payments", _unclaimed(old), "livemode"),
        (
            "webhooks",
            "Inbound webhooks",
            InboundWebhook.objects.filter(state=InboundWebhook.State.PARKED, pk__lt=old),
            "provider_account__livemode",
        ),
    )
    for word, name, rows, mode in tables:
        yield from _parked_trouble(word, name, rows, mode)


def _unclaimed(old: uuid.UUID) -> QuerySet[IncomingPayment]:
    return IncomingPayment.objects.filter(
        ownership=IncomingPayment.Ownership.UNCLAIMED, status=IncomingPayment.Status.SUCCEEDED, pk__lt=old
    )


def _parked_trouble(word: str, name: str, rows: QuerySet[Any], mode: str) -> Iterator[Trouble]:
    modes = list(rows.order_by().values_list(mode, flat=True)[:_MOST_COUNTED])
    for livemode in (True, False):
        # A message for no account that we know may be about real money.
        count = sum(bool(found) or found is None if livemode else found is False for found in modes)
        if count:
            yield Trouble(
                subject=f"{word}/{'live' if livemode else 'test'}",
                title=f"{name} wait for a decision",
                detail=f"{count}{'+' if len(modes) == _MOST_COUNTED else ''} have waited for more than a day. "
                "Open them in the console and decide; nothing happens to them by itself.",
                livemode=livemode,
            )

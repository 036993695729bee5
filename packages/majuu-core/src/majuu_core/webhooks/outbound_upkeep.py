"""What has to be done now and then: warn about failing endpoints, disable them, tidy up, purge old logs."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db.models import F, Q

from majuu_core.common import clock
from majuu_core.merchants.models import Membership
from majuu_core.webhooks.endpoints import disable_webhook_endpoint
from majuu_core.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookSecret

NOTICE_AFTER = timedelta(hours=24)
DISABLE_AFTER = timedelta(days=5)
KEEP_ATTEMPTS = timedelta(days=30)
_PURGE_AT_ONCE = 5000
_log = logging.getLogger("majuu.webhooks")


def look_after_endpoints() -> int:
    """Notices, disabling, deliveries left over by endpoints that are not enabled, secrets that ended.

    Returns how much was done.
    """
    return notify_failing() + disable_failing() + cancel_stranded() + remove_ended_secrets()


def notify_failing() -> int:
    """Write to the owners of merchants whose endpoint has been failing for 24 hours: once per run of failures."""
    failing = WebhookEndpoint.objects.filter(
        status=WebhookEndpoint.Status.ENABLED,
        notice_sent_at__isnull=True,
        last_failure_at__gte=F("failing_since") + NOTICE_AFTER,
    )
    return sum(_notify(endpoint) for endpoint in failing.select_related("store__merchant"))


def disable_failing() -> int:
    """Disable endpoints that have failed without one success for five days, a day or more after the notice."""
    failing = WebhookEndpoint.objects.filter(
        status=WebhookEndpoint.Status.ENABLED,
        notice_sent_at__lte=clock.now() - NOTICE_AFTER,
        last_failure_at__gte=F("failing_since") + DISABLE_AFTER,
    )
    return sum(_disable(endpoint) for endpoint in failing.select_related("store__merchant"))


def cancel_stranded() -> int:
    """Cancel deliveries that came back after their endpoint was disabled or deleted: nobody would ever send them."""
    return (
        WebhookDelivery.objects.filter(state=WebhookDelivery.State.PENDING)
        .exclude(endpoint__status=WebhookEndpoint.Status.ENABLED)
        .update(
            state=WebhookDelivery.State.CANCELED,
            next_attempt_at=None,
            finished_at=clock.now(),
            last_error="the endpoint is not enabled",
        )
    )


def remove_ended_secrets() -> int:
    """Delete the secrets whose rotation is over. Returns how many."""
    return WebhookSecret.objects.filter(expires_at__lte=clock.now()).delete()[0]


def has_overdue(late: timedelta) -> bool:
    """Whether something should have been sent ``late`` ago: then no worker is delivering, or not enough are."""
    now = clock.now()
    overdue = WebhookDelivery.objects.filter(
        Q(endpoint__throttled_until__isnull=True) | Q(endpoint__throttled_until__lte=now),
        state=WebhookDelivery.State.PENDING,
        next_attempt_at__lte=now - late,
        endpoint__status=WebhookEndpoint.Status.ENABLED,
    )
    return overdue.exists()


def purge_attempts() -> int:
    """Delete log lines of attempts older than 30 days, a group at a time. Returns how many."""
    # Keys are given in the order of time, so the oldest are found without an index that every attempt would pay for.
    oldest = WebhookAttempt.objects.order_by("pk").values_list("pk", "created_at")[:_PURGE_AT_ONCE]
    line = clock.now() - KEEP_ATTEMPTS
    group = [pk for pk, created_at in oldest if created_at < line]
    return WebhookAttempt.objects.filter(pk__in=group).delete()[0] if group else 0


def _notify(endpoint: WebhookEndpoint) -> int:
    # Marked first, in one conditional update: of several workers one writes the letter.
    unmarked = WebhookEndpoint.objects.filter(pk=endpoint.pk, notice_sent_at__isnull=True)
    if not unmarked.update(notice_sent_at=clock.now()):
        return 0
    subject = f"Webhooks to {endpoint.store.name} have been failing for a day"
    text = (
        f"Since {endpoint.failing_since:%d %B %Y %H:%M} UTC no event has reached\n\n    {endpoint.url}\n\n"
        "We keep trying. If the address goes on failing for five days in all, we stop sending to it; every event is "
        "kept and can be delivered again afterwards.\n\n"
        "What to do: look at the attempts of this endpoint in the dashboard and mend the receiver."
    )
    try:
        _write_to_owners(endpoint, subject, text)
    except OSError:  # also what smtplib raises; the next look tries again
        _log.exception("the notice about endpoint %s cannot be sent", endpoint.public_id)
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(notice_sent_at=None)
        return 0
    return 1


def _disable(endpoint: WebhookEndpoint) -> int:
    if not disable_webhook_endpoint(endpoint=endpoint, reason="It failed for five days without one success."):
        return 0
    subject = f"Webhooks to {endpoint.store.name} are switched off"
    text = (
        f"No event has reached\n\n    {endpoint.url}\n\nfor five days, so we have stopped sending to it. "
        "Nothing is lost: when the receiver works again, enable the endpoint and replay the time since then."
    )
    try:
        _write_to_owners(endpoint, subject, text)
    except OSError:
        _log.exception("the notice that endpoint %s is disabled cannot be sent", endpoint.public_id)
    return 1


def _write_to_owners(endpoint: WebhookEndpoint, subject: str, text: str) -> None:
    field = get_user_model().get_email_field_name()
    owners = Membership.objects.filter(merchant=endpoint.store.merchant, role=Membership.Role.OWNER)
    addresses = sorted({address for address in owners.values_list(f"user__{field}", flat=True) if address})
    if not addresses:
        _log.warning("endpoint %s fails and its merchant has no owner with an e-mail address", endpoint.public_id)
    for address in addresses:  # one letter each: owners need not see each other's addresses
        send_mail(" ".join(subject.split()), text, None, [address])

"""The console's first page: what needs a person, what came in today, and the latest payments."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.money import currency_of
from majuu_core.console.cells import money_text
from majuu_core.ledger.selectors import ExactSum
from majuu_core.payments.alerts import open_alerts
from majuu_core.payments.models import Charge, Dispute, IncomingPayment, PaymentIntent, Payout, Sighting
from majuu_core.plugins.contributions import Panel
from majuu_core.plugins.manager import collect
from majuu_core.reports.models import Mismatch
from majuu_core.webhooks.models import InboundWebhook, WebhookEndpoint

# Counting stops here: a thousand and more need the same attention.
MOST_COUNTED = 1000
LATEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Something to watch. ``tone`` is "bad" when somebody should look."""

    title: str
    value: str
    link: str
    tone: str
    note: str = ""  # what makes it urgent


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came in today in one currency and mode. Currencies are never added up."""

    livemode: bool
    currency: str
    amount: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A plugin's panel, drawn."""

    title: str
    body: SafeString


def overview(request: HttpRequest) -> dict[str, Any]:
    """The context of the home page: only what this user may see."""
    sees_intents = request.user.has_perm("majuu_payments.view_paymentintent")
    sees_charges = request.user.has_perm("majuu_payments.view_charge")
    counters = _counters(request)
    return {
        "majuu_counters": counters,
        "majuu_urgent": [counter for counter in counters if counter.tone == "bad"],
        "majuu_received": received_today() if sees_charges else [],
        "majuu_sees_charges": sees_charges,
        "majuu_latest": _latest_intents() if sees_intents else [],
        "majuu_sees_intents": sees_intents,
        "majuu_panels": _panels(request),
    }


def received_today(now: datetime | None = None) -> list[Received]:
    """What charges begun since midnight (in the project's time zone) brought in, by mode and currency.

    Charges are found by the time in their primary key, so the day's rows alone are read.
    """
    midnight = localtime(now or clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = (
        Charge.objects.filter(pk__gte=_first_id_of(midnight), status=Charge.Status.SUCCEEDED)
        .values("livemode", "currency")
        .annotate(total=ExactSum("amount_received"), number=Count("pk"))
        .values_list("livemode", "currency", "total", "number")
        .order_by("-livemode", "currency")
    )
    return [
        Received(livemode=live, currency=code, amount=money_text(Money(total, currency_of(code))), count=number)
        for live, code, total, number in rows
    ]


def _first_id_of(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of that millisecond."""
    return uuid.UUID(int=(int(moment.timestamp() * 1000) & (1 << 48) - 1) << 80)


def _counters(request: HttpRequest) -> list[Counter]:
    wanted: tuple[tuple[str, str, str, Callable[[], QuerySet[Any]]], ...] = (
        ("Open alerts", "majuu_payments.alert", "?open=1", open_alerts),
        ("Unclaimed payments", "majuu_payments.incomingpayment", "?ownership__exact=unclaimed", _unclaimed),
        ("Disputes to answer", "majuu_payments.dispute", "?answer=1", disputes_to_answer),
        ("Parked disputes", "majuu_payments.dispute", "?parked=1", _parked_disputes),
        ("Money seen, to confirm", "majuu_payments.sighting", "?status__exact=waiting", _sightings_to_confirm),
        ("Payouts to approve", "majuu_payments.payout", "?status__exact=requires_approval", _payouts_to_approve),
        ("Differences nobody has", "majuu_reports.mismatch", "?state__exact=open", _open_differences),
        ("Parked payments", "majuu_payments.paymentintent", "?parked=1", _parked_intents),
        ("Parked webhooks", "majuu_webhooks.inboundwebhook", "?state__exact=parked", _parked_webhooks),
        ("Charges with unknown outcome", "majuu_payments.charge", "?status__exact=unknown", _unknown_charges),
        ("Parked charges", "majuu_payments.charge", "?is_parked__exact=1", _parked_charges),
        ("Parked payouts", "majuu_payments.payout", "?parked=1", _parked_payouts),
        ("Failing endpoints", "majuu_webhooks.webhookendpoint", "?trouble=1", _failing_endpoints),
    )
    found = []
    for title, model, query, rows in wanted:
        app, name = model.split(".")
        if not request.user.has_perm(f"{app}.view_{name}"):
            continue
        number = rows()[:MOST_COUNTED].count()
        found.append(
            Counter(
                title=title,
                value=f"{number}+" if number == MOST_COUNTED else str(number),
                link=reverse(f"console:{app}_{name}_changelist") + query,
                tone="bad" if number else "good",
                note=_first_deadline() if number and rows is disputes_to_answer else "",
            )
        )
    return found


def _unclaimed() -> QuerySet[IncomingPayment]:
    return IncomingPayment.objects.filter(ownership=IncomingPayment.Ownership.UNCLAIMED)


def disputes_to_answer() -> QuerySet[Dispute]:
    """Those that wait for the store's answer."""
    return Dispute.objects.filter(status=Dispute.Status.NEEDS_RESPONSE)


def _first_deadline() -> str:
    """The nearest deadline that has not passed."""
    ahead = disputes_to_answer().filter(respond_by__gt=clock.now()).order_by("respond_by")
    first = ahead.values_list("respond_by", flat=True).first()
    return "" if first is None else f"need an answer by {localtime(first):%d %B %H:%M}"


def _parked_disputes() -> QuerySet[Dispute]:
    return Dispute.objects.filter(is_parked=True)


def _open_differences() -> QuerySet[Mismatch]:
    return Mismatch.objects.filter(state=Mismatch.State.OPEN)


def _parked_intents() -> QuerySet[PaymentIntent]:
    return PaymentIntent.objects.filter(is_parked=True)


def _parked_webhooks() -> QuerySet[InboundWebhook]:
    return InboundWebhook.objects.filter(state=InboundWebhook.State.PARKED)


def _parked_charges() -> QuerySet[Charge]:
    return Charge.objects.filter(is_parked=True)


def _payouts_to_approve() -> QuerySet[Payout]:
    return Payout.objects.filter(status=Payout.Status.REQUIRES_APPROVAL)


def _sightings_to_confirm() -> QuerySet[Sighting]:
    return Sighting.objects.filter(status=Sighting.Status.WAITING)


def _parked_payouts() -> QuerySet[Payout]:
    return Payout.objects.filter(is_parked=True)


def _unknown_charges() -> QuerySet[Charge]:
    return Charge.objects.filter(status=Charge.Status.UNKNOWN)


def _failing_endpoints() -> QuerySet[WebhookEndpoint]:
    return failing_endpoints(WebhookEndpoint.objects.all())


def failing_endpoints(rows: QuerySet[WebhookEndpoint]) -> QuerySet[WebhookEndpoint]:
    """Those that are enabled and have failed since their last success."""
    return rows.filter(status=WebhookEndpoint.Status.ENABLED, failing_since__isnull=False)


def _latest_intents() -> list[PaymentIntent]:
    return list(PaymentIntent.objects.select_related("store").order_by("-pk")[:LATEST])


def _panels(request: HttpRequest) -> list[Card]:
    panels: list[Panel] = sorted(collect("register_console_panels", request=request), key=lambda panel: panel.order)
    return [
        Card(title=panel.title, body=render_to_string(panel.template, dict(panel.context), request=request))
        for panel in panels
    ]

"""Everything that happened to one payment, in the order it happened: each line links to the row it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from moneyed import Money

from majuu_core.audit.actions import UnknownAction, action_registry
from majuu_core.audit.models import AuditEntry
from majuu_core.audit.personal import read_addresses
from majuu_core.common.money import currency_of
from majuu_core.console.cells import code_cell, id_link, link, money_cell, state_badge
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.payments.models import Charge, PaymentIntent, ProviderCall
from majuu_core.payments.representation import asked_amount
from majuu_core.webhooks.models import InboundWebhook, WebhookDelivery

# Of each kind. A payment with more is a test of patience, not of the console.
MOST_SHOWN = 200
MaySee = Callable[[str], bool]
_Sources = tuple[tuple[str, Callable[[], "Iterable[Entry]"]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened. ``rank`` orders what happened at the same instant: causes first."""

    at: datetime
    rank: int
    icon: str
    title: SafeString | str
    state: SafeString | str = ""
    lines: tuple[SafeString | str, ...] = ()


def build_timeline(intent: PaymentIntent, charges: Sequence[Charge], may_see: MaySee) -> list[Entry]:
    """The timeline of an intent and some of its charges.

    ``may_see`` is asked for permissions such as "majuu_payments.view_charge": what the user may not open is left out.
    """
    keys = [charge.pk for charge in charges]
    names = [intent.public_id, *(charge.public_id for charge in charges)]
    sources: _Sources = (
        ("majuu_payments.view_paymentintent", lambda: _intent(intent)),
        ("majuu_payments.view_charge", lambda: _charges(charges)),
        ("majuu_payments.view_providercall", lambda: _calls(ProviderCall.objects.filter(charge__in=keys))),
        ("majuu_webhooks.view_inboundwebhook", lambda: _inbound(InboundWebhook.objects.filter(charge__in=keys))),
        ("majuu_ledger.view_ledgertransaction", lambda: _ledger(names)),
        ("majuu_events.view_event", lambda: _events(names, may_see("majuu_webhooks.view_webhookdelivery"))),
        ("majuu_audit.view_auditentry", lambda: _audit(names, may_see("majuu_audit.view_personal_data"))),
    )
    return _in_order(sources, may_see)


def build_subject_timeline(public_id: str, own: Sequence[Entry], may_see: MaySee) -> list[Entry]:
    """The timeline of a payout, a refund or another thing that calls and messages name by its public id.

    ``own`` is what its row itself tells, for whoever may see the page.
    """
    about, told = ProviderCall.objects.filter(about=public_id), InboundWebhook.objects.filter(subject_id=public_id)
    sources: _Sources = (
        ("majuu_payments.view_providercall", lambda: _calls(about)),
        ("majuu_webhooks.view_inboundwebhook", lambda: _inbound(told)),
        ("majuu_ledger.view_ledgertransaction", lambda: _ledger([public_id])),
        ("majuu_events.view_event", lambda: _events([public_id], may_see("majuu_webhooks.view_webhookdelivery"))),
        ("majuu_audit.view_auditentry", lambda: _audit([public_id], may_see("majuu_audit.view_personal_data"))),
    )
    return _in_order(sources, may_see, own)


def _in_order(sources: _Sources, may_see: MaySee, own: Sequence[Entry] = ()) -> list[Entry]:
    found = [entry for permission, source in sources if may_see(permission) for entry in source()]
    return sorted([*own, *found], key=lambda entry: (entry.at, entry.rank))


def _intent(intent: PaymentIntent) -> Iterator[Entry]:
    title = format_html("Payment intent over {}", money_cell(intent.amount))
    yield Entry(at=intent.created_at, rank=0, icon="shopping_cart", title=title)
    if intent.succeeded_at:
        yield Entry(at=intent.succeeded_at, rank=9, icon="check_circle", title="Payment intent succeeded")
    if intent.canceled_at:
        reason = intent.get_cancellation_reason_display()
        yield Entry(at=intent.canceled_at, rank=9, icon="cancel", title="Payment intent canceled", lines=(reason,))


def _charges(charges: Sequence[Charge]) -> Iterator[Entry]:
    for charge in charges:
        lines: list[SafeString | str] = [id_link(charge)]
        if charge.receipt:
            lines.append(format_html("Receipt {}", code_cell(charge.receipt)))
        lines += _capture_lines(charge)
        if charge.failure_message:
            lines.append(f"{charge.provider_failure_code} {charge.failure_message}".strip())
        if charge.parked_reason:
            lines.append(format_html("{} {}", state_badge("parked"), charge.parked_reason))
        yield Entry(
            at=charge.created_at,
            rank=1,
            icon="credit_score",
            title=format_html("Charge of {} by {}", money_cell(charge.amount), charge.payment_method),
            state=state_badge(charge.status, charge.get_status_display()),
            lines=tuple(lines),
        )


def _capture_lines(charge: Charge) -> Iterator[SafeString | str]:
    """What was asked of an authorized charge, and how long it holds the money."""
    if charge.amount_to_capture is not None:
        yield format_html("To be captured: {}", money_cell(asked_amount(charge)))
    if charge.void_requested_at is not None:
        yield f"Asked to let it go at {charge.void_requested_at:%d %B %Y %H:%M} UTC"
    if charge.capture_before is not None:
        yield f"Authorized until {charge.capture_before:%d %B %Y %H:%M} UTC"


def _calls(rows: QuerySet[ProviderCall]) -> Iterator[Entry]:
    rows = rows.defer("request_body", "response_body", "request_headers")
    for call in rows.order_by("started_at", "pk")[:MOST_SHOWN]:
        answer = f"HTTP {call.status}" if call.status else call.error or "no answer"
        yield Entry(
            at=call.started_at,
            rank=2,
            icon="swap_horiz",
            title=format_html("Asked the provider: {}", link(call, call.operation or call.method)),
            lines=(format_html("{} · {} ms · {}", answer, call.duration_ms, code_cell(call.url)),),
        )


def _inbound(rows: QuerySet[InboundWebhook]) -> Iterator[Entry]:
    for row in rows.defer("body", "headers", "query").order_by("received_at", "pk")[:MOST_SHOWN]:
        yield Entry(
            at=row.received_at,
            rank=3,
            icon="call_received",
            title=format_html("The provider told us: {}", link(row, "webhook")),
            state=state_badge(row.state, row.get_state_display()),
            lines=(row.reason,) if row.reason else (),
        )


def _ledger(names: Sequence[str]) -> Iterator[Entry]:
    rows = LedgerTransaction.objects.filter(reference__in=names).prefetch_related(
        "transfers__debit_account", "transfers__credit_account"
    )
    for row in rows.order_by("created_at", "pk")[:MOST_SHOWN]:
        lines = tuple(
            format_html(
                "{} {} {} → {}",
                transfer.get_phase_display(),
                money_cell(Money(transfer.amount, currency_of(transfer.currency))),
                transfer.debit_account.kind,
                transfer.credit_account.kind,
            )
            for transfer in row.transfers.all()
        )
        yield Entry(
            at=row.created_at,
            rank=4,
            icon="receipt_long",
            title=format_html("Booked: {}", link(row, row.kind.replace("_", " "))),
            lines=lines,
        )


def _events(names: Sequence[str], with_deliveries: bool) -> Iterator[Entry]:
    rows = Event.objects.filter(object_id__in=names).defer("data")
    if with_deliveries:
        rows = rows.prefetch_related("deliveries__endpoint")
    for row in rows.order_by("created_at", "pk")[:MOST_SHOWN]:
        lines = tuple(_delivery_line(item) for item in row.deliveries.all()) if with_deliveries else ()
        yield Entry(
            at=row.created_at, rank=5, icon="bolt", title=format_html("Event {}", link(row, row.type)), lines=lines
        )


def _delivery_line(row: WebhookDelivery) -> SafeString:
    tries = "1 attempt" if row.attempts == 1 else f"{row.attempts} attempts"
    state = state_badge(row.state, row.get_state_display())
    return format_html("{} {} · {}", state, link(row, row.endpoint.url), tries)


def _audit(names: Sequence[str], with_personal: bool) -> Iterator[Entry]:
    rows = list(AuditEntry.objects.filter(object_id__in=names).order_by("created_at", "pk")[:MOST_SHOWN])
    addresses = read_addresses(rows, allowed=with_personal)
    for row in rows:
        who = f"{row.actor_type} {row.actor_id}".strip()
        where = f" from {address}" if (address := addresses[row.pk]) else ""
        yield Entry(
            at=row.created_at,
            rank=6,
            icon="policy",
            title=link(row, action_label(row.action)),
            lines=(f"by {who}{where}",),
        )


def action_label(action: str) -> str:
    """What people call an audited action; the bare code when its plugin is gone."""
    try:
        return action_registry.get(action)
    except UnknownAction:
        return action

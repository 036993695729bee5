"""What providers told us, where shops want to hear from us, and every delivery."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import SimpleListFilter, display, register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Problem
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin, Table, moment, short_number
from majuu_core.console.cells import address_of, badge, code_cell, id_link, link, mode_badge, pretty, state_badge
from majuu_core.console.home import failing_endpoints
from majuu_core.console.site import console_site
from majuu_core.webhooks.models import InboundEvent, InboundWebhook, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from majuu_core.webhooks.replay import replay_event

# A replay makes new deliveries: whoever may add them may replay.
REPLAY_PERMISSION = "majuu_webhooks.add_webhookdelivery"
_LATEST = 50


class InboundModeFilter(SimpleListFilter):
    """Test or live, by the account that received it."""

    title = "mode"
    parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Live"), ("test", "Test")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("live", "test"):
            return queryset
        return queryset.filter(provider_account__livemode=self.value() == "live")


class TroubleFilter(SimpleListFilter):
    """Enabled endpoints that do not accept what they are sent."""

    title = "health"
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Failing now")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return failing_endpoints(queryset) if self.value() == "1" else queryset


@register(InboundWebhook, site=console_site)
class InboundWebhookAdmin(ReadOnlyAdmin):
    """A provider's message as it came. Parked ones say why."""

    list_display = (
        short_number,
        "mode",
        "account_link",
        "charge_link",
        "state_shown",
        "why",
        moment("received_at", "Received"),
    )
    list_display_links = (short_number,)
    list_filter = ("state", InboundModeFilter)
    list_select_related = ("provider_account", "charge")
    list_columns_deferred = ("headers", "query", "body")
    search_help_text = "Inbound webhook id"
    id_paths = {"iwh": "pk"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state_shown"),
                    "why",
                    ("account_link", "charge_link"),
                    ("trust_shown", "remote_addr", "attempts"),
                    ("received_at", "processed_at"),
                )
            },
        ),
        ("Exactly as received", {"fields": ("address", "body_shown", "query_shown", "headers_shown")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("provider_account", "charge")

    def related_tables(self, request: HttpRequest, row: InboundWebhook) -> list[Table]:
        events = InboundEvent.objects.filter(inbound=row).order_by("pk")[:_LATEST]
        rows = [(code_cell(item.event_id), item.type, item.created_at) for item in events]
        return [Table(title="Events in it that were applied", headers=("Event", "Type", "Time"), rows=rows)]

    @display(description="ID")
    def number(self, row: InboundWebhook) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: InboundWebhook) -> SafeString:
        return mode_badge(row.provider_account.livemode) if row.provider_account else badge("–")

    @display(description="Provider account")
    def account_link(self, row: InboundWebhook) -> SafeString:
        return link(row.provider_account)

    @display(description="Charge")
    def charge_link(self, row: InboundWebhook) -> SafeString:
        return id_link(row.charge, short=True)

    @display(description="State")
    def state_shown(self, row: InboundWebhook) -> SafeString:
        return state_badge(row.state, row.get_state_display())

    @display(description="Why")
    def why(self, row: InboundWebhook) -> SafeString:
        return format_html('<span class="mj-sentence">{}</span>', row.reason or "–")

    @display(description="Trust")
    def trust_shown(self, row: InboundWebhook) -> str:
        return {"signed": "Signed by the provider", "unsigned": "Unsigned: the provider was asked"}.get(row.trust, "–")

    @display(description="Address")
    def address(self, row: InboundWebhook) -> SafeString:
        return code_cell(f"{row.method} {row.path}")

    @display(description="Body")
    def body_shown(self, row: InboundWebhook) -> SafeString:
        return pretty(row.body)

    @display(description="Query")
    def query_shown(self, row: InboundWebhook) -> SafeString:
        return pretty(row.query)

    @display(description="Headers")
    def headers_shown(self, row: InboundWebhook) -> SafeString:
        return pretty(row.headers)


@register(WebhookDelivery, site=console_site)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """One event on its way to one endpoint, attempt by attempt."""

    list_display = (
        short_number,
        "mode",
        "event_link",
        "endpoint_link",
        "state_shown",
        "attempts",
        "answer",
        moment("created_at", "Created"),
    )
    list_display_links = (short_number,)
    list_filter = ("state",)
    list_select_related = ("event", "endpoint")
    search_help_text = "Delivery, event or endpoint id"
    id_paths = {"wd": "pk", "evt": "event_id", "we": "endpoint_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state_shown"),
                    ("event_link", "endpoint_link"),
                    ("attempts", "answer", "replay"),
                    "last_error",
                    ("created_at", "next_attempt_at", "finished_at"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("event", "endpoint").defer("event__data")

    def get_urls(self) -> list[URLPattern]:
        return [self.action_path("send_again", require_POST(self.send_again)), *super().get_urls()]

    def related_tables(self, request: HttpRequest, row: WebhookDelivery) -> list[Table]:
        attempts = WebhookAttempt.objects.filter(delivery=row).order_by("number")
        rows = [
            (
                item.number,
                item.created_at,
                _http(item.response_status),
                _took(item),
                item.error or item.response_body,
            )
            for item in attempts
        ]
        headers = ("#", "Time", "Answer", "Took", "What came back")
        return [Table(title="Attempts", headers=headers, rows=rows, note="Attempts are kept for 30 days.")]

    def page_actions(self, request: HttpRequest, row: WebhookDelivery) -> list[PageAction]:
        if not request.user.has_perm(REPLAY_PERMISSION):
            return []
        address = reverse("console:majuu_webhooks_webhookdelivery_send_again", args=[row.public_id])
        text = "Makes a new delivery of the same event to this endpoint. The receiver sees the same webhook-id."
        return [PageAction(label="Deliver again", address=address, explanation=text, icon="replay")]

    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Deliver the event to this endpoint once more."""
        if not request.user.has_perm(REPLAY_PERMISSION):
            raise PermissionDenied
        delivery = self.get_object(request, self.plain_id(object_id))
        if delivery is None:
            raise Http404
        try:
            with acting_user(request):
                made = replay_event(event=delivery.event, endpoint=delivery.endpoint)
        except Problem as problem:
            messages.error(request, problem.message)
            return HttpResponseRedirect(address_of(delivery))
        messages.success(request, "On its way again. This is the new delivery.")
        return HttpResponseRedirect(address_of(made[0]))

    @display(description="ID")
    def number(self, row: WebhookDelivery) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: WebhookDelivery) -> SafeString:
        return mode_badge(row.endpoint.livemode)

    @display(description="Event")
    def event_link(self, row: WebhookDelivery) -> SafeString:
        return link(row.event, row.event.type)

    @display(description="Endpoint")
    def endpoint_link(self, row: WebhookDelivery) -> SafeString:
        return link(row.endpoint)

    @display(description="State")
    def state_shown(self, row: WebhookDelivery) -> SafeString:
        return state_badge(row.state, row.get_state_display())

    @display(description="Last answer")
    def answer(self, row: WebhookDelivery) -> SafeString:
        return _http(row.response_status)


@register(WebhookEndpoint, site=console_site)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    """Where a shop wants to hear from us. Its secrets are never shown."""

    list_display = (
        "url_shown",
        "mode",
        "store_link",
        "state_shown",
        moment("failing_since", "Failing since"),
        moment("created_at", "Created"),
    )
    list_display_links = ("url_shown",)
    list_filter = (ModeFilter, "status", TroubleFilter)
    list_select_related = ("store",)
    search_help_text = "Endpoint or store id"
    id_paths = {"we": "pk", "sto": "store_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state_shown"),
                    "url_shown",
                    ("store_link", "wants"),
                    "description",
                    "disabled_reason",
                )
            },
        ),
        (
            "Health",
            {"fields": (("failing_since", "last_failure_at"), ("notice_sent_at", "throttled_until"), "disabled_at")},
        ),
        ("Times", {"fields": (("created_at", "updated_at"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store")

    def related_tables(self, request: HttpRequest, row: WebhookEndpoint) -> list[Table]:
        if not request.user.has_perm("majuu_webhooks.view_webhookdelivery"):
            return []
        latest = WebhookDelivery.objects.filter(endpoint=row).select_related("event", "endpoint").order_by("-pk")
        return [delivery_table("Latest deliveries", latest.defer("event__data")[:_LATEST])]

    @display(description="ID")
    def number(self, row: WebhookEndpoint) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Address")
    def url_shown(self, row: WebhookEndpoint) -> SafeString:
        return code_cell(row.url)

    @display(description="Mode")
    def mode(self, row: WebhookEndpoint) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Store")
    def store_link(self, row: WebhookEndpoint) -> SafeString:
        return link(row.store)

    @display(description="Status")
    def state_shown(self, row: WebhookEndpoint) -> SafeString:
        shown = state_badge(row.status, row.get_status_display())
        is_failing = row.failing_since is not None and row.status == WebhookEndpoint.Status.ENABLED
        return format_html("{} {}", shown, badge("failing", "bad")) if is_failing else shown

    @display(description="Wants")
    def wants(self, row: WebhookEndpoint) -> str:
        return ", ".join(row.event_types) or "all events"


def delivery_table(title: str, deliveries: Iterable[WebhookDelivery]) -> Table:
    """Deliveries below an event or an endpoint."""
    rows = [
        (
            id_link(item),
            item.event.type,
            item.endpoint.url,
            state_badge(item.state, item.get_state_display()),
            item.attempts,
            _http(item.response_status),
            item.created_at,
        )
        for item in deliveries
    ]
    headers = ("Delivery", "Event", "Endpoint", "State", "Attempts", "Last answer", "Created")
    return Table(title=title, headers=headers, rows=rows)


def _http(status: int | None) -> SafeString:
    if status is None:
        return SafeString("–")
    return badge(f"HTTP {status}", "good" if 200 <= status < 300 else "bad")


def _took(attempt: WebhookAttempt) -> str:
    return "–" if attempt.duration_ms is None else f"{attempt.duration_ms} ms"

"""What happened, and whom it was told to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import display, register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Problem
from majuu_core.console.admins.webhooks import REPLAY_PERMISSION, delivery_table
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin, Table, moment, short_number
from majuu_core.console.cells import address_of, code_cell, link, mode_badge, pretty, short_id
from majuu_core.console.site import console_site
from majuu_core.events.models import Event
from majuu_core.merchants.models import Store
from majuu_core.webhooks.models import WebhookDelivery
from majuu_core.webhooks.replay import replay_event


@register(Event, site=console_site)
class EventAdmin(ReadOnlyAdmin):
    """One event with its deliveries; it can be delivered again."""

    list_display = (
        short_number,
        "mode",
        "type",
        "object_shown",
        "store_link",
        moment("created_at", "Created"),
        moment("dispatched_at", "Dispatched"),
    )
    list_display_links = (short_number,)
    list_filter = (ModeFilter,)
    list_columns_deferred = ("data",)
    search_help_text = "Event id, the id of what it is about, or a store id"
    id_paths = {"evt": "pk", "sto": "store_id"}
    fieldsets = (
        (None, {"fields": (("number", "mode"), ("type", "object_shown"), ("created_at", "dispatched_at"))}),
        ("What shops receive", {"fields": ("data_shown",)}),
    )

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        yield Event.objects.filter(object_id=term.lower()).order_by().values_list("pk", flat=True)

    def prepare_rows(self, rows: list[Any]) -> None:
        stores = Store.objects.in_bulk({row.store_id for row in rows})
        for row in rows:
            row.majuu_store = stores.get(row.store_id)

    def get_urls(self) -> list[URLPattern]:
        return [self.action_path("replay", require_POST(self.replay)), *super().get_urls()]

    def related_tables(self, request: HttpRequest, row: Event) -> list[Table]:
        if not request.user.has_perm("majuu_webhooks.view_webhookdelivery"):
            return []
        deliveries = WebhookDelivery.objects.filter(event=row).select_related("endpoint").order_by("-pk")[:100]
        return [delivery_table("Deliveries", deliveries)]

    def page_actions(self, request: HttpRequest, row: Event) -> list[PageAction]:
        if not request.user.has_perm(REPLAY_PERMISSION):
            return []
        address = reverse("console:majuu_events_event_replay", args=[row.public_id])
        text = "Sends the event once more to every enabled endpoint that wants it. Receivers see the same webhook-id."
        return [PageAction(label="Deliver again", address=address, explanation=text, icon="replay")]

    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Deliver the event again to all that want it."""
        if not request.user.has_perm(REPLAY_PERMISSION):
            raise PermissionDenied
        event = self.get_object(request, self.plain_id(object_id))
        if event is None:
            raise Http404
        try:
            with acting_user(request):
                made = replay_event(event=event)
            messages.success(request, f"On its way again: {len(made)} deliver{'y' if len(made) == 1 else 'ies'}.")
        except Problem as problem:
            messages.error(request, problem.message)
        return HttpResponseRedirect(address_of(event))

    @display(description="ID")
    def number(self, row: Event) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: Event) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="About")
    def object_shown(self, row: Event) -> SafeString:
        return short_id(row.object_id)

    @display(description="Store")
    def store_link(self, row: Event) -> SafeString:
        return link(getattr(row, "majuu_store", None))

    @display(description="Data")
    def data_shown(self, row: Event) -> SafeString:
        return pretty(row.data)

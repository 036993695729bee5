"""Refunds, each with everything that happened to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import display, register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from majuu_core.accounts.trail import acting_user
from majuu_core.console.admins.payments import MoneyRowAdmin, ParkedFilter
from majuu_core.console.base import ModeFilter, PageAction, moment, short_number
from majuu_core.console.cells import address_of, badge, code_cell, destination_text, id_link, link, money_cell
from majuu_core.console.people import names_of, person
from majuu_core.console.site import console_site
from majuu_core.console.timeline import Entry, build_subject_timeline
from majuu_core.payments.models import Refund
from majuu_core.payments.refund_outcomes import follow_up_refund
from majuu_core.payments.transitions import OPEN_OUTGOING


@register(Refund, site=console_site)
class RefundAdmin(MoneyRowAdmin):
    """One return of money. An open one can be asked about."""

    list_display = (
        *(short_number, "mode", "charge_link", "amount_shown", "state", "way", "reason"),
        moment("created_at", "Created"),
    )
    list_display_links = (short_number,)
    list_filter = (ModeFilter, "status", ParkedFilter)
    list_select_related = ("charge",)
    list_columns_deferred = ("failure_message", "method_reason", "metadata", "parked_reason")
    search_help_text = "Refund, charge, store or provider account id"
    id_paths = {"re": "pk", "ch": "charge_id", "sto": "store_id", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state"),
                    ("charge_link", "store_link", "account_link"),
                    ("amount_shown", "fee_shown"),
                    ("reason", "source", person("created_by", "Asked for by")),
                    "parked_reason",
                )
            },
        ),
        (
            "The way back",
            {
                "fields": (
                    ("way", "books_as"),
                    "method_reason",
                    "destination_shown",
                    ("receipt_shown", "provider_reference_shown"),
                    ("failure_code", "provider_failure_code"),
                    "failure_message",
                )
            },
        ),
        ("Times", {"fields": (("created_at", "updated_at", "occurred_at"), ("follow_up_at", "follow_up_count"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("charge", "store", "provider_account")

    def get_urls(self) -> list[URLPattern]:
        return [self.action_path("ask", require_POST(self.ask)), *super().get_urls()]

    def page_actions(self, request: HttpRequest, row: Refund) -> list[PageAction]:
        if row.status not in OPEN_OUTGOING or not self.may_ask(request):
            return []
        address = reverse("console:majuu_payments_refund_ask", args=[row.public_id])
        text = "Asks what became of this refund and applies the answer. It never sends the money a second time."
        return [PageAction(label="Ask the provider now", address=address, explanation=text, icon="sync")]

    def may_ask(self, request: HttpRequest) -> bool:
        """Staff with Django's permission to change refunds."""
        return request.user.has_perm("majuu_payments.change_refund")

    def ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the provider about the refund; nobody waits for the worker's next turn."""
        if not self.may_ask(request):
            raise PermissionDenied
        refund = self.get_object(request, self.plain_id(object_id))
        if refund is None:
            raise Http404
        with acting_user(request):
            follow_up_refund(refund.pk)
        refund.refresh_from_db()
        messages.info(request, f"The refund is now: {refund.get_status_display()}.")
        return HttpResponseRedirect(address_of(refund))

    def extra_page_context(self, request: HttpRequest, row: Refund) -> dict[str, Any]:
        begun = Entry(
            at=row.created_at,
            rank=0,
            icon="undo",
            title=format_html("Refund of {} begun", money_cell(row.amount)),
            lines=(row.reason, names_of([row.created_by]).get(row.created_by, "")),
        )
        return {"majuu_timeline": build_subject_timeline(row.public_id, [begun], request.user.has_perm)}

    @display(description="Charge")
    def charge_link(self, row: Refund) -> SafeString:
        return id_link(row.charge, short=True)

    @display(description="Store")
    def store_link(self, row: Refund) -> SafeString:
        return link(row.store)

    @display(description="Provider account")
    def account_link(self, row: Refund) -> SafeString:
        return link(row.provider_account)

    @display(description="Way")
    def way(self, row: Refund) -> SafeString:
        return badge(row.method)

    @display(description="Fee")
    def fee_shown(self, row: Refund) -> SafeString:
        return money_cell(row.fee)

    @display(description="Destination")
    def destination_shown(self, row: Refund) -> str:
        return destination_text(row.destination)

    @display(description="Receipt")
    def receipt_shown(self, row: Refund) -> SafeString:
        return code_cell(row.receipt)

    @display(description="Provider's reference")
    def provider_reference_shown(self, row: Refund) -> SafeString:
        return code_cell(row.provider_reference)

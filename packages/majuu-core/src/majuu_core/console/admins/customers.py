"""Customers of a store with the payment methods they left: what one recognises them by, never what is charged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from majuu_core.console.base import ModeFilter, ReadOnlyAdmin, Table, moment, short_number
from majuu_core.console.cells import code_cell, id_link, link, mode_badge, state_badge
from majuu_core.console.site import console_site
from majuu_core.payments.models import Charge, Customer

_STATES = {"active": "succeeded", "failed": "failed", "removed": "canceled"}


@register(Customer, site=console_site)
class CustomerAdmin(ReadOnlyAdmin):
    """Somebody who pays a store more than once."""

    list_display = ("shown", short_number, "mode", "store_link", moment("created_at", "Created"))
    list_display_links = ("shown",)
    list_filter = (ModeFilter,)
    list_select_related = ("store",)
    search_help_text = "Customer, saved method or store id, or the shop's own number"
    id_paths = {"cus": "pk", "pm": "saved_methods__pk", "sto": "store_id"}
    fieldsets = (
        (None, {"fields": (("number", "mode"), ("name", "email"), ("reference", "store_link"), "created_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store")

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        yield Customer.objects.filter(reference=term).order_by().values_list("pk", flat=True)

    def related_tables(self, request: HttpRequest, row: Customer) -> list[Table]:
        saved = [
            (
                code_cell(item.public_id),
                str(item) if item.last4 else item.payment_method,
                item.expires or "–",
                state_badge(_STATES.get(item.status, "pending"), item.get_status_display()),
                link(item.provider_account),
                item.created_at,
            )
            for item in row.saved_methods.select_related("provider_account").order_by("-pk")[:200]
        ]
        headers = ("ID", "Method", "Expires", "State", "Account", "Since")
        tables = [Table(title="Saved methods", headers=headers, rows=saved)]
        if request.user.has_perm("majuu_payments.view_charge"):
            charges = Charge.objects.filter(saved_method__in=row.saved_methods.all()).order_by("-pk")[:20]
            rows = [
                (id_link(item), state_badge(item.status, item.get_status_display()), item.created_at)
                for item in charges
            ]
            tables.append(Table(title="Latest charges of these methods", headers=("Charge", "State", "At"), rows=rows))
        return tables

    @display(description="Customer")
    def shown(self, row: Customer) -> str:
        return row.name or row.email or row.reference or "unnamed"

    @display(description="ID")
    def number(self, row: Customer) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: Customer) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Store")
    def store_link(self, row: Customer) -> SafeString:
        return link(row.store)

"""Alerts and balance snapshots."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter, display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from majuu_core.console.admins.account_operations import alert_state
from majuu_core.console.base import ModeFilter, ReadOnlyAdmin, Table, moment, short_number
from majuu_core.console.cells import code_cell, link, mode_badge, state_badge
from majuu_core.console.operations import balance_rows
from majuu_core.console.site import console_site
from majuu_core.payments.models import Alert, BalanceSnapshot


class OpenFilter(SimpleListFilter):
    """What is not over yet."""

    title = "state"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Open"), ("0", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(open_key__isnull=self.value() == "0") if self.value() in ("0", "1") else queryset


@register(Alert, site=console_site)
class AlertAdmin(ReadOnlyAdmin):
    """Something that staff were told of."""

    list_display = ("title_shown", "state", "mode", moment("raised_at", "Since"), moment("cleared_at", "Over"))
    list_display_links = ("title_shown",)
    list_filter = (OpenFilter, ModeFilter, "kind")
    search_help_text = "Alert or provider account id"
    id_paths = {"al": "pk", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "kind", "mode"),
                    ("state", "account_link"),
                    "detail",
                    ("raised_at", "mailed_at", "cleared_at"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("provider_account").defer("provider_account__credentials")

    @display(description="Alert")
    def title_shown(self, row: Alert) -> str:
        return row.title

    @display(description="ID")
    def number(self, row: Alert) -> SafeString:
        return code_cell(row.public_id)

    @display(description="State")
    def state(self, row: Alert) -> SafeString:
        return alert_state(row)

    @display(description="Mode")
    def mode(self, row: Alert) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Provider account")
    def account_link(self, row: Alert) -> SafeString:
        return link(row.provider_account)


@register(BalanceSnapshot, site=console_site)
class BalanceSnapshotAdmin(ReadOnlyAdmin):
    """One answer to the question what stands on the accounts."""

    list_display = (short_number, "account_link", "mode", "state", moment("requested_at", "Asked"))
    list_filter = (ModeFilter, "status")
    search_help_text = "Balance or provider account id"
    id_paths = {"bal": "pk", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "account_link", "mode"),
                    ("state", "provider_reference"),
                    "message",
                    ("requested_at", "reported_at"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("provider_account").defer("provider_account__credentials")

    def related_tables(self, request: HttpRequest, row: BalanceSnapshot) -> list[Table]:
        headers = ("Account", "Current", "Available", "Reserved", "Uncleared", "Reported")
        return [Table(title="Accounts", headers=headers, rows=balance_rows(row))]

    @display(description="ID")
    def number(self, row: BalanceSnapshot) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Provider account")
    def account_link(self, row: BalanceSnapshot) -> SafeString:
        return link(row.provider_account)

    @display(description="Mode")
    def mode(self, row: BalanceSnapshot) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="State")
    def state(self, row: BalanceSnapshot) -> SafeString:
        tones = {"reported": "succeeded", "requested": "pending", "failed": "failed"}
        return state_badge(tones[row.status], row.get_status_display())

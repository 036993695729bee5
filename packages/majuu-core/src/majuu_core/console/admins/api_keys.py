"""API keys as people recognise them, how much they are used, and what may be done to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from majuu_core.accounts.step_up import fresh_second_factor_required
from majuu_core.common import clock
from majuu_core.console import key_pages
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin, Table, moment
from majuu_core.console.cells import badge, code_cell, link, mode_badge
from majuu_core.console.site import console_site
from majuu_core.merchants.api_keys import key_status, revoke_api_key
from majuu_core.merchants.key_quota import used_of_quota
from majuu_core.merchants.key_usage import local_day, usage_by_day
from majuu_core.merchants.models import ApiKey

SHOWN_DAYS = 30
_TONES = {"active": "good", "expired": "warn", "revoked": "bad"}


@register(ApiKey, site=console_site)
class ApiKeyAdmin(ReadOnlyAdmin):
    """A key as people recognise it. The key itself was shown once and is not stored."""

    list_display = (
        "shown",
        "mode",
        "name",
        "store_link",
        "state_shown",
        moment("last_used_at", "Last used"),
        moment("created_at", "Created"),
    )
    list_display_links = ("shown",)
    list_filter = (ModeFilter, "kind")
    list_select_related = ("store",)
    list_columns_deferred = ("key_hash",)
    search_help_text = "API key, client or store id"
    id_paths = {"key": "pk", "client": "pk", "sto": "store_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown", "mode", "state_shown"),
                    ("number", "name"),
                    ("store_link", "kind", "client_shown"),
                    "scopes_shown",
                    ("created_at", "expires_at"),
                    ("last_used_at", "revoked_at"),
                )
            },
        ),
        ("Limits", {"fields": ("addresses_shown", ("rate_shown", "quota_shown"))}),
        ("Rotation", {"fields": (("replaces", "replaced_by", "rotated_at"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related("store", "successor", "rotated_from").defer("key_hash")

    def get_urls(self) -> list[URLPattern]:
        pages = (
            ("rotate", self.rotate),
            ("limits", self.limits),
            ("revoke", require_POST(self.revoke)),
        )
        own = [self.action_path(name, fresh_second_factor_required(page)) for name, page in pages]
        return [*own, *super().get_urls()]

    def page_actions(self, request: HttpRequest, row: ApiKey) -> list[PageAction]:
        return [*super().page_actions(request, row), *key_pages.key_actions(request, row)]

    def related_tables(self, request: HttpRequest, row: ApiKey) -> list[Table]:
        last = local_day(clock.now())
        days = usage_by_day(api_key_id=row.pk, first=last - timedelta(days=SHOWN_DAYS - 1), last=last)
        used = [(f"{day.day:%Y-%m-%d}", day.requests, day.refused) for day in reversed(days)]
        title = f"Requests of the last {SHOWN_DAYS} days"
        note = "The last seconds may be missing: processes write every few seconds."
        return [Table(title=title, headers=("Day", "Let in", "Refused"), rows=used, note=note)]

    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the key that takes this one's place."""
        return key_pages.rotate_page(
            request, self.get_object(request, self.plain_id(object_id)), self.admin_site.each_context(request)
        )

    def limits(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Change what the key may do."""
        return key_pages.limits_page(
            request, self.get_object(request, self.plain_id(object_id)), self.admin_site.each_context(request)
        )

    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Switch the key off for good."""
        return self.act_on(
            request, object_id, key_pages.MAY_CHANGE, lambda row: revoke_api_key(api_key=row), "The key is revoked."
        )

    @display(description="Key")
    def shown(self, row: ApiKey) -> SafeString:
        return code_cell(str(row))

    @display(description="ID")
    def number(self, row: ApiKey) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Client ID")
    def client_shown(self, row: ApiKey) -> SafeString | str:
        return code_cell(row.client_id) if row.client_id else "–"

    @display(description="Mode")
    def mode(self, row: ApiKey) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Store")
    def store_link(self, row: ApiKey) -> SafeString:
        return link(row.store)

    @display(description="State")
    def state_shown(self, row: ApiKey) -> SafeString:
        return key_state(row)

    @display(description="Scopes")
    def scopes_shown(self, row: ApiKey) -> str:
        return ", ".join(row.scopes) or "none"

    @display(description="May be used from")
    def addresses_shown(self, row: ApiKey) -> str:
        return ", ".join(row.allowed_addresses) or "everywhere"

    @display(description="Rate")
    def rate_shown(self, row: ApiKey) -> str:
        return f"{row.rate_limit:,} a minute" if row.rate_limit else "as for all keys"

    @display(description="Quota")
    def quota_shown(self, row: ApiKey) -> SafeString | str:
        if row.monthly_quota is None:
            return "no end"
        used = min(used_of_quota(row), row.monthly_quota)
        text = f"{used:,} of {row.monthly_quota:,} this month"
        bar = '{} <progress class="mj-progress" max="{}" value="{}" aria-label="{}"></progress>'
        return format_html(bar, text, row.monthly_quota, used, text)

    @display(description="Replaces")
    def replaces(self, row: ApiKey) -> SafeString:
        return link(row.rotated_from)

    @display(description="Replaced by")
    def replaced_by(self, row: ApiKey) -> SafeString:
        return link(getattr(row, "successor", None))


def key_state(row: ApiKey) -> SafeString:
    """Whether the key opens anything now."""
    status = key_status(row)
    return badge(status, _TONES[status])

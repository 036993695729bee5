"""Who gets paid. No secret is shown: of a key its start and end, of a provider account its health."""

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

from majuu_core.common import clock
from majuu_core.common.problems import Problem
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin, Table, moment, short_number
from majuu_core.console.cells import address_of, badge, code_cell, link, mode_badge, state_badge
from majuu_core.console.people import acting_user
from majuu_core.console.site import console_site
from majuu_core.merchants.models import ApiKey, Membership, Merchant, ProviderAccount, Store
from majuu_core.payments.incoming_registering import register_incoming
from majuu_core.providers import operations
from majuu_core.providers.installed import installed_providers


@register(Merchant, site=console_site)
class MerchantAdmin(ReadOnlyAdmin):
    """A business with its stores and people."""

    list_display = ("name", "state_shown", "country", short_number, moment("created_at", "Created"))
    list_display_links = ("name",)
    list_filter = ("status",)
    search_help_text = "Merchant or store id"
    id_paths = {"mer": "pk", "sto": "stores__pk"}
    fieldsets = ((None, {"fields": (("name", "state_shown"), ("number", "country_shown"), "is_system", "created_at")}),)

    def related_tables(self, request: HttpRequest, row: Merchant) -> list[Table]:
        tables = []
        if request.user.has_perm("majuu_merchants.view_store"):
            stores = [(link(store), store.code, store.created_at) for store in row.stores.order_by("name")[:200]]
            tables.append(Table(title="Stores", headers=("Store", "Code", "Created"), rows=stores))
        if request.user.has_perm("majuu_merchants.view_membership"):
            members = Membership.objects.filter(merchant=row).select_related("user").order_by("pk")[:200]
            people = [(str(item.user), item.get_role_display(), item.created_at) for item in members]
            tables.append(Table(title="People", headers=("User", "Role", "Since"), rows=people))
        return tables

    @display(description="ID")
    def number(self, row: Merchant) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Country")
    def country_shown(self, row: Merchant) -> str:
        return str(row.country.name)

    @display(description="Status")
    def state_shown(self, row: Merchant) -> SafeString:
        return state_badge(row.status, row.get_status_display())


@register(Store, site=console_site)
class StoreAdmin(ReadOnlyAdmin):
    """One point of sale with its keys and accounts."""

    list_display = (
        "name",
        "merchant_link",
        "code_shown",
        "default_currency",
        "is_active",
        moment("created_at", "Created"),
    )
    list_display_links = ("name",)
    list_select_related = ("merchant",)
    search_help_text = "Store or merchant id, or the store's code"
    id_paths = {"sto": "pk", "mer": "merchant_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "merchant_link"),
                    ("number", "code_shown"),
                    ("default_currency", "is_active"),
                    "late_success",
                    "created_at",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("merchant")

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        yield Store.objects.filter(code=term).order_by().values_list("pk", flat=True)

    def related_tables(self, request: HttpRequest, row: Store) -> list[Table]:
        tables = []
        if request.user.has_perm("majuu_merchants.view_provideraccount"):
            accounts = [
                (link(item), mode_badge(item.livemode), state_badge(item.health, item.get_health_display()))
                for item in row.provider_accounts.order_by("-priority", "pk")[:200]
            ]
            tables.append(Table(title="Provider accounts", headers=("Account", "Mode", "Health"), rows=accounts))
        if request.user.has_perm("majuu_merchants.view_apikey"):
            keys = [
                (
                    link(item, code_cell(str(item))),
                    mode_badge(item.livemode),
                    key_state(item),
                    item.last_used_at,
                )
                for item in row.api_keys.order_by("-pk")[:200]
            ]
            tables.append(Table(title="API keys", headers=("Key", "Mode", "State", "Last used"), rows=keys))
        return tables

    @display(description="ID")
    def number(self, row: Store) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Code")
    def code_shown(self, row: Store) -> SafeString:
        return code_cell(row.code)

    @display(description="Merchant")
    def merchant_link(self, row: Store) -> SafeString:
        return link(row.merchant)


@register(ProviderAccount, site=console_site)
class ProviderAccountAdmin(ReadOnlyAdmin):
    """An account at a provider. Its credentials stay sealed."""

    list_display = ("name", "provider", "mode", "store_link", "health_shown", "is_active", "priority")
    list_display_links = ("name",)
    list_filter = (ModeFilter, "health")
    list_select_related = ("store",)
    list_columns_deferred = ("credentials",)
    search_help_text = "Provider account or store id"
    id_paths = {"pa": "pk", "sto": "store_id"}
    fieldsets = (
        (None, {"fields": (("name", "provider", "mode"), ("number", "store_link"), ("is_active", "priority"))}),
        ("Health", {"fields": (("health_shown", "health_checked_at"), "health_message")}),
        ("Times", {"fields": (("created_at", "updated_at"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store").defer("credentials")

    def get_urls(self) -> list[URLPattern]:
        return [self.action_path("register", require_POST(self.register_addresses)), *super().get_urls()]

    def page_actions(self, request: HttpRequest, row: ProviderAccount) -> list[PageAction]:
        registry = installed_providers()
        takes = row.provider in registry and "register_incoming" in operations(registry.get(row.provider))
        if not takes or not request.user.has_perm("majuu_merchants.change_provideraccount"):
            return []
        address = reverse("console:majuu_merchants_provideraccount_register", args=[row.public_id])
        label, text = "Register for incoming money", "Tells the provider our addresses for money without an intent."
        return [PageAction(label=label, address=address, explanation=text, icon="move_to_inbox")]

    def register_addresses(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Register this account's addresses at its provider."""
        if not request.user.has_perm("majuu_merchants.change_provideraccount"):
            raise PermissionDenied
        row = ProviderAccount.objects.select_related("store").filter(pk=self.plain_id(object_id)).first()
        if row is None:
            raise Http404
        try:
            with acting_user(request):
                register_incoming(account=row)
            messages.success(request, "The provider knows our addresses now.")
        except Problem as problem:
            messages.error(request, problem.message)
        return HttpResponseRedirect(address_of(row))

    @display(description="ID")
    def number(self, row: ProviderAccount) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: ProviderAccount) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Store")
    def store_link(self, row: ProviderAccount) -> SafeString:
        return link(row.store) if row.store else badge("platform: all stores", "info")

    @display(description="Health")
    def health_shown(self, row: ProviderAccount) -> SafeString:
        return state_badge(row.health, row.get_health_display())


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
    search_help_text = "API key or store id"
    id_paths = {"key": "pk", "sto": "store_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown", "mode", "state_shown"),
                    ("number", "name"),
                    ("store_link", "kind"),
                    "scopes_shown",
                    ("created_at", "expires_at"),
                    ("last_used_at", "revoked_at"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store").defer("key_hash")

    @display(description="Key")
    def shown(self, row: ApiKey) -> SafeString:
        return code_cell(str(row))

    @display(description="ID")
    def number(self, row: ApiKey) -> SafeString:
        return code_cell(row.public_id)

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


def key_state(row: ApiKey) -> SafeString:
    """Whether the key opens anything now."""
    if row.revoked_at is not None:
        return badge("revoked", "bad")
    if row.expires_at is not None and row.expires_at <= clock.now():
        return badge("expired", "warn")
    return badge("active", "good")

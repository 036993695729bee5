"""Who gets paid. No secret is shown: of a key its start and end, of a provider account its health."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import display, register
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from majuu_core.accounts.step_up import fresh_second_factor_required
from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Problem
from majuu_core.console import key_pages
from majuu_core.console.admins.api_keys import key_state
from majuu_core.console.admins.routing import BreakerActions
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin, Table, moment, short_number
from majuu_core.console.cells import address_of, badge, code_cell, link, mode_badge, state_badge
from majuu_core.console.mapping_page import mapping_action, mapping_page
from majuu_core.console.site import console_site
from majuu_core.merchants.models import Membership, Merchant, ProviderAccount, Store
from majuu_core.payments.addresses import account_callback_url
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

    def get_urls(self) -> list[URLPattern]:
        page = fresh_second_factor_required(self.new_key)
        return [self.action_path("new_key", page), *super().get_urls()]

    def page_actions(self, request: HttpRequest, row: Store) -> list[PageAction]:
        return [*super().page_actions(request, row), *key_pages.new_key_action(request, row)]

    def new_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make an API key of this store."""
        store = self.get_object(request, self.plain_id(object_id))
        return key_pages.new_key_page(request, store, self.admin_site.each_context(request))

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
class ProviderAccountAdmin(BreakerActions):
    """An account at a provider. Its credentials stay sealed."""

    list_display = ("name", "provider", "mode", "store_link", "health_shown", "calls_shown", "is_active", "priority")
    list_display_links = ("name",)
    list_filter = (ModeFilter, "health")
    list_select_related = ("store",)
    list_columns_deferred = ("credentials",)
    search_help_text = "Provider account or store id"
    id_paths = {"pa": "pk", "sto": "store_id"}
    fieldsets = (
        (None, {"fields": (("name", "provider", "mode"), ("number", "store_link"), ("is_active", "priority"))}),
        ("Health", {"fields": (("health_shown", "health_checked_at"), "health_message")}),
        (
            "Calls",
            {"fields": (("calls_shown", "paused_until"), ("breaker_failures", "breaker_reason"))},
        ),
        ("Callbacks", {"fields": (("last_callback", "last_self_test"),)}),
        ("Times", {"fields": (("created_at", "updated_at"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store").defer("credentials")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The address is a secret: only who may change the account reads it."""
        shown = super().get_fieldsets(request, obj)
        if not request.user.has_perm("majuu_merchants.change_provideraccount"):
            return shown
        return [*shown, ("Webhooks", {"fields": ("webhook_address",)})]

    def get_urls(self) -> list[URLPattern]:
        mapping = self.action_path("mapping", self.mapping, fresh=True)
        register = self.action_path("register", require_POST(self.register_addresses), fresh=True)
        return [register, mapping, *super().get_urls()]

    def mapping(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """How the account's bank writes its CSV files."""
        return mapping_page(request, self._known(object_id), self.admin_site.each_context(request))

    def _known(self, object_id: str) -> ProviderAccount | None:
        """The account with this id, its credentials too; None for an id that is none."""
        try:
            return ProviderAccount.objects.select_related("store").filter(pk=self.plain_id(object_id)).first()
        except ValidationError:
            return None

    def page_actions(self, request: HttpRequest, row: ProviderAccount) -> list[PageAction]:
        found = [*super().page_actions(request, row), *mapping_action(request, row)]
        registry = installed_providers()
        takes = row.provider in registry and "register_incoming" in operations(registry.get(row.provider))
        if takes and request.user.has_perm("majuu_merchants.change_provideraccount"):
            address = reverse("console:majuu_merchants_provideraccount_register", args=[row.public_id])
            text = "Tells the provider where to tell us of money that arrives without a payment intent."
            register = "Register for incoming money"
            found.append(PageAction(label=register, address=address, explanation=text, icon="move_to_inbox"))
        return found

    def register_addresses(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Register this account's addresses at its provider."""
        if not request.user.has_perm("majuu_merchants.change_provideraccount"):
            raise PermissionDenied
        row = self._known(object_id)
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

    @display(description="Address for its webhooks")
    def webhook_address(self, row: ProviderAccount) -> SafeString | str:
        registry = installed_providers()
        if row.provider not in registry or "verify_webhook" not in operations(registry.get(row.provider)):
            return "–"
        return code_cell(account_callback_url(row.pk))

    @display(description="Health")
    def health_shown(self, row: ProviderAccount) -> SafeString:
        return state_badge(row.health, row.get_health_display())

"""Payment intents, charges, and every word with a provider."""

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
from moneyed import Money

from majuu_core.accounts.trail import acting_user
from majuu_core.console.admins.qr_codes import QrCodeAction
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin, Table, moment, short_number
from majuu_core.console.by_hand_pages import money_seen_action, money_seen_page
from majuu_core.console.capture_page import capture_action, capture_page
from majuu_core.console.cells import (
    address_of,
    badge,
    code_cell,
    id_link,
    link,
    mode_badge,
    money_cell,
    money_text,
    pretty,
    state_badge,
)
from majuu_core.console.refund_page import refund_action, refund_page
from majuu_core.console.site import console_site
from majuu_core.console.suggestions import money_table
from majuu_core.console.timeline import build_timeline
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.addresses import payment_url
from majuu_core.payments.by_hand import is_by_hand
from majuu_core.payments.captures import authorized_charge
from majuu_core.payments.follow_ups import follow_up_charge
from majuu_core.payments.models import Charge, PaymentIntent, ProviderCall
from majuu_core.payments.representation import asked_amount, remaining_amount
from majuu_core.payments.transitions import FOLLOWED_CHARGE


class ParkedFilter(SimpleListFilter):
    """Payments that wait for somebody's decision."""

    title = "attention"
    parameter_name = "parked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Parked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_parked=True) if self.value() == "1" else queryset


class MoneyRowAdmin(ReadOnlyAdmin):
    """What intents and charges have in common."""

    def heading(self, row: Any) -> str:
        return f"{str(self.opts.verbose_name).capitalize()} of {money_text(row.amount)}"

    @display(description="ID")
    def number(self, row: PaymentIntent | Charge) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: PaymentIntent | Charge) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Status")
    def state(self, row: PaymentIntent | Charge) -> SafeString:
        shown = state_badge(row.status, row.get_status_display())
        if getattr(row, "is_disputed", False) or getattr(row, "dispute_status", "none") in ("open", "lost"):
            shown = format_html("{} {}", shown, badge("disputed", "bad"))
        return format_html("{} {}", shown, state_badge("parked")) if row.is_parked else shown

    @display(description="Amount")
    def amount_shown(self, row: PaymentIntent | Charge) -> SafeString:
        return money_cell(row.amount)

    @display(description="Received")
    def received_shown(self, row: PaymentIntent | Charge) -> SafeString:
        return money_cell(row.amount_received)


@register(PaymentIntent, site=console_site)
class PaymentIntentAdmin(QrCodeAction, MoneyRowAdmin):
    """One purchase with everything that happened to it."""

    list_display = (
        short_number,
        "mode",
        "store_link",
        "amount_shown",
        "state",
        "reference",
        moment("created_at", "Created"),
    )
    list_display_links = (short_number,)
    list_filter = (ModeFilter, "status", ParkedFilter)
    list_select_related = ("store",)
    list_columns_deferred = ("metadata", "description", "parked_reason")
    search_help_text = "Payment intent, charge or store id, order reference, or receipt number"
    id_paths = {"pi": "pk", "ch": "charges__pk", "sto": "store_id"}
    fieldsets = (
        (None, {"fields": (("number", "mode", "state"), ("amount_shown", "received_shown", "remaining"))}),
        (
            "Purchase",
            {
                "fields": (
                    ("store_link", "reference"),
                    "description",
                    ("customer_phone", "customer_email"),
                    ("payment_methods_shown", "capture_method", "capturable_shown"),
                    "parked_reason",
                    "payment_link",
                    "metadata_shown",
                )
            },
        ),
        ("Times", {"fields": (("created_at", "expires_at"), ("succeeded_at", "canceled_at"), "cancellation_reason")}),
    )

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        # The index of references begins with the store, so the stores are named.
        of_stores = PaymentIntent.objects.filter(store__in=Store.objects.order_by().values("pk"))
        yield of_stores.filter(reference=term).order_by().values_list("pk", flat=True)
        yield receipts(term).values_list("payment_intent_id", flat=True)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store")

    def page_actions(self, request: HttpRequest, row: PaymentIntent) -> list[PageAction]:
        held = authorized_charge(row) if row.status == PaymentIntent.Status.REQUIRES_CAPTURE else None
        return [*capture_action(request, held), *super().page_actions(request, row)]

    def extra_page_context(self, request: HttpRequest, row: PaymentIntent) -> dict[str, Any]:
        charges = list(row.charges.order_by("pk"))
        return {"majuu_timeline": build_timeline(row, charges, request.user.has_perm)}

    def related_tables(self, request: HttpRequest, row: PaymentIntent) -> list[Table]:
        may_see_money = request.user.has_perm("majuu_payments.view_incomingpayment")
        return [money_table(row)] if may_see_money and row.status != PaymentIntent.Status.SUCCEEDED else []

    @display(description="Store")
    def store_link(self, row: PaymentIntent) -> SafeString:
        return link(row.store)

    @display(description="Remaining")
    def remaining(self, row: PaymentIntent) -> SafeString:
        shown = money_cell(remaining_amount(row))
        return format_html("{} (surplus {})", shown, money_cell(row.surplus)) if row.surplus.amount else shown

    @display(description="Waits for a capture")
    def capturable_shown(self, row: PaymentIntent) -> SafeString:
        return money_cell(Money(row.amount_capturable, row.amount.currency))

    @display(description="Payment methods")
    def payment_methods_shown(self, row: PaymentIntent) -> str:
        return ", ".join(row.payment_methods) or "all that fit"

    @display(description="Customer's page")
    def payment_link(self, row: PaymentIntent) -> SafeString:
        url = payment_url(row)
        return format_html('<a class="mj-link" href="{}" rel="noreferrer" target="_blank">{}</a>', url, url)

    @display(description="Metadata")
    def metadata_shown(self, row: PaymentIntent) -> SafeString:
        return pretty(row.metadata)


@register(Charge, site=console_site)
class ChargeAdmin(MoneyRowAdmin):
    """One attempt to take money. An open one can be asked about."""

    list_display = (
        *(short_number, "mode", "intent_link", "amount_shown", "state", "payment_method", "receipt_shown", "payer"),
        moment("created_at", "Created"),
    )
    list_display_links = (short_number,)
    list_filter = (ModeFilter, "status", ParkedFilter)
    list_select_related = ("payment_intent",)
    list_columns_deferred = ("failure_message", "next_action", "parked_reason")
    search_help_text = "Charge or payment intent id, receipt number, or the provider's reference"
    id_paths = {"ch": "pk", "pi": "payment_intent_id", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state"),
                    ("intent_link", "account_link"),
                    ("amount_shown", "received_shown", "fee_shown"),
                    ("to_capture_shown", "capture_before", "void_requested_at"),
                    "parked_reason",
                )
            },
        ),
        (
            "At the provider",
            {
                "fields": (
                    ("payment_method", "payer"),
                    ("receipt_shown", "provider_reference_shown"),
                    ("failure_code", "provider_failure_code"),
                    "failure_message",
                    "next_action_shown",
                )
            },
        ),
        (
            "Times",
            {"fields": (("created_at", "updated_at", "occurred_at"), ("follow_up_at", "follow_up_count"))},
        ),
    )

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        yield receipts(term).values_list("pk", flat=True)
        yield references(term).values_list("pk", flat=True)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("payment_intent", "provider_account")

    def get_urls(self) -> list[URLPattern]:
        money = [("refund", self.refund), ("capture", self.capture)]
        own = [self.action_path(name, page, fresh=True) for name, page in money]
        own.append(self.action_path("seen", self.money_seen))
        return [self.action_path("ask", require_POST(self.ask)), *own, *super().get_urls()]

    def page_actions(self, request: HttpRequest, row: Charge) -> list[PageAction]:
        if is_by_hand(row.provider):
            return [*money_seen_action(request, row), *refund_action(request, row)]
        if row.status not in FOLLOWED_CHARGE or not self.may_ask(request):
            return [*capture_action(request, row), *refund_action(request, row)]
        address = reverse("console:majuu_payments_charge_ask", args=[row.public_id])
        text = (
            "Asks what became of this charge and applies the answer. It never sends a second request to the customer."
        )
        ask = PageAction(label="Ask the provider now", address=address, explanation=text, icon="sync")
        return [*capture_action(request, row), ask]

    def may_ask(self, request: HttpRequest) -> bool:
        """Staff with Django's permission to change charges."""
        return request.user.has_perm("majuu_payments.change_charge")

    def ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the provider about the charge; nobody waits for the worker's next turn."""
        if not self.may_ask(request):
            raise PermissionDenied
        charge = self.get_object(request, self.plain_id(object_id))
        if charge is None:
            raise Http404
        with acting_user(request):
            was_asked = follow_up_charge(charge.pk)
        charge.refresh_from_db()
        if was_asked:
            messages.success(request, f"The provider was asked. The charge is now: {charge.get_status_display()}.")
        else:
            messages.info(request, f"Nothing to ask: the charge is already {charge.get_status_display().lower()}.")
        return HttpResponseRedirect(address_of(charge))

    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Plan a refund of the charge, and confirm it."""
        charge = self.get_object(request, self.plain_id(object_id))
        return refund_page(request, charge, self.admin_site.each_context(request))

    def capture(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Capture what the charge has authorized, or let it go."""
        charge = self.get_object(request, self.plain_id(object_id))
        return capture_page(request, charge, self.admin_site.each_context(request))

    def money_seen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say that the charge's money was seen; a second person confirms it."""
        charge = self.get_object(request, self.plain_id(object_id))
        return money_seen_page(request, charge, self.admin_site.each_context(request))

    def related_tables(self, request: HttpRequest, row: Charge) -> list[Table]:
        if not request.user.has_perm("majuu_payments.view_sighting"):
            return []
        seen = list(row.sightings.order_by("-pk")[:20])
        rows = [
            (link(item, item.get_status_display()), money_cell(item.amount), item.seen_on, item.note) for item in seen
        ]
        return [Table(title="Money seen", headers=("Status", "Amount", "Day", "Note"), rows=rows)] if rows else []

    def extra_page_context(self, request: HttpRequest, row: Charge) -> dict[str, Any]:
        return {"majuu_timeline": build_timeline(row.payment_intent, [row], request.user.has_perm)}

    @display(description="Payment intent")
    def intent_link(self, row: Charge) -> SafeString:
        return id_link(row.payment_intent, short=True)

    @display(description="Provider account")
    def account_link(self, row: Charge) -> SafeString:
        return link(row.provider_account)

    @display(description="Fee")
    def fee_shown(self, row: Charge) -> SafeString:
        return money_cell(row.fee)

    @display(description="Asked to be captured")
    def to_capture_shown(self, row: Charge) -> SafeString | str:
        return "–" if row.amount_to_capture is None else money_cell(asked_amount(row))

    @display(description="Receipt")
    def receipt_shown(self, row: Charge) -> SafeString:
        return code_cell(row.receipt)

    @display(description="Provider's reference")
    def provider_reference_shown(self, row: Charge) -> SafeString:
        return code_cell(row.provider_reference)

    @display(description="Next action")
    def next_action_shown(self, row: Charge) -> SafeString:
        return pretty(row.next_action)


@register(ProviderCall, site=console_site)
class ProviderCallAdmin(ReadOnlyAdmin):
    """One HTTP exchange, redacted before it was stored."""

    list_display = (
        "summary",
        "mode",
        "account_link",
        "charge_link",
        "answer",
        "duration",
        moment("started_at", "Time"),
    )
    list_display_links = ("summary",)
    list_select_related = ("provider_account", "charge")
    list_columns_deferred = ("request_headers", "request_body", "response_body")
    search_help_text = "Charge or provider account id"
    id_paths = {"ch": "charge_id", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {"fields": (("summary", "mode", "answer"), ("account_link", "charge_link"), ("started_at", "duration"))},
        ),
        ("Request", {"fields": ("address", "request_headers_shown", "request_body_shown")}),
        ("Answer", {"fields": ("response_body_shown", "error")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("provider_account", "charge")

    @display(description="Call")
    def summary(self, row: ProviderCall) -> str:
        return row.operation or row.method

    @display(description="Mode")
    def mode(self, row: ProviderCall) -> SafeString:
        return mode_badge(row.provider_account.livemode)

    @display(description="Provider account")
    def account_link(self, row: ProviderCall) -> SafeString:
        return link(row.provider_account)

    @display(description="Charge")
    def charge_link(self, row: ProviderCall) -> SafeString:
        return id_link(row.charge, short=True)

    @display(description="Answer")
    def answer(self, row: ProviderCall) -> SafeString:
        if row.status is None:
            return badge("no answer", "bad")
        return badge(f"HTTP {row.status}", "good" if row.status < 400 else "bad")

    @display(description="Took")
    def duration(self, row: ProviderCall) -> str:
        return f"{row.duration_ms} ms"

    @display(description="Address")
    def address(self, row: ProviderCall) -> SafeString:
        return code_cell(f"{row.method} {row.url}")

    @display(description="Headers")
    def request_headers_shown(self, row: ProviderCall) -> SafeString:
        return pretty(row.request_headers)

    @display(description="Body")
    def request_body_shown(self, row: ProviderCall) -> SafeString:
        return pretty(row.request_body)

    @display(description="Body")
    def response_body_shown(self, row: ProviderCall) -> SafeString:
        return pretty(row.response_body)


def receipts(term: str) -> QuerySet[Charge]:
    """Charges with a receipt number, as it was written or in capitals."""
    return Charge.objects.filter(receipt__in={term, term.upper()}).order_by()


def references(term: str) -> QuerySet[Charge]:
    """Charges with a provider's reference. Its index begins with the account, so the accounts are named."""
    accounts = ProviderAccount.objects.order_by().values("pk")
    return Charge.objects.filter(provider_account__in=accounts, provider_reference=term).order_by()

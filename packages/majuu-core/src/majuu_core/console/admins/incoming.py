"""The inbox of money that arrived by itself, and the claims to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import SimpleListFilter, display, register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from majuu_core.accounts.trail import acting_user
from majuu_core.common import clock
from majuu_core.common.problems import Problem
from majuu_core.configuration import custodial
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin, Table, moment, short_number
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
from majuu_core.console.people import person
from majuu_core.console.site import console_site
from majuu_core.console.suggestions import suggestion_table
from majuu_core.merchants.models import Store
from majuu_core.merchants.services import INTAKE_CODE
from majuu_core.payments.claim_undoing import confirm_claim_undo, request_claim_undo, withdraw_claim_undo
from majuu_core.payments.claims import ClaimRequest, claim_incoming
from majuu_core.payments.custody import may_hold_for
from majuu_core.payments.incoming_settling import confirm_by_hand, is_doubtful
from majuu_core.payments.models import Charge, Claim, IncomingPayment

_NO_CUSTODY = "It came to the platform's account, and this site does not hold money for others (MAJUU_CUSTODIAL)."
_AGES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


class AgeFilter(SimpleListFilter):
    """How long money has been lying here."""

    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, f"Older than a{'n' if name == 'hour' else ''} {name}") for name in _AGES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        age = _AGES.get(self.value() or "")
        return queryset.filter(created_at__lt=clock.now() - age) if age else queryset


class VerifiedFilter(SimpleListFilter):
    """Whether it is certain that the money arrived."""

    title = "confirmation"
    parameter_name = "verified"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Confirmed"), ("no", "Not confirmed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {"yes": False, "no": True}.get(self.value() or "")
        return queryset if known is None else queryset.filter(verified_at__isnull=known)


class ClaimForm(forms.Form):
    """Whose the money is, and what for."""

    store = forms.CharField(label="Store", help_text="The store's code.", max_length=64)
    reference = forms.CharField(label="Reference", help_text="The store's order number.", max_length=64)
    payment_intent = forms.CharField(
        label="Payment intent", help_text="To pay one, its id (pi_…). May stay empty.", required=False, max_length=64
    )

    def clean_store(self) -> Store:
        store = Store.objects.filter(code=self.cleaned_data["store"].strip(), is_active=True).first()
        if store is None:
            raise forms.ValidationError("There is no active store with this code.")
        return store


class ReasonForm(forms.Form):
    """What a decision rests on."""

    reason = forms.CharField(label="Reason", min_length=5, max_length=255, help_text="It is kept in the audit trail.")


class AskingAdmin(ReadOnlyAdmin):
    """A page whose actions may ask for something first, and may be refused by the service."""

    permission = ""

    def may_act(self, request: HttpRequest) -> bool:
        """Staff with Django's permission to change such rows."""
        return request.user.has_perm(self.permission)

    def row_for(self, request: HttpRequest, object_id: str) -> Any:
        """The row an action is about. Raises PermissionDenied, Http404."""
        if not self.may_act(request):
            raise PermissionDenied
        row = self.get_object(request, self.plain_id(object_id))
        if row is None:
            raise Http404
        return row

    def ask(
        self, request: HttpRequest, row: Any, form: forms.Form, *, title: str, explanation: str, button: str
    ) -> HttpResponse:
        """The page that asks."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "form": form,
            "majuu_explanation": explanation,
            "majuu_button": button,
            "majuu_back": address_of(row),
        }
        return TemplateResponse(request, "majuu_console/ask.html", context)

    def act(self, request: HttpRequest, row: Any, work: Any, done: str) -> HttpResponse:
        """Do it as the signed-in user and go back to the row; a refusal is shown there."""
        try:
            with acting_user(request):
                work()
            messages.success(request, done)
        except Problem as problem:
            messages.error(request, problem.message)
        return HttpResponseRedirect(address_of(row))

    def button(
        self, row: Any, name: str, label: str, explanation: str, icon: str, *, is_quiet: bool = False
    ) -> PageAction:
        """A button that leads to one of this page's actions."""
        options = self.model._meta
        address = reverse(f"console:{options.app_label}_{options.model_name}_{name}", args=[row.public_id])
        return PageAction(label=label, address=address, explanation=explanation, icon=icon, is_quiet=is_quiet)


@register(IncomingPayment, site=console_site)
class IncomingPaymentAdmin(AskingAdmin):
    """Money that arrived without a payment intent. Unclaimed money can be claimed for a store."""

    permission = "majuu_payments.change_incomingpayment"
    list_display = (
        *(short_number, "mode", "amount_shown", "state", "confirmed", "receipt_shown", "account_reference"),
        *("payer_name", "store_link"),
        moment("occurred_at", "Arrived"),
    )
    list_display_links = (short_number,)
    list_filter = (ModeFilter, "ownership", AgeFilter, VerifiedFilter, "status")
    list_select_related = ("store",)
    list_columns_deferred = ("raw",)
    search_help_text = "Incoming payment, store or account id, receipt number, or account reference"
    id_paths = {"in": "pk", "sto": "store_id", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state"),
                    ("amount_shown", "receipt_shown", "receiver"),
                    ("store_link", "charge_link", "intent_link"),
                    "claimable",
                )
            },
        ),
        ("Payer", {"fields": (("payer_name", "phone_shown"), ("account_reference", "channel"))}),
        ("Confirmation", {"fields": (("confirmed", "verified_by", "verified_at"), ("source", "follow_up_at"))}),
        ("Message", {"fields": ("raw_shown", ("occurred_at", "created_at", "updated_at"))}),
    )

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        rows = IncomingPayment.objects.order_by()
        yield rows.filter(receipt__in={term, term.upper()}).values_list("pk", flat=True)
        yield rows.filter(livemode__in=[True, False], account_reference=term).values_list("pk", flat=True)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store__merchant", "provider_account")

    def get_urls(self) -> list[URLPattern]:
        claim = self.action_path("claim", self.claim, fresh=True)
        confirm = self.action_path("confirm", self.confirm, fresh=True)
        return [claim, confirm, *super().get_urls()]

    def related_tables(self, request: HttpRequest, row: IncomingPayment) -> list[Table]:
        may_see_orders = request.user.has_perm("majuu_payments.view_paymentintent")
        return [suggestion_table(row)] if may_see_orders and row.ownership == row.Ownership.UNCLAIMED else []

    def heading(self, row: IncomingPayment) -> str:
        return f"{money_text(row.amount)}, receipt {row.receipt}"

    def page_actions(self, request: HttpRequest, row: IncomingPayment) -> list[PageAction]:
        free = row.ownership == IncomingPayment.Ownership.UNCLAIMED and row.status == IncomingPayment.Status.SUCCEEDED
        if not free or not self.may_act(request):
            return []
        claim = self.button(row, "claim", "Claim for a store", "Gives the money to one store, for one purpose.", "key")
        if not is_doubtful(row):
            return [claim]
        text = "The provider has not confirmed that this money arrived. Only if you see it on the statement."
        return [self.button(row, "confirm", "It arrived", text, "verified"), claim]

    def claim(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the store and claim."""
        row = self.row_for(request, object_id)
        form = (
            ClaimForm(request.POST)
            if "reference" in request.POST
            else ClaimForm(initial={"reference": row.account_reference})
        )
        if not form.is_bound or not form.is_valid():
            text = f"{row.receipt} brought {money_text(row.amount)}. Somebody else can undo a claim."
            return self.ask(request, row, form, title="Claim for a store", explanation=text, button="Claim")
        given = form.cleaned_data
        wanted = ClaimRequest(
            receipt=row.receipt, reference=given["reference"], payment_intent=given["payment_intent"].strip()
        )
        return self.act(
            request,
            row,
            lambda: claim_incoming(store=given["store"], livemode=row.livemode, request=wanted),
            f"The money is {given['store']}'s now.",
        )

    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason and take the money for certain."""
        row = self.row_for(request, object_id)
        form = ReasonForm(request.POST) if "reason" in request.POST else ReasonForm()
        if not form.is_bound or not form.is_valid():
            text = "Say where you have seen it, e.g. the line of the provider's statement."
            return self.ask(request, row, form, title="This money arrived", explanation=text, button="Confirm")
        reason = form.cleaned_data["reason"]
        return self.act(request, row, lambda: confirm_by_hand(incoming=row, reason=reason), "Confirmed.")

    @display(description="ID")
    def number(self, row: IncomingPayment) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: IncomingPayment) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="State")
    def state(self, row: IncomingPayment) -> SafeString:
        if row.status != IncomingPayment.Status.SUCCEEDED:
            return badge(row.get_status_display(), "bad")
        tone = "warn" if row.ownership == IncomingPayment.Ownership.UNCLAIMED else "good"
        return badge(row.get_ownership_display(), tone)

    @display(description="Confirmed")
    def confirmed(self, row: IncomingPayment) -> SafeString:
        return badge("yes", "good") if row.verified_at else badge("no", "warn")

    @display(description="Amount")
    def amount_shown(self, row: IncomingPayment) -> SafeString:
        return money_cell(row.amount)

    @display(description="Receipt")
    def receipt_shown(self, row: IncomingPayment) -> SafeString:
        return code_cell(row.receipt)

    @display(description="Phone")
    def phone_shown(self, row: IncomingPayment) -> str:
        if row.payer_phone or row.payer_phone_masked:
            return row.payer_phone or row.payer_phone_masked
        return "Only its hash was told" if row.payer_phone_hash else "–"

    @display(description="Owner")
    def store_link(self, row: IncomingPayment) -> SafeString:
        return link(row.store)

    @display(description="Who may claim it")
    def claimable(self, row: IncomingPayment) -> str:
        if row.ownership != IncomingPayment.Ownership.UNCLAIMED or row.status != IncomingPayment.Status.SUCCEEDED:
            return "Nobody any more."
        owner = row.store if row.store.code != INTAKE_CODE else None
        if owner is not None and not may_hold_for(owner, row.provider_account):
            return f"{owner}, but not now. {_NO_CUSTODY}"
        if row.provider_account.store_id is None and not custodial():
            return f"The platform's own stores only. {_NO_CUSTODY}"
        return f"Stores of {owner.merchant}." if owner is not None else "Any store."

    @display(description="Charge")
    def charge_link(self, row: IncomingPayment) -> SafeString:
        return id_link(row.charge, short=True)

    @display(description="Payment intent")
    def intent_link(self, row: IncomingPayment) -> SafeString:
        return id_link(row.payment_intent, short=True)

    @display(description="As it came")
    def raw_shown(self, row: IncomingPayment) -> SafeString:
        return pretty(row.raw)


@register(Claim, site=console_site)
class ClaimAdmin(AskingAdmin):
    """Who claimed which receipt, and what for. Undoing one takes two people."""

    permission = "majuu_payments.change_claim"
    list_display = (
        *(short_number, "mode", "receipt_shown", "store_link", "reference", "method", "state"),
        moment("created_at", "Claimed"),
    )
    list_display_links = (short_number,)
    list_filter = (ModeFilter, "method")
    list_select_related = ("store",)
    search_help_text = "Claim, store or incoming payment id, or receipt number"
    id_paths = {"cl": "pk", "sto": "store_id", "in": "incoming_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state"),
                    ("receipt_shown", "store_link", "reference"),
                    ("incoming_link", "charge_link"),
                    ("method", "score", "reasons_shown"),
                    ("created_at", person("created_by", "Claimed by")),
                )
            },
        ),
        (
            "Undoing",
            {
                "fields": (
                    (person("undo_requested_by", "Asked by"), "undo_requested_at"),
                    "undo_reason",
                    (person("undone_by", "Undone by"), "undone_at"),
                )
            },
        ),
    )

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        money = IncomingPayment.objects.order_by().filter(receipt__in={term, term.upper()}).values("pk")
        yield Claim.objects.order_by().filter(incoming__in=money).values_list("pk", flat=True)
        charges = Charge.objects.order_by().filter(receipt__in={term, term.upper()}).values("pk")
        yield Claim.objects.order_by().filter(charge__in=charges).values_list("pk", flat=True)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store")

    def get_urls(self) -> list[URLPattern]:
        return [
            self.action_path("undo", self.undo, fresh=True),
            self.action_path("allow", require_POST(self.allow), fresh=True),
            self.action_path("keep", require_POST(self.keep)),
            *super().get_urls(),
        ]

    def page_actions(self, request: HttpRequest, row: Claim) -> list[PageAction]:
        if row.undone_at is not None or not self.may_act(request):
            return []
        if row.undo_requested_at is None:
            text = "Asks somebody else to give the money back to the intake. Nothing moves before they agree."
            return [self.button(row, "undo", "Ask to undo", text, "undo")]
        allow = f"Undoes the claim, because: {row.undo_reason} Not by who asked for it."
        return [
            self.button(row, "allow", "Undo the claim", allow, "check"),
            self.button(
                row, "keep", "Keep the claim", "Forgets the request. The claim stands.", "close", is_quiet=True
            ),
        ]

    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason and request it."""
        row = self.row_for(request, object_id)
        form = ReasonForm(request.POST) if "reason" in request.POST else ReasonForm()
        if not form.is_bound or not form.is_valid():
            text = "Say why the claim was wrong. Another person has to agree."
            return self.ask(request, row, form, title="Ask to undo a claim", explanation=text, button="Ask")
        reason = form.cleaned_data["reason"]
        return self.act(request, row, lambda: request_claim_undo(claim=row, reason=reason), "Somebody else must agree.")

    def allow(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Undo it, as the second person."""
        row = self.row_for(request, object_id)
        return self.act(request, row, lambda: confirm_claim_undo(claim=row), "The claim is undone.")

    def keep(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Forget the request."""
        row = self.row_for(request, object_id)
        return self.act(request, row, lambda: withdraw_claim_undo(claim=row), "The claim stands.")

    @display(description="ID")
    def number(self, row: Claim) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: Claim) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="State")
    def state(self, row: Claim) -> SafeString:
        if row.undone_at is not None:
            return badge("undone", "bad")
        return badge("undo asked for", "warn") if row.undo_requested_at else state_badge("active", "stands")

    @display(description="Receipt")
    def receipt_shown(self, row: Claim) -> SafeString:
        return code_cell(row.receipt)

    @display(description="Store")
    def store_link(self, row: Claim) -> SafeString:
        return link(row.store)

    @display(description="Reasons")
    def reasons_shown(self, row: Claim) -> str:
        return "; ".join(map(str, row.reasons))

    @display(description="Incoming payment")
    def incoming_link(self, row: Claim) -> SafeString:
        return id_link(row.incoming, short=True)

    @display(description="Charge")
    def charge_link(self, row: Claim) -> SafeString:
        return id_link(row.charge, short=True)

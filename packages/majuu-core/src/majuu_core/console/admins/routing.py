"""Routing rules: which provider account takes which payments first, and the button that ends a pause."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import display, register
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from majuu_core.accounts.step_up import ask_for_second_factor, is_fresh
from majuu_core.accounts.trail import acting_user
from majuu_core.common.money import CURRENCY_CHOICES
from majuu_core.common.problems import Problem
from majuu_core.console.admins.account_operations import AccountOperations
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin
from majuu_core.console.cells import address_of, code_cell, link, mode_badge, moment_cell, state_badge
from majuu_core.console.site import console_site
from majuu_core.merchants.breaker import close_breaker
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models import RoutingRule
from majuu_core.payments.routing import create_routing_rule, delete_routing_rule

_CLOSED = ProviderAccount.Breaker.CLOSED


class RoutingRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule as an operator enters it. The account decides the mode."""

    store = forms.ModelChoiceField(Store.objects.order_by("name"), widget=UnfoldAdminSelectWidget)
    provider_account = forms.ModelChoiceField(
        ProviderAccount.objects.filter(is_active=True).select_related("store").defer("credentials").order_by("name"),
        widget=UnfoldAdminSelectWidget,
        help_text="It goes first for payments that fit. Its mode is the rule's.",
    )
    payment_method = forms.CharField(
        max_length=32, required=False, widget=UnfoldAdminTextInputWidget, help_text='Such as "card"; empty: any.'
    )
    currency = forms.ChoiceField(
        choices=[("", "any"), *CURRENCY_CHOICES], required=False, widget=UnfoldAdminSelectWidget
    )
    min_amount = forms.DecimalField(
        min_value=0, required=False, widget=UnfoldAdminDecimalFieldWidget, help_text="From this amount on."
    )
    max_amount = forms.DecimalField(
        min_value=0, required=False, widget=UnfoldAdminDecimalFieldWidget, help_text="Up to this amount."
    )
    position = forms.IntegerField(
        min_value=0,
        max_value=32767,
        initial=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Of the rules that fit, the smallest goes first.",
    )

    class Meta:
        model = RoutingRule
        fields = (
            "store",
            "provider_account",
            "payment_method",
            "currency",
            "min_amount",
            "max_amount",
            "position",
        )

    def _post_clean(self) -> None:
        """The service makes the rule, and says what is wrong with it in words for people."""
        if self.errors:
            return
        values = dict(self.cleaned_data)
        try:
            self.instance = create_routing_rule(livemode=values["provider_account"].livemode, **values)
        except Problem as problem:
            self.add_error(problem.field if problem.field in self.fields else None, ValidationError(problem.message))


@register(RoutingRule, site=console_site)
class RoutingRuleAdmin(ReadOnlyAdmin):
    """A rule is made and taken away, never changed: what was in force when stays in the audit trail."""

    form = RoutingRuleForm
    add_form_template = "admin/change_form.html"
    list_display = ("store_link", "mode", "method_shown", "amounts", "account_link", "position")
    list_display_links = ("store_link",)
    list_filter = (ModeFilter,)
    list_select_related = ("store", "provider_account")
    search_help_text = "Routing rule, store or provider account id"
    id_paths = {"rr": "pk", "sto": "store_id", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode"),
                    ("store_link", "account_link"),
                    ("method_shown", "amounts"),
                    ("position", "created_at"),
                )
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj is not None else [(None, {"fields": self.form.Meta.fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return super().get_readonly_fields(request, obj) if obj is not None else []

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("majuu_payments.add_routingrule"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return RoutingRuleForm

    def get_urls(self) -> list[URLPattern]:
        return [self.action_path("remove", require_POST(self.remove), fresh=True), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        if not is_fresh(request):
            return ask_for_second_factor(request)
        with acting_user(request):
            return super().add_view(request, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: RoutingRule, form: Any, change: bool) -> None:
        """The form's service has written it."""

    def page_actions(self, request: HttpRequest, row: RoutingRule) -> list[PageAction]:
        if not request.user.has_perm("majuu_payments.delete_routingrule"):
            return []
        address = reverse("console:majuu_payments_routingrule_remove", args=[row.public_id])
        text = "Payments that are under way keep their account."
        return [PageAction(label="Remove the rule", address=address, explanation=text, icon="delete", is_quiet=True)]

    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take the rule away."""
        if not request.user.has_perm("majuu_payments.delete_routingrule"):
            raise PermissionDenied
        row: RoutingRule | None = self.get_object(request, self.plain_id(object_id))
        if row is None:
            raise Http404
        with acting_user(request):
            delete_routing_rule(rule=row)
        messages.success(request, "The rule is gone.")
        return HttpResponseRedirect(reverse("console:majuu_payments_routingrule_changelist"))

    @display(description="ID")
    def number(self, row: RoutingRule) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Store")
    def store_link(self, row: RoutingRule) -> SafeString | str:
        return str(row.store)

    @display(description="Mode")
    def mode(self, row: RoutingRule) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Account")
    def account_link(self, row: RoutingRule) -> SafeString:
        return link(row.provider_account)

    @display(description="Method")
    def method_shown(self, row: RoutingRule) -> str:
        return row.payment_method or "any"

    @display(description="Amounts")
    def amounts(self, row: RoutingRule) -> str:
        low = f"from {row.min_amount.normalize():f}" if row.min_amount is not None else ""
        high = f"up to {row.max_amount.normalize():f}" if row.max_amount is not None else ""
        return " ".join(text for text in (row.currency or "any currency", low, high) if text)


class BreakerActions(AccountOperations):
    """What a provider account's page says of its circuit breaker."""

    def get_urls(self) -> list[URLPattern]:
        return [self.action_path("resume", require_POST(self.resume)), *super().get_urls()]

    def page_actions(self, request: HttpRequest, row: ProviderAccount) -> list[PageAction]:
        found = super().page_actions(request, row)
        if found and row.breaker != _CLOSED:
            address = reverse("console:majuu_merchants_provideraccount_resume", args=[row.public_id])
            text = "Ends the pause. If the provider still does not answer, it begins anew after a few calls."
            found.insert(0, PageAction(label="Call it again now", address=address, explanation=text, icon="play_arrow"))
        return found

    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End the pause."""
        account = self._account(request, object_id)
        with acting_user(request):
            close_breaker(account=account)
        messages.success(request, "It is called again.")
        return HttpResponseRedirect(address_of(account))

    @display(description="Calls")
    def calls_shown(self, row: ProviderAccount) -> SafeString:
        state = {"closed": "succeeded", "open": "failed", "half_open": "pending"}[row.breaker]
        return state_badge(state, {"closed": "as usual", "open": "paused", "half_open": "being tried"}[row.breaker])

    @display(description="Paused until")
    def paused_until(self, row: ProviderAccount) -> SafeString | str:
        return moment_cell(row.breaker_until) if row.breaker != _CLOSED and row.breaker_until else "–"

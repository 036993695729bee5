"""The page of a provider account as operators use it: health, last callback, balances, tests, what was said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Problem
from majuu_core.console.base import PageAction, ReadOnlyAdmin, Table
from majuu_core.console.cells import address_of, id_link, link, moment_cell, state_badge
from majuu_core.console.operations import balance_rows
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.account_checks import check_account
from majuu_core.payments.balances import latest_balances, request_balances, tells_balances
from majuu_core.payments.models import Alert, BalanceSnapshot, ProviderCall
from majuu_core.providers import SelfCheck
from majuu_core.webhooks.models import InboundWebhook
from majuu_core.webhooks.self_test import SELF_TEST_TOPIC, run_self_test

MAY_TEST = "majuu_merchants.change_provideraccount"
_LATEST = 20
_LEVELS = {"ok": messages.SUCCESS, "warning": messages.WARNING, "error": messages.ERROR}


class AccountOperations(ReadOnlyAdmin):
    """Buttons and tables of a provider account's page."""

    def get_urls(self) -> list[URLPattern]:
        return [
            self.action_path("check", require_POST(self.check_now)),
            self.action_path("self_test", require_POST(self.self_test)),
            self.action_path("balances", require_POST(self.ask_balances)),
            *super().get_urls(),
        ]

    def page_actions(self, request: HttpRequest, row: ProviderAccount) -> list[PageAction]:
        if not request.user.has_perm(MAY_TEST):
            return []
        found = [
            _action(
                row, "check", "Check the account", "Asks the provider and looks at everything in between.", "fact_check"
            ),
            _action(
                row,
                "self_test",
                "Test callbacks",
                "Posts to our own public address and sees whether it arrives.",
                "network_check",
            ),
        ]
        if tells_balances(row.provider):
            text = "Asks what stands on the accounts behind it; some providers answer a little later."
            found.append(_action(row, "balances", "Ask for balances", text, "account_balance"))
        return found

    def check_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Check the account now; every answer becomes a message."""
        account = self._account(request, object_id)
        with acting_user(request):
            return self._tell(request, account, check_account(account))

    def self_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Test whether callbacks arrive."""
        account = self._account(request, object_id)
        with acting_user(request):
            return self._tell(request, account, run_self_test(account))

    def ask_balances(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for balances; the page shows them when they are told."""
        account = self._account(request, object_id)
        try:
            with acting_user(request):
                snapshot = request_balances(account=account)
        except Problem as problem:
            return self._tell(request, account, [SelfCheck(name="Balances", state="error", message=str(problem))])
        told = {
            BalanceSnapshot.Status.REPORTED.value: ("ok", "The provider told them."),
            BalanceSnapshot.Status.REQUESTED.value: ("ok", "The provider was asked; it answers in a moment."),
        }
        state, text = told.get(snapshot.status, ("error", snapshot.message))
        return self._tell(request, account, [SelfCheck(name="Balances", state=state, message=text)])

    def related_tables(self, request: HttpRequest, row: ProviderAccount) -> list[Table]:
        wanted = (
            ("majuu_payments.view_alert", _alerts),
            ("majuu_payments.view_balancesnapshot", _balances),
            ("majuu_payments.view_providercall", _calls),
            ("majuu_webhooks.view_inboundwebhook", _callbacks),
        )
        return [table(row) for permission, table in wanted if request.user.has_perm(permission)]

    @display(description="Last callback")
    def last_callback(self, row: ProviderAccount) -> SafeString | str:
        last = InboundWebhook.objects.filter(provider_account=row).exclude(topic=SELF_TEST_TOPIC).order_by("-pk")
        at = last.values_list("received_at", flat=True).first()
        return moment_cell(at) if at is not None else "never"

    @display(description="Last callback test that arrived")
    def last_self_test(self, row: ProviderAccount) -> SafeString | str:
        good = InboundWebhook.objects.filter(
            provider_account=row, topic=SELF_TEST_TOPIC, state=InboundWebhook.State.APPLIED
        )
        at = good.order_by("-pk").values_list("received_at", flat=True).first()
        return moment_cell(at) if at is not None else "never"

    def _account(self, request: HttpRequest, object_id: str) -> ProviderAccount:
        if not request.user.has_perm(MAY_TEST):
            raise PermissionDenied
        # With its credentials, which the pages leave out.
        key = self.plain_id(object_id)
        shown = self.get_object(request, key)
        if shown is None:
            raise Http404
        return ProviderAccount.objects.select_related("store").get(pk=shown.pk)

    def _tell(self, request: HttpRequest, account: ProviderAccount, checks: Iterable[SelfCheck]) -> HttpResponse:
        for check in checks:
            messages.add_message(request, _LEVELS[check.state], f"{check.name}: {check.message}")
        return HttpResponseRedirect(address_of(account))


def _action(row: ProviderAccount, name: str, label: str, explanation: str, icon: str) -> PageAction:
    address = reverse(f"console:majuu_merchants_provideraccount_{name}", args=[row.public_id])
    return PageAction(label=label, address=address, explanation=explanation, icon=icon)


def _alerts(row: ProviderAccount) -> Table:
    alerts = Alert.objects.filter(provider_account=row).order_by("-pk")[:_LATEST]
    cells = [(link(alert), alert_state(alert), alert.raised_at, alert.cleared_at) for alert in alerts]
    return Table(title="Alerts", headers=("Alert", "State", "Since", "Over"), rows=cells)


def alert_state(alert: Alert) -> SafeString:
    """Open or over."""
    return state_badge("parked", "open") if alert.is_open else state_badge("applied", "over")


def _balances(row: ProviderAccount) -> Table:
    snapshot = latest_balances([row]).get(row.pk)
    note = ""
    last = BalanceSnapshot.objects.filter(provider_account=row).order_by("-pk").first()
    if last is not None and last.status == BalanceSnapshot.Status.FAILED:
        note = f"The last question was not answered: {last.message}"
    return Table(
        title="Balances",
        headers=("Account", "Current", "Available", "Reserved", "Uncleared", "Reported"),
        rows=balance_rows(snapshot) if snapshot is not None else [],
        note=note,
    )


def _calls(row: ProviderAccount) -> Table:
    calls = ProviderCall.objects.filter(provider_account=row).defer("request_body", "response_body", "request_headers")
    cells: list[tuple[Any, ...]] = [
        (
            moment_cell(call.started_at),
            link(call, call.operation or call.method),
            f"HTTP {call.status}" if call.status else call.error or "no answer",
            f"{call.duration_ms} ms",
            id_link(call.charge, short=True) if call.charge_id else call.about,
        )
        for call in calls.select_related("charge").order_by("-pk")[:_LATEST]
    ]
    return Table(title="Latest calls to the provider", headers=("At", "Asked", "Answer", "Took", "About"), rows=cells)


def _callbacks(row: ProviderAccount) -> Table:
    rows = InboundWebhook.objects.filter(provider_account=row).defer("body", "headers", "query")
    cells = [
        (
            moment_cell(item.received_at),
            link(item, item.topic or "webhook"),
            state_badge(item.state, item.get_state_display()),
            format_html('<span class="mj-sentence">{}</span>', item.reason) if item.reason else "–",
        )
        for item in rows.order_by("-pk")[:_LATEST]
    ]
    return Table(title="Latest callbacks", headers=("At", "What", "State", "Reason"), rows=cells)

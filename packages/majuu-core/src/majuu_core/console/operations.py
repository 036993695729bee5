"""Cards of the console's first page about operations: open alerts, and what stands on the accounts at providers."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from moneyed import Money

from majuu_core.common.money import currency_of
from majuu_core.console.cells import link, mode_badge, moment_cell, money_cell
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.alerts import open_alerts
from majuu_core.payments.balances import latest_balances
from majuu_core.payments.models import BalanceLine, BalanceSnapshot
from majuu_core.plugins.contributions import Panel

_MOST_ALERTS = 20
_MOST_ACCOUNTS = 20
_TEMPLATE = "majuu_console/table.html"


def operations_panels(request: HttpRequest) -> list[Panel]:
    """What this user may see of both; a card that would be empty is left out."""
    found = []
    if request.user.has_perm("majuu_payments.view_alert") and (rows := _alert_rows()):
        context = {"headers": ("Alert", "Mode", "Since", "What to do"), "rows": rows}
        found.append(Panel(title="Alerts", template=_TEMPLATE, context=context, order=1))
    if request.user.has_perm("majuu_payments.view_balancesnapshot") and (balances := _account_rows()):
        context = {"headers": ("Provider account", "Account", "Current", "Available", "Reported"), "rows": balances}
        found.append(Panel(title="Balances", template=_TEMPLATE, context=context, order=2))
    return found


def balance_rows(snapshot: BalanceSnapshot) -> list[tuple[object, ...]]:
    """The lines of a snapshot as cells: name, current, available, reserved, uncleared, reported."""
    return [
        (
            line.name,
            _cell(line, "current"),
            _cell(line, "available"),
            _cell(line, "reserved"),
            _cell(line, "uncleared"),
            moment_cell(snapshot.reported_at),
        )
        for line in sorted(snapshot.lines.all(), key=lambda line: line.pk)
    ]


def _alert_rows() -> Sequence[Sequence[object]]:
    return [
        (
            format_html('<span class="mj-sentence">{}</span>', link(alert)),
            mode_badge(alert.livemode),
            moment_cell(alert.raised_at),
            format_html('<span class="mj-sentence">{}</span>', alert.detail),
        )
        for alert in open_alerts()[:_MOST_ALERTS]
    ]


def _account_rows() -> list[tuple[object, ...]]:
    """The platform's and live accounts first: theirs is the money that matters."""
    told = ProviderAccount.objects.filter(is_active=True, balance_snapshots__status=BalanceSnapshot.Status.REPORTED)
    accounts = list(told.distinct().defer("credentials").order_by("-livemode", "pk")[:_MOST_ACCOUNTS])
    latest = latest_balances(accounts) if accounts else {}
    return [
        (format_html("{} {}", link(account, account.name), mode_badge(account.livemode)), *row[:3], row[5])
        for account in accounts
        if account.pk in latest
        for row in balance_rows(latest[account.pk])
    ]


def _cell(line: BalanceLine, name: str) -> SafeString | str:
    value = getattr(line, name)
    return money_cell(Money(value, currency_of(line.currency))) if value is not None else "–"

"""The console's menu: what core shows, then what plugins add. Nobody sees an entry they may not open."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from majuu_core.plugins.contributions import MenuItem
from majuu_core.plugins.manager import registries

# (title, model as app.model, icon) by group: what waits for somebody first, what only records last
CORE_MENU: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Needs a person",
        (
            ("Alerts", "majuu_payments.alert", "notifications"),
            ("Business reviews", "majuu_merchants.kyccase", "verified_user"),
            ("Incoming payments", "majuu_payments.incomingpayment", "move_to_inbox"),
            ("Claims", "majuu_payments.claim", "approval"),
            ("Disputes", "majuu_payments.dispute", "gavel"),
            ("Money seen", "majuu_payments.sighting", "visibility"),
            ("Payouts", "majuu_payments.payout", "payments"),
            ("Payout batches", "majuu_payments.payoutbatch", "playlist_add_check"),
            ("Differences", "majuu_reports.mismatch", "rule"),
        ),
    ),
    (
        "Payments",
        (
            ("Payment intents", "majuu_payments.paymentintent", "shopping_cart"),
            ("Charges", "majuu_payments.charge", "credit_score"),
            ("Refunds", "majuu_payments.refund", "undo"),
            ("Customers", "majuu_payments.customer", "group"),
        ),
    ),
    ("Wallets", (("Wallets", "majuu_wallets.wallet", "wallet"),)),
    (
        "Reconciliation",
        (
            ("Closes", "majuu_reports.close", "event_available"),
            ("Statements", "majuu_reports.settlement", "description"),
            ("Bank payouts", "majuu_reports.bankpayout", "account_balance"),
        ),
    ),
    (
        "Merchants",
        (
            ("Merchants", "majuu_merchants.merchant", "business_center"),
            ("Stores", "majuu_merchants.store", "storefront"),
            ("Provider accounts", "majuu_merchants.provideraccount", "account_balance_wallet"),
            ("Routing rules", "majuu_payments.routingrule", "alt_route"),
            ("Balances", "majuu_payments.balancesnapshot", "savings"),
            ("API keys", "majuu_merchants.apikey", "key"),
        ),
    ),
    (
        "Ledger",
        (
            ("Accounts", "majuu_ledger.ledgeraccount", "account_balance"),
            ("Transactions", "majuu_ledger.ledgertransaction", "receipt_long"),
            ("Transfers", "majuu_ledger.ledgertransfer", "sync_alt"),
        ),
    ),
    (
        "Events and webhooks",
        (
            ("Events", "majuu_events.event", "bolt"),
            ("Deliveries", "majuu_webhooks.webhookdelivery", "send"),
            ("Endpoints", "majuu_webhooks.webhookendpoint", "webhook"),
            ("Inbound webhooks", "majuu_webhooks.inboundwebhook", "call_received"),
            ("Provider calls", "majuu_payments.providercall", "swap_horiz"),
        ),
    ),
    ("System", (("Audit trail", "majuu_audit.auditentry", "policy"),)),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu of this user."""
    home = {"title": "Home", "icon": "home", "link": reverse("console:index")}
    groups: dict[str, list[dict[str, Any]]] = {"": [home]}
    for group, entries in CORE_MENU:
        groups[group] = [_entry(title, model, icon) for title, model, icon in entries if _may_see(request, model)]
    if request.user.has_perm("majuu_wallets.view_wallet"):
        groups["Wallets"].append({"title": "Safeguarding", "icon": "shield", "link": reverse("console:safeguarding")})
    if request.user.has_perm("majuu_payments.view_refund"):
        by_hand = {"title": "Refunds by hand", "icon": "outbound", "link": reverse("console:refunds_by_hand")}
        groups["Needs a person"].append(by_hand)
    if request.user.has_perm("majuu_privacy.find_person"):
        groups["System"].append({"title": "People", "icon": "person_search", "link": reverse("console:people")})
    groups["System"].append({"title": "Plugins", "icon": "extension", "link": reverse("console:plugins")})
    for item in sorted(registries().console_menu_items, key=lambda item: item.order):
        if _is_allowed(request, item) and (link := _address(item.url_name)):
            groups.setdefault(item.group or "Plugins", []).append(
                {"title": item.title, "icon": item.icon, "link": link}
            )
    return [{"title": title or None, "items": items} for title, items in groups.items() if items]


def stylesheet(request: HttpRequest) -> str:
    """Our additions to Unfold's style."""
    return static("majuu_console/console.css")


def theme(request: HttpRequest) -> str:
    """Unfold's colours."""
    return reverse("console:theme")


def script(request: HttpRequest) -> str:
    """Our settings of the libraries Unfold brings."""
    return static("majuu_console/console.js")


def favicon(request: HttpRequest) -> str:
    """The tab's picture."""
    return static("majuu_console/icon.svg")


def _entry(title: str, model: str, icon: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"console:{model.replace('.', '_')}_changelist")}


def _may_see(request: HttpRequest, model: str) -> bool:
    app, name = model.split(".")
    return request.user.has_perm(f"{app}.view_{name}")


def _is_allowed(request: HttpRequest, item: MenuItem) -> bool:
    return not item.permission or request.user.has_perm(item.permission)


def _address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""

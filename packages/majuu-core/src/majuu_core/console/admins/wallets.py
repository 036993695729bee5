"""Customers' wallets: what stands on them, what moved, and the brake."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import display, register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Problem
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin, Table, moment, short_number
from majuu_core.console.cells import (
    BAD,
    GOOD,
    PLAIN,
    address_of,
    badge,
    code_cell,
    id_link,
    link,
    mode_badge,
    money_cell,
    state_badge,
)
from majuu_core.console.site import console_site
from majuu_core.ledger.models import LedgerAccount
from majuu_core.ledger.selectors import Balance, balance, balances
from majuu_core.wallets.models import Wallet, WalletDeposit, WalletWithdrawal
from majuu_core.wallets.services import freeze_wallet, unfreeze_wallet
from majuu_core.wallets.statements import list_movements

_LATEST = 50
_CHANGE = "majuu_wallets.change_wallet"
_TONES = {Wallet.Status.ACTIVE: GOOD, Wallet.Status.FROZEN: BAD, Wallet.Status.CLOSED: PLAIN}


@register(Wallet, site=console_site)
class WalletAdmin(ReadOnlyAdmin):
    """A customer's balance at one store."""

    list_display = (
        short_number,
        "mode",
        "customer",
        "store_link",
        "state",
        "posted",
        "available",
        moment("created_at", "Opened"),
    )
    list_display_links = (short_number,)
    list_filter = (ModeFilter, "status")
    list_select_related = ("store",)
    search_help_text = "Wallet or store id, or the shop's number of the customer"
    id_paths = {"wal": "pk", "sto": "store_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state"),
                    ("posted", "available", "account_link"),
                    ("customer_reference", "customer_name", "customer_phone"),
                    ("store_link", "status_reason"),
                    ("created_at", "updated_at"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store")

    def get_urls(self) -> list[URLPattern]:
        return [
            self.action_path("freeze", require_POST(self.freeze)),
            self.action_path("unfreeze", require_POST(self.unfreeze), fresh=True),
            *super().get_urls(),
        ]

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        yield Wallet.objects.filter(customer_reference=term).order_by().values_list("pk", flat=True)

    def prepare_rows(self, rows: list[Any]) -> None:
        found = balances(row.account for row in rows)
        for row in rows:
            row.majuu_balance = found[row.account]

    def related_tables(self, request: HttpRequest, row: Wallet) -> list[Table]:
        tables = []
        if request.user.has_perm("majuu_ledger.view_ledgertransfer"):
            tables.append(_movement_table(row))
        if request.user.has_perm("majuu_payments.view_paymentintent"):
            tables.append(_deposit_table(row))
        if request.user.has_perm("majuu_payments.view_payout"):
            tables.append(_withdrawal_table(row))
        return tables

    def page_actions(self, request: HttpRequest, row: Wallet) -> list[PageAction]:
        if not request.user.has_perm(_CHANGE) or row.status == Wallet.Status.CLOSED:
            return []
        if row.status == Wallet.Status.FROZEN:
            text = "The customer can pay and withdraw again."
            return [PageAction(label="Release", address=_address(row, "unfreeze"), explanation=text, icon="lock_open")]
        text = "Nothing can be paid or withdrawn from it. Deposits still arrive, and what was sent already goes on."
        return [PageAction(label="Freeze", address=_address(row, "freeze"), explanation=text, icon="lock")]

    def freeze(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let no money out of the wallet."""
        reason = "Frozen by staff, in the console."
        return self._act(request, object_id, lambda row: freeze_wallet(wallet=row, reason=reason), "Frozen.")

    def unfreeze(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let money out again."""
        return self._act(request, object_id, lambda row: unfreeze_wallet(wallet=row), "Released.")

    def _act(self, request: HttpRequest, object_id: str, change: Callable[[Wallet], Wallet], done: str) -> HttpResponse:
        if not request.user.has_perm(_CHANGE):
            raise PermissionDenied
        wallet = self.get_object(request, self.plain_id(object_id))
        if wallet is None:
            raise Http404
        try:
            with acting_user(request):
                change(wallet)
        except Problem as problem:
            messages.error(request, problem.message)
        else:
            messages.success(request, done)
        return HttpResponseRedirect(address_of(wallet))

    @display(description="ID")
    def number(self, row: Wallet) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: Wallet) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Customer")
    def customer(self, row: Wallet) -> str:
        return str(row)

    @display(description="Store")
    def store_link(self, row: Wallet) -> SafeString:
        return link(row.store)

    @display(description="Status")
    def state(self, row: Wallet) -> SafeString:
        return badge(row.get_status_display(), _TONES[Wallet.Status(row.status)])

    @display(description="Balance")
    def posted(self, row: Wallet) -> SafeString:
        return money_cell(_balance(row).posted)

    @display(description="Available")
    def available(self, row: Wallet) -> SafeString:
        return money_cell(_balance(row).available)

    @display(description="Ledger account")
    def account_link(self, row: Wallet) -> SafeString:
        return id_link(LedgerAccount.objects.filter(pk=row.account.id).first(), short=True)


def _balance(row: Wallet) -> Balance:
    found: Balance | None = getattr(row, "majuu_balance", None)
    if found is None:
        found = balance(row.account)
        row.majuu_balance = found  # type: ignore[attr-defined]
    return found


def _address(row: Wallet, action: str) -> str:
    return reverse(f"console:majuu_wallets_wallet_{action}", args=[row.public_id])


def _movement_table(wallet: Wallet) -> Table:
    found, _ = list_movements(wallet, limit=_LATEST)
    rows = [
        (item.at, item.type, code_cell(item.reference), money_cell(item.amount), money_cell(item.balance))
        for item in found
    ]
    headers = ("Time", "What", "Caused by", "Amount", "Balance after it")
    return Table(title="Latest movements", headers=headers, rows=rows)


def _deposit_table(wallet: Wallet) -> Table:
    latest = WalletDeposit.objects.filter(wallet=wallet).select_related("payment_intent", "wallet").order_by("-pk")
    rows = [
        (
            item.created_at,
            id_link(item.payment_intent),
            money_cell(item.payment_intent.amount),
            money_cell(item.total_credited),
            state_badge(item.payment_intent.status, item.payment_intent.get_status_display()),
        )
        for item in latest[:_LATEST]
    ]
    headers = ("Begun", "Payment intent", "Asked for", "Credited", "Status")
    return Table(title="Latest deposits", headers=headers, rows=rows)


def _withdrawal_table(wallet: Wallet) -> Table:
    latest = WalletWithdrawal.objects.filter(wallet=wallet).select_related("payout").order_by("-pk")
    rows = [
        (
            item.created_at,
            id_link(item.payout),
            money_cell(item.payout.amount),
            state_badge(item.payout.status, item.payout.get_status_display()),
        )
        for item in latest[:_LATEST]
    ]
    headers = ("Begun", "Payout", "Amount", "Status")
    return Table(title="Latest withdrawals", headers=headers, rows=rows)

"""The books: accounts with their balances, transactions and transfers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display, register
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from moneyed import Money

from majuu_core.common.money import currency_of
from majuu_core.console.base import ModeFilter, ReadOnlyAdmin, Table, moment, short_number
from majuu_core.console.cells import code_cell, id_link, link, mode_badge, money_cell, state_badge
from majuu_core.console.site import console_site
from majuu_core.ledger.chart import CHART, AccountKind, AccountRef
from majuu_core.ledger.models import LedgerAccount, LedgerTransaction, LedgerTransfer
from majuu_core.ledger.selectors import Balance, balances

_LATEST = 50


@register(LedgerAccount, site=console_site)
class LedgerAccountAdmin(ReadOnlyAdmin):
    """An account: what is on it now, what is held, and what moved last."""

    list_display = ("name", "mode", "owner_shown", "category", "posted", "available", "incoming")
    list_display_links = ("name",)
    list_filter = (ModeFilter, "category")
    search_help_text = "Account id, or the public id of its owner"
    id_paths = {"la": "pk"}
    ordering = ("kind", "owner", "currency", "livemode")  # as the unique index has them
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "mode", "number"),
                    ("owner_shown", "category", "currency"),
                    "meaning",
                    ("posted", "available", "incoming"),
                    "created_at",
                )
            },
        ),
    )

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        yield LedgerAccount.objects.filter(owner=term).order_by().values_list("pk", flat=True)

    def prepare_rows(self, rows: list[Any]) -> None:
        refs = {row.pk: account_ref(row) for row in rows}
        found = balances(refs.values())
        for row in rows:
            row.majuu_balance = found[refs[row.pk]]

    def related_tables(self, request: HttpRequest, row: LedgerAccount) -> list[Table]:
        if not request.user.has_perm("majuu_ledger.view_ledgertransfer"):
            return []
        rows = LedgerTransfer.objects.select_related("transaction", "debit_account", "credit_account")
        # Each side has its own index by time; the newest of both together are the newest of all.
        sides = [
            rows.filter(**{side: row}).order_by("-created_at", "-pk")[:_LATEST]
            for side in ("debit_account", "credit_account")
        ]
        latest = sorted((item for side in sides for item in side), key=lambda item: item.created_at, reverse=True)
        return [transfer_table("Latest transfers", latest[:_LATEST])]

    @display(description="Account")
    def name(self, row: LedgerAccount) -> str:
        return f"{row.kind.replace('_', ' ')} {row.currency}"

    @display(description="ID")
    def number(self, row: LedgerAccount) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: LedgerAccount) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Owner")
    def owner_shown(self, row: LedgerAccount) -> SafeString:
        return code_cell(row.owner)

    @display(description="Meaning")
    def meaning(self, row: LedgerAccount) -> str:
        return CHART[AccountKind(row.kind)].meaning

    @display(description="Balance")
    def posted(self, row: LedgerAccount) -> SafeString:
        return money_cell(_balance(row).posted)

    @display(description="Available")
    def available(self, row: LedgerAccount) -> SafeString:
        return money_cell(_balance(row).available)

    @display(description="On its way in")
    def incoming(self, row: LedgerAccount) -> SafeString:
        return money_cell(_balance(row).incoming)


@register(LedgerTransaction, site=console_site)
class LedgerTransactionAdmin(ReadOnlyAdmin):
    """Transfers that belong together, and what caused them."""

    list_display = (short_number, "mode", "kind", "reference_shown", "description", moment("created_at", "Created"))
    list_display_links = (short_number,)
    list_filter = (ModeFilter,)
    search_help_text = "Transaction id, its key, or the id of what caused it"
    id_paths = {"lt": "pk"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "kind"),
                    ("reference_shown", "key_shown"),
                    "description",
                    "reverses_link",
                    "created_at",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("reverses")

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        keys = LedgerTransaction.objects.order_by().values_list("pk", flat=True)
        yield keys.filter(reference=term)
        yield keys.filter(key=term)

    def related_tables(self, request: HttpRequest, row: LedgerTransaction) -> list[Table]:
        transfers = LedgerTransfer.objects.filter(transaction=row).order_by("created_at", "pk")
        return [
            transfer_table(
                "Transfers", transfers.select_related("transaction", "debit_account", "credit_account")[:_LATEST]
            )
        ]

    @display(description="ID")
    def number(self, row: LedgerTransaction) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: LedgerTransaction) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Caused by")
    def reference_shown(self, row: LedgerTransaction) -> SafeString:
        return code_cell(row.reference)

    @display(description="Key")
    def key_shown(self, row: LedgerTransaction) -> SafeString:
        return code_cell(row.key)

    @display(description="Reverses")
    def reverses_link(self, row: LedgerTransaction) -> SafeString:
        return id_link(row.reverses)


@register(LedgerTransfer, site=console_site)
class LedgerTransferAdmin(ReadOnlyAdmin):
    """One amount from a debit account to a credit account."""

    list_display = (
        "transaction_link",
        "mode",
        "phase_shown",
        "amount_shown",
        "debit_link",
        "credit_link",
        moment("created_at", "Created"),
    )
    list_display_links = ("amount_shown",)
    list_filter = (ModeFilter, "phase")
    list_select_related = ("transaction", "debit_account", "credit_account")
    search_help_text = "Transaction or account id"
    id_paths = {"lt": "transaction_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("transaction_link", "mode", "phase_shown"),
                    "amount_shown",
                    ("debit_link", "credit_link"),
                    "created_at",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("transaction", "debit_account", "credit_account")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            account = LedgerAccount.uuid_of(search_term.strip().lower())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q(debit_account=account) | Q(credit_account=account)), False

    @display(description="Transaction")
    def transaction_link(self, row: LedgerTransfer) -> SafeString:
        return link(row.transaction, row.transaction.kind.replace("_", " "))

    @display(description="Mode")
    def mode(self, row: LedgerTransfer) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Phase")
    def phase_shown(self, row: LedgerTransfer) -> SafeString:
        return state_badge(row.phase, row.get_phase_display())

    @display(description="Amount")
    def amount_shown(self, row: LedgerTransfer) -> SafeString:
        return money_cell(_amount(row))

    @display(description="Debit")
    def debit_link(self, row: LedgerTransfer) -> SafeString:
        return link(row.debit_account, row.debit_account.kind.replace("_", " "))

    @display(description="Credit")
    def credit_link(self, row: LedgerTransfer) -> SafeString:
        return link(row.credit_account, row.credit_account.kind.replace("_", " "))


def account_ref(row: LedgerAccount) -> AccountRef:
    """The name of an account, from its row."""
    return AccountRef(kind=AccountKind(row.kind), owner=row.owner, currency=row.currency, livemode=row.livemode)


def transfer_table(title: str, transfers: Iterable[LedgerTransfer]) -> Table:
    """Transfers below an account or a transaction."""
    rows = [
        (
            item.created_at,
            link(item.transaction, item.transaction.kind.replace("_", " ")),
            state_badge(item.phase, item.get_phase_display()),
            money_cell(_amount(item)),
            link(item.debit_account),
            link(item.credit_account),
        )
        for item in transfers
    ]
    return Table(title=title, headers=("Time", "Transaction", "Phase", "Amount", "Debit", "Credit"), rows=rows)


def _balance(row: LedgerAccount) -> Balance:
    found: Balance | None = getattr(row, "majuu_balance", None)
    if found is None:
        ref = account_ref(row)
        found = balances([ref])[ref]
        row.majuu_balance = found  # type: ignore[attr-defined]
    return found


def _amount(row: LedgerTransfer) -> Money:
    return Money(row.amount, currency_of(row.currency))

"""Payouts to the bank: how much, what they hold, and whether it adds up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from majuu_core.common.money import Money
from majuu_core.console.admins.reconciliation import MOST_SHOWN, TONES, ReconciliationAdmin, most_note
from majuu_core.console.base import ModeFilter, Table, moment
from majuu_core.console.cells import badge, code_cell, id_link, money_cell
from majuu_core.console.site import console_site
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.merchants.models import ProviderAccount
from majuu_core.reports.bank_payouts import Content, content_of, lines_of
from majuu_core.reports.models import BankPayout, Direction

_UNNAMED = "The provider named no lines of it: a payout that was asked for by hand takes what is there."
_DIFFERS = (
    "The lines that are known here do not add up to the payout. Lines from before the account was added here are "
    "missing; so are those of days that were not closed yet."
)


@register(BankPayout, site=console_site)
class BankPayoutAdmin(ReconciliationAdmin):
    """One payout to the bank, or its return, with the lines of the provider's list that it holds."""

    list_display = (
        *("reference_shown", "mode", "account_link", "way_shown", "amount_shown"),
        moment("occurred_at", "Time"),
    )
    list_display_links = ("reference_shown",)
    list_filter = (ModeFilter,)
    list_columns_deferred = ("raw",)
    search_help_text = "The provider's payout, or a provider account id"
    id_paths: ClassVar[dict[str, str]] = {"pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("reference_shown", "mode", "account_link"),
                    ("way_shown", "amount_shown", "occurred_at"),
                    ("lines_shown", "net_shown", "adds_up"),
                    ("booked_link", "line_shown", "description"),
                )
            },
        ),
    )

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        accounts = ProviderAccount.objects.order_by().values("pk")
        rows = BankPayout.objects.filter(provider_account__in=accounts, payout_reference=term)
        yield rows.order_by().values_list("pk", flat=True)

    def extra_page_context(self, request: HttpRequest, row: BankPayout) -> dict[str, Any]:
        content = _content(row)
        if row.direction == Direction.IN or content.adds_up_to(row.money):
            return {}
        return {"majuu_notice": _DIFFERS if content.count else _UNNAMED}

    def related_tables(self, request: HttpRequest, row: BankPayout) -> list[Table]:
        cells = [
            (
                line.occurred_at,
                line.get_kind_display(),
                code_cell(line.receipt),
                line.get_direction_display(),
                money_cell(line.money),
                money_cell(None if line.fee is None else Money(line.fee, line.currency)),
                badge(line.get_outcome_display(), TONES.get(line.outcome, "plain")),
            )
            for line in lines_of(row).order_by("occurred_at", "pk")[:MOST_SHOWN]
        ]
        headers = ("Time", "Kind", "Receipt", "Direction", "Amount", "Fee", "Outcome")
        return [Table(title="Lines", headers=headers, rows=cells, note=most_note(len(cells)))]

    @display(description="Payout")
    def reference_shown(self, row: BankPayout) -> SafeString:
        return code_cell(row.payout_reference)

    @display(description="Way")
    def way_shown(self, row: BankPayout) -> SafeString:
        came_back = row.direction == Direction.IN
        return badge("came back", "bad") if came_back else badge("to the bank", "good")

    @display(description="Amount")
    def amount_shown(self, row: BankPayout) -> SafeString:
        return money_cell(row.money)

    @display(description="Lines")
    def lines_shown(self, row: BankPayout) -> str:
        return f"{_content(row).count:,}"

    @display(description="Worth after fees")
    def net_shown(self, row: BankPayout) -> SafeString:
        return money_cell(_content(row).net)

    @display(description="Adds up")
    def adds_up(self, row: BankPayout) -> SafeString:
        content = _content(row)
        if row.direction == Direction.IN or not content.count:
            return badge("not told", "plain")
        return badge("yes", "good") if content.adds_up_to(row.money) else badge("no", "bad")

    @display(description="Booked as")
    def booked_link(self, row: BankPayout) -> SafeString:
        if not row.line_id:
            return id_link(None)
        return id_link(LedgerTransaction.objects.filter(reference=row.line_id, livemode=row.livemode).first())

    @display(description="The provider's line")
    def line_shown(self, row: BankPayout) -> SafeString:
        return code_cell(row.line_id or "–")


def _content(row: BankPayout) -> Content:
    found: Content | None = getattr(row, "majuu_content", None)
    if found is None:
        found = content_of(row)
        row.majuu_content = found  # type: ignore[attr-defined]
    return found

"""What the pages of reconciliation have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from majuu_core.common.money import Money
from majuu_core.console.base import ReadOnlyAdmin, Table
from majuu_core.console.cells import badge, code_cell, link, mode_badge, money_cell
from majuu_core.reports.models import Mismatch

UPLOAD = "majuu_reports.add_settlement"
CLOSE = "majuu_reports.change_close"
SETTLE = "majuu_reports.change_mismatch"
MOST_SHOWN = 100
TONES = {
    "staged": "warn",
    "imported": "good",
    "refused": "bad",
    "discarded": "plain",
    "waiting": "info",
    "running": "warn",
    "done": "good",
    "open": "bad",
    "assigned": "warn",
    "resolved": "good",
    "matched": "good",
    "missing_here": "bad",
    "missing_there": "bad",
    "amount_differs": "warn",
    "duplicate": "warn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One thing to enter on a detail page; with choices it is a list to choose from."""

    name: str
    label: str
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageForm:
    """A small form on a detail page, sent by POST to ``address``."""

    label: str
    address: str
    icon: str = "check"
    explanation: str = ""
    fields: tuple[FormField, ...] = field(default_factory=tuple)


class ReconciliationAdmin(ReadOnlyAdmin):
    """What the three pages have in common."""

    change_form_template = "majuu_console/settled.html"
    change_list_template = "majuu_console/list_with_links.html"
    list_select_related: ClassVar[Sequence[str]] = ("provider_account",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("provider_account")

    def list_links(self, request: HttpRequest) -> list[dict[str, str]]:
        """Links above the list."""
        return []

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), "majuu_links": self.list_links(request)}
        answer: HttpResponse = super().changelist_view(request, context)
        return answer

    def action_address(self, name: str, row: Any) -> str:
        """Where a button of this row's page leads."""
        options = self.model._meta
        return reverse(f"console:{options.app_label}_{options.model_name}_{name}", args=[row.public_id])

    @display(description="ID")
    def number(self, row: Any) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: Any) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Provider account")
    def account_link(self, row: Any) -> SafeString:
        return link(row.provider_account)

    @display(description="State")
    def state_shown(self, row: Any) -> SafeString:
        return badge(row.get_state_display(), TONES.get(row.state, "bad"))


def most_note(count: int) -> str:
    """What a table says when it may not show everything."""
    return f"The first {MOST_SHOWN} are shown." if count >= MOST_SHOWN else ""


def mismatch_table(rows: Any) -> Table:
    """Differences of a close."""
    headers = ("Difference", "State", "Receipt", "Here", "There", "Detail", "Assignee")
    cells = [
        (
            link(row, row.get_kind_display()),
            badge(row.get_state_display(), TONES[row.state]),
            code_cell(row.receipt or row.object_id),
            amount_cell(row.here, row),
            amount_cell(row.there, row),
            row.detail,
            row.assignee or "–",
        )
        for row in rows
    ]
    return Table(title="Differences", headers=headers, rows=cells, note=most_note(len(cells)))


def amount_cell(amount: Any, row: Mismatch) -> SafeString:
    """An amount of a difference, in its currency."""
    return money_cell(None if amount is None else Money(amount, row.currency))

"""Reconciliation: statements with their preview, and closes with their progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.admin import display, register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Problem
from majuu_core.console.admins.reconciliation import (
    CLOSE,
    MOST_SHOWN,
    TONES,
    UPLOAD,
    ReconciliationAdmin,
    mismatch_table,
    most_note,
)
from majuu_core.console.base import ModeFilter, PageAction, Table, moment
from majuu_core.console.cells import address_of, badge, code_cell, money_cell
from majuu_core.console.people import person
from majuu_core.console.site import console_site
from majuu_core.merchants.models import ProviderAccount
from majuu_core.reports.models import Close, Settlement, SettlementLine
from majuu_core.reports.requests import request_close
from majuu_core.reports.shown import shown_totals
from majuu_core.reports.uploads import LARGEST_FILE, discard_settlement, first_lines, import_settlement, stage_statement


class UploadForm(forms.Form):
    """A statement and what it is of."""

    account = forms.ModelChoiceField(
        queryset=ProviderAccount.objects.none(), label="Provider account", empty_label="Choose an account"
    )
    file = forms.FileField(label="Statement", help_text="At most 100 MB.")
    first_day = forms.DateField(
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        label="First day",
        help_text="Both days may stay empty: then the statement is taken to cover the days of its lines.",
    )
    last_day = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}), label="Last day")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        accounts = ProviderAccount.objects.order_by("name")
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError("A statement has at most 100 MB. Split it by days.")
        return file


@register(Settlement, site=console_site)
class SettlementAdmin(ReconciliationAdmin):
    """One statement: before the import a preview of what it would change, afterwards what it changed."""

    list_display = ("title", "mode", "account_link", "state_shown", "lines_shown", moment("created_at", "Received"))
    list_display_links = ("title",)
    list_filter = (ModeFilter, "state", "source")
    list_columns_deferred = ("problems", "changes")
    search_help_text = "Statement or provider account id"
    id_paths = {"set": "pk", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state_shown"),
                    ("account_link", "source", "file_name"),
                    "message",
                    ("rows", "new_lines", "known_lines"),
                    ("changed_lines", "unreadable_rows", "left_out_rows"),
                )
            },
        ),
        (
            "Covers",
            {
                "fields": (
                    ("covers_from", "covers_until"),
                    ("created_at", "imported_at"),
                    (person("created_by", "Brought by"), "hash_shown"),
                )
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        upload = path("upload/", self.admin_site.admin_view(self.upload), name="majuu_reports_settlement_upload")
        actions = [self.action_path(name, require_POST(view)) for name, view in self._views()]
        return [upload, *actions, *super().get_urls()]

    def _views(self) -> tuple[tuple[str, Callable[..., HttpResponse]], ...]:
        return (("import", self.take_in), ("discard", self.discard))

    def list_links(self, request: HttpRequest) -> list[dict[str, str]]:
        if not request.user.has_perm(UPLOAD):
            return []
        address = reverse("console:majuu_reports_settlement_upload")
        return [{"address": address, "label": "Upload a statement", "icon": "upload_file"}]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Choose an account and a file; the statement's page then shows what it would change."""
        if not request.user.has_perm(UPLOAD):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                with acting_user(request):
                    made = _stage(form)
            except Problem as problem:
                form.add_error(problem.field if problem.field in form.fields else None, problem.message)
            else:
                return HttpResponseRedirect(address_of(made))
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "title": "Upload a statement", "form": form}
        return TemplateResponse(request, "majuu_console/upload_statement.html", context)

    def page_actions(self, request: HttpRequest, row: Settlement) -> list[PageAction]:
        if row.state != Settlement.State.STAGED or not request.user.has_perm(UPLOAD):
            return []
        what = f"{row.new_lines} new and {row.changed_lines} changed lines; {row.known_lines} are known already."
        return [
            PageAction(
                label="Import", address=self.action_address("import", row), explanation=what, icon="download_done"
            ),
            PageAction(
                label="Discard",
                address=self.action_address("discard", row),
                explanation="Removes the file. Nothing of it was imported.",
                icon="delete",
                is_quiet=True,
            ),
        ]

    def extra_page_context(self, request: HttpRequest, row: Settlement) -> dict[str, Any]:
        if row.state == Settlement.State.STAGED and row.unreadable_rows:
            return {
                "majuu_notice": "Some rows cannot be read. As long as they are in the file, nothing is called missing "
                "on the provider's side for its days: what seems missing may stand in those rows."
            }
        return {}

    def related_tables(self, request: HttpRequest, row: Settlement) -> list[Table]:
        tables = _first_rows(row) if row.state == Settlement.State.STAGED else []
        if row.problems:
            rows = [(item["row"], item["column"], item["message"], item["value"]) for item in row.problems]
            tables.append(
                Table(title="Unreadable rows", headers=("Row", "Column", "What is wrong", "Found"), rows=rows)
            )
        if row.changes:
            shown = [
                (item["row"], item["receipt"], item["column"], item["before"], item["after"]) for item in row.changes
            ]
            tables.append(Table(title="Changes", headers=("Row", "Receipt", "Column", "Before", "After"), rows=shown))
        if row.state == Settlement.State.IMPORTED:
            tables.append(_lines_table(SettlementLine.objects.filter(settlement=row)))
        return tables

    def take_in(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Import the staged file."""
        done = "Imported. The worker closes the days it is about."
        return self.act_on(request, object_id, UPLOAD, lambda row: import_settlement(settlement=row), done)

    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say no to the staged file."""
        return self.act_on(request, object_id, UPLOAD, lambda row: discard_settlement(settlement=row), "Discarded.")

    @display(description="Statement")
    def title(self, row: Settlement) -> str:
        return str(row)

    @display(description="Lines")
    def lines_shown(self, row: Settlement) -> SafeString:
        bad = format_html(" {}", badge(f"{row.unreadable_rows} unreadable", "bad")) if row.unreadable_rows else ""
        text = f"{row.new_lines} new, {row.changed_lines} changed, {row.known_lines} known"
        return format_html("{}{}", text, bad)

    @display(description="SHA-256")
    def hash_shown(self, row: Settlement) -> SafeString:
        return code_cell(row.content_hash)


def _stage(form: UploadForm) -> Settlement:
    data = form.cleaned_data
    return stage_statement(
        account=data["account"],
        chunks=data["file"].chunks(),
        name=data["file"].name,
        first_day=data["first_day"],
        last_day=data["last_day"],
    )


def _first_rows(row: Settlement) -> list[Table]:
    """The beginning of a staged file as it is understood."""
    cells = [
        (
            line.line_number,
            f"{line.occurred_at:%Y-%m-%d %H:%M}",  # as the statement counts its days
            line.direction,
            money_cell(line.amount),
            line.counterparty,
            line.reference or line.description,
            code_cell(line.receipt),
        )
        for line in first_lines(row)
    ]
    headers = ("Row", "Time", "Direction", "Amount", "Other party", "Text", "Receipt")
    return [Table(title="The first rows as they are understood", headers=headers, rows=cells)] if cells else []


def _lines_table(lines: QuerySet[SettlementLine]) -> Table:
    rows = [
        (
            line.line_number,
            code_cell(line.receipt),
            line.get_kind_display(),
            line.get_direction_display(),
            money_cell(line.money),
            line.occurred_at,
            line.counterparty,
            badge(line.get_outcome_display(), TONES.get(line.outcome, "plain")),
        )
        for line in lines.order_by("pk")[:MOST_SHOWN]
    ]
    headers = ("Row", "Receipt", "Kind", "Direction", "Amount", "Time", "Other party", "Outcome")
    return Table(title="Lines", headers=headers, rows=rows, note=most_note(len(rows)))


@register(Close, site=console_site)
class CloseAdmin(ReconciliationAdmin):
    """One day of one account: the totals side by side, how lines ended, and what is open."""

    list_display = (
        "day",
        "mode",
        "account_link",
        "state_shown",
        "statement_shown",
        "ended",
        moment("finished_at", "Closed"),
    )
    list_display_links = ("day",)
    list_filter = (ModeFilter, "state")
    list_columns_deferred = ("totals",)
    search_help_text = "Close or provider account id"
    id_paths = {"cls": "pk", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state_shown"),
                    ("day", "time_zone", "account_link"),
                    ("statement_shown", "ended"),
                    "message",
                    ("started_at", "finished_at", "runs"),
                )
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        return [self.action_path("again", require_POST(self.again)), *super().get_urls()]

    def page_actions(self, request: HttpRequest, row: Close) -> list[PageAction]:
        if row.state in (Close.State.RUNNING, Close.State.WAITING) or not request.user.has_perm(CLOSE):
            return []
        text = "The worker compares the day anew. What people resolved stays resolved."
        return [
            PageAction(label="Close again", address=self.action_address("again", row), explanation=text, icon="sync")
        ]

    def again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the worker close the day again."""
        return self.act_on(
            request, object_id, CLOSE, lambda row: request_close(close=row), "The worker will close it soon."
        )

    def extra_page_context(self, request: HttpRequest, row: Close) -> dict[str, Any]:
        context: dict[str, Any] = {}
        if row.state in (Close.State.RUNNING, Close.State.WAITING):
            text = f"{row.done:,} of {row.expected:,} compared" if row.expected else "Waiting for the worker."
            context |= {"majuu_progress": {"percent": row.percent, "text": text}, "majuu_refresh": 5}
        if row.state == Close.State.DONE and not row.has_statement:
            context["majuu_notice"] = (
                "There is no whole statement of this day, so nothing was called missing on the provider's side. Upload "
                "one, and the day is closed again."
            )
        return context

    def related_tables(self, request: HttpRequest, row: Close) -> list[Table]:
        tables = [
            Table(title=f"Totals in {currency}", headers=headers, rows=rows, note=note)
            for currency, headers, rows, note in shown_totals(row)
        ]
        if request.user.has_perm("majuu_reports.view_mismatch"):
            found = row.mismatches.select_related("assignee").order_by("-pk")[:MOST_SHOWN]
            tables.append(mismatch_table(found))
        return tables

    @display(description="Statement")
    def statement_shown(self, row: Close) -> SafeString:
        return badge("whole", "good") if row.has_statement else badge("not whole", "warn")

    @display(description="Ended")
    def ended(self, row: Close) -> str:
        return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in row.outcomes.items() if count) or "–"

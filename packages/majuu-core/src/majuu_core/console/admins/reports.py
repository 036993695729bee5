"""Reconciliation: statements with their preview, closes with their progress, and the differences people settle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import SimpleListFilter, display, register
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from majuu_core.common.money import Money
from majuu_core.common.problems import Problem
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin, Table, moment
from majuu_core.console.cells import address_of, badge, code_cell, link, mode_badge, money_cell
from majuu_core.console.people import acting_user
from majuu_core.console.site import console_site
from majuu_core.merchants.models import ProviderAccount
from majuu_core.reports.exports import export_csv, export_xlsx
from majuu_core.reports.mismatches import assign_mismatch, reopen_mismatch, resolve_mismatch
from majuu_core.reports.models import Close, Mismatch, Settlement, SettlementLine
from majuu_core.reports.requests import request_close
from majuu_core.reports.shown import shown_totals
from majuu_core.reports.uploads import LARGEST_FILE, discard_settlement, import_settlement, stage_statement

UPLOAD = "majuu_reports.add_settlement"
CLOSE = "majuu_reports.change_close"
SETTLE = "majuu_reports.change_mismatch"
_SHOWN = 100
_TONES = {
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

    def act(
        self, request: HttpRequest, object_id: str, permission: str, action: Callable[[Any], Any], done: str
    ) -> HttpResponse:
        """Do something to a row for somebody who may, and show it again with what came of it."""
        if not request.user.has_perm(permission):
            raise PermissionDenied
        row = self.get_object(request, self.plain_id(object_id))
        if row is None:
            raise Http404
        try:
            with acting_user(request):
                action(row)
        except Problem as problem:
            messages.error(request, problem.message)
        else:
            messages.success(request, done)
        return HttpResponseRedirect(address_of(row))

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
        return badge(row.get_state_display(), _TONES.get(row.state, "bad"))


class UploadForm(forms.Form):
    """A statement and what it is of."""

    account = forms.ModelChoiceField(queryset=ProviderAccount.objects.none(), label="Provider account")
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
            {"fields": (("covers_from", "covers_until"), ("created_at", "imported_at"), ("created_by", "hash_shown"))},
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
        tables = []
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
        return self.act(request, object_id, UPLOAD, lambda row: import_settlement(settlement=row), done)

    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say no to the staged file."""
        return self.act(request, object_id, UPLOAD, lambda row: discard_settlement(settlement=row), "Discarded.")

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
            badge(line.get_outcome_display(), _TONES.get(line.outcome, "plain")),
        )
        for line in lines.order_by("pk")[:_SHOWN]
    ]
    headers = ("Row", "Receipt", "Kind", "Direction", "Amount", "Time", "Other party", "Outcome")
    return Table(title="Lines", headers=headers, rows=rows, note=f"At most {_SHOWN} are shown.")


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
        return self.act(
            request, object_id, CLOSE, lambda row: request_close(close=row), "The worker will close it soon."
        )

    def extra_page_context(self, request: HttpRequest, row: Close) -> dict[str, Any]:
        context: dict[str, Any] = {}
        if row.state in (Close.State.RUNNING, Close.State.WAITING):
            text = f"{row.done} of {row.expected} compared" if row.expected else "Waiting for the worker."
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
            found = row.mismatches.select_related("assignee").order_by("-pk")[:_SHOWN]
            tables.append(_mismatch_table(found))
        return tables

    @display(description="Statement")
    def statement_shown(self, row: Close) -> SafeString:
        return badge("whole", "good") if row.has_statement else badge("not whole", "warn")

    @display(description="Ended")
    def ended(self, row: Close) -> str:
        return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in row.outcomes.items() if count) or "–"


def _mismatch_table(rows: Any) -> Table:
    headers = ("Difference", "State", "Receipt", "Here", "There", "Detail", "Assignee")
    cells = [
        (
            link(row, row.get_kind_display()),
            badge(row.get_state_display(), _TONES[row.state]),
            code_cell(row.receipt or row.object_id),
            _amount(row.here, row),
            _amount(row.there, row),
            row.detail,
            row.assignee or "–",
        )
        for row in rows
    ]
    return Table(title="Differences", headers=headers, rows=cells, note=f"At most {_SHOWN} are shown.")


def _amount(amount: Any, row: Mismatch) -> SafeString:

    return money_cell(None if amount is None else Money(amount, row.currency))


class MineFilter(SimpleListFilter):
    """Differences of whoever looks."""

    title = "assignee"
    parameter_name = "mine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Mine"), ("0", "Nobody's")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "1":
                return queryset.filter(assignee=request.user)
            case "0":
                return queryset.filter(assignee=None)
        return queryset


@register(Mismatch, site=console_site)
class MismatchAdmin(ReconciliationAdmin):
    """One difference: whose it is, how old, and why it is settled."""

    list_display = (
        *(
            "kind_shown",
            "mode",
            "account_link",
            "receipt_shown",
            "here_shown",
            "there_shown",
            "state_shown",
            "age_shown",
        ),
        "assignee_shown",
    )
    list_display_links = ("kind_shown",)
    list_filter = (ModeFilter, "state", "kind", MineFilter)
    list_select_related = ("provider_account", "assignee")
    list_columns_deferred = ("detail", "resolution")
    search_help_text = "Difference, close or provider account id, or a receipt"
    id_paths = {"mis": "pk", "cls": "close_id", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state_shown"),
                    ("kind_shown", "direction", "receipt_shown"),
                    ("here_shown", "there_shown", "object_shown"),
                    "detail",
                    ("account_link", "close_link", "occurred_at"),
                )
            },
        ),
        (
            "Work",
            {"fields": (("assignee_shown", "age_shown", "opened_at"), ("resolved_by", "resolved_at"), "resolution")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("provider_account", "assignee", "close__provider_account")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        exports = [
            path(
                f"export.{form}", view(require_GET(self.export)), {"form": form}, name=f"majuu_reports_mismatch_{form}"
            )
            for form in ("csv", "xlsx")
        ]
        actions = [
            self.action_path("assign", require_POST(self.assign)),
            self.action_path("resolve", require_POST(self.resolve)),
            self.action_path("reopen", require_POST(self.reopen)),
        ]
        return [*exports, *actions, *super().get_urls()]

    def find_by_text(self, term: str) -> list[QuerySet[Any, Any]]:
        return [Mismatch.objects.filter(receipt__in={term, term.upper()}).order_by().values_list("pk", flat=True)]

    def list_links(self, request: HttpRequest) -> list[dict[str, str]]:
        return [
            {
                "address": f"{reverse(f'console:majuu_reports_mismatch_{form}')}?{request.GET.urlencode()}",
                "label": f"Export as {form.upper()}",
                "icon": "download",
            }
            for form in ("csv", "xlsx")
        ]

    def export(self, request: HttpRequest, form: str) -> StreamingHttpResponse:
        """The list as it is filtered, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        write, kind = (
            (export_csv, "text/csv; charset=utf-8")
            if form == "csv"
            else (export_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        )
        answer = StreamingHttpResponse(write(rows), content_type=kind)
        answer.headers["Content-Disposition"] = f'attachment; filename="differences.{form}"'
        return answer

    def page_actions(self, request: HttpRequest, row: Mismatch) -> list[PageAction]:
        if row.state != Mismatch.State.RESOLVED or not request.user.has_perm(SETTLE):
            return []
        address = self.action_address("reopen", row)
        return [
            PageAction(label="Open again", address=address, explanation="It is not settled after all.", icon="undo")
        ]

    def extra_page_context(self, request: HttpRequest, row: Mismatch) -> dict[str, Any]:
        if row.state == Mismatch.State.RESOLVED or not request.user.has_perm(SETTLE):
            return {}
        people = get_user_model().objects.filter(is_staff=True, is_active=True).order_by("pk")[:200]
        choices = (("", "Nobody"), *((str(user.pk), str(user)) for user in people))
        chosen = FormField(name="assignee", label="Assignee", value=str(row.assignee_id or ""), choices=choices)
        reason = FormField(name="reason", label="Why it is settled")
        return {
            "majuu_forms": [
                PageForm(label="Assign", address=self.action_address("assign", row), icon="person", fields=(chosen,)),
                PageForm(label="Resolve", address=self.action_address("resolve", row), fields=(reason,)),
            ]
        }

    def assign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make it somebody's."""
        text = request.POST.get("assignee", "")
        people = get_user_model().objects.filter(is_staff=True, is_active=True)
        chosen = people.filter(pk=text).first() if text.isdecimal() else None
        if text and chosen is None:
            raise Http404
        return self.act(
            request, object_id, SETTLE, lambda row: assign_mismatch(mismatch=row, assignee=chosen), "Assigned."
        )

    def resolve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Settle it with a reason."""
        reason = request.POST.get("reason", "")
        return self.act(
            request, object_id, SETTLE, lambda row: resolve_mismatch(mismatch=row, reason=reason), "Resolved."
        )

    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """It is not settled after all."""
        return self.act(request, object_id, SETTLE, lambda row: reopen_mismatch(mismatch=row), "Open again.")

    @display(description="Difference")
    def kind_shown(self, row: Mismatch) -> SafeString:
        return badge(row.get_kind_display(), _TONES[row.kind])

    @display(description="Receipt")
    def receipt_shown(self, row: Mismatch) -> SafeString:
        return code_cell(row.receipt)

    @display(description="Ours")
    def object_shown(self, row: Mismatch) -> SafeString:
        return code_cell(row.object_id)

    @display(description="Here")
    def here_shown(self, row: Mismatch) -> SafeString:
        return _amount(row.here, row)

    @display(description="There")
    def there_shown(self, row: Mismatch) -> SafeString:
        return _amount(row.there, row)

    @display(description="Close")
    def close_link(self, row: Mismatch) -> SafeString:
        return link(row.close)

    @display(description="Age")
    def age_shown(self, row: Mismatch) -> str:
        return f"{row.age.days} days" if row.age.days else f"{row.age.seconds // 3600} hours"

    @display(description="Assignee")
    def assignee_shown(self, row: Mismatch) -> str:
        return str(row.assignee or "–")

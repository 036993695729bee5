"""Differences: whose they are, how old, and why they are settled."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter, display, register
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from majuu_core.accounts.trail import acting_user
from majuu_core.audit.exports import record_export
from majuu_core.console.admins.reconciliation import (
    SETTLE,
    TONES,
    FormField,
    PageForm,
    ReconciliationAdmin,
    amount_cell,
)
from majuu_core.console.base import ModeFilter, PageAction
from majuu_core.console.cells import badge, code_cell, link
from majuu_core.console.people import person
from majuu_core.console.site import console_site
from majuu_core.reports.exports import export_csv, export_xlsx
from majuu_core.reports.intake import likely_receiver, may_be_taken_in, take_into_intake
from majuu_core.reports.mismatches import assign_mismatch, reopen_mismatch, resolve_mismatch
from majuu_core.reports.models import Mismatch

_ASSIGN = "Whoever it is finds it under “Mine” in the list."
_TAKE = "Books the money as if its notice had come. The next close of the day settles this difference."
_RESOLVE = "Closes the difference for good: later closes of the day leave it alone. It moves no money."
_MEANING = {
    "missing_here": "The provider's statement has this money; the books here do not.",
    "missing_there": "The books here have this money; the provider's statement does not.",
    "amount_differs": "Both sides have it, with different amounts.",
    "duplicate": "It is there more than once.",
}


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
            {
                "fields": (
                    ("assignee_shown", "age_shown", "opened_at"),
                    (person("resolved_by", "Resolved by"), "resolved_at"),
                    "resolution",
                )
            },
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
            self.action_path("take", require_POST(self.take)),
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
        with acting_user(request):
            record_export(report="differences", form=form, rows=rows.count(), filters=request.GET.dict())
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
        meaning = {"majuu_notice": _MEANING.get(row.kind, "")}
        if row.state == Mismatch.State.RESOLVED or not request.user.has_perm(SETTLE):
            return meaning
        people = get_user_model().objects.filter(is_staff=True, is_active=True).order_by("pk")[:200]
        choices = (("", "Nobody"), *((str(user.pk), str(user)) for user in people))
        chosen = FormField(name="assignee", label="Assignee", value=str(row.assignee_id or ""), choices=choices)
        reason = FormField(name="reason", label="Why it is settled")
        forms = [
            PageForm(
                label="Assign",
                address=self.action_address("assign", row),
                icon="person",
                explanation=_ASSIGN,
                fields=(chosen,),
            ),
            PageForm(
                label="Resolve", address=self.action_address("resolve", row), explanation=_RESOLVE, fields=(reason,)
            ),
        ]
        if may_be_taken_in(row):
            receiver = FormField(
                name="receiver", label="Shortcode it went to", value=likely_receiver(row.provider_account)
            )
            forms.append(
                PageForm(
                    label="Take into the intake",
                    address=self.action_address("take", row),
                    icon="move_to_inbox",
                    explanation=_TAKE,
                    fields=(receiver,),
                )
            )
        return {**meaning, "majuu_forms": forms}

    def assign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make it somebody's."""
        text = request.POST.get("assignee", "")
        people = get_user_model().objects.filter(is_staff=True, is_active=True)
        chosen = people.filter(pk=text).first() if text.isdecimal() else None
        if text and chosen is None:
            raise Http404
        return self.act_on(
            request, object_id, SETTLE, lambda row: assign_mismatch(mismatch=row, assignee=chosen), "Assigned."
        )

    def resolve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Settle it with a reason."""
        reason = request.POST.get("reason", "")
        return self.act_on(
            request, object_id, SETTLE, lambda row: resolve_mismatch(mismatch=row, reason=reason), "Resolved."
        )

    def take(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take the statement's money in, from where a store can claim it."""
        receiver = request.POST.get("receiver", "")
        done = "Taken in. The worker closes the day again, which settles the difference."
        return self.act_on(
            request, object_id, SETTLE, lambda row: take_into_intake(mismatch=row, receiver=receiver), done
        )

    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """It is not settled after all."""
        return self.act_on(request, object_id, SETTLE, lambda row: reopen_mismatch(mismatch=row), "Open again.")

    @display(description="Difference")
    def kind_shown(self, row: Mismatch) -> SafeString:
        return badge(row.get_kind_display(), TONES[row.kind])

    @display(description="Receipt")
    def receipt_shown(self, row: Mismatch) -> SafeString:
        return code_cell(row.receipt)

    @display(description="Ours")
    def object_shown(self, row: Mismatch) -> SafeString:
        return code_cell(row.object_id)

    @display(description="Here")
    def here_shown(self, row: Mismatch) -> SafeString:
        return amount_cell(row.here, row)

    @display(description="There")
    def there_shown(self, row: Mismatch) -> SafeString:
        return amount_cell(row.there, row)

    @display(description="Close")
    def close_link(self, row: Mismatch) -> SafeString:
        return link(row.close)

    @display(description="Age")
    def age_shown(self, row: Mismatch) -> str:
        count, unit = (row.age.days, "day") if row.age.days else (row.age.seconds // 3600, "hour")
        return f"{count} {unit}{'' if count == 1 else 's'}" if count else "Less than an hour"

    @display(description="Assignee")
    def assignee_shown(self, row: Mismatch) -> str:
        return str(row.assignee or "–")

"""Disputes: those that need an answer first, each with its evidence and everything that happened to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter, display, register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from majuu_core.accounts.trail import acting_user
from majuu_core.audit.exports import record_export
from majuu_core.common import clock
from majuu_core.common.problems import Invalid, Problem
from majuu_core.console.admins.payments import MoneyRowAdmin, ParkedFilter
from majuu_core.console.base import ModeFilter, PageAction, short_number
from majuu_core.console.cells import badge, code_cell, id_link, link, moment_cell, money_cell
from majuu_core.console.dispute_page import (
    ACCEPT,
    ANSWER,
    action_address,
    dispute_context,
    download,
    save_form,
    store_debt,
)
from majuu_core.console.site import console_site
from majuu_core.console.timeline import Entry, build_subject_timeline
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.dispute_evidence import get_file, remove_file
from majuu_core.payments.dispute_hearing import follow_up_dispute
from majuu_core.payments.disputes import accept_dispute, note_dispute, submit_evidence
from majuu_core.payments.models import Dispute
from majuu_core.reports.dispute_export import disputes_as_csv, disputes_as_xlsx


class AnswerFilter(SimpleListFilter):
    """Disputes that wait for the store: the nearest deadline first."""

    title = "answer"
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Needs an answer, nearest deadline first")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=Dispute.Status.NEEDS_RESPONSE) if self.value() == "1" else queryset


@register(Dispute, site=console_site)
class DisputeAdmin(MoneyRowAdmin):
    """One dispute. Whoever may answer it does so here."""

    change_form_template = "majuu_console/dispute.html"
    change_list_template = "majuu_console/list_with_links.html"
    list_display = (
        *(short_number, "mode", "deadline", "state", "amount_shown", "reason", "store_link", "charge_link"),
    )
    list_display_links = (short_number,)
    list_filter = (AnswerFilter, ModeFilter, "status", ParkedFilter)
    list_select_related = ("store", "charge")
    list_columns_deferred = ("parked_reason", "noted_reason")
    search_help_text = "Dispute, charge or store id, or the provider's reference"
    id_paths = {"dp": "pk", "ch": "charge_id", "sto": "store_id", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state"),
                    ("amount_shown", "withdrawn_shown", "fee_shown"),
                    ("charge_link", "store_link", "debt"),
                    "parked_reason",
                )
            },
        ),
        (
            "At the provider",
            {"fields": (("account_link", "provider_reference_shown"), ("reason", "provider_reason"))},
        ),
        (
            "Times",
            {
                "fields": (
                    ("opened_at", "respond_by", "told_at"),
                    ("evidence_submitted_at", "accepted_at", "closed_at"),
                    ("created_at", "updated_at", "follow_up_at"),
                )
            },
        ),
    )

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        return ("respond_by", "pk") if request.GET.get("answer") == "1" else self.ordering

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store", "charge", "provider_account")

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        # The index begins with the account, so the accounts are named.
        accounts = ProviderAccount.objects.order_by().values("pk")
        known = Dispute.objects.filter(provider_account__in=accounts, provider_reference=term)
        yield known.order_by().values_list("pk", flat=True)

    def heading(self, row: Dispute) -> str:
        return f"{super().heading(row)}: {row.get_reason_display().lower()}"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        views = (self.submit, self.accept, self.ask, self.note)
        exports = [
            path(
                f"export.{form}", view(require_GET(self.export)), {"form": form}, name=f"majuu_payments_dispute_{form}"
            )
            for form in ("csv", "xlsx")
        ]
        files = [
            path(
                "<path:object_id>/files/<str:file_id>/",
                view(require_GET(self.file)),
                name="majuu_payments_dispute_file",
            ),
            path(
                "<path:object_id>/files/<str:file_id>/remove/",
                view(require_POST(self.remove)),
                name="majuu_payments_dispute_file_remove",
            ),
        ]
        actions = [self.action_path("evidence", require_POST(self.save))]
        for action in views:
            fresh = action.__name__ == "accept"
            actions.append(self.action_path(action.__name__, require_POST(action), fresh=fresh))
        return [*exports, *files, *actions, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        links = [
            {
                "address": f"{reverse(f'console:majuu_payments_dispute_{form}')}?{request.GET.urlencode()}",
                "label": f"Export as {form.upper()}",
                "icon": "download",
                "is_quiet": True,
            }
            for form in ("csv", "xlsx")
        ]
        answer: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "majuu_links": links})
        return answer

    def page_actions(self, request: HttpRequest, row: Dispute) -> list[PageAction]:
        if not request.user.has_perm(ANSWER):
            return []
        text = "Asks what became of this dispute and applies the answer. Nothing is sent."
        ask = PageAction(
            label="Ask the provider now",
            address=action_address(row, "ask"),
            explanation=text,
            icon="sync",
            is_quiet=True,
        )
        if not row.is_parked:
            return [ask]
        note = PageAction(
            label="Take note",
            address=action_address(row, "note"),
            explanation="It is not parked any more. What is booked stays as it is.",
            icon="done",
            question="What did you find?",
        )
        return [note, ask]

    def extra_page_context(self, request: HttpRequest, row: Dispute) -> dict[str, Any]:
        title = format_html("Disputed at the provider: {}", money_cell(row.amount))
        begun = Entry(at=row.opened_at, rank=0, icon="gavel", title=title, lines=(row.get_reason_display(),))
        timeline = build_subject_timeline(row.public_id, [begun], request.user.has_perm)
        return {"majuu_timeline": timeline, **dispute_context(request, row)}

    def save(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep the form's texts and files as drafts."""
        return self._act(request, object_id, ANSWER, lambda row: save_form(request, row), "The drafts are saved.")

    def remove(self, request: HttpRequest, object_id: str, file_id: str) -> HttpResponse:
        """Take a draft file away."""

        def work(row: Dispute) -> None:
            remove_file(dispute=row, file_id=file_id)

        return self._act(request, object_id, ANSWER, work, "The file is removed.")

    def submit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send all drafts, for good."""

        def work(row: Dispute) -> Dispute:
            if not request.POST.get("confirm"):
                raise Invalid("confirmation_missing", "Confirm first that the evidence is complete.", field="confirm")
            return submit_evidence(dispute=row)

        return self._act(request, object_id, ANSWER, work)

    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give in, for good."""
        reason = request.POST.get("reason", "")[:255].replace("\0", "")
        confirmed = bool(request.POST.get("confirm"))
        return self._act(
            request, object_id, ACCEPT, lambda row: accept_dispute(dispute=row, confirmed=confirmed, reason=reason)
        )

    def ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the provider about the dispute; nobody waits for the worker's next turn."""

        def work(row: Dispute) -> None:
            if not follow_up_dispute(row.pk):
                raise Invalid("provider_unreachable", "The provider gave no answer. Try again later.")

        return self._act(request, object_id, ANSWER, work)

    def note(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Somebody has looked at what is doubtful."""
        reason = request.POST.get("reason", "")[:400].replace("\0", "")
        return self._act(request, object_id, ANSWER, lambda row: note_dispute(dispute=row, reason=reason), "Noted.")

    def file(self, request: HttpRequest, object_id: str, file_id: str) -> HttpResponse:
        """A file of evidence, as it was uploaded."""
        row = self.permitted_row(request, object_id, "majuu_payments.view_dispute")
        try:
            return download(get_file(dispute=row, file_id=file_id))
        except Problem:
            raise Http404 from None

    def export(self, request: HttpRequest, form: str) -> StreamingHttpResponse:
        """The list as it is filtered, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        with acting_user(request):
            record_export(report="disputes", form=form, rows=rows.count(), filters=request.GET.dict())
        write, kind = (
            (disputes_as_csv, "text/csv; charset=utf-8")
            if form == "csv"
            else (disputes_as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        )
        answer = StreamingHttpResponse(write(rows), content_type=kind)
        answer.headers["Content-Disposition"] = f'attachment; filename="disputes.{form}"'
        return answer

    def _act(
        self, request: HttpRequest, object_id: str, permission: str, work: Callable[[Dispute], object], done: str = ""
    ) -> HttpResponse:
        return self.act_on(request, object_id, permission, work, done or _state_text)

    @display(description="Answer by")
    def deadline(self, row: Dispute) -> SafeString:
        if row.respond_by is None or row.status != Dispute.Status.NEEDS_RESPONSE:
            return SafeString("–")
        late = row.respond_by <= clock.now()
        shown = moment_cell(row.respond_by)
        return format_html("{} {}", shown, badge("passed", "bad")) if late else shown

    @display(description="Withdrawn")
    def withdrawn_shown(self, row: Dispute) -> SafeString:
        return money_cell(row.withdrawn_money)

    @display(description="Fee")
    def fee_shown(self, row: Dispute) -> SafeString:
        return money_cell(row.fee_money)

    @display(description="The store owes")
    def debt(self, row: Dispute) -> str:
        return store_debt(row)

    @display(description="Charge")
    def charge_link(self, row: Dispute) -> SafeString:
        return id_link(row.charge, short=True)

    @display(description="Store")
    def store_link(self, row: Dispute) -> SafeString:
        return link(row.store)

    @display(description="Provider account")
    def account_link(self, row: Dispute) -> SafeString:
        return link(row.provider_account)

    @display(description="Provider's reference")
    def provider_reference_shown(self, row: Dispute) -> SafeString:
        return code_cell(row.provider_reference)


def _state_text(row: Dispute) -> str:
    return f"The dispute is now: {row.get_status_display()}."

"""Payouts: the inbox of those that wait for a second person, each with everything that happened to it; and batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import display, register
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST
from moneyed import Money

from majuu_core.accounts.trail import acting_user
from majuu_core.audit.exports import record_export
from majuu_core.common.money import currency_of
from majuu_core.common.problems import Problem
from majuu_core.console.admins.payments import MoneyRowAdmin, ParkedFilter
from majuu_core.console.base import FactGroup, ModeFilter, PageAction, ReadOnlyAdmin, Table, moment, short_number
from majuu_core.console.cells import (
    address_of,
    badge,
    code_cell,
    id_link,
    link,
    mode_badge,
    money_cell,
    pretty,
    state_badge,
)
from majuu_core.console.people import names_of
from majuu_core.console.site import console_site
from majuu_core.console.timeline import Entry, build_subject_timeline
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.merchants.people import require_second_person
from majuu_core.payments.models import Payout, PayoutBatch
from majuu_core.payments.payout_batches import approve_batch, batch_as_csv
from majuu_core.payments.payout_sending import follow_up_payout
from majuu_core.payments.payouts import approve_payout, cancel_payout, reject_payout
from majuu_core.payments.transitions import OPEN_OUTGOING

PERMISSION = "majuu_payments.change_payout"
_SHOWN = 100


def is_second_person(request: HttpRequest, created_by: str) -> bool:
    """Whether the signed-in user may decide about what this person or key asked for."""
    try:
        with acting_user(request):
            require_second_person(created_by)
    except Problem:
        return False
    return True


@register(Payout, site=console_site)
class PayoutAdmin(MoneyRowAdmin):
    """Money sent out. One that waits is approved or refused here, by somebody else than who asked for it."""

    list_display = (
        *(short_number, "mode", "store_link", "amount_shown", "state", "reference", "recipient", "maker"),
        moment("created_at", "Created"),
    )
    list_display_links = (short_number,)
    list_filter = (ModeFilter, "status", ParkedFilter)
    list_select_related = ("store",)
    list_columns_deferred = ("metadata", "description", "failure_message", "parked_reason")
    search_help_text = "Payout, batch or store id, the shop's reference, or the provider's"
    id_paths = {"po": "pk", "pob": "batch_id", "sto": "store_id", "pa": "provider_account_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state"),
                    ("amount_shown", "fee_shown"),
                    ("recipient", "recipient_name"),
                    "parked_reason",
                )
            },
        ),
        ("Approval", {"fields": (("maker", "checker", "approved_at"), "standing")}),
        (
            "Debt",
            {"fields": (("store_link", "reference", "batch_link"), "description", "metadata_shown", "source_shown")},
        ),
        (
            "At the provider",
            {
                "fields": (
                    ("account_link", "purpose"),
                    ("receipt_shown", "provider_reference_shown"),
                    ("failure_code", "provider_failure_code"),
                    "failure_message",
                )
            },
        ),
        (
            "Times",
            {"fields": (("created_at", "updated_at", "occurred_at"), ("send_at", "follow_up_at", "follow_up_count"))},
        ),
    )

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        # Both indexes begin with other columns, so those are named.
        stores, accounts = Store.objects.order_by().values("pk"), ProviderAccount.objects.order_by().values("pk")
        named = Payout.objects.filter(store__in=stores, livemode__in=(True, False), reference=term)
        yield named.order_by().values_list("pk", flat=True)
        known = Payout.objects.filter(provider_account__in=accounts, provider_reference=term)
        yield known.order_by().values_list("pk", flat=True)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store", "provider_account", "batch")

    def heading(self, row: Payout) -> str:
        return f"{super().heading(row)} to {_recipient(row)}"

    def fact_groups(self, request: HttpRequest, row: Payout) -> list[FactGroup]:
        row.viewer_may_decide = is_second_person(request, row.created_by)  # type: ignore[attr-defined]
        return super().fact_groups(request, row)

    def prepare_rows(self, rows: list[Any]) -> None:
        names = names_of(row.created_by for row in rows)
        for row in rows:
            row.maker_name = names.get(row.created_by, "")

    def get_urls(self) -> list[URLPattern]:
        views = {"approve": self.approve, "refuse": self.refuse, "cancel": self.cancel, "ask": self.ask}
        own = [self.action_path(name, require_POST(view), fresh=name == "approve") for name, view in views.items()]
        return [*own, *super().get_urls()]

    def page_actions(self, request: HttpRequest, row: Payout) -> list[PageAction]:
        if not request.user.has_perm(PERMISSION):
            return []
        if row.status == Payout.Status.REQUIRES_APPROVAL:
            return self._decisions(request, row)
        if row.status in OPEN_OUTGOING and row.send_at is None:
            text = "Asks what became of this payout and applies the answer. It never sends the money again."
            return [PageAction(label="Ask the provider now", address=_at(row, "ask"), explanation=text, icon="sync")]
        return []

    def _decisions(self, request: HttpRequest, row: Payout) -> list[PageAction]:
        if not is_second_person(request, row.created_by):
            text = "Takes back what you asked for. Its money is free again."
            return [
                PageAction(label="Cancel", address=_at(row, "cancel"), explanation=text, icon="undo", is_quiet=True)
            ]
        return [
            PageAction(
                label="Approve",
                address=_at(row, "approve"),
                explanation="Sends the money within seconds. It cannot be called back.",
                icon="done_all",
            ),
            PageAction(
                label="Refuse",
                address=_at(row, "refuse"),
                explanation="Nothing is sent, and the money is free again.",
                icon="block",
                is_quiet=True,
                question="Why not?",
            ),
        ]

    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The second person says yes."""
        text = "Approved. The money is sent within seconds."
        return self._decide(request, object_id, lambda payout: approve_payout(payout=payout), text)

    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The second person says no."""
        reason = request.POST.get("reason", "")[:400].replace("\0", "")
        return self._decide(
            request, object_id, lambda payout: reject_payout(payout=payout, reason=reason), "Refused. Nothing is sent."
        )

    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Whoever asked for it takes it back."""
        return self._decide(
            request, object_id, lambda payout: cancel_payout(payout=payout), "Canceled. Nothing is sent."
        )

    def ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the provider about the payout; nobody waits for the worker's next turn."""

        def work(payout: Payout) -> None:
            follow_up_payout(payout.pk)

        return self._decide(request, object_id, work, "The provider was asked.")

    def _decide(
        self, request: HttpRequest, object_id: str, work: Callable[[Payout], object], done: str
    ) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        payout = self.get_object(request, self.plain_id(object_id))
        if payout is None:
            raise Http404
        try:
            with acting_user(request):
                work(payout)
        except Problem as problem:
            messages.error(request, problem.message)
        else:
            payout.refresh_from_db()
            messages.success(request, f"{done} The payout is now: {payout.get_status_display()}.")
        return HttpResponseRedirect(address_of(payout))

    def extra_page_context(self, request: HttpRequest, row: Payout) -> dict[str, Any]:
        return {"majuu_timeline": build_subject_timeline(row.public_id, [_asked_for(row)], request.user.has_perm)}

    @display(description="Status")
    def state(self, row: Payout) -> SafeString:  # type: ignore[override]
        waits = row.status == Payout.Status.REQUIRES_APPROVAL
        shown = state_badge(row.status, "To approve" if waits else row.get_status_display())
        return format_html("{} {}", shown, state_badge("parked")) if row.is_parked else shown

    @display(description="Store")
    def store_link(self, row: Payout) -> SafeString:
        return link(row.store)

    @display(description="To")
    def recipient(self, row: Payout) -> SafeString:
        return code_cell(_recipient(row))

    @display(description="Asked for by")
    def maker(self, row: Payout) -> str:
        name = getattr(row, "maker_name", None)
        return str(names_of([row.created_by]).get(row.created_by, "") if name is None else name)

    @display(description="Approved by")
    def checker(self, row: Payout) -> str:
        return names_of([row.approved_by]).get(row.approved_by, "")

    @display(description="Who decides")
    def standing(self, row: Payout) -> SafeString:
        if row.status != Payout.Status.REQUIRES_APPROVAL:
            return SafeString("–")
        if getattr(row, "viewer_may_decide", False):
            return format_html("{} You did not ask for it, so you may decide.", badge("waits", "warn"))
        text = "You asked for it yourself, so somebody else has to decide."
        return format_html("{} {}", badge("second person needed", "warn"), text)

    @display(description="Fee")
    def fee_shown(self, row: Payout) -> SafeString:
        return money_cell(row.fee)

    @display(description="Batch")
    def batch_link(self, row: Payout) -> SafeString:
        return id_link(row.batch, short=True)

    @display(description="Paid from")
    def source_shown(self, row: Payout) -> SafeString:
        kind = row.source.partition(":")[0].replace("_", " ").capitalize()
        return format_html('<span title="{}">{}</span>', row.source, kind) if kind else SafeString("–")

    @display(description="Provider account")
    def account_link(self, row: Payout) -> SafeString:
        return link(row.provider_account)

    @display(description="Receipt")
    def receipt_shown(self, row: Payout) -> SafeString:
        return code_cell(row.receipt)

    @display(description="Provider's reference")
    def provider_reference_shown(self, row: Payout) -> SafeString:
        return code_cell(row.provider_reference)

    @display(description="Metadata")
    def metadata_shown(self, row: Payout) -> SafeString:
        return pretty(row.metadata)


@register(PayoutBatch, site=console_site)
class PayoutBatchAdmin(ReadOnlyAdmin):
    """Payouts uploaded together: how they stand, and the approval of all that wait."""

    list_display = (short_number, "mode", "store_link", "name", "rows", "maker", moment("created_at", "Created"))
    list_display_links = (short_number,)
    list_filter = (ModeFilter,)
    list_select_related = ("store",)
    search_help_text = "Batch, payout or store id"
    id_paths = {"pob": "pk", "po": "payouts__pk", "sto": "store_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode"),
                    ("store_link", "rows"),
                    ("maker", "created_at"),
                    "standing",
                    "results_link",
                    "hash_shown",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store")

    def fact_groups(self, request: HttpRequest, row: PayoutBatch) -> list[FactGroup]:
        row.viewer_may_decide = is_second_person(request, row.created_by)  # type: ignore[attr-defined]
        return super().fact_groups(request, row)

    def prepare_rows(self, rows: list[Any]) -> None:
        names = names_of(row.created_by for row in rows)
        for row in rows:
            row.maker_name = names.get(row.created_by, "")

    def get_urls(self) -> list[URLPattern]:
        return [
            self.action_path("approve", require_POST(self.approve), fresh=True),
            self.action_path("results", require_GET(self.results)),
            *super().get_urls(),
        ]

    def page_actions(self, request: HttpRequest, row: PayoutBatch) -> list[PageAction]:
        waiting = _waiting(row).count()
        if not waiting or not request.user.has_perm(PERMISSION) or not is_second_person(request, row.created_by):
            return []
        address = reverse("console:majuu_payments_payoutbatch_approve", args=[row.public_id])
        text = "Sends all payouts of this batch that wait. They cannot be called back."
        return [PageAction(label=f"Approve {_payouts(waiting)}", address=address, explanation=text, icon="done_all")]

    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The second person says yes to all of them."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        batch = self._row(request, object_id)
        try:
            with acting_user(request):
                count = approve_batch(batch=batch)
        except Problem as problem:
            messages.error(request, problem.message)
        else:
            messages.success(request, f"{_payouts(count)} approved. They are sent one after the other.")
        return HttpResponseRedirect(address_of(batch))

    def results(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The batch's payouts as they now stand, for a spreadsheet."""
        if not request.user.has_perm("majuu_payments.view_payout"):
            raise PermissionDenied
        batch = self._row(request, object_id)
        with acting_user(request):
            record_export(
                report="payout_batch",
                form="csv",
                rows=batch.rows,
                about=batch.public_id,
                merchant_id=batch.store.merchant_id,
                store_id=batch.store_id,
            )
        response = StreamingHttpResponse(batch_as_csv(batch), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{batch.public_id}.csv"'
        return response

    def related_tables(self, request: HttpRequest, row: PayoutBatch) -> list[Table]:
        if not request.user.has_perm("majuu_payments.view_payout"):
            return []
        groups = row.payouts.values("status", "currency").annotate(count=Count("pk"), total=Sum("amount"))
        sums = [
            (
                state_badge(group["status"], Payout.Status(group["status"]).label),
                group["count"],
                money_cell(Money(group["total"], currency_of(group["currency"]))),
            )
            for group in groups.order_by("status", "currency")
        ]
        first = [
            (
                id_link(payout, short=True),
                payout.reference,
                money_cell(payout.amount),
                code_cell(_recipient(payout)),
                state_badge(payout.status, payout.get_status_display()),
            )
            for payout in row.payouts.order_by("pk")[:_SHOWN]
        ]
        note = f"The first {_SHOWN} of {row.rows}." if row.rows > _SHOWN else ""
        return [
            Table(title="How they stand", headers=("Status", "Payouts", "Sum"), rows=sums),
            Table(title="Payouts", headers=("ID", "Reference", "Amount", "To", "Status"), rows=first, note=note),
        ]

    def _row(self, request: HttpRequest, object_id: str) -> PayoutBatch:
        batch: PayoutBatch | None = self.get_object(request, self.plain_id(object_id))
        if batch is None or not self.has_view_permission(request):
            raise Http404
        return batch

    @display(description="ID")
    def number(self, row: PayoutBatch) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: PayoutBatch) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Store")
    def store_link(self, row: PayoutBatch) -> SafeString:
        return link(row.store)

    @display(description="Uploaded by")
    def maker(self, row: PayoutBatch) -> str:
        name = getattr(row, "maker_name", None)
        return str(names_of([row.created_by]).get(row.created_by, "") if name is None else name)

    @display(description="Approval")
    def standing(self, row: PayoutBatch) -> SafeString:
        waiting = _waiting(row).count()
        if not waiting:
            return SafeString("Nothing waits.")
        shown = badge(f"{waiting} wait{'s' if waiting == 1 else ''}", "warn")
        if getattr(row, "viewer_may_decide", False):
            return format_html("{} You did not upload it, so you may decide.", shown)
        return format_html("{} You uploaded it yourself, so somebody else has to decide.", shown)

    @display(description="SHA-256 of the file")
    def hash_shown(self, row: PayoutBatch) -> SafeString:
        return code_cell(row.content_hash)

    @display(description="Results")
    def results_link(self, row: PayoutBatch) -> SafeString:
        address = reverse("console:majuu_payments_payoutbatch_results", args=[row.public_id])
        return format_html('<a class="mj-link" href="{}">Download as CSV</a>', address)


def _payouts(count: int) -> str:
    return f"{count} payout{'' if count == 1 else 's'}"


def _recipient(row: Payout) -> str:
    return " ".join(str(value) for value in row.destination.values())


def _at(row: Payout, action: str) -> str:
    return reverse(f"console:majuu_payments_payout_{action}", args=[row.public_id])


def _waiting(batch: PayoutBatch) -> QuerySet[Payout]:
    return Payout.objects.filter(batch=batch, status=Payout.Status.REQUIRES_APPROVAL)


def _asked_for(row: Payout) -> Entry:
    lines: list[SafeString | str] = []
    if row.receipt:
        lines.append(format_html("Receipt {}", code_cell(row.receipt)))
    if row.failure_message:
        lines.append(f"{row.provider_failure_code} {row.failure_message}".strip())
    if row.is_parked:
        lines.append(format_html("{} {}", state_badge("parked"), row.parked_reason))
    return Entry(
        at=row.created_at,
        rank=0,
        icon="payments",
        title=format_html("Payout of {}", money_cell(row.amount)),
        state=state_badge(row.status, row.get_status_display()),
        lines=tuple(lines),
    )

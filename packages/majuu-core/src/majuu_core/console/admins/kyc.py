"""KYC cases: the queue of reviewers, and each case with its documents beside what the business says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter, display, register
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from majuu_core.accounts.step_up import fresh_second_factor_required
from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Invalid, Problem
from majuu_core.console.base import PageAction, ReadOnlyAdmin, moment, short_number
from majuu_core.console.cells import badge, code_cell, link, state_badge
from majuu_core.console.kyc_page import case_actions, case_context, document_response, waiting_text
from majuu_core.console.site import console_site
from majuu_core.merchants.kyc import review
from majuu_core.merchants.kyc.documents import DocumentUnreadable, view_document
from majuu_core.merchants.kyc.screening import judge_hit
from majuu_core.merchants.kyc.steps import REVIEW, record_case_entry, reviewing_user
from majuu_core.merchants.kyc.transitions import WAITING
from majuu_core.merchants.models import KycCase, KycDocument, KycHit

_OPTIONS = "majuu_merchants_kyccase"
_RISKS = {KycCase.Risk.HIGH: "bad", KycCase.Risk.LOW: "good"}


class QueueFilter(SimpleListFilter):
    """What waits for a reviewer, the longest first."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "Waits for a reviewer"), ("mine", "Mine"), ("free", "Nobody's yet"), ("hits", "To be compared")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        waiting = queryset.filter(state__in=WAITING)
        match self.value():
            case "all":
                return waiting
            case "mine":
                return waiting.filter(assignee=request.user.pk)
            case "free":
                return waiting.filter(assignee=None)
            case "hits":
                open_hits = KycHit.objects.filter(state=KycHit.State.OPEN).values("case")
                return queryset.filter(pk__in=open_hits)
        return queryset


@register(KycCase, site=console_site)
class KycCaseAdmin(ReadOnlyAdmin):
    """One case. Whoever may review it does so here."""

    change_form_template = "majuu_console/kyc.html"
    list_display = (
        *(short_number, "merchant_link", "state_shown", "risk_shown", "waiting", "assignee_shown"),
        moment("submitted_at", "Submitted"),
    )
    list_display_links = (short_number,)
    list_filter = (QueueFilter, "state", "risk")
    list_select_related = ("merchant", "assignee")
    list_columns_deferred = ("description", "settlement_account", "told")
    search_help_text = "Case or merchant id"
    id_paths = {"kyc": "pk", "mer": "merchant_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "state_shown", "risk_shown"),
                    ("merchant_link", "assignee_shown", "waiting"),
                    "told",
                    ("submitted_at", "decided_at", "screened_at", "next_review_on"),
                )
            },
        ),
    )

    def get_ordering(self, request: HttpRequest) -> Sequence[Any]:
        return (F("submitted_at").asc(nulls_last=True), "pk") if request.GET.get("queue") else self.ordering

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("merchant", "assignee")

    def get_urls(self) -> list[URLPattern]:
        asking = (self.take, self.assign, self.risk, self.note)
        deciding = (self.approve, self.reject, self.back, self.more)
        actions = [self.action_path(view.__name__, require_POST(view)) for view in asking]
        actions += [self.action_path(view.__name__, require_POST(view), fresh=True) for view in deciding]
        # Past the console's own headers: a document has stricter ones, and may stand in a frame of this site.
        show = self.admin_site.gated(require_GET(self.document))
        view = self.admin_site.admin_view
        judge = view(fresh_second_factor_required(require_POST(self.judge)))
        hit = view(fresh_second_factor_required(require_POST(self.hit)))
        parts = [
            path("<path:object_id>/documents/<str:document_id>/", show, name=f"{_OPTIONS}_document"),
            path("<path:object_id>/documents/<str:document_id>/judge/", judge, name=f"{_OPTIONS}_judge"),
            path("<path:object_id>/hits/<str:hit_id>/", hit, name=f"{_OPTIONS}_hit"),
        ]
        return [*parts, *actions, *super().get_urls()]

    def page_actions(self, request: HttpRequest, row: KycCase) -> list[PageAction]:
        return case_actions(request, row)

    def extra_page_context(self, request: HttpRequest, row: KycCase) -> dict[str, Any]:
        if request.user.has_perm(REVIEW):
            with acting_user(request):  # what is shown in plain now was encrypted
                record_case_entry(row, "viewed", {})
        return case_context(request, row)

    def take(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Look after the case from now on."""
        return self._act(request, object_id, lambda case: review.take(case=case), "It is yours.")

    def assign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the case to another reviewer."""
        key = request.POST.get("assignee", "")

        def work(case: KycCase) -> None:
            user = get_user_model()._default_manager.filter(pk=int(key)).first() if key.isdecimal() else None
            if user is None:
                raise Invalid("not_a_reviewer", "Choose a reviewer.", field="assignee")
            review.assign(case=case, user=user)

        return self._act(request, object_id, work, "Assigned.")

    def risk(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say how risky the business is."""
        values = {"risk": request.POST.get("risk", ""), "reason": request.POST.get("reason", "")}
        return self._act(request, object_id, lambda case: review.set_risk(case=case, **values), "The risk is set.")

    def note(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep a remark."""
        text = request.POST.get("text", "")
        return self._act(request, object_id, lambda case: review.note(case=case, text=text), "Noted.")

    def more(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the business for more."""
        text = request.POST.get("text", "")
        return self._act(request, object_id, lambda case: review.ask_for_more(case=case, text=text), "They are asked.")

    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say yes, for good or as the first of two."""
        seen = request.GET.get("seen", "")
        return self._act(request, object_id, lambda case: review.approve(case=case, seen_state=seen))

    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say no."""
        values = {"reason": request.POST.get("reason", ""), "seen_state": request.GET.get("seen", "")}
        return self._act(request, object_id, lambda case: review.reject(case=case, **values))

    def back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The second reviewer does not agree yet."""
        reason = request.POST.get("reason", "")
        return self._act(request, object_id, lambda case: review.send_back(case=case, reason=reason))

    def hit(self, request: HttpRequest, object_id: str, hit_id: str) -> HttpResponse:
        """Clear or confirm a resemblance."""
        answer, reason = request.POST.get("answer", ""), request.POST.get("reason", "")

        def work(case: KycCase) -> None:
            if answer not in ("clear", "confirm"):
                raise Invalid("invalid_choice", "Say whether it is the same.", field="answer")
            judge_hit(hit=_part(KycHit, case, hit_id), is_same=answer == "confirm", reason=reason)

        return self._act(request, object_id, work, "Your answer is kept.")

    def judge(self, request: HttpRequest, object_id: str, document_id: str) -> HttpResponse:
        """Accept or refuse a document."""
        answer, reason = request.POST.get("answer", ""), request.POST.get("reason", "")

        def work(case: KycCase) -> None:
            if answer not in ("accept", "refuse"):
                raise Invalid("invalid_choice", "Accept the document or refuse it.", field="answer")
            document = _part(KycDocument, case, document_id)
            review.judge_document(document=document, accept=answer == "accept", reason=reason)

        return self._act(request, object_id, work, "Your answer is kept.")

    def document(self, request: HttpRequest, object_id: str, document_id: str) -> HttpResponse:
        """A document, shown or saved. Each look is in the audit trail."""
        case = self.permitted_row(request, object_id, REVIEW)
        document = _part(KycDocument, case, document_id)
        try:
            with acting_user(request):
                reviewing_user(case)
                content = view_document(document=document)
        except Problem:
            raise PermissionDenied from None
        except DocumentUnreadable:
            return HttpResponse("This file cannot be read.", status=500, content_type="text/plain")
        return document_response(document, content, download=request.GET.get("download") == "1")

    def _act(
        self, request: HttpRequest, object_id: str, work: Callable[[KycCase], object], done: str = ""
    ) -> HttpResponse:
        return self.act_on(request, object_id, REVIEW, work, done or _state_text)

    @display(description="ID")
    def number(self, row: KycCase) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Merchant")
    def merchant_link(self, row: KycCase) -> SafeString:
        return link(row.merchant)

    @display(description="State")
    def state_shown(self, row: KycCase) -> SafeString:
        return state_badge(row.state, row.get_state_display())

    @display(description="Risk")
    def risk_shown(self, row: KycCase) -> SafeString:
        return badge(row.get_risk_display(), _RISKS.get(KycCase.Risk(row.risk), "plain"))

    @display(description="Waiting for")
    def waiting(self, row: KycCase) -> str:
        return waiting_text(row)

    @display(description="Assignee")
    def assignee_shown(self, row: KycCase) -> str:
        return row.assignee.get_username() if row.assignee is not None else "–"


def _part(model: type[Any], case: KycCase, public_id: str) -> Any:
    """A document or a hit of this case, and of no other. Raises Http404."""
    try:
        return model.objects.select_related("case").get(pk=model.uuid_of(public_id), case=case)
    except (ValueError, model.DoesNotExist):
        raise Http404 from None


def _state_text(case: KycCase) -> str:
    return f"The case is now: {case.get_state_display()}."

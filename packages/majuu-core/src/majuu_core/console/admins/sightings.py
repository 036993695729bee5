"""Money that somebody has seen, and the second person's word on it."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from majuu_core.console.admins.payouts import is_second_person
from majuu_core.console.base import ModeFilter, PageAction, ReadOnlyAdmin, moment, short_number
from majuu_core.console.cells import badge, code_cell, id_link, mode_badge, money_cell, money_text
from majuu_core.console.people import names_of, person
from majuu_core.console.site import console_site
from majuu_core.payments.models import Sighting
from majuu_core.payments.sightings import confirm_sighting, refuse_sighting

PERMISSION = "majuu_payments.change_sighting"
_TONES = {"waiting": "warn", "confirmed": "good", "refused": "bad"}


@register(Sighting, site=console_site)
class SightingAdmin(ReadOnlyAdmin):
    """One thing somebody saw. Another confirms or refuses it here."""

    list_display = (
        *(short_number, "mode", "subject", "amount_shown", "seen_on", "state", "maker"),
        moment("created_at", "Reported"),
    )
    list_display_links = (short_number,)
    list_filter = (ModeFilter, "status")
    list_select_related = ("charge", "refund")
    change_form_template = "majuu_console/settled.html"
    search_help_text = "Sighting, charge or refund id"
    id_paths = {"sgt": "pk", "ch": "charge_id", "re": "refund_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "mode", "state"),
                    ("subject", "amount_shown", "seen_on"),
                    ("bank_reference", "note"),
                )
            },
        ),
        (
            "Two people",
            {
                "fields": (
                    (person("created_by", "Seen by"), "created_at"),
                    (person("decided_by", "Decided by"), "decided_at"),
                    "decision_note",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("charge", "refund")

    def heading(self, row: Sighting) -> str:
        return f"{money_text(row.amount)} {'seen' if row.charge_id else 'paid out'}"

    def get_urls(self) -> list[URLPattern]:
        views = {"confirm": self.confirm, "refuse": self.refuse}
        own = [self.action_path(name, require_POST(view), fresh=name == "confirm") for name, view in views.items()]
        return [*own, *super().get_urls()]

    def prepare_rows(self, rows: list[Any]) -> None:
        names = names_of(row.created_by for row in rows)
        for row in rows:
            row.maker_name = names.get(row.created_by, "")

    def page_actions(self, request: HttpRequest, row: Sighting) -> list[PageAction]:
        if row.status != Sighting.Status.WAITING or not request.user.has_perm(PERMISSION):
            return []
        refuse = PageAction(
            label="Refuse",
            address=_at(row, "refuse"),
            explanation="It was not so. Nothing is booked.",
            icon="block",
            is_quiet=True,
            question="Why not?",
        )
        if not is_second_person(request, row.created_by):
            return [refuse]
        text = "You have seen it too. The payment is booked and everybody is told; that cannot be taken back."
        return [
            PageAction(label="Confirm", address=_at(row, "confirm"), explanation=text, icon="done_all"),
            refuse,
        ]

    def extra_page_context(self, request: HttpRequest, row: Sighting) -> dict[str, Any]:
        if row.status == Sighting.Status.WAITING and not is_second_person(request, row.created_by):
            return {"majuu_notice": "You reported it yourself, so somebody else has to confirm it."}
        return {}

    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The second person says yes."""
        return self.act_on(request, object_id, PERMISSION, lambda row: confirm_sighting(sighting=row), "Confirmed.")

    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """It was not so."""
        reason = request.POST.get("reason", "")[:255].replace("\0", "")
        return self.act_on(
            request, object_id, PERMISSION, lambda row: refuse_sighting(sighting=row, reason=reason), "Refused."
        )

    @display(description="ID")
    def number(self, row: Sighting) -> SafeString:
        return code_cell(row.public_id)

    @display(description="Mode")
    def mode(self, row: Sighting) -> SafeString:
        return mode_badge(row.livemode)

    @display(description="Of")
    def subject(self, row: Sighting) -> SafeString:
        return id_link(row.charge or row.refund, short=True)

    @display(description="Amount")
    def amount_shown(self, row: Sighting) -> SafeString:
        return money_cell(row.amount)

    @display(description="Status")
    def state(self, row: Sighting) -> SafeString:
        return badge(row.get_status_display(), _TONES[row.status])

    @display(description="Seen by")
    def maker(self, row: Sighting) -> str:
        return str(getattr(row, "maker_name", ""))


def _at(row: Sighting, action: str) -> str:
    return reverse(f"console:majuu_payments_sighting_{action}", args=[row.public_id])

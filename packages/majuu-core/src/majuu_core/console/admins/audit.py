"""Who did what, to what, from where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from majuu_core.audit.anchors import latest_anchor
from majuu_core.audit.models import PLATFORM, AuditEntry, AuditSeal
from majuu_core.audit.personal import Readable, hide_personal, read_addresses, read_personal
from majuu_core.audit.sealing import unsealed_entries
from majuu_core.console.base import ReadOnlyAdmin, moment
from majuu_core.console.cells import badge, code_cell, moment_cell, pretty
from majuu_core.console.site import console_site
from majuu_core.console.timeline import action_label

# Counting stops here: a worker that far behind needs somebody anyway.
MOST_COUNTED = 1000


@register(AuditEntry, site=console_site)
class AuditEntryAdmin(ReadOnlyAdmin):
    """One action."""

    list_display = ("what", "object_shown", "who", "address_shown", "seal_shown", moment("created_at", "Created"))
    list_display_links = ("what",)
    list_columns_deferred = ("changes",)
    list_select_related = ("seal",)
    change_list_template = "majuu_console/audit_list.html"
    search_help_text = "Entry id, the id of what was acted on, or a merchant id"
    id_paths = {"aud": "pk", "mer": "merchant_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("what", "code"),
                    ("object_shown", "who"),
                    ("address_shown", "request_id"),
                    "created_at",
                    "changes_shown",
                )
            },
        ),
        ("Seal", {"fields": (("chain", "seal_shown"), ("sealed_at", "hash"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("seal")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), **trail_state()} if self.has_view_permission(request) else extra_context
        answer: HttpResponse = super().changelist_view(request, context)
        return answer

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> AuditEntry | None:
        row: AuditEntry | None = super().get_object(request, object_id, from_field)
        if row is not None:
            row.majuu_shown = read_personal([row])[row.pk] if may_read(request) else hide_personal(row)  # type: ignore[attr-defined]
        return row

    def prepare_list(self, request: HttpRequest, rows: list[Any]) -> None:
        addresses = read_addresses(rows, allowed=may_read(request))
        for row in rows:
            row.majuu_shown = Readable(remote_addr=addresses[row.pk])

    def find_by_text(self, term: str) -> Iterable[QuerySet[Any, Any]]:
        yield AuditEntry.objects.filter(object_id=term.lower()).order_by().values_list("pk", flat=True)

    @display(description="Action")
    def what(self, row: AuditEntry) -> str:
        return action_label(row.action)

    @display(description="Code")
    def code(self, row: AuditEntry) -> SafeString:
        return code_cell(row.action)

    @display(description="Object")
    def object_shown(self, row: AuditEntry) -> SafeString:
        return code_cell(row.object_id)

    @display(description="By")
    def who(self, row: AuditEntry) -> str:
        return f"{row.actor_type} {row.actor_id}".strip()

    @display(description="Address")
    def address_shown(self, row: AuditEntry) -> str:
        return _shown(row).remote_addr

    @display(description="Place in the chain")
    def seal_shown(self, row: AuditEntry) -> SafeString | str:
        seal = _seal_of(row)
        return str(seal.sequence) if seal else badge("Not sealed yet")

    @display(description="Chain")
    def chain(self, row: AuditEntry) -> SafeString:
        seal = _seal_of(row)
        return code_cell(seal.chain if seal else row.merchant_id or PLATFORM)

    @display(description="Sealed")
    def sealed_at(self, row: AuditEntry) -> SafeString:
        seal = _seal_of(row)
        return moment_cell(seal.sealed_at if seal else None)

    @display(description="SHA-256")
    def hash(self, row: AuditEntry) -> SafeString:
        seal = _seal_of(row)
        return code_cell(seal.hash if seal else "")

    @display(description="Changes")
    def changes_shown(self, row: AuditEntry) -> SafeString:
        return pretty(dict(_shown(row).changes))


def may_read(request: HttpRequest) -> bool:
    """Whether this user sees addresses and other personal data in the trail."""
    return request.user.has_perm("majuu_audit.view_personal_data")


def _shown(row: AuditEntry) -> Readable:
    found: Readable = row.majuu_shown  # type: ignore[attr-defined]
    return found


def trail_state() -> dict[str, Any]:
    """How many entries wait for their seal, and the last anchor with the places it was taken to."""
    waiting = len(unsealed_entries().values_list("pk")[:MOST_COUNTED])
    anchor = latest_anchor()
    places = anchor.deliveries.order_by("destination").values_list("destination", flat=True) if anchor else ()
    return {
        "majuu_unsealed": f"{waiting}+" if waiting == MOST_COUNTED else waiting,
        "majuu_anchor": anchor,
        "majuu_places": ", ".join(places),
    }


def _seal_of(row: AuditEntry) -> AuditSeal | None:
    return getattr(row, "seal", None)

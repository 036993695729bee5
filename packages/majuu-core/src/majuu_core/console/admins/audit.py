"""Who did what, to what, from where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from majuu_core.audit.models import AuditEntry
from majuu_core.console.base import ReadOnlyAdmin, moment
from majuu_core.console.cells import code_cell, pretty
from majuu_core.console.site import console_site
from majuu_core.console.timeline import action_label


@register(AuditEntry, site=console_site)
class AuditEntryAdmin(ReadOnlyAdmin):
    """One action."""

    list_display = ("what", "object_shown", "who", "remote_addr", moment("created_at", "Created"))
    list_display_links = ("what",)
    list_columns_deferred = ("changes",)
    search_help_text = "Entry id, the id of what was acted on, or a merchant id"
    id_paths = {"aud": "pk", "mer": "merchant_id"}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("what", "code"),
                    ("object_shown", "who"),
                    ("remote_addr", "request_id"),
                    "created_at",
                    "changes_shown",
                )
            },
        ),
    )

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

    @display(description="Changes")
    def changes_shown(self, row: AuditEntry) -> SafeString:
        return pretty(row.changes)

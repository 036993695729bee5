"""Exports in the audit trail: who took which rows out, and how many."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import current_actor, record_entry

_SEARCHES = frozenset({"q", "search", "payer", "phone", "email"})
_LONGEST = 200


def record_export(
    *,
    report: str,
    form: str,
    rows: int | None = None,
    filters: Mapping[str, str] | None = None,
    about: str = "",
    merchant_id: uuid.UUID | None = None,
    store_id: uuid.UUID | None = None,
) -> AuditEntry:
    """Write down that the current actor exports something, before the first row of it leaves.

    ``report`` names what ("disputes"), ``form`` the kind of file, ``about`` the one object it is of, if any. Of
    ``filters``, what was searched for may name a person: it is encrypted with the actor's own key.
    """
    chosen = {name: value[:_LONGEST] for name, value in (filters or {}).items() if value}
    searched = {name: chosen.pop(name) for name in sorted(_SEARCHES & chosen.keys())}
    actor = current_actor()
    return record_entry(
        action="report.exported",
        object_id=about or report[:64],
        merchant_id=merchant_id,
        store_id=store_id,
        changes={
            "report": report,
            "form": form,
            **({} if rows is None else {"rows": rows}),
            **({"filters": chosen} if chosen else {}),
            **({"searched": searched} if searched else {}),
        },
        subject=f"{actor.type}:{actor.id}",
    )

"""What people do about a difference: take it on, settle it with a reason, open it again, take the money in."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from majuu_core.audit.services import record_entry
from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.common.storable import storable
from majuu_core.merchants.people import acting_person
from majuu_core.reports.models import Mismatch

_State = Mismatch.State
SHORTEST_REASON = 5


def assign_mismatch(*, mismatch: Mismatch, assignee: Any) -> Mismatch:
    """Make it somebody's: a user's, or nobody's (None). Raises Conflict when it is resolved."""
    with transaction.atomic():
        row = _lock(mismatch.pk)
        if row.state == _State.RESOLVED:
            raise Conflict("mismatch_resolved", "This difference is resolved. Open it again first.")
        before = row.assignee_id
        if before == (assignee.pk if assignee else None):
            return row
        row.assignee, row.state = assignee, _State.ASSIGNED if assignee else _State.OPEN
        row.save(update_fields=["assignee", "state"])
        _record("mismatch.assigned", row, {"assignee": [str(before or ""), str(row.assignee_id or "")]})
    return row


def resolve_mismatch(*, mismatch: Mismatch, reason: str) -> Mismatch:
    """Settle it, with a reason that somebody will understand later. Resolved already: nothing changes.

    Raises Invalid without a reason.
    """
    text = storable(" ".join(reason.split()), 500)
    if len(text) < SHORTEST_REASON:
        raise Invalid("reason_missing", "Say why it is settled, in a few words.", field="reason")
    with transaction.atomic():
        row = _lock(mismatch.pk)
        if row.state == _State.RESOLVED:
            return row
        before = row.state
        row.state, row.resolution = _State.RESOLVED, text
        row.resolved_by, row.resolved_at = acting_person(), clock.now()
        row.save(update_fields=["state", "resolution", "resolved_by", "resolved_at"])
        _record("mismatch.resolved", row, {"state": [before, row.state], "reason": text})
    return row


def reopen_mismatch(*, mismatch: Mismatch) -> Mismatch:
    """It is not settled after all. Open already: nothing changes."""
    with transaction.atomic():
        row = _lock(mismatch.pk)
        if row.state != _State.RESOLVED:
            return row
        reason = row.resolution
        row.state = _State.ASSIGNED if row.assignee_id else _State.OPEN
        row.resolution, row.resolved_by, row.resolved_at = "", "", None
        row.save(update_fields=["state", "resolution", "resolved_by", "resolved_at"])
        _record("mismatch.reopened", row, {"state": [_State.RESOLVED.value, row.state], "reason": reason})
    return row


def _lock(pk: uuid.UUID) -> Mismatch:
    return Mismatch.objects.select_for_update().get(pk=pk)


def _record(action: str, row: Mismatch, changes: dict[str, Any]) -> None:
    record_entry(action=action, object_id=row.public_id, changes=changes)

"""Placing and releasing holds, and finding those that stand against a person."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db import transaction

from majuu_core.audit.services import current_actor, record_entry
from majuu_core.common import clock
from majuu_core.common.problems import Invalid, NotFound
from majuu_core.database.sealed import SealedColumn
from majuu_core.plugins.personal_data import Identity
from majuu_core.privacy.identities import identify, names_of
from majuu_core.privacy.models import RetentionHold

SEALED = SealedColumn(
    model="majuu_privacy.RetentionHold",
    column="person",
    purpose="retention-holds",
    bound_to=lambda row: str(row.pk),
)
LONGEST_REASON = 255


def place_hold(*, person: str, reason: str) -> RetentionHold:
    """Let nothing of this person be erased until the hold is released. Raises Invalid without a person or a reason."""
    identity = identify(person)
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        text = f"Say why, in up to {LONGEST_REASON} characters: who asked for it, and under which number."
        raise Invalid("reason_missing", text, field="reason")
    row = RetentionHold(reason=reason, placed_by=_who())
    row.person = SEALED.seal(row, json.dumps(sorted(names_of(identity))).encode())
    with transaction.atomic():
        row.save(force_insert=True)
        record_entry(action="retention_hold.placed", object_id=row.public_id, changes={"reason": [None, reason]})
    return row


def release_hold(*, public_id: str) -> RetentionHold:
    """End a hold. A second time changes nothing. Raises NotFound."""
    try:
        key = RetentionHold.uuid_of(public_id)
    except ValueError:
        raise NotFound("hold_not_found", "There is no such hold.") from None
    with transaction.atomic():
        row = RetentionHold.objects.select_for_update().filter(pk=key).first()
        if row is None:
            raise NotFound("hold_not_found", "There is no such hold.")
        if row.released_at is None:
            row.released_at, row.released_by = clock.now(), _who()
            row.person = ""
            row.save(update_fields=["released_at", "released_by", "person"])
            changes = {"reason": [row.reason, None]}
            record_entry(action="retention_hold.released", object_id=row.public_id, changes=changes)
    return row


def holds_on(identity: Identity) -> list[RetentionHold]:
    """The holds that stand against this person, oldest first."""
    names = names_of(identity)
    return [row for row in _open_holds() if names & set(json.loads(SEALED.open(row)))]


def person_of(row: RetentionHold) -> list[str]:
    """What the held person is known by; nothing once the hold is released."""
    return list(json.loads(SEALED.open(row))) if row.person else []


def _open_holds() -> Iterator[RetentionHold]:
    yield from RetentionHold.objects.filter(released_at__isnull=True).order_by("pk")


def _who() -> str:
    actor = current_actor()
    return f"{actor.type}:{actor.id}" if actor.id else actor.type

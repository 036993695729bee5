"""Events hold what shops were told: the person's names and numbers among it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from majuu_core.common.personal_fields import PERSONAL_FIELDS
from majuu_core.events.models import Event
from majuu_core.plugins.personal_data import Identity, PersonalData, PersonalRecord

_FREE_TEXT = frozenset({"metadata", "destination", "description", "account_reference", "payer_phone_masked"})
_PERSONAL = PERSONAL_FIELDS | _FREE_TEXT


def _find(identity: Identity, related: frozenset[str]) -> Iterable[PersonalRecord]:
    for row in Event.objects.filter(object_id__in=sorted(related)).order_by("pk"):
        yield PersonalRecord(
            id=row.public_id,
            kind="Event",
            data={"type": row.type, "about": row.object_id, "created_at": row.created_at.isoformat()},
            follows=row.object_id,
            keep_reason="" if row.dispatched_at else "It has not been sent yet.",
        )


def _erase(names: Sequence[str]) -> int:
    rows = list(Event.objects.filter(pk__in=[Event.uuid_of(name) for name in names]))
    for row in rows:
        Event.objects.filter(pk=row.pk).update(data=_without(row.data))
    return len(rows)


def _without(value: Any) -> Any:
    """The same without what stands under personal names: an empty value of its kind, so that shapes stay."""
    if isinstance(value, dict):
        return {name: _emptied(item) if name in _PERSONAL else _without(item) for name, item in value.items()}
    return [_without(item) for item in value] if isinstance(value, list) else value


def _emptied(value: Any) -> Any:
    return {} if isinstance(value, dict) else [] if isinstance(value, list) else None if value is None else ""


EVENTS = PersonalData(name="events.events", label="Events", find=_find, erase=_erase)

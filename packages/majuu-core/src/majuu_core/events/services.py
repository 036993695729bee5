"""Writing events into the outbox."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from majuu_core.common import clock
from majuu_core.events.models import Event


def build_event(*, store_id: uuid.UUID, livemode: bool, type: str, object_id: str, data: Mapping[str, Any]) -> Event:
    """An event ready to be added to the write batch of the change it tells of.

    ``data`` is what the shop gets: the object as the API shows it, under the name of its kind.
    """
    return Event(
        store_id=store_id,
        livemode=livemode,
        type=type,
        object_id=object_id,
        data=dict(data),
        created_at=clock.now(),
        dispatched_at=None,
    )

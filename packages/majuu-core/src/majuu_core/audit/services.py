"""Writing audit entries, and knowing who acts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from majuu_core.audit.actions import action_registry
from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a user, an API key, a customer at checkout, a provider, or the system itself."""

    type: str
    id: str = ""
    remote_addr: str = ""
    request_id: str = ""


SYSTEM = Actor(type="system")
_actor: ContextVar[Actor] = ContextVar("majuu_actor", default=SYSTEM)


def current_actor() -> Actor:
    """Who acts in this context; the system when nobody was named."""
    return _actor.get()


@contextmanager
def acting_as(actor: Actor) -> Iterator[Actor]:
    """Everything done inside the block is done by this actor."""
    token = _actor.set(actor)
    try:
        yield actor
    finally:
        _actor.reset(token)


def build_entry(
    *,
    action: str,
    object_id: str,
    merchant_id: uuid.UUID | None = None,
    store_id: uuid.UUID | None = None,
    changes: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """An entry ready to be added to the write batch of the action it records.

    Raises UnknownAction for a code nobody registered: an entry that cannot be explained later is a mistake now.
    """
    action_registry.get(action)
    actor = current_actor()
    return AuditEntry(
        merchant_id=merchant_id,
        store_id=store_id,
        actor_type=actor.type,
        actor_id=actor.id,
        action=action,
        object_id=object_id,
        changes=dict(changes or {}),
        remote_addr=actor.remote_addr,
        request_id=actor.request_id,
        created_at=clock.now(),
    )


def record_entry(
    *,
    action: str,
    object_id: str,
    merchant_id: uuid.UUID | None = None,
    store_id: uuid.UUID | None = None,
    changes: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Build an entry and write it now, inside the caller's transaction."""
    entry = build_entry(action=action, object_id=object_id, merchant_id=merchant_id, store_id=store_id, changes=changes)
    entry.save(force_insert=True)
    return entry

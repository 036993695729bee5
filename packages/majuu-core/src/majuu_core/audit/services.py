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
from majuu_core.audit.personal import NOBODY_KNOWN, encrypt_personal, user_subject
from majuu_core.common import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a user, an API key, an OAuth client, a customer at checkout, a provider, or the system itself.

    ``subject`` says whose personal data the address of a customer is: the public id of what they pay, for example.
    """

    type: str
    id: str = ""
    remote_addr: str = ""
    request_id: str = ""
    subject: str = ""

    @property
    def is_person(self) -> bool:
        """Whether the address is a person's, and not a machine's."""
        return self.type in ("user", "customer")


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
    subject: str = "",
) -> AuditEntry:
    """An entry ready to be added to the write batch of the action it records.

    Personal fields of ``changes`` and the address of a person are encrypted. ``subject`` says whom the changes speak
    of, when that is not the object itself: ``user_subject(…)``, ``email_subject(…)``, or a public id.

    Raises UnknownAction for a code nobody registered: an entry that cannot be explained later is a mistake now.
    """
    action_registry.get(action)
    actor = current_actor()
    entry = AuditEntry(
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
    encrypt_personal(entry, actor=_subject_of(actor), about=subject or object_id)
    return entry


def _subject_of(actor: Actor) -> str:
    """Whose address it is; "" for a machine's, which is kept as it is."""
    if not actor.is_person or not actor.remote_addr:
        return ""
    return actor.subject or (user_subject(actor.id) if actor.type == "user" and actor.id else "") or NOBODY_KNOWN


def record_entry(
    *,
    action: str,
    object_id: str,
    merchant_id: uuid.UUID | None = None,
    store_id: uuid.UUID | None = None,
    changes: Mapping[str, Any] | None = None,
    subject: str = "",
) -> AuditEntry:
    """Build an entry and write it now, inside the caller's transaction."""
    entry = build_entry(
        action=action,
        object_id=object_id,
        merchant_id=merchant_id,
        store_id=store_id,
        changes=changes,
        subject=subject,
    )
    entry.save(force_insert=True)
    return entry

"""What several tests of this room need."""

from __future__ import annotations

import uuid
from typing import Any

from django.apps import apps

from majuu_core.audit.models import AuditEntry
from majuu_core.merchants.models import ApiKey, Membership, Merchant, ProviderAccount, Store


def everything() -> dict[str, list[Any]]:
    """Every row of this room and of the audit log: equal before and after means that nothing changed."""
    models = (Merchant, Store, Membership, ApiKey, ProviderAccount, AuditEntry)
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in models}


# The ids of audit entries in the order they were written: several may be made within one millisecond.
written: list[uuid.UUID] = []


def _entries() -> list[AuditEntry]:
    found = AuditEntry.objects.in_bulk(written)
    return [found[pk] for pk in written if pk in found]


def last_entry() -> AuditEntry:
    """The newest audit entry."""
    return _entries()[-1]


def actions_on(public_id: str) -> list[str]:
    """What the audit log says was done to an object, oldest first."""
    return [entry.action for entry in _entries() if entry.object_id == public_id]


def table_of(label: str) -> str:
    """The table of a model."""
    return apps.get_model(label)._meta.db_table

"""For tests that look at the audit trail: what is personal in an entry, decrypted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.personal import read_personal


def address_in(entry: AuditEntry) -> str:
    """From where it was done: of a machine as it stands, of a person decrypted; "[erased]" when the key is gone."""
    return read_personal([entry])[entry.pk].remote_addr


def changes_in(entry: AuditEntry) -> Mapping[str, Any]:
    """All changes, the personal ones decrypted."""
    return read_personal([entry])[entry.pk].changes

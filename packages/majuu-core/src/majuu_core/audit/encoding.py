"""One way to write an entry down, and the hash that ties it to the entries before it.

No two different entries are written the same: JSON with sorted keys, every column by name, nothing but ASCII. What is
hashed is what an export holds, so a verifier needs no database.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from majuu_core.audit.models import HASH_LENGTH, PLATFORM, AuditEntry, AuditSeal

COLUMNS = (
    "id",
    "merchant_id",
    "store_id",
    "actor_type",
    "actor_id",
    "action",
    "object_id",
    "changes",
    "remote_addr",
    "personal",
    "request_id",
    "created_at",
)
# The hash before the first.
BEGINNING = "0" * HASH_LENGTH
# The second came with encrypted personal data. An entry without such data is written down as it always was.
_FORMAT = "majuu-audit-1"
_FORMAT_WITH_PERSONAL = "majuu-audit-2"


def chain_of(merchant_id: uuid.UUID | None) -> str:
    """The name of the chain: the merchant's UUID, or "platform"."""
    return PLATFORM if merchant_id is None else str(merchant_id)


def moment_text(moment: datetime) -> str:
    """A time in UTC with all six decimals of its second."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def entry_record(entry: AuditEntry) -> dict[str, Any]:
    """Every column of an entry, as JSON can hold it. ``personal`` is left out where it is the empty object."""
    record = {name: _plain(getattr(entry, name)) for name in COLUMNS}
    if record["personal"] == {}:
        del record["personal"]
    return record


def seal_record(seal: AuditSeal) -> dict[str, Any]:
    """A seal, as JSON can hold it."""
    return {
        "chain": seal.chain,
        "sequence": seal.sequence,
        "entry": str(seal.entry_id),
        "hash": seal.hash,
        "sealed_at": moment_text(seal.sealed_at),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    return moment_text(value) if isinstance(value, datetime) else value


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value: ``1``, ``1.0``, ``true`` and ``"1"`` are four different ones."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def seal_hash(*, chain: str, sequence: int, previous: str, sealed_at: str, entry: Mapping[str, Any]) -> str:
    """SHA-256 of the entry, its place and the hash before it, in hexadecimal."""
    form = _FORMAT_WITH_PERSONAL if "personal" in entry else _FORMAT
    return hashlib.sha256(canonical([form, chain, sequence, previous, sealed_at, dict(entry)])).hexdigest()

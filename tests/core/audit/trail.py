"""A small trail of three chains, sealed and anchored, and its export as a list of records."""

from __future__ import annotations

import copy
import io
import json
import uuid
from collections.abc import Iterable
from typing import Any

from majuu_core.audit.anchors import make_anchor, own_public_keys
from majuu_core.audit.models import AuditEntry
from majuu_core.audit.records import database_records, file_records, write_records
from majuu_core.audit.sealing import seal_entries
from majuu_core.audit.services import Actor, acting_as, record_entry
from majuu_core.audit.verification import Finding, Verifier
from majuu_core.common.clock import VirtualClock

MERCHANTS = (None, uuid.UUID(int=0xA1), uuid.UUID(int=0xB2))
ACTOR = Actor(type="key", id="key_7", remote_addr="198.51.100.7", request_id="req_1")
Records = list[dict[str, Any]]


def write(merchant_id: uuid.UUID | None = None, number: int = 1) -> AuditEntry:
    """One entry in which no column is empty but those a platform entry has not."""
    with acting_as(ACTOR):
        return record_entry(
            action="merchant.updated",
            object_id=f"mer_{number}",
            merchant_id=merchant_id,
            store_id=merchant_id and uuid.UUID(int=merchant_id.int + number),
            changes={"name": ["Old", "New"], "limit": [number, None], "rate": 1.5, "live": True, "phone": "0712345678"},
        )


def write_trail(clock: VirtualClock) -> None:
    """Four entries in each of three chains, the last of each sealed after the anchor, and one that has no seal."""
    for number in range(1, 4):
        for merchant_id in MERCHANTS:
            write(merchant_id, number)
            clock.advance(1)
    seal_all()
    assert make_anchor() is not None
    for merchant_id in MERCHANTS:
        clock.advance(1)
        write(merchant_id, 4)
    seal_all()
    clock.advance(1)
    write(None, 5)


def seal_all() -> int:
    total = 0
    while done := seal_entries():
        total += done
    return total


def exported() -> Records:
    """The trail, written as an export and read again."""
    file = io.StringIO()
    write_records(database_records(), file)
    return [copy.deepcopy(dict(record)) for record in file_records(io.StringIO(file.getvalue()))]


def wrong(records: Iterable[Any], anchors: Iterable[Any] = ()) -> list[Finding]:
    return list(
        Verifier(public_keys=own_public_keys(), anchors=anchors).findings(json.loads(json.dumps(list(records))))
    )


def places(records: Records) -> list[int]:
    """Which records are sealed entries."""
    return [number for number, record in enumerate(records) if "seal" in record]

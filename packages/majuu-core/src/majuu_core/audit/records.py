"""The trail as a stream of records: what an export holds line by line, and what the verifier reads.

In this order: ``{"export": …}``, the anchors, ``{"seal": …, "entry": …}`` in the order of sealing, ``{"entry": …}`` for
those without a seal, ``{"end": …}``. Anchors are read first and the seals after them, so no anchor speaks of a seal
that the stream does not reach yet.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

from majuu_core.audit.anchors import anchor_record
from majuu_core.audit.encoding import canonical, entry_record, moment_text, seal_record
from majuu_core.audit.models import AuditAnchor, AuditEntry, AuditSeal
from majuu_core.audit.personal import read_personal
from majuu_core.audit.sealing import unsealed_entries
from majuu_core.common import clock

VERSION = 2
# Before entries could hold encrypted personal data. Nothing else differs.
READABLE_VERSIONS = (1, VERSION)
PAGE = 500
ANCHOR_PAGE = 20

Record = Mapping[str, Any]


class BadExport(ValueError):
    """The file is no export: the text says which line is wrong and how."""


def database_records(*, readable: bool = False) -> Iterator[Record]:
    """The trail of this database, in constant memory.

    ``readable`` adds beside each entry what is personal in it, decrypted. No hash covers that: it is for reading.
    """
    yield {"export": {"version": VERSION, "made_at": moment_text(clock.now())}}
    counts = {"anchors": 0, "seals": 0, "unsealed": 0}
    for record in _all_records(readable):
        counts["anchors" if "anchor" in record else "seals" if "seal" in record else "unsealed"] += 1
        yield record
    yield {"end": counts}


def _all_records(readable: bool) -> Iterator[Record]:
    yield from _anchors()
    last = AuditSeal.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    yield from _sealed(last, readable)
    yield from _unsealed(readable)


def _anchors() -> Iterator[Record]:
    done = 0  # a few at a time: each holds the heads of all chains
    while page := list(AuditAnchor.objects.filter(number__gt=done).order_by("number")[:ANCHOR_PAGE]):
        yield from map(anchor_record, page)
        done = page[-1].number


def _sealed(last: int, readable: bool) -> Iterator[Record]:
    done = 0
    while page := list(AuditSeal.objects.filter(pk__gt=done, pk__lte=last).order_by("pk")[:PAGE]):
        keys = [seal.entry_id for seal in page]
        entries, shown = _read(keys), _read_personal(keys) if readable else {}
        for seal in page:
            yield {"seal": seal_record(seal), "entry": entries.get(seal.entry_id), **shown.get(seal.entry_id, {})}
        done = page[-1].pk


def _unsealed(readable: bool) -> Iterator[Record]:
    done = uuid.UUID(int=0)
    while page := list(unsealed_entries(done).filter(pk__gt=done).values_list("pk", flat=True)[:PAGE]):
        shown = _read_personal(page) if readable else {}
        for key, record in _read(page).items():
            yield {"entry": record, **shown.get(key, {})}
        done = page[-1]


def _read(keys: list[uuid.UUID]) -> dict[uuid.UUID, Record]:
    """The entries with these ids. One whose columns hold what they cannot hold is told as ``{"unreadable": why}``."""
    try:
        return {row.pk: entry_record(row) for row in AuditEntry.objects.filter(pk__in=keys).order_by("pk")}
    except (ValueError, TypeError, AttributeError) as problem:
        if len(keys) == 1:
            return {keys[0]: {"id": str(keys[0]), "unreadable": str(problem)}}
        return {key: record for one in keys for key, record in _read([one]).items()}


def _read_personal(keys: list[uuid.UUID]) -> dict[uuid.UUID, Record]:
    """What is personal in these entries, where there is any and it can be read."""
    rows = AuditEntry.objects.filter(pk__in=keys).exclude(personal={})
    return {
        key: {"readable": {"remote_addr": found.remote_addr, "changes": dict(found.changes)}}
        for key, found in read_personal(rows).items()
    }


def write_records(records: Iterable[Record], file: TextIO) -> int:
    """Write them line by line. Returns how many lines."""
    count = 0
    for record in records:
        file.write(canonical(record).decode() + "\n")
        count += 1
    return count


def file_records(lines: Iterable[str]) -> Iterator[Record]:
    """The records of an export. Raises BadExport for a line that is no record."""
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise BadExport(f"line {number} is not JSON") from None
        if not isinstance(record, dict):
            raise BadExport(f"line {number} is not a JSON object")
        yield record


def file_anchors(lines: Iterable[str]) -> list[Record]:
    """The anchors in a file of anchors, or in e-mails saved one after the other: lines that hold one are taken."""
    found = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text.startswith('{"anchor"'):
            continue
        try:
            found.append(json.loads(text))
        except (ValueError, RecursionError):
            raise BadExport(f"line {number} of the anchors is cut off or not JSON") from None
    return found

"""Giving entries their place in a chain, in batches, after the fact: payments never wait for the head of a chain.

The worker does it every other second (the loop ``audit.seal``). Entries are taken in the order of their ids. One whose
transaction took longer than the others' is sealed behind them: ``audit.seal_late`` looks back for those.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from majuu_core.audit.encoding import BEGINNING, chain_of, entry_record, moment_text, seal_hash
from majuu_core.audit.models import AuditChain, AuditEntry, AuditSeal
from majuu_core.common import clock, ids

# One INSERT even on SQLite, which takes fewer than a thousand values at once.
BATCH = 150
# Between writing an entry and committing it lie milliseconds; a look every other second may go back half a minute.
OVERLAP = timedelta(seconds=30)
LOOK_BACK = timedelta(days=2)
_FIRST = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Head:
    """The last seal of a chain; sequence 0 when it has none."""

    chain: str
    sequence: int
    hash: str


def seal_entries() -> int:
    """Seal the next entries, at most ``BATCH``. Returns how many."""
    return _seal(_newest_sealed(before=OVERLAP))


def seal_late_entries() -> int:
    """Seal what was committed behind entries that were sealed already, up to two days late. Returns how many."""
    return _seal(_newest_sealed(before=LOOK_BACK))


def seal_everything() -> int:
    """Seal every entry without a seal, however old: the whole table is read. Returns how many."""
    total, done = 0, -1
    while done:
        done = _seal(_FIRST)
        total += done
    return total


def unsealed_entries(since: uuid.UUID | None = None) -> QuerySet[AuditEntry]:
    """Entries without a seal, oldest first: by default the tail, which the worker is about to seal.

    Both tables are read from ``since`` on only, whatever stands before it.
    """
    since = since if since is not None else _newest_sealed(before=OVERLAP)
    seals = AuditSeal.objects.filter(entry_id=OuterRef("pk"), entry_id__gte=since)
    return AuditEntry.objects.filter(~Exists(seals), pk__gte=since).order_by("pk")


def read_heads(names: Iterable[str] | None = None) -> list[Head]:
    """The heads of these chains, or of all that have seals. One query, however long the chains are."""
    last = AuditSeal.objects.filter(chain=OuterRef("name")).order_by("-sequence")
    chains = AuditChain.objects.order_by("name")
    if names is not None:
        chains = chains.filter(name__in=list(names))
    rows = chains.values_list("name", Subquery(last.values("sequence")[:1]), Subquery(last.values("hash")[:1]))
    heads = [Head(name, sequence or 0, found or BEGINNING) for name, sequence, found in rows]
    return heads if names is not None else [head for head in heads if head.sequence]


def _newest_sealed(*, before: timedelta) -> uuid.UUID:
    """The id from which to look: somewhat before the newest sealed entry, but never in the future."""
    newest = AuditSeal.objects.order_by("-entry_id").values_list("entry_id", flat=True).first()
    if newest is None:
        return _FIRST
    start = ids.first_uuid(clock.now() - before).int
    return uuid.UUID(int=max(0, min(start, newest.int - (before // timedelta(milliseconds=1) << 80))))


def _seal(since: uuid.UUID) -> int:
    found = dict(unsealed_entries(since).values_list("pk", "merchant_id")[:BATCH])
    if not found:
        return 0
    names = sorted({chain_of(merchant_id) for merchant_id in found.values()})
    # Before the transaction: on MariaDB the attempt itself locks the row, and two workers would wait for each other.
    AuditChain.objects.bulk_create([AuditChain(name=name) for name in names], ignore_conflicts=True)
    with transaction.atomic():
        # The lock first and everything else after it: what another worker sealed meanwhile is seen.
        list(AuditChain.objects.select_for_update().filter(name__in=names).order_by("name"))
        heads = {head.chain: head for head in read_heads(names)}
        entries = unsealed_entries(min(found)).filter(pk__in=list(found))
        return len(AuditSeal.objects.bulk_create(_continue_chains(heads, entries)))


def _continue_chains(heads: dict[str, Head], entries: Iterable[AuditEntry]) -> list[AuditSeal]:
    now, seals = clock.now(), []
    for entry in entries:
        head = heads[chain_of(entry.merchant_id)]
        digest = seal_hash(
            chain=head.chain,
            sequence=head.sequence + 1,
            previous=head.hash,
            sealed_at=moment_text(now),
            entry=entry_record(entry),
        )
        heads[head.chain] = head = Head(head.chain, head.sequence + 1, digest)
        seals.append(AuditSeal(chain=head.chain, sequence=head.sequence, entry_id=entry.pk, hash=digest, sealed_at=now))
    return seals

"""Sealing: every entry gets one place in its chain, in the order of ids, whatever comes late."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from majuu_core.audit.encoding import BEGINNING, entry_record, moment_text, seal_hash
from majuu_core.audit.models import AuditEntry, AuditSeal
from majuu_core.audit.sealing import (
    BATCH,
    Head,
    read_heads,
    seal_entries,
    seal_everything,
    seal_late_entries,
    unsealed_entries,
)
from majuu_core.common import clock, ids
from majuu_core.common.clock import VirtualClock
from majuu_core.database.inspection import constraint_problems
from tests.core.audit.trail import MERCHANTS, write

pytestmark = pytest.mark.django_db


def chain(name: str) -> list[tuple[int, str]]:
    rows = AuditSeal.objects.filter(chain=name).order_by("sequence").select_related("entry")
    return [(seal.sequence, seal.entry.object_id) for seal in rows]


def test_each_chain_counts_its_own_entries_and_hashes_on(virtual_clock: VirtualClock) -> None:
    """given entries of the platform and a merchant / when sealed / then each has its place, and builds on the last."""
    merchant = MERCHANTS[1]
    for number in (1, 2):
        write(None, number), write(merchant, number + 10)
    assert [seal_entries(), seal_entries()] == [4, 0]
    assert chain("platform") == [(1, "mer_1"), (2, "mer_2")]
    assert chain(str(merchant)) == [(1, "mer_11"), (2, "mer_12")]
    first, second = AuditSeal.objects.filter(chain="platform").order_by("sequence").select_related("entry")
    now = moment_text(virtual_clock.now())
    for seal, before in ((first, BEGINNING), (second, first.hash)):
        record = entry_record(AuditEntry.objects.get(pk=seal.entry_id))
        assert seal.hash == seal_hash(
            chain="platform", sequence=seal.sequence, previous=before, sealed_at=now, entry=record
        )
    write(None, 3)
    seal_entries()
    assert chain("platform") == [(1, "mer_1"), (2, "mer_2"), (3, "mer_3")]
    assert Head("platform", 3, AuditSeal.objects.latest("pk").hash) in read_heads()


def test_what_was_committed_late_is_sealed_behind(virtual_clock: VirtualClock) -> None:
    """given ids older than the newest sealed / when sealed / then at once, by the look back, or on request."""
    old = {seconds: ids.first_uuid(clock.now() - timedelta(seconds=seconds)) for seconds in (10, 3600, 864_000)}
    write(None, 1)
    seal_entries()
    for seconds, key in old.items():
        AuditEntry.objects.create(pk=key, actor_type="system", action="alert.raised", object_id=str(seconds))
    assert (seal_entries(), seal_entries()) == (1, 0)
    assert (seal_late_entries(), seal_late_entries()) == (1, 0)
    assert [row.object_id for row in unsealed_entries(uuid.UUID(int=0))] == ["864000"]
    assert (seal_everything(), seal_everything()) == (1, 0)
    assert chain("platform") == [(1, "mer_1"), (2, "10"), (3, "3600"), (4, "864000")]


def test_an_entry_from_the_future_does_not_hide_the_present(virtual_clock: VirtualClock) -> None:
    """given a sealed entry with an id of next year / when one is written now / then it is sealed as ever."""
    key = ids.first_uuid(clock.now() + timedelta(days=365))
    AuditEntry.objects.create(pk=key, actor_type="system", action="alert.raised", object_id="x")
    seal_entries()
    write(None, 2)
    assert unsealed_entries().count() == 1
    assert seal_entries() == 1


def test_a_batch_costs_as_many_queries_for_many_rows_as_for_one(virtual_clock: VirtualClock) -> None:
    """given one entry, and then more than a batch of several chains / when sealed / then the same queries."""
    write(None)
    with CaptureQueriesContext(connection) as one:
        assert seal_entries() == 1
    AuditEntry.objects.bulk_create(
        AuditEntry(merchant_id=MERCHANTS[n % 3], actor_type="system", action="alert.raised", object_id=str(n))
        for n in range(BATCH + 1)
    )
    with CaptureQueriesContext(connection) as many:
        assert seal_entries() == BATCH
    assert len(many) == len(one) <= 9
    assert (unsealed_entries().count(), seal_entries()) == (1, 1)
    rows = AuditSeal.objects.order_by("entry_id").values_list("pk", flat=True)
    assert list(rows) == sorted(rows)


CHANGES: dict[str, Callable[[QuerySet[AuditSeal]], object]] = {
    "update": lambda rows: rows.update(hash="0" * 64),
    "delete": lambda rows: rows._raw_delete(rows.db),
    "fork": lambda rows: rows.create(
        chain="platform", sequence=2, entry_id=ids.new_uuid(), hash="1" * 64, sealed_at=clock.now()
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_seals_stay_as_they_are(change: Callable[[QuerySet[AuditSeal]], object], virtual_clock: VirtualClock) -> None:
    """given two seals / when one is changed, removed or given the other's place / then the database refuses."""
    write(None, 1), write(None, 2)
    seal_entries()
    before = list(AuditSeal.objects.order_by("pk").values())
    with pytest.raises(DatabaseError), transaction.atomic():
        change(AuditSeal.objects.filter(sequence=2))
    assert list(AuditSeal.objects.order_by("pk").values()) == before
    assert list(constraint_problems(connection, [AuditSeal])) == []

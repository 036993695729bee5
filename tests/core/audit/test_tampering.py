"""Whatever is done to the trail is found, and said where: every column of every row, and every kind of moving about."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection

from majuu_core.audit.anchors import make_anchor
from majuu_core.audit.encoding import BEGINNING, COLUMNS, seal_hash
from majuu_core.audit.models import AuditAnchor, AuditEntry, AuditSeal
from majuu_core.audit.records import database_records
from majuu_core.audit.sealing import seal_late_entries
from majuu_core.common import ids
from majuu_core.common.clock import VirtualClock
from majuu_core.testing.database import guards_lifted
from tests.core.audit.trail import MERCHANTS, Records, exported, places, seal_all, write, write_trail, wrong

COLUMNS_OF_SEALS = ("chain", "sequence", "entry_id", "hash", "sealed_at")
CHAINS = ["platform", str(MERCHANTS[1]), str(MERCHANTS[2])]


def other(value: Any) -> Any:
    """A value of the same kind that differs as little as can be."""
    match value:
        case None:
            return uuid.UUID(int=1)
        case uuid.UUID():
            return uuid.UUID(int=value.int ^ 1)
        case str() if value[-1:].isdigit():
            return value[:-1] + str(9 - int(value[-1]))
        case str():
            return value[:-1] + ("y" if value.endswith("x") else "x")
        case {"limit": limit}:
            return {**value, "limit": [limit[0], 0]}
        case dict():
            return {name: [place[0], other(place[1])] for name, place in value.items()}
    return value + timedelta(microseconds=1)


def test_no_column_of_a_seal_is_left_out() -> None:
    """given the table of seals / when its columns are counted / then these tests change each but its number."""
    assert {field.attname for field in AuditSeal._meta.concrete_fields} - {"id"} == set(COLUMNS_OF_SEALS)


@pytest.mark.django_db(transaction=True)
def test_every_column_of_every_row_in_the_database(virtual_clock: VirtualClock) -> None:
    """given sealed entries of three chains / when any column of any row is changed by hand / then it is found there."""
    write_trail(virtual_clock)
    entries = list(AuditEntry.objects.filter(seal__isnull=False).select_related("seal"))
    missed, found = [], 0
    with guards_lifted(connection):
        for entry in entries:
            for column in COLUMNS:
                old = getattr(entry, column)
                AuditEntry.objects.filter(pk=entry.pk).update(**{column: other(old)})
                findings = wrong(database_records())
                place = (entry.seal.chain, entry.seal.sequence)
                if place in {(finding.chain, finding.sequence) for finding in findings}:
                    found += 1
                else:
                    missed.append((entry.seal.chain, entry.seal.sequence, column))
                key = other(old) if column == "id" else entry.pk
                AuditEntry.objects.filter(pk=key).update(**{column: old})
    assert (found, missed) == (12 * len(COLUMNS), [])
    assert wrong(database_records()) == []


@pytest.mark.django_db(transaction=True)
def test_every_column_of_every_seal_in_the_database(virtual_clock: VirtualClock) -> None:
    """given sealed entries / when any column of any seal is changed by hand / then it is found."""
    write_trail(virtual_clock)
    changes = {"chain": lambda old: "x" + old[1:], "sequence": lambda old: old + 100}
    with guards_lifted(connection):
        for seal, column in product(list(AuditSeal.objects.all()), COLUMNS_OF_SEALS):
            old = getattr(seal, column)
            AuditSeal.objects.filter(pk=seal.pk).update(**{column: changes.get(column, other)(old)})
            assert wrong(database_records()), (seal, column)
            AuditSeal.objects.filter(pk=seal.pk).update(**{column: old})
    assert wrong(database_records()) == []


def kinds(records: Records) -> set[tuple[str, str, int]]:
    return {(finding.kind, finding.chain, finding.sequence) for finding in wrong(records)}


def test_every_value_in_an_export(records: Records) -> None:
    """given an export / when any value of any sealed line is changed, dropped or added / then it is found."""
    tried = 0
    for number in places(records):
        for part in ("entry", "seal"):
            for name, value in list(records[number][part].items()):
                changed = (value + 100) if isinstance(value, int) else other(value)
                records[number][part][name] = str(changed) if isinstance(changed, uuid.UUID) else changed
                assert wrong(records), (number, part, name)
                del records[number][part][name]
                assert wrong(records), (number, part, name)
                records[number][part] = {**records[number][part], name: value}
                tried += 2
            records[number][part]["more"] = 1
            assert wrong(records), (number, part, "more")
            del records[number][part]["more"]
    assert tried == 12 * (len(COLUMNS) + len(COLUMNS_OF_SEALS)) * 2
    assert wrong(records) == []


def test_an_entry_removed_is_named(records: Records) -> None:
    """given an export / when any one entry is removed / then its place is named, and nothing else."""
    for number in places(records):
        entry, seal = records[number]["entry"], records[number]["seal"]
        records[number]["entry"] = None
        assert kinds(records) == {("removed", seal["chain"], seal["sequence"])}
        records[number]["entry"] = entry


def settled(records: Records) -> Records:
    """Whoever changes an export also mends what it says about its length."""
    counts = {
        "anchors": sum("anchor" in record for record in records),
        "seals": len(places(records)),
        "unsealed": sum(set(record) == {"entry"} for record in records),
    }
    return [*records[:-1], {"end": counts}]


def without(records: Records, gone: set[int]) -> Records:
    return settled([record for number, record in enumerate(records) if number not in gone])


def test_a_place_removed_is_named(records: Records) -> None:
    """given an export / when a seal is removed with its entry / then its gap is named, but for the very last."""
    for number in places(records):
        seal = records[number]["seal"]
        findings = kinds(without(records, {number}))
        if seal["sequence"] == 4:
            assert findings == set()  # behind the last anchor: what the anchors are made often for
        else:
            assert findings == {("missing", seal["chain"], seal["sequence"])}


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("kept", [0, 1, 2])
def test_an_end_cut_off_before_the_anchor_is_found(records: Records, chain: str, kept: int) -> None:
    """given an anchor over three entries / when a chain is cut off there / then the first one missing is named."""
    gone = {
        n for n in places(records) if records[n]["seal"]["chain"] == chain and records[n]["seal"]["sequence"] > kept
    }
    assert kinds(without(records, gone)) == {("truncated", chain, kept + 1)}


def test_swapping_any_two_is_found(records: Records) -> None:
    """given an export / when two entries, or two lines of a chain, change places / then it is found."""
    spots = places(records)
    for first in spots:
        for second in spots:
            if first >= second:
                continue
            one, two = dict(records[first]), dict(records[second])
            records[first], records[second] = {**one, "entry": two["entry"]}, {**two, "entry": one["entry"]}
            assert {(f.chain, f.sequence) for f in wrong(records)} >= {
                (record["seal"]["chain"], record["seal"]["sequence"]) for record in (one, two)
            }
            records[first], records[second] = two, one
            if one["seal"]["chain"] == two["seal"]["chain"]:
                assert wrong(records)
            records[first], records[second] = one, two
    assert wrong(records) == []


def test_an_entry_put_in_between_is_found(records: Records) -> None:
    """given an export / when a made-up line is put in anywhere, with a hash that fits / then it is found."""
    for number in places(records):
        seal = records[number]["seal"]
        for sequence in (seal["sequence"], seal["sequence"] + 1):
            made_up = {**records[number]["entry"], "id": str(ids.new_uuid())}
            digest = seal_hash(
                chain=seal["chain"],
                sequence=sequence,
                previous=seal["hash"],
                sealed_at=seal["sealed_at"],
                entry=made_up,
            )
            line = {"seal": {**seal, "sequence": sequence, "entry": made_up["id"], "hash": digest}, "entry": made_up}
            is_end = (seal["sequence"], sequence) == (4, 5)  # adding at the end is what everybody may do
            assert bool(wrong(settled([*records[: number + 1], line, *records[number + 1 :]]))) is not is_end


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_written_anew_is_found_by_its_anchor(records: Records, chain: str) -> None:
    """given an entry changed and all hashes after it made anew / when verified / then the anchored one differs."""
    previous = BEGINNING
    for number in places(records):
        seal, entry = records[number]["seal"], records[number]["entry"]
        if seal["chain"] == chain:
            entry["actor_id"] = "8"
            place = {name: seal[name] for name in ("chain", "sequence", "sealed_at")}
            previous = seal["hash"] = seal_hash(**place, previous=previous, entry=entry)
    assert kinds(records) == {("anchor", chain, 3)}


def _forge(body: dict[str, Any]) -> None:
    body["heads"][0][2] = "0" * 64


ANCHOR_CHANGES: dict[str, Callable[[Records], Any]] = {
    "heads": lambda records: _forge(records[1]["anchor"]),
    "time": lambda records: records[1]["anchor"].update(made_at="2026-01-01T00:00:00+00:00"),
    "signature": lambda records: records[1].update(signature="00" * 64),
    "key": lambda records: records[1]["anchor"].update(key="00" * 32),
    "shape": lambda records: records[1].update(anchor="nothing"),
}


@pytest.mark.parametrize("change", ANCHOR_CHANGES.values(), ids=ANCHOR_CHANGES)
def test_a_changed_anchor_is_found(records: Records, change: Callable[[Records], Any]) -> None:
    """given an export / when its anchor is changed / then it is refused."""
    change(records)
    assert {finding.kind for finding in wrong(records)} == {"anchor"}


def test_anchors_kept_elsewhere_find_what_those_inside_cannot(records: Records) -> None:
    """given the trail cut off and its anchor removed / when compared with a copy of the anchor / then found."""
    anchor = records[1]
    cut = without(records, {1, *places(records)[2:]})
    assert wrong(cut) == []
    assert {finding.kind for finding in wrong(cut, [anchor, anchor])} == {"anchor", "truncated"}
    assert wrong(records, [anchor, anchor]) == []


@pytest.mark.django_db
def test_an_anchor_removed_from_between_is_found(virtual_clock: VirtualClock) -> None:
    """given three anchors / when the second is missing / then its number is named."""
    for number in range(3):
        write(None, number)
        seal_all()
        make_anchor()
    assert AuditAnchor.objects.count() == 3
    records = without(exported(), {2})
    assert [str(finding) for finding in wrong(records)] == ["anchor 2 is missing: it was removed"]


@pytest.mark.parametrize(
    "change",
    [
        lambda records: records.pop(),
        lambda records: records.pop(0),
        lambda records: records[-1]["end"].update(seals=11),
        lambda records: records.append(records[2]),
        lambda records: records.insert(3, {"note": "hello"}),
        lambda records: records.insert(3, {"seal": None, "entry": None}),
    ],
    ids=["no end", "no start", "counts", "behind the end", "foreign line", "empty seal"],
)
def test_an_export_that_is_not_whole_is_found(records: Records, change: Callable[[Records], Any]) -> None:
    """given an export / when its frame is damaged / then it is found."""
    change(records)
    assert wrong(records)


@pytest.fixture
def trail(db: None, virtual_clock: VirtualClock) -> VirtualClock:
    for number in range(3):
        write(None, number)
        seal_all()
        virtual_clock.advance(timedelta(hours=3))
    return virtual_clock


def test_an_entry_dated_back_is_found_with_and_without_a_seal(trail: VirtualClock) -> None:
    """given an entry slipped in under an old date / when verified before and after it is sealed / then it is found."""
    write(None, 4)
    seal_all()
    old = trail.now() - timedelta(hours=5)
    entry = AuditEntry.objects.create(
        pk=ids.first_uuid(old), created_at=old, actor_type="user", action="payout.approved", object_id="po_1"
    )
    assert [finding.kind for finding in wrong(database_records())] == ["unsealed"]
    assert seal_late_entries() == 1
    found = wrong(database_records())
    assert [(finding.kind, finding.sequence) for finding in found] == [("dated", 5)]
    assert str(entry.pk) in found[0].message


def test_a_worker_that_stood_still_is_no_forgery(trail: VirtualClock) -> None:
    """given entries that waited for hours / when verified before and after they are sealed / then nothing is wrong."""
    for number in range(3):
        write(MERCHANTS[1], number)
        trail.advance(timedelta(hours=3))
    assert wrong(database_records()) == []
    seal_all()
    assert wrong(database_records()) == []


@pytest.mark.django_db(transaction=True)
def test_a_column_that_cannot_be_read_any_more_is_found(virtual_clock: VirtualClock) -> None:
    """given a database that takes anything / when a column holds no UUID any more / then its place is named."""
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite lets a column hold what is none of its kind")
    write_trail(virtual_clock)
    with guards_lifted(connection), connection.cursor() as cursor:
        cursor.execute("UPDATE majuu_audit_auditentry SET store_id = 'nonsense' WHERE object_id = 'mer_2'")
    assert {(f.kind, f.sequence) for f in wrong(database_records())} == {("changed", 2)}
    assert len(wrong(database_records())) == 3

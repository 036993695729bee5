"""Personal data in the trail: unreadable without the person's key, gone when it is destroyed, the chain untouched."""

from __future__ import annotations

import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from majuu_core.audit.actions import ActionRegistry
from majuu_core.audit.anchors import make_anchor, own_public_keys
from majuu_core.audit.models import AuditEntry, AuditSubjectKey
from majuu_core.audit.personal import (
    ERASED,
    HIDDEN,
    SEALED,
    count_keys,
    destroy_keys,
    email_subject,
    hide_personal,
    phone_subject,
    read_personal,
    user_subject,
)
from majuu_core.audit.records import database_records, file_records, write_records
from majuu_core.audit.services import Actor, acting_as, record_entry
from majuu_core.audit.verification import Verifier
from majuu_core.common.clock import VirtualClock
from majuu_core.testing.audit import address_in, changes_in
from majuu_core.testing.database import guards_lifted
from tests.core.audit.trail import exported, seal_all, wrong

pytestmark = pytest.mark.django_db
JANE = Actor(type="user", id="7", remote_addr="198.51.100.7")


def customer_made(actor: Actor = JANE, object_id: str = "cus_1") -> AuditEntry:
    with acting_as(actor):
        changes = {"reference": [None, "jane@shop"], "email": [None, "jane@example.com"], "limit": 5}
        return record_entry(action="customer.created", object_id=object_id, changes=changes)


def columns_of(entry: AuditEntry) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM majuu_audit_auditentry")
        return str(cursor.fetchall())


def test_what_is_personal_is_not_in_the_table() -> None:
    """given an entry of a user about a customer / when stored / then the row holds ciphertext alone."""
    entry = AuditEntry.objects.get(pk=customer_made().pk)
    stored = columns_of(entry)
    for text in ("198.51.100.7", "jane"):
        assert text not in stored
    assert (entry.remote_addr, entry.changes) == ("", {"limit": 5})
    assert sorted(entry.personal) == ["changes.email", "changes.reference", "remote_addr"]
    assert address_in(entry) == "198.51.100.7"
    assert changes_in(entry) == {"limit": 5, "reference": [None, "jane@shop"], "email": [None, "jane@example.com"]}


@pytest.mark.parametrize("type", ["key", "provider", "system"])
def test_a_machines_address_stays_open(type: str) -> None:
    """given an actor that is no person / when recorded / then its address is a column, and no key is made for it."""
    with acting_as(Actor(type=type, id="key_1", remote_addr="203.0.113.5")):
        entry = record_entry(action="merchant.updated", object_id="mer_1", changes={"name": ["A", "B"]})
    assert (entry.remote_addr, entry.personal, entry.changes) == ("203.0.113.5", {}, {"name": ["A", "B"]})
    assert AuditSubjectKey.objects.count() == 0


def test_erasing_one_person_leaves_the_others_and_the_chain(virtual_clock: VirtualClock) -> None:
    """given two customers in a sealed and anchored trail / when one is erased / then only theirs is gone, all valid."""
    first, second = customer_made(object_id="cus_1"), customer_made(object_id="cus_2")
    seal_all()
    assert make_anchor() is not None
    before = exported()
    assert destroy_keys(["cus_1"]) == 1
    assert changes_in(first) == {"limit": 5, "reference": ERASED, "email": ERASED}
    assert changes_in(second)["email"] == [None, "jane@example.com"]
    assert address_in(first) == "198.51.100.7"  # the clerk's, who is another person
    assert destroy_keys([user_subject(7)]) == 1
    assert (address_in(first), address_in(second)) == (ERASED, ERASED)
    assert wrong(exported()) == []
    assert before[1:] == exported()[1:]


def test_a_person_met_again_gets_a_new_key() -> None:
    """given a customer who was erased / when they come back / then the new is readable, and the old stays erased."""
    old = customer_made()
    destroy_keys(["cus_1"])
    new = customer_made()
    assert (changes_in(old)["email"], changes_in(new)["email"]) == (ERASED, [None, "jane@example.com"])


def test_keys_are_shared_by_the_entries_of_a_subject() -> None:
    """given three entries of one user about one customer / when the keys are counted / then there are two."""
    for _ in range(3):
        customer_made()
    assert (AuditSubjectKey.objects.count(), count_keys(["cus_1"]), count_keys([user_subject(7), "cus_9"])) == (2, 1, 1)


def test_a_key_made_in_a_transaction_that_failed_is_not_used_again() -> None:
    """given a first entry that was rolled back / when a second is written / then it can be read."""
    with transaction.atomic():
        customer_made()
        transaction.set_rollback(True)
    assert AuditSubjectKey.objects.count() == 0
    assert changes_in(customer_made())["email"] == [None, "jane@example.com"]


def test_a_ciphertext_moved_elsewhere_does_not_open() -> None:
    """given two entries / when one's ciphertext stands in the other / then it is not taken for the other's."""
    first, second = customer_made(), customer_made()
    second.personal = first.personal
    assert changes_in(second)["email"] == "[changed]"
    second.personal = {"remote_addr": "x", "changes.email": ["no uuid", "x"]}
    assert changes_in(second) == {"limit": 5}


def test_who_may_not_see_it_sees_that_there_is_something() -> None:
    """given an entry / when shown to somebody without the permission / then the names stay, the values do not."""
    hidden = hide_personal(customer_made())
    assert (hidden.remote_addr, hidden.changes) == (HIDDEN, {"limit": 5, "email": HIDDEN, "reference": HIDDEN})


def test_reading_many_asks_once(django_assert_num_queries: Any) -> None:
    """given one entry, then twenty of as many customers / when read / then one query."""
    for number in (1, 20):
        rows = [customer_made(object_id=f"cus_{number}_{each}") for each in range(number)]
        with django_assert_num_queries(1):
            assert len(read_personal(rows)) == number


def test_names_of_people_are_one_whatever_their_spelling() -> None:
    """given an address and a number in two spellings / when named / then the same name."""
    assert email_subject(" Jane@Example.com") == email_subject("jane@example.com") == "email:jane@example.com"
    assert phone_subject("+254 712-345 678") == phone_subject("254712345678") == "phone:254712345678"


def test_rotation_covers_the_keys_and_their_names(settings: Any) -> None:
    """given keys under an old master / when rotated and the old one is dropped / then readable, and still erasable."""
    entry = customer_made()
    old, new = settings.MAJUU_ENCRYPTION_KEYS[0], "another-master-key-0123456789abcdefghij"
    settings.MAJUU_ENCRYPTION_KEYS = [new, old]
    assert SEALED.outdated().count() == 2
    call_command("majuu_rotate_keys", stdout=io.StringIO())
    settings.MAJUU_ENCRYPTION_KEYS = [new]
    assert changes_in(entry)["email"] == [None, "jane@example.com"]
    assert destroy_keys(["cus_1", user_subject(7)]) == 2
    assert changes_in(entry)["email"] == ERASED


def test_a_registered_field_is_personal_in_its_action_alone() -> None:
    """given an action with a field of its own / when asked / then that one has it, and all have the common ones."""
    registry = ActionRegistry([("parcel.sent", "Sent"), ("parcel.lost", "Lost")])
    registry.mark_personal("parcel.sent", ["street"])
    assert registry.personal_fields("parcel.sent") - registry.personal_fields("parcel.lost") == {"street"}
    assert "email" in registry.personal_fields("parcel.lost")


def test_a_ciphertext_changed_or_emptied_is_found(virtual_clock: VirtualClock) -> None:
    """given a sealed entry with personal data / when the column is changed in any way / then the verifier names it."""
    entry = customer_made()
    seal_all()
    number, text = entry.personal["remote_addr"]
    others: tuple[Any, ...] = (
        {},
        {**entry.personal, "remote_addr": [number, text[:-2] + "A="]},
        {**entry.personal, "remote_addr": [str(uuid.UUID(int=1)), text]},
        {**entry.personal, "more": [number, text]},
        {"remote_addr": [number, text]},
        [],
        None,
    )
    for other in others:
        records = exported()
        records[1]["entry"]["personal"] = other
        assert [(finding.kind, finding.sequence) for finding in wrong(records)] == [("changed", 1)], other
    del records[1]["entry"]["personal"]
    assert [finding.kind for finding in wrong(records)] == ["changed"]


@pytest.mark.django_db(transaction=True)
def test_an_entry_without_personal_data_is_written_as_it_always_was(virtual_clock: VirtualClock) -> None:
    """given an entry sealed before / when its empty column is filled by hand / then good, then found."""
    entry = record_entry(action="merchant.updated", object_id="mer_1", changes={})
    seal_all()
    assert wrong(database_records()) == []
    with guards_lifted(connection):
        AuditEntry.objects.filter(pk=entry.pk).update(personal={"remote_addr": ["a", "b"]})
        assert [finding.kind for finding in wrong(database_records())] == ["changed"]


def test_an_export_of_the_first_version_is_still_read(virtual_clock: VirtualClock) -> None:
    """given an export whose first line says version 1 / when verified / then good; of version 3 / then refused."""
    record_entry(action="merchant.updated", object_id="mer_1", changes={})
    seal_all()
    records = exported()
    assert records[0]["export"]["version"] == 2
    records[0]["export"]["version"] = 1
    assert wrong(records) == []
    records[0]["export"]["version"] = 3
    assert [finding.kind for finding in wrong(records)] == ["export"]


def test_a_readable_export_verifies_like_any_other(virtual_clock: VirtualClock, tmp_path: Path) -> None:
    """given personal data sealed, unsealed and erased / when exported readable / then shown beside what is hashed."""
    customer_made()
    seal_all()
    customer_made(object_id="cus_2")
    destroy_keys(["cus_2"])
    call_command("majuu_audit", "export", "--to", str(tmp_path / "plain"), stdout=io.StringIO())
    call_command("majuu_audit", "export", "--to", str(tmp_path / "open"), "--with-personal-data", stdout=io.StringIO())
    assert "jane" not in (tmp_path / "plain").read_text()
    lines = [json.loads(line) for line in (tmp_path / "open").read_text().splitlines()]
    assert lines[1]["readable"]["changes"]["email"] == [None, "jane@example.com"]
    assert lines[2]["readable"] == {
        "remote_addr": "198.51.100.7",
        "changes": {"limit": 5, "email": ERASED, "reference": ERASED},
    }
    for name in ("plain", "open"):
        with open(tmp_path / name) as file:
            verifier = Verifier(public_keys=own_public_keys())
            assert list(verifier.findings(file_records(file))) == []
    told = AuditEntry.objects.filter(action="audit.exported").order_by("pk").values_list("changes", flat=True)
    assert [(row["lines"], row["with_personal_data"]) for row in told] == [(4, False), (5, True)]


def test_records_are_the_same_with_and_without(virtual_clock: VirtualClock) -> None:
    """given a trail / when written readable and not / then entries and seals are equal."""
    customer_made()
    seal_all()
    texts = []
    for readable in (False, True):
        file = io.StringIO()
        write_records(database_records(readable=readable), file)
        texts.append(
            [{k: v for k, v in json.loads(line).items() if k != "readable"} for line in file.getvalue().splitlines()]
        )
    assert texts[0] == texts[1]

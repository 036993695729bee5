"""Anchors are made when due, signed, and taken to each place; and the command that shows, exports and verifies."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from majuu_core.audit import delivery
from majuu_core.audit.anchors import anchor_line, is_signed_by, own_public_keys
from majuu_core.audit.configuration import anchor_settings, check_audit_settings, signing_keys
from majuu_core.audit.delivery import run_due_anchors
from majuu_core.audit.models import AuditAnchor, AuditAnchorDelivery, AuditEntry
from majuu_core.audit.sealing import read_heads
from majuu_core.common.clock import VirtualClock
from majuu_core.testing.database import guards_lifted
from tests.core.audit.trail import MERCHANTS, seal_all, write, write_trail

OTHER_KEY = "another-secret-of-at-least-32-characters"


def sealed(count: int = 1) -> None:
    for number in range(count):
        write(MERCHANTS[number % 3], number)
    seal_all()


def numbers() -> list[int]:
    return list(AuditAnchor.objects.order_by("number").values_list("number", flat=True))


@pytest.mark.django_db
def test_anchors_are_made_when_due_and_when_something_was_sealed(virtual_clock: VirtualClock) -> None:
    """given the default of an hour / when the loop runs / then once an hour, and not when nothing was sealed."""
    assert (run_due_anchors(), numbers()) == (0, [])
    sealed(4)
    assert (run_due_anchors(), run_due_anchors(), numbers()) == (1, 0, [1])
    sealed()
    virtual_clock.advance(3599)
    assert run_due_anchors() == 0
    virtual_clock.advance(1)
    assert (run_due_anchors(), numbers()) == (1, [1, 2])
    virtual_clock.advance(7200)
    assert run_due_anchors() == 0
    first, second = AuditAnchor.objects.order_by("number")
    body = json.loads(second.body)
    assert body["heads"] == [[head.chain, head.sequence, head.hash] for head in read_heads()]
    assert (body["number"], body["sealed"], first.sealed) == (2, 5, 4)
    assert is_signed_by(second.body.encode(), second.signature, own_public_keys())
    assert not is_signed_by(first.body.encode(), second.signature, own_public_keys())
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditAnchor.objects.update(sealed=0)


@pytest.mark.django_db
def test_anchors_go_to_the_file_and_by_e_mail(
    virtual_clock: VirtualClock, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """given a file and an address / when anchors are made, and mail fails once / then each arrives once in the end."""
    path = tmp_path / "anchors.jsonl"
    settings.MAJUU_AUDIT_ANCHORS = {"file": path, "emails": ["audit@example.com"], "every": timedelta(minutes=5)}
    sealed()
    assert run_due_anchors() == 3
    virtual_clock.advance(300)
    sealed()
    with monkeypatch.context() as broken:
        broken.setattr(delivery, "send_mail", lambda *args: 1 / 0)
        assert run_due_anchors() == 2
    assert (len(mail.outbox), len(path.read_text().splitlines())) == (1, 2)
    assert (run_due_anchors(), run_due_anchors()) == (1, 0)
    lines = [anchor_line(anchor) for anchor in AuditAnchor.objects.order_by("number")]
    assert path.read_text() == "".join(f"{line}\n" for line in lines)
    assert [message.to for message in mail.outbox] == [["audit@example.com"]] * 2
    assert lines[1] in mail.outbox[1].body.splitlines()
    assert AuditAnchorDelivery.objects.count() == 4


@pytest.mark.django_db
def test_a_new_place_starts_with_the_newest(virtual_clock: VirtualClock, settings: Any, tmp_path: Path) -> None:
    """given anchors made without a place / when a file is set / then it gets the last one, which holds all heads."""
    for _ in range(2):
        sealed()
        run_due_anchors()
        virtual_clock.advance(3600)
    settings.MAJUU_AUDIT_ANCHORS = {"file": str(tmp_path / "anchors")}
    assert run_due_anchors() == 1
    assert json.loads((tmp_path / "anchors").read_text())["anchor"]["number"] == 2


@pytest.fixture
def keeper(db: None, tmp_path: Path) -> Iterator[str]:
    """The alias of a second database that holds only the audit app's tables."""
    connections.databases["keeper"] = {
        **connections.databases["default"],
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path / "keeper.sqlite3"),
        "OPTIONS": {},
    }
    connections["keeper"].connect()  # by ourselves: Django's guard of test databases refuses what opens by itself
    call_command("migrate", "majuu_audit", database="keeper", verbosity=0)
    yield "keeper"
    connections["keeper"].close()
    del connections.databases["keeper"], connections["keeper"]


def test_anchors_in_another_database_hold_against_this_one(
    keeper: str, virtual_clock: VirtualClock, settings: Any
) -> None:
    """given anchors copied elsewhere, and one made without that / when verified / then both databases' count."""
    sealed()
    settings.MAJUU_AUDIT_ANCHORS = {"database": keeper}
    assert (run_due_anchors(), run_due_anchors()) == (2, 0)
    rows = [list(AuditAnchor.objects.using(alias).values()) for alias in ("default", keeper)]
    assert rows[0] == rows[1] != []
    assert run("verify")[1] == ""
    with pytest.raises(DatabaseError):
        AuditAnchor.objects.using(keeper).update(sealed=0)
    virtual_clock.advance(3600)
    sealed()
    settings.MAJUU_AUDIT_ANCHORS = {}
    run_due_anchors()
    second = AuditAnchor.objects.get(number=2)
    AuditAnchor.objects.using(keeper).create(
        number=2, made_at=second.made_at, sealed=9, body=second.body.replace("2", "3"), signature=second.signature
    )
    settings.MAJUU_AUDIT_ANCHORS = {"database": keeper}
    assert "is signed by none of the known keys" in run("verify")[1]


def run(*arguments: str) -> tuple[str, str]:
    """What the command printed, and its error (with what it ended with)."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("majuu_audit", *arguments, stdout=out, stderr=err)
    except CommandError as problem:
        err.write(str(problem))
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_the_command_exports_and_verifies(virtual_clock: VirtualClock, tmp_path: Path) -> None:
    """given a sound trail / when verified in the database and in an export / then nothing is wrong."""
    write_trail(virtual_clock)
    export = str(tmp_path / "trail.jsonl")
    in_database = run("verify")  # the export itself leaves an entry
    assert run("export", "--to", export) == (f"16 lines written to {export}.\n", "")
    assert (Path(export).stat().st_mode & 0o777) == 0o600
    said = "12 sealed entries in 3 chains, 1 not sealed yet, 1 anchors, the last of 2026-01-05T09:00:09.000000+00:00.\n"
    assert in_database == run("verify", "--file", export) == (said, "")
    out, _ = run("status")
    assert "Sealed: 12 entries in 3 chains.\nNot sealed yet: 2.\nLast anchor: 1, 2026-01-05 09:00:09 UTC" in out
    assert own_public_keys()[0] in out
    assert "cannot be written" in run("export", "--to", export)[1]


def test_an_export_is_verified_without_a_database(tmp_path: Path, settings: Any) -> None:
    """given no database and no secrets / when an export is verified with the public key / then it is."""
    settings.MAJUU_ENCRYPTION_KEYS = []
    export = tmp_path / "trail.jsonl"
    export.write_text('{"export":{"made_at":"2026-01-05T09:00:00+00:00","version":1}}\n')
    assert "Name the site's key with --public-key" in run("verify", "--file", str(export))[1]
    out, err = run("verify", "--file", str(export), "--public-key", "ab" * 32)
    assert out == "0 sealed entries in 0 chains, 0 not sealed yet, 0 anchors.\n"
    assert "the export has no end: it was cut off" in err
    export.write_text("hello")
    assert "line 1 is not JSON" in run("verify", "--file", str(export), "--public-key", "ab" * 32)[1]
    assert "is no public key" in run("verify", "--public-key", "ab")[1]
    assert "cannot be read" in run("verify", "--file", str(tmp_path / "none"), "--public-key", "ab" * 32)[1]


@pytest.mark.django_db(transaction=True)
def test_the_command_says_what_was_changed(virtual_clock: VirtualClock, settings: Any, tmp_path: Path) -> None:
    """given a changed entry, and a truncated trail with anchors in a file / when verified / then both are named."""
    settings.MAJUU_AUDIT_ANCHORS = {"file": str(tmp_path / "anchors")}
    write_trail(virtual_clock)
    run_due_anchors()
    with guards_lifted(connection):
        entry = AuditEntry.objects.get(merchant_id=None, object_id="mer_2")
        AuditEntry.objects.filter(pk=entry.pk).update(actor_id="8")
        _, err = run("verify")
        assert f"platform 2: the entry {entry.pk} or its seal was changed\n" in err
        assert "The audit trail was changed: 1 findings." in err
        with pytest.raises(CommandError) as problem:
            call_command("majuu_audit", "verify", stdout=io.StringIO(), stderr=io.StringIO())
        assert problem.value.returncode == 1
        AuditEntry.objects.filter(pk=entry.pk).update(actor_id="7")
        for table in ("majuu_audit_auditseal", "majuu_audit_auditanchordelivery", "majuu_audit_auditanchor"):
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {table}")
        AuditEntry.objects.all()._raw_delete("default")
    _, err = run("verify")
    assert "anchor 1 is not in the trail" in err
    assert "platform 1: the seals from here to 3 are missing: anchor 1 holds them, the chain was cut off" in err
    assert "The audit trail was changed: 4 findings." in err


@pytest.mark.django_db
def test_seal_and_anchor_by_hand(virtual_clock: VirtualClock) -> None:
    """given entries without seals / when the command seals and anchors / then it says what it did."""
    write(None, 1)
    assert run("anchor")[0] == "Nothing was sealed since the last anchor.\n0 taken to the configured places.\n"
    assert run("seal", "--all")[0] == "1 entries sealed.\n"
    assert run("anchor")[0] == "Anchor 1 made.\n0 taken to the configured places.\n"


@pytest.mark.django_db
def test_a_new_signing_key_keeps_the_old_anchors_good(virtual_clock: VirtualClock, settings: Any) -> None:
    """given an anchor of the derived key / when a key is set before it, then instead of it / then good, then not."""
    sealed()
    run_due_anchors()
    old = settings.MAJUU_ENCRYPTION_KEYS[0]
    settings.MAJUU_AUDIT_SIGNING_KEY = [OTHER_KEY, old]
    assert run("verify")[1] == ""
    settings.MAJUU_AUDIT_SIGNING_KEY = OTHER_KEY
    assert "is signed by none of the known keys" in run("verify")[1]
    assert len(signing_keys()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAJUU_AUDIT_ANCHORS", ["file"]),
        ("MAJUU_AUDIT_ANCHORS", {"path": "x"}),
        ("MAJUU_AUDIT_ANCHORS", {"every": 60}),
        ("MAJUU_AUDIT_ANCHORS", {"every": timedelta(seconds=59)}),
        ("MAJUU_AUDIT_ANCHORS", {"file": 1}),
        ("MAJUU_AUDIT_ANCHORS", {"emails": "a@example.com"}),
        ("MAJUU_AUDIT_ANCHORS", {"emails": ["nobody"]}),
        ("MAJUU_AUDIT_ANCHORS", {"database": "default"}),
        ("MAJUU_AUDIT_ANCHORS", {"database": "elsewhere"}),
        ("MAJUU_AUDIT_SIGNING_KEY", "short"),
        ("MAJUU_AUDIT_SIGNING_KEY", [OTHER_KEY, 1]),
    ],
)
def test_settings_that_cannot_be_used_are_refused(name: str, value: Any, settings: Any) -> None:
    """given a setting of the wrong form / when checked / then an error that names it."""
    assert check_audit_settings() == []
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        (anchor_settings if name.endswith("ANCHORS") else signing_keys)()
    assert [problem.id for problem in check_audit_settings()] == ["majuu.E010"]

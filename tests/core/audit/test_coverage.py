"""Exports and changed settings leave entries; anchors that fail raise an alert."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import QuerySet

import majuu_core
from majuu_core.audit.anchors import make_anchor
from majuu_core.audit.delivery import deliver_anchors, is_anchor_overdue, late_places
from majuu_core.audit.exports import record_export
from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import Actor, acting_as
from majuu_core.audit.site_settings import note_settings
from majuu_core.common.clock import VirtualClock
from majuu_core.payments.models import Alert
from majuu_core.testing.audit import changes_in
from majuu_core.webhooks.watching import watch
from tests.core.audit.trail import seal_all, write

pytestmark = pytest.mark.django_db
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)


def test_an_export_says_what_by_which_filter_and_how_many() -> None:
    """given an export with a filter and a search / when recorded / then all are there, the search encrypted."""
    with acting_as(Actor(type="user", id="7", remote_addr="198.51.100.7")):
        made = record_export(
            report="disputes", form="csv", rows=12, filters={"status": "open", "q": "0712345678", "mode": ""}
        )
    entry = AuditEntry.objects.get(pk=made.pk)
    plain = {"report": "disputes", "form": "csv", "rows": 12, "filters": {"status": "open"}}
    assert (entry.action, entry.object_id, entry.changes) == ("report.exported", "disputes", plain)
    assert changes_in(entry)["searched"] == {"q": "0712345678"}


def settings_entries() -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(action="settings.changed").order_by("pk")


def test_changed_settings_are_named_and_not_shown(settings: Any, virtual_clock: VirtualClock) -> None:
    """given a first start / when a setting changes, one goes and one comes / then each start names just those."""
    assert note_settings() is not None
    assert note_settings() is None
    settings.MAJUU_BALANCE_MINUTES = 7
    settings.MAJUU_ALERT_EMAILS = ["secret-address@example.com"]
    virtual_clock.advance(1)
    found = note_settings()
    assert found is not None
    assert found.changes["changed"] == ["MAJUU_ALERT_EMAILS", "MAJUU_BALANCE_MINUTES"]
    assert "secret-address" not in str(list(settings_entries().values_list("changes", flat=True)))
    del settings.MAJUU_BALANCE_MINUTES
    virtual_clock.advance(1)
    found = note_settings()
    assert found is not None
    assert found.changes["changed"] == ["MAJUU_BALANCE_MINUTES"]
    assert note_settings() is None
    assert settings_entries().count() == 3


def test_a_new_master_key_is_one_change_and_not_all(settings: Any, virtual_clock: VirtualClock) -> None:
    """given noted settings / when a key is put first, and later the older one dropped / then only the keys changed."""
    note_settings()
    old, new = settings.MAJUU_ENCRYPTION_KEYS[0], "another-master-key-0123456789abcdefghij"
    for keys in ([new, old], [new]):
        settings.MAJUU_ENCRYPTION_KEYS = keys
        virtual_clock.advance(1)
        found = note_settings()
        assert found is not None
        assert found.changes["changed"] == ["MAJUU_ENCRYPTION_KEYS"]
    settings.MAJUU_ENCRYPTION_KEYS = ["yet-another-master-key-0123456789abcdef"]
    virtual_clock.advance(1)
    found = note_settings()
    assert found is not None
    assert found.changes["changed"] == ["(all: the key they were compared with is gone)"]


def open_titles() -> list[str]:
    return sorted(Alert.objects.filter(kind="anchor", open_key__isnull=False).values_list("title", flat=True))


def test_an_anchor_that_does_not_arrive_raises_an_alert_and_clears_it(
    settings: Any, virtual_clock: VirtualClock, tmp_path: Path
) -> None:
    """given a place that cannot be written / when anchors fail for a while / then alerted, until they come."""
    settings.MAJUU_AUDIT_ANCHORS = {"file": str(tmp_path / "absent" / "anchors.jsonl")}
    write()
    seal_all()
    make_anchor()
    deliver_anchors()
    watch()
    assert (late_places(QUARTER), open_titles()) == ({}, [])
    virtual_clock.advance(QUARTER + timedelta(seconds=1))
    watch()
    assert late_places(QUARTER) == {"file": 1}
    assert open_titles() == ['Audit anchors do not reach "file"']
    (tmp_path / "absent").mkdir()
    assert deliver_anchors() == 1
    watch()
    assert open_titles() == []


def test_an_anchor_that_is_not_made_raises_an_alert(virtual_clock: VirtualClock) -> None:
    """given sealed entries / when no anchor follows in time / then alerted; a quiet site is not."""
    assert not is_anchor_overdue(QUARTER)
    write()
    seal_all()
    virtual_clock.advance(HOUR)
    assert not is_anchor_overdue(QUARTER)
    virtual_clock.advance(QUARTER + timedelta(seconds=1))
    watch()
    assert open_titles() == ["No audit anchor was made"]
    make_anchor()
    watch()
    assert open_titles() == []
    Alert.objects.all().delete()
    virtual_clock.advance(timedelta(days=2))
    assert not is_anchor_overdue(QUARTER)
    for _ in range(3):  # a busy site: the newest seal is always young
        write()
        seal_all()
        virtual_clock.advance(QUARTER)
    assert is_anchor_overdue(QUARTER)


def test_whatever_sends_a_file_records_an_export() -> None:
    """given the modules that answer with files / when read / then each records an export, or is known not to be one."""
    rooms = [Path(majuu_core.__file__).parent / name for name in ("api", "console", "checkout", "webhooks")]
    senders = {
        path.name: path.read_text(encoding="utf-8")
        for room in rooms
        for path in room.rglob("*.py")
        if "attachment; filename" in path.read_text(encoding="utf-8")
    }
    assert {"disputes.py", "mismatches.py", "payouts.py", "wallets.py", "safeguarding.py"} <= senders.keys()
    # people_page records person.exported; a file of evidence is one row's, and its reading no export.
    others = {"people_page.py", "evidence.py", "dispute_page.py"}
    assert {name for name, text in senders.items() if "record_export(" not in text} - others == set()

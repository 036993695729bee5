"""Disputes in the console: the deadlines first, the evidence form, who may answer and who may give in."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.console.cells import address_of
from majuu_core.payments.dispute_alerts import watch_disputes
from majuu_core.payments.models import Alert, Dispute, DisputeEvidence
from majuu_core.webhooks.watching import watch
from tests.core.payments.dispute_support import disputed_at_mock, hear_of, later, told
from tests.core.payments.support import Till

VIEW, CHANGE = "majuu_payments.view_dispute", "majuu_payments.change_dispute"
ACCEPT = "majuu_payments.accept_dispute"
PDF = b"%PDF-1.7 a receipt"
LIST = "/console/majuu_payments/dispute/"


@pytest.fixture
def till(db: None, virtual_clock: VirtualClock) -> Till:
    return Till(name="Mama Njeri Fashions")


@pytest.fixture
def dispute(till: Till, virtual_clock: VirtualClock) -> Dispute:
    return disputed_at_mock(till, virtual_clock)


def act(client: Client, dispute: Dispute, name: str, **fields: Any) -> Any:
    address = reverse(f"console:majuu_payments_dispute_{name}", args=[dispute.public_id])
    return client.post(address, fields, follow=True)


def text_of(answer: Any) -> str:
    source = re.sub(r"<[^>]*>", " ", answer.content.decode())
    return " ".join(html.unescape(source).replace("\u00a0", " ").split())


def test_evidence_is_written_uploaded_and_submitted(dispute: Dispute, staff_client: Any) -> None:
    client = staff_client(VIEW, CHANGE)
    shown = text_of(client.get(address_of(dispute)))
    assert "What happened" in shown
    assert "Answer by" in shown
    assert "Submit the evidence" not in shown  # there is none yet
    assert "Accept the dispute" not in shown
    saved = act(
        client,
        dispute,
        "evidence",
        **{
            "text-explanation": "Delivered <b>on time</b>.",
            "text-no_such": "ignored",
            "file-receipt": SimpleUploadedFile("note.pdf", PDF),
        },
    )
    assert "The drafts are saved." in text_of(saved)
    assert "Delivered &lt;b&gt;on time&lt;/b&gt;." in saved.content.decode()
    kept = DisputeEvidence.objects.get(kind="file")
    file_address = reverse("console:majuu_payments_dispute_file", args=[dispute.public_id, kept.public_id])
    got = client.get(file_address)
    assert (got.content, got["Content-Type"]) == (PDF, "application/octet-stream")
    assert got["Content-Disposition"] == f'attachment; filename="{kept.public_id}.pdf"'
    assert "Confirm first" in text_of(act(client, dispute, "submit"))
    done = act(client, dispute, "submit", confirm="1")
    assert "The dispute is now: Under review." in text_of(done)
    assert "Save drafts" not in text_of(done)
    entry = AuditEntry.objects.get(object_id=dispute.public_id, action="dispute.evidence_submitted")
    assert entry.actor_type == "user"


def test_files_are_removed_and_bad_ones_explained(dispute: Dispute, staff_client: Any) -> None:
    client = staff_client(VIEW, CHANGE)
    bad = act(client, dispute, "evidence", **{"file-receipt": SimpleUploadedFile("a.pdf", b"MZ")})
    assert "The file is none of: application/pdf, image/jpeg, image/png." in text_of(bad)
    act(client, dispute, "evidence", **{"file-receipt": SimpleUploadedFile("a.pdf", PDF)})
    kept = DisputeEvidence.objects.get()
    names = [dispute.public_id, kept.public_id]
    client.post(reverse("console:majuu_payments_dispute_file_remove", args=names))
    assert DisputeEvidence.objects.count() == 0


def test_giving_in_is_for_those_who_may(dispute: Dispute, staff_client: Any) -> None:
    assert act(staff_client(VIEW, CHANGE), dispute, "accept", confirm="1").status_code == 403
    client = staff_client(VIEW, ACCEPT)
    assert "Giving in cannot be taken back" in text_of(act(client, dispute, "accept"))
    dispute.refresh_from_db()
    assert dispute.status == "needs_response"
    assert "The dispute is now: Accepted." in text_of(act(client, dispute, "accept", confirm="1", reason="Lost"))


@pytest.mark.parametrize("name", ["evidence", "submit", "ask", "note"])
def test_readers_change_nothing(dispute: Dispute, staff_client: Any, name: str) -> None:
    before = AuditEntry.objects.count()
    fields = {"text-explanation": "Mine.", "confirm": "1", "reason": "Because."}
    assert act(staff_client(VIEW), dispute, name, **fields).status_code == 403
    dispute.refresh_from_db()
    assert (dispute.status, DisputeEvidence.objects.count()) == ("needs_response", 0)
    assert AuditEntry.objects.count() == before
    shown = text_of(staff_client(VIEW).get(address_of(dispute)))
    assert "Save drafts" not in shown


def test_asking_and_taking_note(till: Till, staff_client: Any) -> None:
    _, charge = till.pay_new("1500")
    dispute = hear_of(till, told(charge, amount="1600", withdrawn="1600")).dispute
    client = staff_client(VIEW, CHANGE)
    shown = text_of(client.get(address_of(dispute)))
    assert "More is disputed, or has gone back, than this payment brought." in shown
    assert "The store owes KES 100.00" in shown
    assert "Noted." in text_of(act(client, dispute, "note", reason="The bank added costs."))
    assert "The provider gave no answer." in text_of(act(client, dispute, "ask"))  # the mock knows no such one


def test_the_nearest_deadline_comes_first(till: Till, superuser_client: Client) -> None:
    for number, days in enumerate((5, 2, 9)):
        _, charge = till.pay_new("100")
        state = replace(told(charge), provider_reference=f"disp_{number}", respond_by=later(days))
        hear_of(till, state)
    _, charge = till.pay_new("100")
    hear_of(till, replace(told(charge, "won"), provider_reference="disp_9"))
    rows = superuser_client.get(LIST + "?answer=1").context["cl"].result_list
    assert [row.provider_reference for row in rows] == ["disp_1", "disp_0", "disp_2"]
    assert len(superuser_client.get(LIST).context["cl"].result_list) == 4
    home = text_of(superuser_client.get("/console/"))
    assert re.search(r"3 Disputes to answer need an answer by \d\d \w+ \d\d:\d\d", home)


def test_the_list_as_a_file(dispute: Dispute, till: Till, superuser_client: Client, staff_client: Any) -> None:
    answer: Any = superuser_client.get(LIST + "export.csv?answer=1")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Id,Status,Reason,")
    assert lines[1].startswith(
        f"{dispute.public_id},Needs an answer,Not received,mock_not_received,Mama Njeri Fashions,"
    )
    sheet: Any = superuser_client.get(LIST + "export.xlsx")
    assert b"".join(sheet.streaming_content).startswith(b"PK")
    assert staff_client().get(LIST + "export.csv").status_code == 403


def test_a_near_deadline_alarms_by_letter_until_it_is_answered(
    till: Till, dispute: Dispute, virtual_clock: VirtualClock, settings: Any
) -> None:
    settings.MAJUU_ALERT_EMAILS = ["ops@example.com"]
    assert watch_disputes() == 0
    virtual_clock.advance(timedelta(days=4, hours=1))
    watch()
    alert = Alert.objects.get(kind="dispute_due")
    assert alert.title.startswith("A dispute of Mama Njeri Fashions needs an answer by ")
    assert "KES 7761.00" in alert.detail
    assert [letter.subject for letter in mail.outbox] == [f"Majuu: {alert.title}"]
    assert watch_disputes() == 0
    settings.MAJUU_DISPUTE_WARNING_DAYS = 1
    assert watch_disputes() == 1
    alert.refresh_from_db()
    assert alert.is_open is False

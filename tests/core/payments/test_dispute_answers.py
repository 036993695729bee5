"""Answering a dispute and giving in: drafts, files, deadlines, refusals, answers that are lost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.payments.dispute_evidence import (
    LARGEST_FILE,
    add_file,
    remove_file,
    represent_evidence,
    save_texts,
    sniff,
)
from majuu_core.payments.dispute_hearing import run_due_disputes
from majuu_core.payments.disputes import accept_dispute, submit_evidence
from majuu_core.payments.models import Dispute, DisputeEvidence
from majuu_core.providers import (
    DisputeState,
    EvidenceRequest,
    FollowUpRequest,
    InvalidCredentials,
    InvalidPaymentData,
    NotSent,
    OutcomeUnknown,
    RequestRejected,
    Violation,
)
from majuu_core.testing.fake import FakeProvider
from tests.core.payments.dispute_support import disputed_at_mock, tell
from tests.core.payments.support import Till

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
PDF = b"%PDF-1.7 a receipt"


@pytest.fixture
def dispute(till: Till, virtual_clock: VirtualClock) -> Dispute:
    """A dispute of KES 7,761 that an answer wins."""
    return disputed_at_mock(till, virtual_clock)


def answered(dispute: Dispute) -> Dispute:
    save_texts(dispute=dispute, texts={"explanation": "Delivered on 3 May."})
    return submit_evidence(dispute=dispute)


def test_drafts_are_kept_changed_and_removed(dispute: Dispute) -> None:
    save_texts(dispute=dispute, texts={"explanation": " Delivered on 3 May. ", "tracking_number": "KE-77"})
    save_texts(dispute=dispute, texts={"explanation": "Delivered on 4 May.", "tracking_number": ""})
    kept = add_file(dispute=dispute, field="receipt", name="C:\\scans\\note.pdf", content=PDF)
    assert add_file(dispute=dispute, field="receipt", name="again.pdf", content=PDF) == kept
    shown = represent_evidence(dispute)
    assert (shown["open"], shown["texts"]) == (True, {"explanation": "Delivered on 4 May."})
    assert [(file["name"], file["content_type"], file["size"]) for file in shown["files"]] == [
        ("note.pdf", "application/pdf", len(PDF))
    ]
    assert [field["name"] for field in shown["fields"]] == ["explanation", "tracking_number", "receipt"]
    remove_file(dispute=dispute, file_id=kept.public_id)
    with pytest.raises(NotFound):
        remove_file(dispute=dispute, file_id=kept.public_id)
    actions = AuditEntry.objects.filter(object_id=dispute.public_id).order_by("pk").values_list("action", flat=True)
    assert list(actions)[1:] == ["dispute.evidence_saved"] * 3 + ["dispute.evidence_removed"]


@pytest.mark.parametrize(
    ("texts", "code", "field"),
    [
        ({"no_such": "x"}, "evidence_field_unknown", "no_such"),
        ({"receipt": "x"}, "evidence_field_unknown", "receipt"),  # takes a file
        ({"tracking_number": "x" * 101}, "evidence_too_long", "tracking_number"),
        ({"explanation": "He paid with 4242 4242 4242 4242."}, "card_number_refused", "explanation"),
        ({"explanation": "a\0b"}, "parameter_invalid", "explanation"),
    ],
)
def test_texts_that_are_not_taken(dispute: Dispute, texts: dict[str, str], code: str, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        save_texts(dispute=dispute, texts={"explanation": "Fine."} | texts)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert DisputeEvidence.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "content", "code"),
    [
        ("explanation", PDF, "evidence_field_unknown"),
        ("receipt", b"", "evidence_file_empty"),
        ("receipt", b"<html>%PDF-", "evidence_file_type"),
        ("receipt", b"GIF89a", "evidence_file_type"),
        ("receipt", PDF + b"x" * (2 * 1024 * 1024), "evidence_file_too_large"),
    ],
)
def test_files_that_are_not_taken(dispute: Dispute, field: str, content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        add_file(dispute=dispute, field=field, name="receipt.pdf", content=content)
    assert refusal.value.code == code
    assert DisputeEvidence.objects.count() == 0


def test_a_file_is_what_its_first_bytes_say() -> None:
    assert [sniff(content) for content in (PDF, PNG, b"\xff\xd8\xff\xe0JFIF", b"PK\x03\x04", b"")] == [
        "application/pdf",
        "image/png",
        "image/jpeg",
        "",
        "",
    ]
    assert LARGEST_FILE == 5 * 1024 * 1024


def test_ten_files_and_no_more(dispute: Dispute) -> None:
    for number in range(10):
        add_file(dispute=dispute, field="receipt", name=f"{number}.png", content=PNG + bytes([number]))
    with pytest.raises(Invalid) as refusal:
        add_file(dispute=dispute, field="receipt", name="11.png", content=PNG + b"more")
    assert (refusal.value.code, DisputeEvidence.objects.count()) == ("evidence_too_many_files", 10)


def test_evidence_is_sent_without_a_transaction_and_wins(
    till: Till, dispute: Dispute, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[EvidenceRequest] = []
    original = FakeProvider.submit_evidence

    def watched(self: FakeProvider, request: EvidenceRequest) -> DisputeState:
        assert all(getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)
        assert Dispute.objects.get().submitting_at == clock.now()
        sent.append(request)
        return original(self, request)

    monkeypatch.setattr(FakeProvider, "submit_evidence", watched)
    add_file(dispute=dispute, field="receipt", name="note.png", content=PNG)
    done = answered(dispute)
    assert (done.status, done.evidence_submitted_at, done.submitting_at) == ("under_review", clock.now(), None)
    assert (sent[0].submit, sent[0].texts) == (True, {"explanation": "Delivered on 3 May."})
    assert [(file.field, file.name, file.content) for file in sent[0].files] == [("receipt", "note.png", PNG)]
    virtual_clock.advance(60)
    tell(till, dispute.charge)
    dispute.refresh_from_db()
    assert (dispute.status, dispute.withdrawn) == ("won", Decimal(0))


def test_what_comes_too_late_says_what_to_do(till: Till, dispute: Dispute, virtual_clock: VirtualClock) -> None:
    answered(dispute)
    works: list[Any] = [
        lambda: save_texts(dispute=dispute, texts={"explanation": "More."}),
        lambda: add_file(dispute=dispute, field="receipt", name="a", content=PDF),
        lambda: submit_evidence(dispute=dispute),
    ]
    for work in works:
        with pytest.raises(Conflict) as refusal:
            work()
        assert refusal.value.code == "dispute_under_review"
    virtual_clock.advance(60)
    tell(till, dispute.charge)
    for work in [*works, lambda: accept_dispute(dispute=dispute, confirmed=True)]:
        with pytest.raises(Conflict) as refusal:
            work()
        assert refusal.value.code == "dispute_closed"
    assert DisputeEvidence.objects.count() == 1


def test_the_deadline_ends_it_though_nobody_told(dispute: Dispute, virtual_clock: VirtualClock) -> None:
    save_texts(dispute=dispute, texts={"explanation": "Delivered."})
    virtual_clock.advance(timedelta(days=8))
    with pytest.raises(Conflict) as refusal:
        submit_evidence(dispute=dispute)
    assert refusal.value.code == "dispute_deadline_passed"
    dispute.refresh_from_db()
    assert dispute.submitting_at is None


def test_nothing_is_submitted_without_evidence(dispute: Dispute) -> None:
    with pytest.raises(Invalid) as refusal:
        submit_evidence(dispute=dispute)
    assert refusal.value.code == "evidence_missing"


@pytest.mark.parametrize(
    ("problem", "kind", "code", "field"),
    [
        (
            InvalidPaymentData(Violation(code="x", message="No accents.", field="explanation")),
            Invalid,
            "evidence_refused",
            "explanation",
        ),
        (RequestRejected("too late"), Conflict, "dispute_refused", ""),
        (NotSent("no route"), Conflict, "provider_unreachable", ""),
        (InvalidCredentials("revoked"), Conflict, "provider_account_unusable", ""),
    ],
)
def test_a_refusal_leaves_the_dispute_as_it_was(
    dispute: Dispute, problem: Exception, kind: type[Exception], code: str, field: str, monkeypatch: Any
) -> None:
    def refuse(self: FakeProvider, request: EvidenceRequest) -> DisputeState:
        raise problem

    with monkeypatch.context() as patch:
        patch.setattr(FakeProvider, "submit_evidence", refuse)
        with pytest.raises(kind) as refusal:
            answered(dispute)
    found: Any = refusal.value
    assert (found.code, found.field) == (code, field)
    before = Dispute.objects.get()
    assert (before.status, before.submitting_at, before.evidence_submitted_at) == ("needs_response", None, None)
    assert before.follow_up_at == dispute.follow_up_at
    assert submit_evidence(dispute=dispute).status == "under_review"


@pytest.mark.parametrize("arrived", [True, False])
def test_a_lost_answer_is_asked_about(dispute: Dispute, arrived: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []
    original = FakeProvider.submit_evidence

    def lose(self: FakeProvider, request: EvidenceRequest) -> DisputeState:
        keys.append(request.idempotency_key)
        if arrived:
            original(self, request)
        raise OutcomeUnknown("timed out")

    with monkeypatch.context() as patch:
        patch.setattr(FakeProvider, "submit_evidence", lose)
        done = answered(dispute)
        expected = ("under_review", clock.now()) if arrived else ("needs_response", None)
        assert (done.status, done.evidence_submitted_at, done.submitting_at) == (*expected, None)
        if not arrived:
            submit_evidence(dispute=dispute)
            assert keys[0] == keys[1]  # the same evidence has the same key


def test_while_nobody_answers_nothing_else_is_sent(
    dispute: Dispute, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(self: FakeProvider, request: Any) -> DisputeState:
        raise OutcomeUnknown("timed out")

    with monkeypatch.context() as patch:
        patch.setattr(FakeProvider, "submit_evidence", lose)
        patch.setattr(FakeProvider, "fetch_dispute", lose)
        waiting = answered(dispute)
        assert waiting.submitting_at == clock.now()
        for work in (
            lambda: submit_evidence(dispute=dispute),
            lambda: accept_dispute(dispute=dispute, confirmed=True),
            lambda: save_texts(dispute=dispute, texts={"explanation": "Other."}),
        ):
            with pytest.raises(Conflict) as refusal:
                work()
            assert (refusal.value.code, refusal.value.retry_after) == ("dispute_busy", 60)
    virtual_clock.advance(timedelta(minutes=6))
    assert run_due_disputes() == 1
    dispute.refresh_from_db()
    assert (dispute.status, dispute.submitting_at) == ("needs_response", None)


def test_giving_in_needs_a_word_and_is_final(till: Till, dispute: Dispute, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid) as refusal:
        accept_dispute(dispute=dispute, confirmed=False)
    assert refusal.value.code == "confirmation_missing"
    sent: list[FollowUpRequest] = []
    original = FakeProvider.accept_dispute

    def watched(self: FakeProvider, request: FollowUpRequest) -> DisputeState:
        sent.append(request)
        return original(self, request)

    monkeypatch.setattr(FakeProvider, "accept_dispute", watched)
    done = accept_dispute(dispute=dispute, confirmed=True, reason="It was lost in the post.")
    assert (done.status, done.accepted_at, done.withdrawn) == ("accepted", clock.now(), Decimal(7761))
    assert accept_dispute(dispute=dispute, confirmed=True).status == "accepted"
    assert [(item.idempotency_key, item.reason) for item in sent] == [
        (f"{dispute.public_id}:accept", "It was lost in the post.")
    ]
    assert till.books()["provider_clearing"][0] == Decimal(-15)
    assert "disputes_held" not in till.books()

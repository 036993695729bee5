"""Disputes over the API: answers, refusals, scopes, other people's objects, files, queries."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext

from majuu_core.common.clock import VirtualClock
from majuu_core.payments.models import Dispute, DisputeEvidence
from majuu_core.testing.factories import make_api_key, make_store
from tests.core.api.support import Shop
from tests.core.payments.dispute_support import disputed_at_mock, hear_of, told
from tests.core.payments.support import Till

PDF = b"%PDF-1.7 a receipt"


@pytest.fixture
def till(db: None, virtual_clock: VirtualClock) -> Till:
    return Till()


@pytest.fixture
def shop(till: Till) -> Shop:
    return Shop(make_api_key(store=till.store).key)


@pytest.fixture
def dispute(till: Till, virtual_clock: VirtualClock) -> Dispute:
    return disputed_at_mock(till, virtual_clock)


def upload(shop: Shop, dispute: str, content: bytes = PDF, field: str = "receipt", name: str = "note.pdf") -> Any:
    body = encode_multipart(BOUNDARY, {"field": field, "file": SimpleUploadedFile(name, content)})
    headers = {"Authorization": f"Bearer {shop.key}"}
    answer: Any = Client(raise_request_exception=False).generic(
        "POST", f"/api/v1/disputes/{dispute}/files", body, content_type=MULTIPART_CONTENT, headers=headers
    )
    answer.data = json.loads(answer.content)
    return answer


def test_a_dispute_is_read_and_shown_on_its_payment(shop: Shop, dispute: Dispute) -> None:
    shown = shop.get(f"/disputes/{dispute.public_id}").data
    charge, intent = dispute.charge.public_id, dispute.charge.payment_intent.public_id
    assert {
        name: shown[name] for name in ("charge", "payment_intent", "amount", "withdrawn", "fee", "fee_currency")
    } == {
        "charge": charge,
        "payment_intent": intent,
        "amount": "7761.00",
        "withdrawn": "7761.00",
        "fee": "15.00",
        "fee_currency": "KES",
    }
    assert (shown["object"], shown["status"], shown["reason"]) == ("dispute", "needs_response", "not_received")
    assert shop.get("/disputes?status=needs_response").data["data"] == [shown]
    assert shop.get(f"/disputes?charge={charge}&payment_intent={intent}").data["data"] == [shown]
    assert shop.get("/disputes?status=won").data["data"] == []
    assert shop.get(f"/charges/{charge}").data["dispute_status"] == "open"
    assert shop.get(f"/payment-intents/{intent}").data["disputed"] is True
    refused = shop.post("/refunds", {"charge": charge, "reason": "Sorry about that"})
    assert (refused.status_code, refused.data["code"]) == (409, "charge_disputed")


def test_evidence_is_saved_uploaded_and_submitted(shop: Shop, dispute: Dispute) -> None:
    path = f"/disputes/{dispute.public_id}"
    saved = shop.post(f"{path}/evidence", {"texts": {"explanation": "Delivered."}}, Idempotency_Key="texts-1")
    assert (saved.status_code, saved.data["texts"]) == (200, {"explanation": "Delivered."})
    added = upload(shop, dispute.public_id)
    assert (added.status_code, added.data["content_type"], added.data["size"]) == (201, "application/pdf", len(PDF))
    assert upload(shop, dispute.public_id).data == added.data
    second = upload(shop, dispute.public_id, content=PDF + b"!").data["id"]
    gone = shop.send("DELETE", f"{path}/files/{second}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert shop.get(f"{path}/evidence").data["files"] == [added.data]
    done = shop.post(f"{path}/submit", Idempotency_Key="submit-1")
    assert (done.status_code, done.data["status"]) == (200, "under_review")
    assert shop.post(f"{path}/submit", Idempotency_Key="submit-1").content == done.content
    again = shop.post(f"{path}/submit")
    assert (again.status_code, again.data["code"]) == (409, "dispute_under_review")
    assert shop.get(f"{path}/evidence").data["open"] is False


def test_accepting_needs_the_confirmation(shop: Shop, dispute: Dispute) -> None:
    path = f"/disputes/{dispute.public_id}/accept"
    for body, code in (({}, "parameter_missing"), ({"confirm": False}, "confirmation_missing")):
        refused = shop.post(path, body)
        assert (refused.status_code, refused.data["code"]) == (422, code)
    dispute.refresh_from_db()
    assert dispute.status == "needs_response"
    assert shop.post(path, {"confirm": True}).data["status"] == "accepted"


@pytest.mark.parametrize(
    ("content", "field", "status", "code"),
    [
        (b"MZ a program", "receipt", 422, "evidence_file_type"),
        (PDF, "explanation", 422, "evidence_field_unknown"),
        (PDF + b"x" * (6 * 1024 * 1024), "receipt", 413, "evidence_file_too_large"),
    ],
)
def test_files_that_are_refused(
    shop: Shop, dispute: Dispute, content: bytes, field: str, status: int, code: str
) -> None:
    answer = upload(shop, dispute.public_id, content=content, field=field)
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert DisputeEvidence.objects.count() == 0


def test_a_file_needs_a_form(shop: Shop, dispute: Dispute) -> None:
    answer = shop.post(f"/disputes/{dispute.public_id}/files", {"field": "receipt"})
    assert (answer.status_code, answer.data["code"], answer.data["param"]) == (422, "parameter_invalid", "file")


def test_scopes_and_other_stores(till: Till, dispute: Dispute) -> None:
    reader = Shop(make_api_key(store=till.store, scopes=["disputes:read"]).key)
    stranger = Shop(make_api_key(store=make_store()).key)
    blind = Shop(make_api_key(store=till.store, scopes=["charges:read"]).key)
    path = f"/disputes/{dispute.public_id}"
    writes = [
        (f"{path}/evidence", {"texts": {"explanation": "Mine."}}),
        (f"{path}/submit", None),
        (f"{path}/accept", {"confirm": True}),
    ]
    assert reader.get(path).status_code == reader.get(f"{path}/evidence").status_code == 200
    assert {blind.get(address).status_code for address in (path, "/disputes", f"{path}/evidence")} == {403}
    assert {reader.post(address, body).status_code for address, body in writes} == {403}
    assert {stranger.post(address, body).status_code for address, body in writes} == {404}
    assert stranger.get(path).status_code == stranger.get(f"{path}/evidence").status_code == 404
    assert stranger.get("/disputes").data["data"] == []
    assert upload(stranger, dispute.public_id).status_code == 404
    assert upload(reader, dispute.public_id).status_code == 403
    dispute.refresh_from_db()
    assert (dispute.status, DisputeEvidence.objects.count()) == ("needs_response", 0)


def test_a_list_needs_as_many_queries_for_20_as_for_one(till: Till, shop: Shop) -> None:
    counts = []
    for total in (1, 20):
        while Dispute.objects.count() < total:
            _, charge = till.pay_new("100")
            hear_of(till, replace(told(charge), provider_reference=f"disp_{Dispute.objects.count()}"))
        shop.get("/disputes")  # the key is known afterwards
        with CaptureQueriesContext(connection) as seen:
            assert len(shop.get("/disputes?limit=20").data["data"]) == total
        counts.append(len(seen))
    assert counts[0] == counts[1]

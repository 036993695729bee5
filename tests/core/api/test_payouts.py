"""The API for payouts: one by one, and as a table."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import Actor, acting_as
from majuu_core.merchants.models import Store
from majuu_core.payments.models import Payout, PayoutBatch
from majuu_core.payments.payout_sending import send_due_payouts
from majuu_core.payments.payouts import approve_payout
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store
from tests.core.api.support import Shop

BODY = {
    "amount": "1500.00",
    "currency": "KES",
    "reference": "SAL-1",
    "destination": {"phone": "0712345678"},
    "description": "Salary of November",
    "metadata": {"employee": "7"},
}
CSV = b"reference,amount,phone\nA,1500,0712345678\nB,2000,0712345679\n"


def pay(shop: Shop, **changes: Any) -> Any:
    return shop.post("/payouts", {**BODY, **changes})


def upload(shop: Shop, content: bytes = CSV, query: str = "", **headers: str) -> Any:
    given = {"Authorization": f"Bearer {shop.key}", **{name.replace("_", "-"): text for name, text in headers.items()}}
    response: Any = Client(raise_request_exception=False).generic(
        "POST", f"/api/v1/payouts/batches{query}", content, content_type="text/csv", headers=given
    )
    response.data = json.loads(response.content)
    return response


def stranger() -> Shop:
    store = make_store()
    make_provider_account(store=store)
    return Shop(make_api_key(store=store).key)


def test_money_is_sent(shop: Shop) -> None:
    answer = pay(shop)
    assert answer.status_code == 201
    shown = answer.data
    assert {name: shown[name] for name in BODY} == BODY
    assert (shown["object"], shown["status"], shown["fee"], shown["livemode"]) == ("payout", "succeeded", "0.00", False)
    assert shown["receipt"].startswith("MOCK")
    assert (shown["failure"], shown["batch"], shown["parked"]) == (None, None, False)
    assert shop.get(f"/payouts/{shown['id']}").data == shown
    entry = AuditEntry.objects.get(action="payout.created")
    assert (entry.actor_type, entry.object_id) == ("key", shown["id"])


def test_a_failure_is_an_answer(shop: Shop) -> None:
    """Given a number that cannot be paid, then the payout exists, failed, with the provider's reason."""
    answer = pay(shop, amount="7706")
    assert (answer.status_code, answer.data["status"]) == (201, "failed")
    assert answer.data["failure"]["code"] == "invalid_payment_method"


def test_the_same_reference_is_the_same_payout_with_or_without_a_key(shop: Shop) -> None:
    first = pay(shop)
    again = pay(shop)
    assert (again.status_code, again.data["id"]) == (201, first.data["id"])
    keyed = shop.post("/payouts", BODY, Idempotency_Key="k1")
    replayed = shop.post("/payouts", BODY, Idempotency_Key="k1")
    assert (keyed.data["id"], replayed.headers["Idempotency-Replayed"]) == (first.data["id"], "true")
    other = pay(shop, amount="1501")
    assert (other.status_code, other.data["code"], other.data["param"]) == (409, "payout_reference_used", "reference")
    assert other.data["messages"]["sw"].startswith("Namba hii ya kumbukumbu")
    assert Payout.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"amount": 15.5}, "parameter_invalid", "amount"),
        ({"amount": "1500.001"}, "amount_too_precise", "amount"),
        ({"currency": "XXX"}, "currency_unknown", "currency"),
        ({"reference": ""}, "payout_reference_invalid", "reference"),
        ({"destination": {"iban": "KE1"}}, "payout_destination_invalid", "destination.iban"),
        ({"destination": {"phone": 7}}, "parameter_invalid", "destination.phone"),
        ({"description": "\0"}, "parameter_invalid", "description"),
        ({"note": "?"}, "parameter_unknown", "note"),
        ({"metadata": {"card": "4111111111111111"}}, "card_number_refused", "metadata.card"),
    ],
)
def test_what_cannot_be_sent_is_a_422(shop: Shop, changes: dict[str, Any], code: str, param: str) -> None:
    answer = pay(shop, **changes)
    assert (answer.status_code, answer.data["code"], answer.data["param"]) == (422, code, param)
    assert Payout.objects.count() == 0


def test_another_store_s_payout_is_not_there(shop: Shop) -> None:
    mine = pay(shop, amount="60000").data["id"]
    batch = upload(shop).data["id"]
    other = stranger()
    for answer, code in [
        (other.get(f"/payouts/{mine}"), "payout_not_found"),
        (other.post(f"/payouts/{mine}/cancel"), "payout_not_found"),
        (other.get(f"/payouts/batches/{batch}"), "payout_batch_not_found"),
        (other.get(f"/payouts/batches/{batch}/results"), "payout_batch_not_found"),
        (other.get(f"/payouts?batch={batch}"), "payout_batch_not_found"),
    ]:
        assert (answer.status_code, answer.data["code"]) == (404, code)
    assert other.get("/payouts").data["data"] == other.get("/payouts/batches").data["data"] == []
    assert Payout.objects.get(reference="SAL-1").status == "requires_approval"


def test_a_key_needs_the_scope(store: Store) -> None:
    reader = Shop(make_api_key(store=store, scopes=["payouts:read"]).key)
    writer = Shop(make_api_key(store=store, scopes=["payouts:write"]).key)
    for answer in (pay(reader), upload(reader), reader.post("/payouts/po_x/cancel"), writer.get("/payouts")):
        assert (answer.status_code, answer.data["code"]) == (403, "scope_missing")
    assert (Payout.objects.count(), PayoutBatch.objects.count()) == (0, 0)
    assert pay(writer).status_code == 201


def test_canceling_is_for_what_waits(shop: Shop) -> None:
    waiting = pay(shop, amount="60000").data
    assert waiting["status"] == "requires_approval"
    for _ in range(2):
        canceled = shop.post(f"/payouts/{waiting['id']}/cancel")
        assert (canceled.status_code, canceled.data["status"]) == (200, "canceled")
    sent = pay(shop, reference="SAL-2").data
    refused = shop.post(f"/payouts/{sent['id']}/cancel")
    assert (refused.status_code, refused.data["code"]) == (409, "payout_not_waiting")
    assert shop.get(f"/payouts/{sent['id']}").data == sent


def test_the_approval_shows(shop: Shop) -> None:
    waiting = pay(shop, amount="60000").data
    with acting_as(Actor(type="user", id="902")):
        approve_payout(payout=Payout.objects.get())
    send_due_payouts()
    shown = shop.get(f"/payouts/{waiting['id']}").data
    assert (shown["status"], waiting["approved_at"]) == ("succeeded", None)
    assert shown["approved_at"] is not None


def test_lists_are_filtered_and_paged(shop: Shop) -> None:
    for number in range(3):
        pay(shop, reference=f"R{number}", amount="7702" if number == 1 else "5")
    page = shop.get("/payouts?limit=2").data
    assert [row["reference"] for row in page["data"]] == ["R2", "R1"]
    rest = shop.get(f"/payouts?limit=2&cursor={page['next_cursor']}").data
    assert ([row["reference"] for row in rest["data"]], rest["has_more"]) == (["R0"], False)
    assert [row["reference"] for row in shop.get("/payouts?status=failed").data["data"]] == ["R1"]
    assert [row["reference"] for row in shop.get("/payouts?reference=R0").data["data"]] == ["R0"]


def test_a_list_of_twenty_costs_as_many_queries_as_of_one(shop: Shop) -> None:
    upload(shop)
    counts = []
    for number in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert len(shop.get("/payouts").data["data"]) == 2 + 18 * number
        with CaptureQueriesContext(connection) as batches:
            assert len(shop.get("/payouts/batches").data["data"]) == 1 + number
        counts.append((len(queries), len(batches)))
        upload(shop, b"reference,amount,phone\n" + b"".join(b"M%d,5,07\n" % row for row in range(18)))
    assert counts[0] == counts[1]


# --- batches --------------------------------------------------------------------------------------------------------


def test_a_file_is_looked_at_before_it_is_stored(shop: Shop) -> None:
    preview = upload(shop, query="?dry_run=true&name=November")
    assert (preview.status_code, preview.data["totals"], preview.data["errors"]) == (200, {"KES": "3500.00"}, [])
    assert (preview.data["name"], Payout.objects.count()) == ("November", 0)
    stored = upload(shop, query="?name=November")
    assert (stored.status_code, stored.data["rows"], stored.data["statuses"]) == (201, 2, {"pending": 2})
    send_due_payouts()
    shown = shop.get(f"/payouts/batches/{stored.data['id']}").data
    assert shown["statuses"] == {"succeeded": 2}
    assert [row["batch"] for row in shop.get(f"/payouts?batch={shown['id']}").data["data"]] == [shown["id"]] * 2


def test_a_wrong_row_refuses_the_file(shop: Shop) -> None:
    wrong = CSV + b'C,"1,500",07\nC,5,07\nA,5,07\n'
    answer = upload(shop, wrong)
    assert (answer.status_code, answer.data["code"], answer.data["param"]) == (422, "payout_batch_invalid", "amount")
    assert [(error["param"], error["code"]) for error in answer.data["errors"]] == [
        ("4.amount", "amount_invalid"),
        ("6.reference", "reference_twice"),
    ]
    assert (Payout.objects.count(), PayoutBatch.objects.count()) == (0, 0)
    shown = upload(shop, wrong, query="?dry_run=1").data["errors"]
    assert [(error["row"], error["column"]) for error in shown] == [(4, "amount"), (6, "reference")]


def test_the_same_file_again_is_a_409_and_under_its_key_a_replay(shop: Shop) -> None:
    first = upload(shop, Idempotency_Key="november")
    replayed = upload(shop, Idempotency_Key="november")
    assert (replayed.status_code, replayed.data, replayed.headers["Idempotency-Replayed"]) == (201, first.data, "true")
    again = upload(shop)
    assert (again.status_code, again.data["code"]) == (409, "payout_batch_repeated")
    assert (Payout.objects.count(), PayoutBatch.objects.count()) == (2, 1)


def test_a_refused_file_leaves_its_key_free(shop: Shop) -> None:
    assert upload(shop, b"reference,amount\nA,x\n", Idempotency_Key="k").status_code == 422
    assert upload(shop, CSV, Idempotency_Key="k").status_code == 201


def test_a_file_may_come_as_a_form(shop: Shop) -> None:
    made = SimpleUploadedFile("salaries.csv", CSV, content_type="text/csv")
    client = Client(headers={"Authorization": f"Bearer {shop.key}"})
    answer = client.post("/api/v1/payouts/batches", {"file": made})
    assert (answer.status_code, answer.json()["name"]) == (201, "salaries.csv")
    assert client.post("/api/v1/payouts/batches", {"other": "x"}).json()["code"] == "parameter_missing"


def test_rows_may_come_as_json(shop: Shop) -> None:
    rows = {"name": "N", "payouts": [BODY, {**BODY, "reference": "SAL-2"}]}
    answer = shop.post("/payouts/batches", rows)
    assert (answer.status_code, answer.data["name"], answer.data["rows"]) == (201, "N", 2)
    again = shop.post("/payouts/batches", rows)
    assert (again.status_code, again.data["code"]) == (409, "payout_batch_repeated")


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"{", "json_invalid", None),
        ({"payouts": []}, "parameter_invalid", "payouts"),
        ({"payouts": [{**BODY, "amount": 1.5}]}, "parameter_invalid", "payouts.0.amount"),
        ({"payouts": [{**BODY, "amount": "1.555"}]}, "amount_too_precise", "amount"),
        ({"payouts": [{**BODY, "description": "\0"}]}, "parameter_invalid", None),
        ({"payouts": [BODY, BODY]}, "payout_batch_invalid", "reference"),
    ],
)
def test_wrong_json_rows_are_refused(shop: Shop, body: Any, code: str, param: str | None) -> None:
    answer = shop.post("/payouts/batches", body)
    assert (answer.status_code, answer.data["code"], answer.data["param"]) == (422, code, param)
    assert Payout.objects.count() == 0


def test_results_come_as_csv(shop: Shop) -> None:
    batch = upload(shop, b"reference,amount,phone\n=A1,1500,0712345678\n").data["id"]
    send_due_payouts()
    client = Client(headers={"Authorization": f"Bearer {shop.key}"})
    answer: Any = client.get(f"/api/v1/payouts/batches/{batch}/results")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer["Content-Disposition"] == f'attachment; filename="{batch}.csv"'
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["reference"], row["amount"], row["status"]) for row in rows] == [("'=A1", "1500.00", "succeeded")]

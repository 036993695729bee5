"""Disputes: what PayPal says of them, and how a seller answers."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import Money
from majuu_core.providers import (
    DisputeReason,
    DisputeStatus,
    EvidenceFile,
    EvidenceRequest,
    InvalidPaymentData,
    OutcomeUnknown,
    RequestRejected,
)
from tests.paypal.scripted import CHARGE, ScriptedPaypal, answer, fetch, follow_up, money
from tests.shared_files import shared_fixture

S = DisputeStatus
DISPUTE = "PP-D-27803"
PATH = f"/v1/customer/disputes/{DISPUTE}"


def dispute(status: str = "WAITING_FOR_SELLER_RESPONSE", **more: Any) -> dict[str, Any]:
    """A dispute as PayPal shows it."""
    return {
        "dispute_id": DISPUTE,
        "create_time": "2026-01-04T10:00:00.000Z",
        "update_time": "2026-01-05T10:00:00.000Z",
        "disputed_transactions": [
            {"seller_transaction_id": "3C679366HH908993F", "custom": CHARGE, "invoice_number": "1001"}
        ],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": status,
        "dispute_amount": money("20.00"),
        "dispute_life_cycle_stage": "CHARGEBACK",
        "seller_response_due_date": "2026-01-15T10:00:00.000Z",
        **more,
    }


def _moved(kind: str, amount: str, reason: str, party: str = "SELLER") -> dict[str, Any]:
    return {"affected_party": party, "type": kind, "amount": money(amount), "reason": reason}


def test_what_a_dispute_says() -> None:
    paypal = ScriptedPaypal(answer(dispute()))

    state = paypal.provider().fetch_dispute(fetch("dp", DISPUTE))

    assert paypal.paths == [f"GET {PATH}"]
    assert (state.status, state.reason) == (S.NEEDS_RESPONSE, DisputeReason.NOT_RECEIVED)
    assert (state.payment_reference, state.charge_reference) == ("3C679366HH908993F", CHARGE)
    assert (state.amount, state.withdrawn, state.fee) == (Money("20.00", "USD"), None, None)
    assert state.respond_by == datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
    assert state.opened_at == datetime(2026, 1, 4, 10, 0, tzinfo=UTC)
    assert state.occurred_at == datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
    assert state.provider_reason == "MERCHANDISE_OR_SERVICE_NOT_RECEIVED"


@pytest.mark.parametrize(
    ("status", "more", "wanted"),
    [
        ("OPEN", {}, S.NEEDS_RESPONSE),
        ("OPEN", {"seller_response_due_date": None}, S.UNDER_REVIEW),
        ("WAITING_FOR_BUYER_RESPONSE", {}, S.UNDER_REVIEW),
        ("UNDER_REVIEW", {}, S.UNDER_REVIEW),
        ("NEW_WORD", {}, S.UNDER_REVIEW),
        ("RESOLVED", {"dispute_outcome": {"outcome_code": "RESOLVED_SELLER_FAVOUR"}}, S.WON),
        ("RESOLVED", {"dispute_outcome": {"outcome_code": "CANCELED_BY_BUYER"}}, S.WON),
        ("RESOLVED", {"dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"}}, S.LOST),
        ("RESOLVED", {"dispute_outcome": {"outcome_code": "ACCEPTED"}}, S.LOST),
        (
            "RESOLVED",
            {
                "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"},
                "evidences": [{"source": "SUBMITTED_BY_SELLER", "action_info": {"action": "ACCEPT_CLAIM"}}],
            },
            S.ACCEPTED,
        ),
        ("RESOLVED", {"dispute_outcome": {"outcome_code": "NONE"}}, S.EXPIRED),
        ("RESOLVED", {"dispute_outcome": {"outcome_code": "RESOLVED_WITH_PAYOUT"}}, S.WON),
        (
            "RESOLVED",
            {
                "dispute_outcome": {"outcome_code": "RESOLVED_WITH_PAYOUT"},
                "money_movements": [_moved("DEBIT", "20.00", "DISPUTE_SETTLEMENT")],
            },
            S.LOST,
        ),
        ("RESOLVED", {}, S.EXPIRED),
    ],
)
def test_how_far_a_dispute_is(status: str, more: dict[str, Any], wanted: DisputeStatus) -> None:
    paypal = ScriptedPaypal(answer(dispute(status, **more)))

    assert paypal.provider().fetch_dispute(fetch("dp", DISPUTE)).status is wanted


def test_movements_tell_what_was_withdrawn_and_the_fee() -> None:
    movements = [
        _moved("DEBIT", "20.00", "DISPUTE_SETTLEMENT"),
        _moved("DEBIT", "15.00", "CHARGEBACK_FEE"),
        _moved("CREDIT", "20.00", "DISPUTE_SETTLEMENT", party="BUYER"),
    ]
    back = _moved("CREDIT", "20.00", "DISPUTE_SETTLEMENT")
    paypal = ScriptedPaypal(
        answer(dispute(money_movements=movements)), answer(dispute(money_movements=[*movements, back]))
    )
    provider = paypal.provider()

    taken = provider.fetch_dispute(fetch("dp", DISPUTE))
    returned = provider.fetch_dispute(fetch("dp", DISPUTE))

    assert (taken.withdrawn, taken.fee) == (Money("20.00", "USD"), Money("15.00", "USD"))
    assert (returned.withdrawn, returned.fee) == (Money("0.00", "USD"), Money("15.00", "USD"))


@pytest.mark.parametrize(
    ("more", "withdrawn"),
    [
        ({"dispute_life_cycle_stage": "INQUIRY"}, Money("0.00", "USD")),
        ({"dispute_outcome": {"outcome_code": "RESOLVED_SELLER_FAVOUR"}}, Money("0.00", "USD")),
        (
            {"dispute_outcome": {"outcome_code": "ACCEPTED", "amount_refunded": money("18.00")}},
            Money("18.00", "USD"),
        ),
        ({"dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"}}, None),
    ],
)
def test_without_movements_the_outcome_tells(more: dict[str, Any], withdrawn: Money | None) -> None:
    paypal = ScriptedPaypal(answer(dispute("RESOLVED", **more)))

    assert paypal.provider().fetch_dispute(fetch("dp", DISPUTE)).withdrawn == withdrawn


def test_the_charge_is_found_by_the_invoice_too() -> None:
    transaction = {"seller_transaction_id": "3C67", "invoice_number": f"1001-{CHARGE.replace('_', '-')}"}
    paypal = ScriptedPaypal(answer(dispute(disputed_transactions=[transaction])))

    assert paypal.provider().fetch_dispute(fetch("dp", DISPUTE)).charge_reference == CHARGE


def test_an_unknown_dispute_and_one_that_cannot_be_read() -> None:
    paypal = ScriptedPaypal(
        answer({"name": "RESOURCE_NOT_FOUND", "message": "none"}, 404), answer({"dispute_id": DISPUTE})
    )

    with pytest.raises(RequestRejected):
        paypal.provider().fetch_dispute(fetch("dp", "made-up"))
    with pytest.raises(OutcomeUnknown):
        paypal.provider().fetch_dispute(fetch("dp", DISPUTE))


def test_listing_follows_pages_and_leaves_other_shops_out() -> None:
    foreign = dispute(disputed_transactions=[{"seller_transaction_id": "X", "custom": "basket-9"}])
    following = "https://evil.example/v1/customer/disputes?page_size=50&next_page_token=TOKEN2"
    paypal = ScriptedPaypal(
        answer({"items": [{"dispute_id": DISPUTE}], "links": [{"rel": "next", "href": following}]}),
        answer(dispute()),
        answer({"items": [{"dispute_id": "PP-D-2"}], "links": []}),
        answer(foreign),
    )

    with use_clock(VirtualClock()):
        found = list(paypal.provider().list_disputes(since=clock.now() - timedelta(days=400)))

    assert [state.provider_reference for state in found] == [DISPUTE]
    first, second = paypal.requests[0].url, paypal.requests[2].url
    assert first.params["start_time"] == "2025-07-10T09:00:00.000Z"  # 179 days back at most
    assert (second.host, second.params["next_page_token"]) == ("api-m.sandbox.paypal.com", "TOKEN2")


def _evidence(**changes: Any) -> EvidenceRequest:
    fields: dict[str, Any] = {
        "idempotency_key": "key-dp",
        "reference": "dp_1",
        "provider_reference": DISPUTE,
        "texts": {"notes": "Delivered on Monday.", "carrier_name": "DHL", "tracking_number": "JJD00"},
        "files": (
            EvidenceFile(
                field="PROOF_OF_FULFILLMENT", name='slip".pdf', content_type="application/pdf", content=b"%PDF\r\n1"
            ),
        ),
        "submit": True,
        **changes,
    }
    return EvidenceRequest(**fields)


def test_evidence_is_sent_with_its_files() -> None:
    paypal = ScriptedPaypal(answer({"links": []}), answer(dispute("UNDER_REVIEW")))

    state = paypal.provider().submit_evidence(_evidence())

    assert state.status is S.UNDER_REVIEW
    assert paypal.paths == [f"POST {PATH}/provide-evidence", f"GET {PATH}"]
    request = paypal.requests[0]
    assert request.headers["paypal-request-id"] == "key-dp-evidence"
    document, file = _parts(request)
    assert document == {
        "evidences": [
            {
                "evidence_type": "PROOF_OF_FULFILLMENT",
                "evidence_info": {"tracking_info": [{"carrier_name": "DHL", "tracking_number": "JJD00"}]},
                "documents": [{"name": "slip_.pdf"}],
                "notes": "Delivered on Monday.",
            }
        ]
    }
    assert file == b"%PDF\r\n1"


def test_evidence_fits_the_official_schema() -> None:
    path = shared_fixture("specs/paypal_customer_disputes_v1.json")
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    paypal = ScriptedPaypal(answer({"links": []}), answer(dispute()))
    texts = {"notes": "Given back.", "refund_id": "1JU08902781691411", "tracking_number": "JJD00"}

    paypal.provider().submit_evidence(_evidence(texts=texts))

    specification = json.loads(path.read_text())
    schema = {"$ref": "#/components/schemas/evidence", "components": specification["components"]}
    for entry in _parts(paypal.requests[0])[0]["evidences"]:
        assert list(jsonschema.Draft7Validator(schema).iter_errors(entry)) == []


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"submit": False}, "submit", "evidence_draft_unsupported"),
        ({"texts": {}, "files": ()}, "texts", "evidence_missing"),
        ({"texts": {"shipping": "x"}}, "shipping", "evidence_unknown"),
        ({"texts": {"notes": "x" * 2001}}, "notes", "evidence_too_long"),
        ({"texts": {"carrier_name": "my cousin", "tracking_number": "1"}}, "carrier_name", "carrier_unknown"),
        ({"texts": {"carrier_name": "DHL"}}, "tracking_number", "tracking_number_missing"),
        (
            {"files": (EvidenceFile(field="PHOTO", name="a.png", content_type="image/png", content=b"1"),)},
            "PHOTO",
            "evidence_unknown",
        ),
        (
            {"files": (EvidenceFile(field="OTHER", name="a.exe", content_type="application/x-exe", content=b"1"),)},
            "OTHER",
            "file_type_unsupported",
        ),
        (
            {"files": (EvidenceFile(field="OTHER", name="a.png", content_type="image/png", content=b""),)},
            "OTHER",
            "file_too_large",
        ),
    ],
)
def test_evidence_that_paypal_does_not_take(changes: dict[str, Any], field: str, code: str) -> None:
    paypal = ScriptedPaypal()

    with pytest.raises(InvalidPaymentData) as problem:
        paypal.provider().submit_evidence(_evidence(**changes))

    assert [(one.field, one.code) for one in problem.value.violations] == [(field, code)]
    assert paypal.requests == []


def test_giving_in_once_and_again() -> None:
    over = dispute("RESOLVED", dispute_outcome={"outcome_code": "RESOLVED_BUYER_FAVOUR"})
    paypal = ScriptedPaypal(answer(dispute()), answer({"links": []}), answer(over), answer(over))
    provider = paypal.provider()

    first = provider.accept_dispute(follow_up("dp_1", provider_reference=DISPUTE, reason="Lost in the post"))
    second = provider.accept_dispute(follow_up("dp_1", provider_reference=DISPUTE))

    assert (first.status, second.status) == (S.ACCEPTED, S.ACCEPTED)
    assert paypal.paths == [f"GET {PATH}", f"POST {PATH}/accept-claim", f"GET {PATH}", f"GET {PATH}"]
    assert _parts(paypal.requests[1]) == [{"note": "Lost in the post", "accept_claim_type": "REFUND"}]


def _parts(request: Any) -> list[Any]:
    """The parts of a multipart body, JSON read."""
    boundary = request.headers["content-type"].partition("boundary=")[2]
    found: list[Any] = []
    for part in request.content.split(f"--{boundary}".encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        assert re.search(rb'name="(input|file1)"', head)
        found.append(json.loads(content) if b"application/json" in head else content)
    return found

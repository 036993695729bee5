from __future__ import annotations

from typing import Any

import pytest

from majuu_sim.daraja import SANDBOX_SHORTCODE
from tests.sim.daraja_client import PHONE, send
from tests.sim.money_client import MoneyClient
from tests.sim.test_qr_and_pull import generate


def test_a_payment_a_validation_and_the_books_from_another_process(money: MoneyClient) -> None:
    control = money.client.control
    money.register()
    assert control("POST", "c2b/validation", {"shortcode": SANDBOX_SHORTCODE}).body == {"validating": ["174379"]}
    paid = control(
        "POST", "c2b/payments", {"msisdn": PHONE, "to": "174379", "amount": 80, "account": "A", "names": "Jane Doe"}
    )
    assert (paid.status, paid.body["state"]) == (201, "validating")
    receipt = paid.body["receipt"]
    done = control("POST", f"c2b/payments/{receipt}/validation", {"third_party_id": "T-1"})
    assert (done.status, done.body["state"], done.body["third_party_id"]) == (200, "completed", "T-1")
    assert [one["receipt"] for one in control("GET", "c2b/payments").body["payments"]] == [receipt]
    listed = control("GET", "c2b/registrations").body
    assert (listed["registrations"][0]["version"], listed["validating"]) == ("v2", ["174379"])
    (movement,) = control("GET", "movements?shortcode=174379").body["movements"]
    assert (movement["receipt"], movement["amount"], movement["postings"][0]["balance"]) == (
        receipt,
        "80.00",
        "1000080.00",
    )
    assert control("GET", "movements?shortcode=600100").body["movements"] == []
    accounts = control("GET", "balances/174379").body["accounts"]
    assert accounts["utility"] == {"current": "1000080.00", "available": "1000080.00"}
    (row,) = control("GET", "statement/174379?day=2026-01-15&account=utility").body["rows"]
    assert (row["paid_in"], row["withdrawn"], row["completed_at"]) == ("80.00", None, "2026-01-15T12:00:00+03:00")
    (message,) = control("GET", f"messages/{PHONE}?language=sw").body["messages"]
    assert message["text"].startswith(f"{receipt} Imethibitishwa. Ksh80.00")


def test_a_statement_as_a_file(money: MoneyClient) -> None:
    money.sim.fund(SANDBOX_SHORTCODE, 5)
    reply = send(money.sim.base_url, "GET", "/control/statement/174379?format=csv", None, {})
    assert reply.content_type == "text/csv"
    assert reply.raw.decode() == money.sim.statement_csv(SANDBOX_SHORTCODE)


def test_jobs_forgeries_and_initiators(money: MoneyClient) -> None:
    control = money.client.control
    money.register()
    ack = money.payout(OriginatorConversationID="po_1")
    money.result()
    (job,) = control("GET", "jobs").body["jobs"]
    assert (job["originator_conversation_id"], job["result"], job["amount"]) == ("po_1", "pay", 100)
    assert "credential" not in job
    forged = control("POST", f"jobs/{ack.body['ConversationID']}/forge", {"amount": 5})
    assert (forged.status, forged.body["kind"]) == (201, "forged")
    claimed = control("POST", "c2b/forge", {"shortcode": "174379", "amount": 9, "account": "A", "claims": "600999"})
    assert (claimed.status, claimed.body["body"]["BusinessShortCode"]) == (201, "600999")
    assert control("POST", "initiators/testapi/unlock").body == {"initiators": [{"name": "testapi", "locked": False}]}
    generate(money, Amount=70)
    assert control("GET", "qr").body == {
        "codes": [
            {
                "merchant_name": "Duka",
                "reference": "ORDER1",
                "amount": "70",
                "kind": "PB",
                "receiver": "174379",
                "size": 300,
            }
        ]
    }


def test_money_in_and_out(money: MoneyClient) -> None:
    control = money.client.control
    funded = control("POST", "fund", {"shortcode": "174379", "amount": "10.50", "account": "working"})
    assert (funded.status, funded.body["kind"], funded.body["amount"]) == (201, "deposit", "10.50")
    taken = control("POST", "withdraw", {"shortcode": "174379", "amount": 3})
    assert (taken.status, taken.body["kind"]) == (201, "withdrawal")


def test_the_certificate_is_served(money: MoneyClient) -> None:
    pytest.importorskip("cryptography")
    reply = send(money.sim.base_url, "GET", "/control/certificate", None, {})
    assert (reply.status, reply.content_type) == (200, "application/x-pem-file")
    assert reply.raw.decode() == money.sim.certificate()


def test_customers_have_names_and_may_have_no_mpesa(money: MoneyClient) -> None:
    body = {"msisdn": PHONE, "names": "Jane Doe", "registered": False}
    assert money.client.control("POST", "subscribers", body).body == {
        "msisdn": PHONE,
        "balance": None,
        "script": None,
        "names": "Jane Doe",
        "registered": False,
    }


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("c2b/payments", {}, "msisdn must be text"),
        ("c2b/payments", {"msisdn": PHONE, "to": "174379", "amount": 1.5, "account": "A"}, "amount is a whole number"),
        ("c2b/payments", {"msisdn": PHONE, "to": "174379", "amount": True, "account": "A"}, "amount is a whole"),
        ("c2b/payments", {"msisdn": PHONE, "to": "174379", "amount": 5, "account": "A", "script": 5}, "script is a"),
        (
            "c2b/payments",
            {"msisdn": PHONE, "to": "174379", "amount": 5, "account": "A", "script": "x"},
            "unknown fault",
        ),
        (
            "c2b/payments",
            {"msisdn": PHONE, "to": "174379", "amount": 5, "account": "A", "by": 1},
            "unknown field(s): by",
        ),
        ("c2b/validation", {"shortcode": "174379", "on": "yes"}, "on is true or false"),
        ("c2b/forge", {"shortcode": "174379"}, "amount is a whole number"),
        ("fund", {"shortcode": "174379", "amount": "x"}, "amount is a positive number"),
        ("fund", {"shortcode": "174379", "amount": "-1"}, "amount is a positive number"),
        ("fund", {"shortcode": "174379", "amount": "NaN"}, "amount is a positive number"),
        ("fund", {"shortcode": "174379", "amount": "0.001"}, "amount is a positive number"),
        ("fund", {"shortcode": "174379", "amount": 1.5}, "amount is a positive number"),
        ("fund", {"shortcode": "174379", "amount": 5, "account": "savings"}, "an account is one of"),
        ("withdraw", {"shortcode": "174379", "amount": 2_000_000}, "cannot be moved"),
        ("subscribers", {"msisdn": PHONE, "names": 5}, "names is text"),
        ("subscribers", {"msisdn": PHONE, "registered": "no"}, "names is text"),
    ],
)
def test_control_requests_that_make_no_sense_change_nothing(
    money: MoneyClient, path: str, body: dict[str, Any], message: str
) -> None:
    before = money.client.control("GET", "state").body
    reply = money.client.control("POST", path, body)
    assert reply.status == 400
    assert message in reply.body["error"]
    assert money.client.control("GET", "state").body == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "c2b/payments", {"msisdn": PHONE, "to": "999999", "amount": 5, "account": "A"}),
        ("POST", "c2b/payments/UAF1234567/validation", {}),
        ("POST", "c2b/validation", {"shortcode": "999999"}),
        ("POST", "c2b/forge", {"shortcode": "174379", "amount": 5}),
        ("POST", "jobs/AG_1/forge", {}),
        ("POST", "initiators/nobody/unlock", {}),
        ("POST", "fund", {"shortcode": "999999", "amount": 5}),
        ("GET", "balances/999999", None),
        ("GET", "statement/999999", None),
    ],
)
def test_what_is_not_there_is_not_found(money: MoneyClient, method: str, path: str, body: Any) -> None:
    assert money.client.control(method, path, body).status == 404


@pytest.mark.parametrize("query", ["day=yesterday", "account=savings"])
def test_a_statement_that_makes_no_sense(money: MoneyClient, query: str) -> None:
    assert money.client.control("GET", f"statement/174379?{query}").status == 400

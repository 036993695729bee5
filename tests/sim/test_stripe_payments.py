from __future__ import annotations

from typing import Any

import pytest

from majuu_sim.stripe import StripeAccount, StripeConfig, StripeSimulator
from majuu_sim.stripe.forms import decode
from majuu_sim.transport import CollectingTransport
from tests.sim.stripe_client import BACK, HTTP, Client

INVALID = "invalid_request_error"


def test_a_payment_is_charged_at_once_and_shows_what_it_cost(stripe_api: Client) -> None:
    made = stripe_api.pay(expand=["latest_charge.balance_transaction"])
    moved = made["latest_charge"]["balance_transaction"]
    assert (made["status"], made["amount_received"], made["metadata"]) == (
        "succeeded",
        10000,
        {"majuu_reference": "R1"},
    )
    assert (moved["amount"], moved["fee"], moved["net"], moved["currency"]) == (10000, 320, 9680, "kes")
    assert stripe_api.kinds() == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    (taken,) = stripe_api.sim.charges_of("R1")
    assert (taken["amount"], taken["refunded"], taken["payment_intent"]) == (10000, 0, made["id"])


def test_the_cost_of_a_charge_captured_in_the_background_is_told_later(stripe_api: Client) -> None:
    made = stripe_api.pay(capture_method=..., expand=["latest_charge.balance_transaction"])
    assert made["capture_method"] == "automatic_async"
    assert made["latest_charge"]["balance_transaction"] is None
    last = stripe_api.letters()[-1]
    assert (last["type"], last["data"]["object"]["balance_transaction"][:4]) == ("charge.updated", "txn_")


@pytest.mark.parametrize(
    ("card", "code", "decline"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ],
)
def test_a_card_is_declined(stripe_api: Client, card: str, code: str, decline: str) -> None:
    reply = stripe_api.post("payment_intents", **stripe_api.payment(payment_method=card))
    error = reply.body["error"]
    assert (reply.status, error["type"], error["code"], error["decline_code"]) == (402, "card_error", code, decline)
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert error["payment_intent"]["last_payment_error"]["charge"] == error["charge"]
    assert stripe_api.kinds() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert stripe_api.sim.payments() == []


def test_after_a_decline_another_card_pays_the_same_intent(stripe_api: Client) -> None:
    reply = stripe_api.post("payment_intents", **stripe_api.payment(payment_method="pm_card_chargeDeclined"))
    intent = reply.body["error"]["payment_intent"]["id"]
    made = stripe_api.made(f"payment_intents/{intent}/confirm", payment_method="pm_card_mastercard")
    assert made["status"] == "succeeded"
    assert [one["status"] for one in stripe_api.found("charges", payment_intent=intent)["data"]] == [
        "succeeded",
        "failed",
    ]


def test_an_authorisation_is_captured_in_part_and_the_rest_let_go(stripe_api: Client) -> None:
    held = stripe_api.pay(capture_method="manual")
    assert (held["status"], held["amount_capturable"], held["amount_received"]) == ("requires_capture", 10000, 0)
    assert stripe_api.sim.payments() == []
    too_much = stripe_api.post(f"payment_intents/{held['id']}/capture", amount_to_capture=10001)
    assert too_much.error == (400, INVALID, "amount_too_large", "amount_to_capture")
    taken = stripe_api.made(f"payment_intents/{held['id']}/capture", amount_to_capture=4000, expand=["latest_charge"])
    assert (taken["status"], taken["amount_received"], taken["amount_capturable"]) == ("succeeded", 4000, 0)
    charge = taken["latest_charge"]
    assert (charge["amount"], charge["amount_captured"], charge["amount_refunded"]) == (10000, 4000, 0)
    again = stripe_api.post(f"payment_intents/{held['id']}/capture")
    assert again.error == (400, INVALID, "payment_intent_unexpected_state", None)
    assert [one["amount"] for one in stripe_api.sim.payments()] == [4000]
    assert stripe_api.kinds()[2:] == [
        "payment_intent.amount_capturable_updated", "charge.captured", "payment_intent.succeeded",
    ]  # fmt: skip


def test_an_authorisation_is_cancelled_or_runs_out(stripe_api: Client) -> None:
    held, forgotten = stripe_api.pay(capture_method="manual"), stripe_api.pay(capture_method="manual")
    gone = stripe_api.made(f"payment_intents/{held['id']}/cancel", cancellation_reason="requested_by_customer")
    assert (gone["status"], gone["cancellation_reason"], gone["amount_capturable"]) == (
        "canceled", "requested_by_customer", 0,
    )  # fmt: skip
    assert stripe_api.post(f"payment_intents/{held['id']}/cancel").error[2] == "payment_intent_unexpected_state"
    stripe_api.sim.advance(604_800)
    assert stripe_api.found(f"payment_intents/{forgotten['id']}")["cancellation_reason"] == "expired"
    assert stripe_api.sim.payments() == []


@pytest.mark.parametrize(("answer", "status"), [("approve", "succeeded"), ("fail", "requires_payment_method")])
def test_three_d_secure_sends_the_customer_to_a_page_and_back(stripe_api: Client, answer: str, status: str) -> None:
    asked = stripe_api.pay(payment_method="pm_card_threeDSecure2Required", return_url=f"{BACK}?order=1")
    assert (asked["status"], asked["next_action"]["type"]) == ("requires_action", "redirect_to_url")
    assert stripe_api.sim.payments() == []
    page = asked["next_action"]["redirect_to_url"]["url"]
    assert "KES 100.00" in HTTP.get(page).text
    sent = HTTP.post(page, data={"answer": answer})
    result = "succeeded" if answer == "approve" else "failed"
    assert sent.headers["Location"] == (
        f"{BACK}?order=1&payment_intent={asked['id']}&payment_intent_client_secret={asked['client_secret']}"
        f"&redirect_status={result}"
    )
    now = stripe_api.found(f"payment_intents/{asked['id']}")
    assert now["status"] == status
    if answer == "approve":
        card = stripe_api.found(f"charges/{now['latest_charge']}")["payment_method_details"]["card"]
        assert card["three_d_secure"]["result"] == "authenticated"
    else:
        assert now["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert len(stripe_api.sim.payments()) == (answer == "approve")
    assert HTTP.post(page, data={"answer": "approve"}).status_code == 409


def test_nobody_can_be_asked_when_the_customer_is_away(stripe_api: Client) -> None:
    params = stripe_api.payment(payment_method="pm_card_authenticationRequired", off_session=True)
    reply = stripe_api.post("payment_intents", **params)
    assert reply.error == (402, "card_error", "authentication_required", None)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"amount": ...}, (400, INVALID, "parameter_missing", "amount")),
        ({"amount": "12.50"}, (400, INVALID, "parameter_invalid_integer", "amount")),
        ({"amount": -5}, (400, INVALID, "parameter_invalid_integer", "amount")),
        ({"amount": 49, "currency": "usd"}, (400, INVALID, "amount_too_small", "amount")),
        ({"amount": 100_000_000}, (400, INVALID, "amount_too_large", "amount")),
        ({"currency": "zzz"}, (400, INVALID, None, "currency")),
        ({"currency": "kwd", "amount": 10005}, (400, INVALID, None, "amount")),
        ({"currency": "isk", "amount": 550}, (400, INVALID, None, "amount")),
        ({"currency": "ugx", "amount": 550}, (400, INVALID, None, "amount")),
        ({"colour": "red"}, (400, INVALID, "parameter_unknown", "colour")),
        ({"payment_method_options": {"card": 1}, "colour": "red"}, (400, INVALID, "parameter_unknown", "colour")),
        ({"off_session": "perhaps", "confirm": "perhaps"}, (400, INVALID, None, "confirm")),
        ({"payment_method_types": ...}, (400, INVALID, None, "return_url")),
        ({"payment_method": "pm_nobodys"}, (400, INVALID, "resource_missing", "payment_method")),
        ({"payment_method": ...}, (400, INVALID, "parameter_missing", "payment_method")),
        ({"customer": "cus_nobodys"}, (400, INVALID, "resource_missing", "customer")),
        ({"capture_method": "later"}, (400, INVALID, None, "capture_method")),
        ({"statement_descriptor_suffix": "x" * 23}, (400, INVALID, None, "statement_descriptor_suffix")),
        ({"confirm": False, "off_session": True}, (400, INVALID, None, "off_session")),
        ({"metadata": {"x": "y" * 501}}, (400, INVALID, None, "metadata[x]")),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_happens(
    stripe_api: Client, changes: dict[str, Any], error: tuple[Any, ...]
) -> None:
    reply = stripe_api.post("payment_intents", **stripe_api.payment(**changes))
    assert reply.error == error
    assert stripe_api.found("payment_intents")["data"] == []
    assert stripe_api.letters() == []


@pytest.mark.parametrize(("currency", "amount"), [("jpy", 500), ("kwd", 10010), ("isk", 500), ("ugx", 500)])
def test_amounts_are_in_the_currencys_smallest_unit(stripe_api: Client, currency: str, amount: int) -> None:
    assert stripe_api.pay(currency=currency, amount=amount)["amount_received"] == amount


def test_keys_open_one_account_each() -> None:
    one = StripeAccount(secret_key="sk_test_one", id="acct_one")
    two = StripeAccount(secret_key="sk_live_two", id="acct_two")
    mail = CollectingTransport()
    with StripeSimulator(config=StripeConfig(accounts=(one, two)), transport=mail) as sim:
        mine, theirs = Client(sim, mail, "sk_test_one"), Client(sim, mail, "sk_live_two")
        paid = mine.pay()
        assert (paid["livemode"], theirs.pay()["livemode"]) == (False, True)
        assert theirs.get(f"payment_intents/{paid['id']}").error == (404, INVALID, "resource_missing", "intent")
        assert [one["account"] for one in sim.payments()] == ["acct_one", "acct_two"]
        assert Client(sim, mail, "sk_test_three").get("account").error == (401, INVALID, None, None)
        assert HTTP.get(f"{sim.base_url}/v1/account").status_code == 401
        assert mine.found("account")["id"] == "acct_one"
        sim.expire_key("acct_one")
        assert mine.get("account").error == (401, INVALID, "api_key_expired", None)
        assert theirs.get("account").status == 200


def test_older_api_versions_show_charges_in_the_intent(stripe_api: Client) -> None:
    paid = stripe_api.pay()
    stripe_api.version = "2020-08-27"
    old = stripe_api.found(f"payment_intents/{paid['id']}")
    assert [one["id"] for one in old["charges"]["data"]] == [paid["latest_charge"]]
    assert old["charges"]["data"][0]["refunds"]["data"] == []
    assert "latest_charge" not in old


def test_payments_are_found_by_metadata_customer_and_time(stripe_api: Client) -> None:
    customer = stripe_api.made("customers", email="a@shop.example")["id"]
    first = stripe_api.pay(metadata={"majuu_reference": "it's"}, customer=customer)["id"]
    stripe_api.sim.advance(60)
    second = stripe_api.pay()["id"]
    search = "payment_intents/search"
    (found,) = stripe_api.found(search, query=r"metadata['majuu_reference']:'it\'s' AND status:'succeeded'")["data"]
    assert found["id"] == first
    assert stripe_api.found(search, query="metadata['majuu_reference']:'R2'")["data"] == []
    assert stripe_api.get(search, query="majuu_reference is R1").error == (400, INVALID, None, "query")
    moment = found["created"]
    listed = [
        stripe_api.found("payment_intents", **wanted)["data"]
        for wanted in ({"customer": customer}, {"created": {"gt": moment}}, {"created": {"lte": moment}})
    ]
    assert [[one["id"] for one in page] for page in listed] == [[first], [second], [first]]


def test_lists_come_in_pages_newest_first(stripe_api: Client) -> None:
    made = [stripe_api.pay()["id"] for _ in range(3)]
    page = stripe_api.found("payment_intents", limit=2)
    assert ([one["id"] for one in page["data"]], page["has_more"]) == ([made[2], made[1]], True)
    rest = stripe_api.found("payment_intents", limit=2, starting_after=made[1])
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == ([made[0]], False)
    for wrong in ({"limit": 101}, {"limit": 0}):
        assert stripe_api.get("payment_intents", **wrong).error[3] == "limit"
    query = "metadata['majuu_reference']:'R1'"
    first = stripe_api.found("payment_intents/search", query=query, limit=2)
    rest = stripe_api.found("payment_intents/search", query=query, limit=2, page=first["next_page"])
    assert [one["id"] for one in first["data"] + rest["data"]] == made[::-1]
    assert stripe_api.get("payment_intents/search", query=query, page=-2).error[3] == "page"


def test_what_cannot_be_expanded_is_refused(stripe_api: Client) -> None:
    paid = stripe_api.pay()
    reply = stripe_api.get(f"payment_intents/{paid['id']}", expand=["latest_charge.amount"])
    assert reply.error == (400, INVALID, None, "expand[0]")
    assert "latest_charge.amount" in reply.body["error"]["message"]


def test_bracket_forms_are_decoded() -> None:
    pairs = [("a[b][0][c]", "1"), ("a[b][1][c]", "2"), ("x[]", "p"), ("x[]", "q"), ("m[majuu_reference]", "R")]
    assert decode(pairs) == {"a": {"b": [{"c": "1"}, {"c": "2"}]}, "x": ["p", "q"], "m": {"majuu_reference": "R"}}


def test_other_addresses_and_bodies_are_refused(stripe_api: Client) -> None:
    assert stripe_api.get("subscriptions").error == (404, INVALID, None, None)
    headers = {"Authorization": f"Bearer {stripe_api.key}"}
    reply = HTTP.post(f"{stripe_api.sim.base_url}/v1/payment_intents", json={"amount": 5}, headers=headers)
    assert (reply.status_code, "x-www-form-urlencoded" in reply.text) == (400, True)


def test_an_account_that_may_not_charge_does_not() -> None:
    config = StripeConfig(accounts=(StripeAccount(charges_enabled=False),))
    mail = CollectingTransport()
    with StripeSimulator(config=config, transport=mail) as sim:
        api = Client(sim, mail)
        assert api.found("account")["charges_enabled"] is False
        assert api.post("payment_intents", **api.payment()).status == 400
        assert sim.state()["accounts"][0]["payment_intents"] == {}


def test_the_shop_can_want_the_banks_question_of_any_card(stripe_api: Client) -> None:
    options = {"card": {"request_three_d_secure": "any"}}
    asked = stripe_api.pay(payment_method_options=options, return_url=BACK, shipping={"name": "A. Person"})
    assert (asked["status"], asked["shipping"]) == ("requires_action", {"name": "A. Person"})
    assert stripe_api.sim.authenticate(asked["id"])["status"] == "succeeded"

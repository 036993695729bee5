"""Every address once, with both bodies checked against PayPal's official OpenAPI files where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.paypal import PaypalConfig, PaypalSimulator
from majuu_sim.paypal.specs import FILES, NoSpecs, SpecChecker
from majuu_sim.transport import CollectingTransport
from tests.shared_files import shared_fixture
from tests.sim.paypal.client import Shop, issue, money, order_body
from tests.sim.paypal.test_payouts import payout

pytest.importorskip("jsonschema")


@pytest.fixture
def folder() -> Path:
    paths = [shared_fixture(f"specs/{name}") for name in FILES]
    return paths[0].parent


def play(shop: Shop) -> None:
    """Everything a shop does, once."""
    capture = shop.paid(invoice_id="inv-1")
    order = shop.sim.orders()[0].id
    shop.get(f"/v2/checkout/orders/{order}")
    shop.get(f"/v2/payments/captures/{capture}")
    shop.get(f"/v2/payments/refunds/{shop.refund(capture, '4.00').json()['id']}")
    shop.capture_order(order, "again")
    shop.call("GET", "/v2/checkout/orders/5O190127TN364715T")
    held = shop.authorized()
    path = f"/v2/payments/authorizations/{held}"
    shop.get(path)
    shop.call("POST", f"{path}/capture", money("4.00"), prefer="representation")
    shop.call("POST", f"{path}/capture", money("40.00"))
    shop.call("POST", f"{path}/void", prefer="representation")
    other = shop.authorized()
    shop.sim.advance(4 * 86_400)
    shop.sign_in()
    shop.call("POST", f"/v2/payments/authorizations/{other}/reauthorize", money("10.00"), prefer="representation")
    dispute = shop.sim.open_dispute(capture, note="It never came").id
    for _ in range(2):
        shop.get("/v1/customer/disputes")
        shop.get(f"/v1/customer/disputes/{dispute}")
        shop.call("POST", f"/v1/customer/disputes/{dispute}/accept-claim", {"note": "ok"})
    batch = shop.call("POST", "/v1/payments/payouts", payout("a@x.example")).json()["batch_header"]
    shop.sim.advance(2)
    shop.get(f"/v1/payments/payouts/{batch['payout_batch_id']}")
    shop.get(f"/v1/payments/payouts-item/{shop.sim.payouts()[0].id}")
    shop.call("POST", "/v1/notifications/webhooks", {"url": "https://x.example", "event_types": [{"name": "*"}]})
    shop.get("/v1/notifications/webhooks")
    shop.get("/v1/notifications/webhooks-events")
    shop.verifies_online(shop.letters()[0])


def test_every_answer_is_as_paypal_writes_it(folder: Path) -> None:
    mail = CollectingTransport()
    with PaypalSimulator(seed=1, clock=VirtualClock(), transport=mail, config=PaypalConfig(specs=folder)) as sim:
        shop = Shop(sim, mail)
        play(shop)
        specs = sim.front.specs
        assert specs.mistakes == []
        assert sorted(one.replace("[^/]+", "{}") for one in specs.checked) == [
            "GET /v1/customer/disputes 200",
            "GET /v1/customer/disputes/{} 200",
            "GET /v1/notifications/webhooks 200",
            "GET /v1/notifications/webhooks-events 200",
            "GET /v1/payments/payouts-item/{} 200",
            "GET /v1/payments/payouts/{} 200",
            "GET /v2/checkout/orders/{} 200",
            "GET /v2/checkout/orders/{} 404",
            "GET /v2/payments/authorizations/{} 200",
            "GET /v2/payments/captures/{} 200",
            "GET /v2/payments/refunds/{} 200",
            "POST /v1/customer/disputes/{}/accept-claim 200",
            "POST /v1/customer/disputes/{}/accept-claim 422",
            "POST /v1/notifications/verify-webhook-signature 200",
            "POST /v1/notifications/webhooks 201",
            "POST /v1/payments/payouts 201",
            "POST /v2/checkout/orders 201",
            "POST /v2/checkout/orders/{}/authorize 201",
            "POST /v2/checkout/orders/{}/capture 201",
            "POST /v2/checkout/orders/{}/capture 422",
            "POST /v2/payments/authorizations/{}/capture 201",
            "POST /v2/payments/authorizations/{}/capture 422",
            "POST /v2/payments/authorizations/{}/reauthorize 201",
            "POST /v2/payments/authorizations/{}/void 200",
            "POST /v2/payments/captures/{}/refund 201",
        ]


def test_a_request_the_specification_does_not_allow_is_refused(folder: Path) -> None:
    with PaypalSimulator(seed=1, clock=VirtualClock(), config=PaypalConfig(specs=folder)) as sim:
        shop = Shop(sim, CollectingTransport())
        body = order_body()
        body["payment_source"]["paypal"]["experience_context"]["locale"] = 7
        answer = shop.create(body)
        assert issue(answer) == (400, "INVALID_REQUEST", "INVALID_PARAMETER_SYNTAX")
        assert answer.json()["details"][0]["field"] == "/payment_source/paypal/experience_context/locale"
        assert sim.orders() == []


def test_the_checker_can_fail(tmp_path: Path) -> None:
    """A specification that our answers do not fit is noticed."""
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/order"}}}}
    spec = {
        "paths": {"/v2/checkout/orders": {"post": {"responses": {"201": answer}}}},
        "components": {"schemas": {"order": {"required": ["flavour"]}}},
    }
    (tmp_path / FILES[0]).write_text(json.dumps(spec))
    with PaypalSimulator(seed=1, clock=VirtualClock(), config=PaypalConfig(specs=tmp_path)) as sim:
        Shop(sim, CollectingTransport()).create()
        (mistake,) = sim.state()["spec_mistakes"]
    assert mistake == "POST /v2/checkout/orders 201: [] 'flavour' is a required property"


def test_a_folder_without_specifications_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(NoSpecs, match="holds none of PayPal's specifications"):
        SpecChecker(tmp_path)

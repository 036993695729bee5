"""The control API, the command, the fixture, and that a seed decides everything."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import pytest

from majuu_sim import cli
from majuu_sim.cli import build_parser, main, make_paypal
from majuu_sim.clock import RealClock, VirtualClock
from majuu_sim.paypal import Account, PaypalConfig, PaypalSimulator, command, signing
from majuu_sim.pytest_fixtures import make_paypal_fixture
from majuu_sim.transport import CollectingTransport
from tests.sim.paypal.client import Shop, order_body
from tests.sim.paypal.test_payouts import PAYOUTS, payout

made_by_factory = make_paypal_fixture(seed=7, config=PaypalConfig(event_delay=0))


def control(shop: Shop, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    answer = shop.http.request(method, f"/control/{path}", json=body)
    return answer.status_code, answer.json()


def test_a_payment_from_beginning_to_end_by_control(shop: Shop) -> None:
    order = shop.order()
    assert [one["id"] for one in control(shop, "GET", "orders?waits=1")[1]["orders"]] == [order]
    assert control(shop, "POST", f"orders/{order}/approve", {"instrument": "pending"})[1]["status"] == "APPROVED"
    capture = shop.capture_order(order).json()["purchase_units"][0]["payments"]["captures"][0]["id"]
    assert control(shop, "GET", "payments")[1] == {"payments": []}
    assert control(shop, "POST", f"captures/{capture}/clear", {})[1]["status"] == "COMPLETED"
    (paid,) = control(shop, "GET", "payments")[1]["payments"]
    assert (paid["id"], paid["value"], paid["custom_id"]) == (capture, "10.00", "ch_1")
    status, refund = control(shop, "POST", f"captures/{capture}/refund", {"amount": "3.00", "note": "sorry"})
    assert (status, refund["value"], refund["by_hand"]) == (201, "3.00", True)
    assert control(shop, "POST", f"refunds/{refund['id']}/end", {"status": "FAILED"})[1]["status"] == "FAILED"
    status, dispute = control(shop, "POST", f"captures/{capture}/dispute", {"stage": "INQUIRY"})
    assert (status, dispute["value"]) == (201, "10.00")
    assert control(shop, "POST", f"disputes/{dispute['id']}/escalate")[1]["stage"] == "CHARGEBACK"
    decided = control(shop, "POST", f"disputes/{dispute['id']}/decide", {"decision": "seller"})[1]
    assert decided["outcome"] == "RESOLVED_SELLER_FAVOUR"
    assert control(shop, "GET", "disputes")[1]["disputes"] == [decided]
    codes = [one["code"] for one in control(shop, "GET", "movements")[1]["movements"]]
    assert codes == ["T0006", "T1107", "T1100", "T1110", "T1111"]


def test_orders_are_cancelled_and_voided_by_control(shop: Shop) -> None:
    order = shop.order()
    assert control(shop, "POST", f"orders/{order}/cancel")[1]["status"] == "PAYER_ACTION_REQUIRED"
    shop.sim.approve(order)
    assert control(shop, "POST", f"orders/{order}/void")[1]["status"] == "VOIDED"
    assert shop.heard() == ["CHECKOUT.ORDER.APPROVED", "CHECKOUT.ORDER.VOIDED"]
    assert shop.capture_order(order).status_code == 404


def test_payouts_are_ended_by_control(shop: Shop) -> None:
    shop.sim.script("unclaimed", operation="payout_item")
    shop.call("POST", PAYOUTS, payout("a@x.example"))
    shop.sim.advance(2)
    (item,) = control(shop, "GET", "payouts")[1]["payouts"]
    assert control(shop, "POST", f"payouts/{item['id']}/end", {"status": "RETURNED"})[1]["status"] == "RETURNED"


def test_webhooks_tokens_and_forgeries_by_control(shop: Shop) -> None:
    status, made = control(shop, "POST", "webhooks", {"url": "https://two.example", "account": "other-client"})
    assert status == 201
    known = control(shop, "GET", "webhooks")[1]["webhooks"]
    assert [(one["id"], one["account"]) for one in known][1] == (made["id"], "other-client")
    order = shop.order()
    status, forged = control(shop, "POST", f"orders/{order}/forge", {"shape": "unsigned", "amount": "3.00"})
    assert (status, forged["callbacks"][0]["state"]) == (201, "delivered")
    (letter,) = shop.letters()
    assert (letter.resource["amount"]["value"], "PAYPAL-TRANSMISSION-SIG" in letter.headers) == ("3.00", False)
    assert control(shop, "POST", "certificate/renew")[1] == {"renewed": True}
    assert shop.sim.office.signer == "renewed"
    assert control(shop, "POST", "outage", {"reply": "spike_arrest"}) == (201, {"down": True})
    assert shop.create().status_code == 429
    assert control(shop, "DELETE", "outage") == (200, {"down": False})
    assert control(shop, "POST", "tokens/expire")[1] == {"expired": True}
    assert shop.create().status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("orders/NO/approve", {}, 404),
        ("orders/NO/forge", {"shape": "round"}, 400),
        ("captures/NO/refund", {"amount": 3}, 400),
        ("captures/NO/refund", {"amount": "-3"}, 400),
        ("captures/NO/refund", {"what": 1}, 400),
        ("captures/NO/clear", {"good": "yes"}, 400),
        ("webhooks", {"url": 7}, 400),
        ("webhooks", {"url": "https://x.example", "event_types": "all"}, 400),
        ("webhooks", {"url": "https://x.example", "account": "nobody"}, 404),
        ("disputes/NO/decide", {}, 400),
        ("disputes/NO/decide", {"decision": "buyer"}, 404),
        ("faults", {"preset": "no_such"}, 400),
    ],
)
def test_control_requests_that_make_no_sense(shop: Shop, path: str, body: Any, status: int) -> None:
    before = shop.sim.state()
    code, said = control(shop, "POST", path, body)
    assert (code, list(said)) == (status, ["error"])
    assert shop.sim.state() == before


def test_the_state_can_be_looked_at_and_forgotten(shop: Shop) -> None:
    shop.paid()
    state = control(shop, "GET", "state")[1]
    assert (state["provider"], state["payments"], state["tokens_issued"]) == ("paypal", 1, 1)
    assert state["accounts"][0]["balances"] == {"USD": "9.16"}
    assert control(shop, "POST", "reset", {"seed": 1})[0] == 200
    state = shop.sim.state()
    assert (state["orders"], state["webhooks"], state["payments"], state["planned"]) == ([], [], 0, 0)
    assert shop.create().status_code == 401


def test_a_seed_decides_every_id() -> None:
    def story(seed: int) -> list[Any]:
        mail = CollectingTransport()
        with PaypalSimulator(seed=seed, clock=VirtualClock(), transport=mail) as sim:
            shop = Shop(sim, mail)
            shop.refund(shop.paid(), "4.00")
            shop.sim.settle()
            return [
                (one.event["id"], one.resource["id"], one.headers["PAYPAL-TRANSMISSION-ID"]) for one in shop.letters()
            ]

    assert story(1) == story(1)
    assert set(story(1)).isdisjoint(story(2))


def test_the_fixture_serves_a_fresh_simulator(made_by_factory: PaypalSimulator) -> None:
    mail = CollectingTransport()
    shop = Shop(made_by_factory, mail)
    assert made_by_factory.clock.manual is True
    assert shop.create().status_code == 201


# Settings and the command.


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"accounts": ()}, "there must be an account"),
        ({"accounts": (Account(), Account(merchant_id="THERSHP234567"))}, "the same client_id"),
        ({"accounts": (Account(), Account(client_id="x"))}, "the same merchant_id"),
        ({"event_delay": -1.0}, "zero or more"),
    ],
)
def test_settings_that_make_no_sense(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PaypalConfig(**wrong)


@pytest.mark.parametrize("merchant", ["SHORT", "MAJUU-SIM-123", "MAJUUSIM23456"])
def test_a_merchant_id_looks_like_paypals(merchant: str) -> None:
    with pytest.raises(ValueError, match="merchant id"):
        Account(merchant_id=merchant)


def test_options_reach_the_simulator(tmp_path: Any) -> None:
    parse = build_parser().parse_args
    usual = make_paypal(parse(["paypal"]))
    assert (usual.config.answer_delay, usual.config.specs, usual.config.public_url) == (None, None, "")
    assert isinstance(usual.clock, RealClock)
    options = parse(
        "paypal --client-id a --client-secret b --merchant-id MERCHANT23456 --account c:d:MERCHANT23457 "
        "--webhook https://shop.example/in --delay 3 --event-delay 0 --clearing-seconds 9 --fee-percent 2.9 "
        "--fee-fixed 0.30 --public-url https://pay.example/ --virtual-clock --seed 4".split()
    )
    sim = make_paypal(options)
    config = sim.config
    assert [(one.client_id, one.client_secret, one.merchant_id) for one in config.accounts] == [
        ("a", "b", "MERCHANT23456"),
        ("c", "d", "MERCHANT23457"),
    ]
    assert (config.answer_delay, config.event_delay, config.clearing_seconds) == (3.0, 0.0, 9.0)
    assert (config.fee_percent, config.fee_fixed) == (Decimal("2.9"), Decimal("0.30"))
    assert sim.origin.pages == "https://pay.example"
    (webhook,) = sim.office.webhooks.all()
    said = command.lines_of(sim, "http://127.0.0.1:8003")
    assert f"  webhook   {webhook.id} for https://shop.example/in" in said
    assert "  client id a, secret b" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--account", "a:b"], "--account takes ID:SECRET:MERCHANT"),
        (["--fee-percent", "much"], "--fee-percent is a number"),
        (["--merchant-id", "x"], "a merchant id has 13"),
        (["--delay", "-1"], "zero or more"),
        (["--specs", "/nowhere"], "holds none of PayPal's specifications"),
    ],
)
def test_options_that_make_no_sense_are_said_plainly(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["paypal", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_command_says_where_everything_is(capsys: pytest.CaptureFixture[str]) -> None:
    sim = make_paypal(build_parser().parse_args(["paypal", "--webhook", "https://shop.example/in"]))
    cli._announce(sim, "http://127.0.0.1:8003")
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "majuu-sim paypal at http://127.0.0.1:8003"
    assert "  root certificate: http://127.0.0.1:8003/control/certificate" in said
    listed = [line.split("/control/")[1] for line in said if "  GET" in line or "  POST" in line]
    app = sim.build_app()
    known = {route.resource.canonical.removeprefix("/control/") for route in app.router.routes() if route.resource}
    assert listed == [*command.GET_ADDRESSES, *command.POST_ADDRESSES]
    assert [one for one in listed if one not in known] == []


def test_customers_can_approve_by_themselves() -> None:
    mail = CollectingTransport()
    config = PaypalConfig(answer_delay=5)
    with PaypalSimulator(seed=1, clock=VirtualClock(), transport=mail, config=config) as sim:
        shop = Shop(sim, mail)
        order = shop.create(order_body()).json()["id"]
        sim.advance(5)
        assert shop.capture_order(order).status_code == 201


def test_without_cryptography_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "_made", [])
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(signing.NoCryptography, match=r"install majuu-sim\[crypto\]"):
        signing.chains()

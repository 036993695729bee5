"""The control API, the command and the documentation of the simulated Stripe."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from majuu_sim import cli
from majuu_sim.simulator import Simulator
from majuu_sim.stripe import CARDS, SECRET_KEY, StripeConfig, StripeSimulator
from majuu_sim.stripe.cards import OUTCOMES
from majuu_sim.stripe.hands import Hands
from majuu_sim.stripe.versions import SHAPES
from tests.sim.stripe_client import HTTP, NO_ANSWER, Client

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "stripe-simulator.md"


def control(api: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    answer = HTTP.request(method, f"{api.sim.base_url}/control/{path}", json=body)
    return answer.status_code, answer.json()


def test_another_process_is_customer_bank_and_dashboard(stripe_api: Client) -> None:
    session = stripe_api.session()
    assert (
        control(stripe_api, "POST", f"checkout/{session['id']}/pay", {"card": "pm_card_visa"})[1]["status"]
        == "complete"
    )
    asked = stripe_api.pay(payment_method="pm_card_threeDSecure2Required", return_url="https://shop.example/")
    status, answered = control(stripe_api, "POST", f"intents/{asked['id']}/authenticate", {"approve": True})
    assert (status, answered["status"]) == (200, "succeeded")
    assert control(stripe_api, "POST", f"intents/{asked['id']}/authenticate")[0] == 409
    status, dispute = control(stripe_api, "POST", "disputes", {"charge": asked["id"], "reason": "duplicate"})
    assert (status, dispute["reason"]) == (201, "duplicate")
    assert control(stripe_api, "POST", f"disputes/{dispute['id']}/decide", {"won": False})[1]["status"] == "lost"
    paid = stripe_api.pay()
    status, refund = control(stripe_api, "POST", "refunds", {"charge": paid["id"], "amount": 5})
    assert (status, refund["amount"]) == (201, 5)
    assert control(stripe_api, "POST", f"refunds/{refund['id']}/fail", {"reason": "unknown"})[1]["status"] == "failed"
    stripe_api.sim.advance(172_800)
    status, payout = control(stripe_api, "POST", "payouts", {"currency": "kes"})
    assert (status, payout["status"]) == (201, "in_transit")
    assert control(stripe_api, "POST", f"payouts/{payout['id']}/fail")[1]["status"] == "failed"
    assert control(stripe_api, "GET", f"objects/{payout['id']}")[1]["status"] == "failed"
    assert len(control(stripe_api, "GET", "payments")[1]["payments"]) == 3


def test_endpoints_keys_and_forgeries_are_steered(stripe_api: Client) -> None:
    where = {"url": "https://other.example/in", "secrets": ["whsec_a", "whsec_b"], "enabled_events": ["refund.created"]}
    assert control(stripe_api, "POST", "endpoints", where)[0] == 201
    paid = stripe_api.pay()
    stripe_api.made("refunds", payment_intent=paid["id"])
    stripe_api.sim.advance(5)
    assert [url for url, _ in stripe_api.mail.take()] == ["https://other.example/in"]
    status, sent = control(stripe_api, "POST", "forge", {"object": paid["id"], "amount": 5})
    assert (status, [one["kind"] for one in sent["callbacks"]]) == (201, ["forged"])
    assert len(control(stripe_api, "GET", "cards")[1]["cards"]) == len(CARDS)
    assert control(stripe_api, "POST", "keys/expire", {})[1] == {"expired": True}
    assert stripe_api.get("account").status == 401


def test_stripe_is_down_for_a_while(stripe_api: Client) -> None:
    assert control(stripe_api, "POST", "outage", {"reply": "server_error"})[0] == 201
    assert stripe_api.post("payment_intents", "key-1", **stripe_api.payment()).status == 500
    stripe_api.sim.start_outage()
    with pytest.raises(NO_ANSWER):
        stripe_api.get("account")
    assert control(stripe_api, "DELETE", "outage")[1] == {"down": False}
    assert stripe_api.sim.payments() == []
    assert stripe_api.post("payment_intents", "key-1", **stripe_api.payment()).status == 200
    stripe_api.sim.start_outage()
    stripe_api.sim.end_outage()
    assert stripe_api.get("account").status == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("checkout/cs_x/pay", {}, 404, "cs_x"),
        ("checkout/cs_x/pay", {"card": "4242"}, 400, "unknown test card"),
        ("checkout/cs_x/pay", {"number": "1"}, 400, "unknown field"),
        ("disputes", {"charge": "ch_x"}, 404, "ch_x"),
        ("disputes", {"charge": ""}, 400, "charge must be text"),
        ("disputes/du_x/decide", {}, 400, "whether it is won"),
        ("disputes/du_x/decide", {"won": 1}, 400, "true or false"),
        ("refunds", {"charge": "ch_x", "amount": 0}, 400, "whole number"),
        ("payouts", {"currency": "kes"}, 400, "nothing in kes"),
        ("payouts", {"account": "acct_x"}, 404, "acct_x"),
        ("endpoints", {"url": "https://a.example", "secrets": []}, 400, "list of texts"),
        ("outage", {"reply": "accepted_error"}, 400, "known: locked, refuse_connection"),
        ("faults", {"preset": "queue_timeout"}, 400, "Stripe has no notices"),
        ("faults", {"preset": "lost", "operation": "stk_push"}, 400, "payment_create"),
    ],
)
def test_what_makes_no_sense_is_refused(
    stripe_api: Client, path: str, body: dict[str, Any], status: int, message: str
) -> None:
    before = stripe_api.sim.state()
    said, answer = control(stripe_api, "POST", path, body)
    assert (said, message in answer["error"]) == (status, True)
    assert stripe_api.sim.state() == before


def test_the_command_describes_a_simulator() -> None:
    line = ["stripe", "--key", "sk_live_mine", "--webhook", "https://shop.example/in", "--webhook-secret", "whsec_a"]
    options = cli.build_parser().parse_args([*line, "--currency", "KES", "--fee", "3.8", "--virtual-clock"])
    sim = options.make(options)
    (account,) = sim.config.accounts
    assert (account.livemode, account.default_currency, account.endpoints[0].secrets) == (True, "kes", ("whsec_a",))
    assert (str(sim.config.fee_percent), sim.clock.manual) == ("3.8", True)


@pytest.mark.parametrize(
    "wrong", [["--key", "pk_test_x"], ["--fee", "x"], ["--delay", "-1"], ["--schema", "/nowhere.json"]]
)
def test_options_that_make_no_sense_are_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stripe", *wrong]) == 2
    assert capsys.readouterr().err.startswith("majuu-sim: ")


def test_two_accounts_cannot_share_a_key() -> None:
    (account,) = StripeConfig().accounts
    with pytest.raises(ValueError, match="a secret key of its own"):
        StripeSimulator(config=StripeConfig(accounts=(account, account)))


def test_every_card_outcome_operation_and_shape_is_documented() -> None:
    page = PAGE.read_text()
    words = sorted({*CARDS, *OUTCOMES, *StripeSimulator.operations, *SHAPES})
    assert [word for word in words if f"`{word}`" not in page] == []


def test_every_option_setting_address_and_method_is_documented() -> None:
    page = PAGE.read_text()
    sim = StripeSimulator()
    options = {f"--{name.replace('_', '-')}" for name in vars(cli.build_parser().parse_args(["stripe"]))} - {"--make"}
    settings = {spec.name for spec in fields(StripeConfig)}
    methods = {name for name in vars(Hands) if not name.startswith("_") and not name.endswith("_here")}
    known = {route.resource.canonical for route in sim.build_app().router.routes() if route.resource is not None}
    shared = {route.resource.canonical for route in PlainSimulator().build_app().router.routes() if route.resource}
    api = {route.path for route in sim._gateway._routes}
    assert [one for one in sorted(options) if f"`{one}`" not in page] == []
    assert [one for one in sorted(settings) if f"`{one}`" not in page] == []
    assert [one for one in sorted(methods) if f"`{one}(" not in page] == []
    assert [one for one in sorted((known - shared) | api) if one not in page] == ["/v1/{tail}"]
    assert SECRET_KEY in page


def test_the_examples_of_the_page_run() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    pytest.importorskip("stripe")
    exec(compile(block, str(PAGE), "exec"), {})  # noqa: S102 - our own page


class PlainSimulator(Simulator):
    name = "plain"
    operations = ("nothing",)
    outcomes = frozenset()

    def add_routes(self, app: Any) -> None:
        pass

    def payments_here(self) -> list[dict[str, Any]]:
        return []

    def state_here(self) -> dict[str, Any]:
        return {}

    def clear_here(self) -> None:
        pass

"""Against what Stripe itself publishes: request schemas, object fixtures and the SDK. Skips what is not at hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.stripe import API_VERSION, SECRET_KEY, WEBHOOK_SECRET, StripeConfig, StripeSimulator
from majuu_sim.stripe.schema import RequestSchemas
from majuu_sim.transport import CollectingTransport
from tests.shared_files import shared_fixture
from tests.sim.stripe_client import BACK, CONFIG, Client

# Shown in some states only, or asked for by name; the fixtures do not have them.
MORE = {"refund": {"failure_reason", "failure_balance_transaction", "pending_reason"}}
# The fixtures have them; we leave them out.
LESS = {"charge": {"refunds"}, "account": {"company", "business_profile", "settings"}}


@pytest.fixture(scope="module")
def checked() -> Iterator[Client]:
    """A simulator that checks requests against Stripe's schemas."""
    pytest.importorskip("jsonschema")
    path = shared_fixture("specs/stripe_prism_lean.json")
    config = StripeConfig(accounts=CONFIG.accounts, schema_path=str(path))
    mail = CollectingTransport()
    with StripeSimulator(seed=1, clock=VirtualClock(), config=config, transport=mail) as sim:
        yield Client(sim, mail)


@pytest.mark.parametrize(
    ("path", "changes", "code", "param"),
    [
        ("payment_intents", {"colour": "red"}, "parameter_unknown", "colour"),
        ("payment_intents", {"shipping": {"address": {"city": "x"}}}, "parameter_missing", "shipping[name]"),
        ("payment_intents", {"amount": ...}, "parameter_missing", "amount"),
        ("payment_intents", {"amount": "ten"}, "parameter_invalid_integer", "amount"),
        ("payment_intents", {"capture_method": "later"}, None, "capture_method"),
        ("payment_intents", {"statement_descriptor_suffix": "x" * 23}, None, "statement_descriptor_suffix"),
    ],
)
def test_the_schema_refuses(checked: Client, path: str, changes: dict[str, Any], code: str, param: str) -> None:
    reply = checked.post(path, **checked.payment(**changes))
    assert reply.error == (400, "invalid_request_error", code, param)
    assert checked.found(path)["data"] == []


def test_the_schema_takes_what_the_client_sends_and_newer_parameters(checked: Client) -> None:
    assert len(checked.sim.schema.known) > 40
    automatic = {"enabled": True, "allow_redirects": "never"}
    paid = checked.pay(
        payment_method_types=..., automatic_payment_methods=automatic, excluded_payment_method_types=["link"]
    )
    checked.found(f"payment_intents/{paid['id']}", expand=["latest_charge.balance_transaction"])
    checked.made("refunds", payment_intent=paid["id"], amount=1, metadata={"majuu_reference": "F1"})
    checked.session()
    assert len(checked.found("checkout/sessions", created={"gte": 1}, status="open")["data"]) == 1
    checked.found("balance_transactions", created={"gte": 1}, limit=100)
    checked.sim.reset()


def test_a_schema_that_is_no_schema_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jsonschema")
    with pytest.raises(ValueError, match="is no OpenAPI file"):
        RequestSchemas(str(tmp_path / "none.json"))
    (tmp_path / "other.json").write_text("[]")
    monkeypatch.setenv("MAJUU_STRIPE_SCHEMA", str(tmp_path / "other.json"))
    with pytest.raises(ValueError, match="is no OpenAPI file"):
        StripeSimulator()
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(ValueError, match="needs jsonschema"):
        StripeSimulator()


def every_kind(api: Client) -> Iterator[dict[str, Any]]:
    """One object of every kind that the simulator makes."""
    customer = api.made("customers", email="a@shop.example")
    paid = api.pay(customer=customer["id"], setup_future_usage="off_session")
    refund = api.made("refunds", payment_intent=paid["id"], amount=100)
    yield from (customer, paid, refund, api.session(), api.made("setup_intents"), api.found("account"))
    yield api.found(f"charges/{paid['latest_charge']}")
    yield api.found(f"payment_methods/{paid['payment_method']}")
    yield api.sim.dispute(paid["id"])
    yield api.found("balance_transactions")["data"][0]
    api.pay(amount=9_000_000)
    api.sim.advance(172_800)
    yield api.sim.make_payout("kes")
    yield api.found("events")["data"][0]
    yield api.found("balance")


def test_objects_have_the_fields_of_stripes_fixtures(stripe_api: Client) -> None:
    fixtures = json.loads(shared_fixture("specs/stripe_fixtures3_2026-08-21.json").read_text())["resources"]
    seen = set()
    for made in every_kind(stripe_api):
        kind = made["object"]
        seen.add(kind)
        ours, theirs = set(made), set(fixtures[kind])
        assert ours - theirs - MORE.get(kind, set()) == set(), kind
        left_out = theirs - ours - LESS.get(kind, set()) - {"connect_reserved", "source"}
        assert left_out == set(), kind
        for name, value in made.items():
            other = fixtures[kind].get(name)
            if isinstance(value, dict) and isinstance(other, dict) and other and name not in ("metadata", "data"):
                assert set(value) - set(other) <= {"risk_level", "card", "allow_redirects"}, (kind, name)
    assert len(seen) == 13


def test_the_official_sdk_drives_it_unpatched(stripe_api: Client, tmp_path: Path) -> None:
    stripe = pytest.importorskip("stripe")
    url = stripe_api.sim.base_url
    client = stripe.StripeClient(SECRET_KEY, base_addresses={"api": url, "files": url}, max_network_retries=0)
    assert stripe.api_version == API_VERSION
    v1 = client.v1
    params = {**stripe_api.payment(), "expand": ["latest_charge.balance_transaction"]}
    paid, again = (v1.payment_intents.create(params, {"idempotency_key": "k"}) for _ in range(2))
    assert (paid.id, paid.latest_charge.balance_transaction.net) == (again.id, 9680)
    with pytest.raises(stripe.CardError) as declined:
        v1.payment_intents.create({**params, "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"})
    assert (declined.value.code, declined.value.error.decline_code) == ("card_declined", "insufficient_funds")
    with pytest.raises(stripe.IdempotencyError):
        v1.payment_intents.create({**params, "amount": 5}, {"idempotency_key": "k"})
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient("sk_test_other", base_addresses={"api": url}).v1.accounts.retrieve_current()
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        v1.payment_intents.retrieve("pi_nobodys")
    assert unknown.value.code == "resource_missing"
    held = v1.payment_intents.create({**params, "capture_method": "manual"})
    assert v1.payment_intents.capture(held.id, {"amount_to_capture": 4000}).amount_received == 4000
    assert v1.refunds.create({"payment_intent": held.id}).amount == 4000
    query = "metadata['majuu_reference']:'R1' AND status:'succeeded'"
    assert {one.id for one in v1.payment_intents.search({"query": query}).data} == {paid.id, held.id}
    (tmp_path / "receipt.pdf").write_bytes(b"%PDF-1.7")
    with (tmp_path / "receipt.pdf").open("rb") as file:
        kept = v1.files.create({"purpose": "dispute_evidence", "file": file})
    dispute = stripe_api.sim.dispute(paid.id)
    given = v1.disputes.update(dispute["id"], {"evidence": {"receipt": kept.id}, "submit": True})
    assert (given.status, given.evidence.receipt) == ("under_review", kept.id)
    session = v1.checkout.sessions.create({"mode": "setup", "currency": "kes", "success_url": BACK})
    stripe_api.sim.pay_session(session.id)
    expanded = v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
    assert expanded.setup_intent.payment_method.card.last4 == "4242"
    moves = list(v1.balance_transactions.list({"limit": 2}).auto_paging_iter())
    assert [one.type for one in moves] == ["adjustment", "refund", "charge", "charge"]
    stripe_api.sim.advance(5)
    _, body, headers = stripe_api.mail.take_signed()[0]
    event = client.construct_event(body, headers["Stripe-Signature"], WEBHOOK_SECRET, tolerance=None)
    assert (event.type, event.data.object.id) == ("payment_intent.created", paid.id)

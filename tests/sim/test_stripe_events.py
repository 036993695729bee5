from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.stripe import SECRET_KEY, Endpoint, StripeAccount, StripeConfig, StripeSimulator
from majuu_sim.stripe.office import own_signature, signature_header
from majuu_sim.transport import CollectingTransport
from tests.sim.stripe_client import SHOP, Client, Inbox, serve_inbox

OLD, NEW = "whsec_old", "whsec_new"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with serve_inbox() as served:
        yield served


def signed(header: str) -> tuple[str, list[str]]:
    return re.findall(r"t=(\d+)", header)[0], re.findall(r"v1=([0-9a-f]{64})", header)


def test_every_secret_in_rotation_signs(stripe_api: Client) -> None:
    stripe_api.sim.set_endpoints(Endpoint(url=SHOP, secrets=(OLD, NEW)))
    stripe_api.pay()
    stripe_api.sim.advance(5)
    for url, body, headers in stripe_api.mail.take_signed():
        moment, signatures = signed(headers["Stripe-Signature"])
        expected = [own_signature(body.decode(), secret, int(moment)) for secret in (OLD, NEW)]
        assert (url, signatures) == (SHOP, expected)


def test_the_signature_is_the_official_one() -> None:
    stripe = pytest.importorskip("stripe")
    for payload in ("{}", '{"name": "Wanjikũ"}'):
        official = stripe.WebhookSignature.generate_signature_header(payload, OLD, 1_800_000_000)
        assert official == f"t=1800000000,v1={own_signature(payload, OLD, 1_800_000_000)}"
        assert official == signature_header(payload, (OLD,), 1_800_000_000)


def test_the_official_sdk_takes_true_events_and_refuses_forged_ones(stripe_api: Client) -> None:
    stripe = pytest.importorskip("stripe")
    paid = stripe_api.pay()
    stripe_api.sim.forge(paid["id"], "99")
    stripe_api.sim.advance(5)
    (_, forged, header), *true = stripe_api.mail.take_signed()
    assert json.loads(forged)["data"]["object"]["amount"] == 99
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(forged, header["Stripe-Signature"], stripe_secret(), tolerance=None)
    events = [
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], stripe_secret(), tolerance=None)
        for _, body, headers in true
    ]
    assert [event.type for event in events][-1] == "payment_intent.succeeded"
    assert events[-1].data.object.id == paid["id"]


def stripe_secret() -> str:
    return Endpoint(url=SHOP).secrets[0]


def test_an_event_nobody_takes_is_sent_again_under_its_id_with_a_fresh_signature(inbox: Inbox) -> None:
    inbox.status = 500
    account = StripeAccount(endpoints=(Endpoint(url=inbox.url, enabled_events=("payment_intent.succeeded",)),))
    config = StripeConfig(accounts=(account,), retry_delays=(60, 300))
    with StripeSimulator(seed=1, clock=VirtualClock(), config=config) as sim:
        api = Client(sim, CollectingTransport())
        api.pay()
        sim.advance(2)
        inbox.status = 200
        sim.advance(3600)
        states = [one.state for one in sim.callbacks()]
    assert states == ["refused", "delivered"]
    first, second = (signed(headers["Stripe-Signature"]) for headers in inbox.headers)
    assert inbox.seen[0] == inbox.seen[1]
    assert int(second[0]) - int(first[0]) == 60
    assert first[1] != second[1]


def test_an_endpoint_gets_its_own_version_and_only_what_it_wants() -> None:
    old = Endpoint(
        url="https://shop.example/old", api_version="2020-08-27", enabled_events=("payment_intent.succeeded",)
    )
    off = Endpoint(url="https://shop.example/off", status="disabled")
    account = StripeAccount(endpoints=(old, off, Endpoint(url=SHOP)))
    mail = CollectingTransport()
    config = StripeConfig(accounts=(account,))
    with StripeSimulator(seed=1, clock=VirtualClock(), config=config, transport=mail) as sim:
        api = Client(sim, mail)
        paid = api.pay()
        sim.advance(5)
        letters = [(url, json.loads(body)) for url, body in mail.take()]
        listed = api.found("webhook_endpoints")["data"]
    ((_, older),) = [one for one in letters if one[0] == old.url]
    assert older["api_version"] == "2020-08-27"
    assert [one["id"] for one in older["data"]["object"]["charges"]["data"]] == [paid["latest_charge"]]
    assert [url for url, _ in letters].count(SHOP) == 3
    assert len(letters) == 4
    assert [one["status"] for one in listed] == ["enabled", "disabled", "enabled"]


def test_events_say_whose_request_they_come_from_and_can_be_read(stripe_api: Client) -> None:
    stripe_api.post("payment_intents", "key-1", **stripe_api.payment())
    event = stripe_api.letters()[-1]
    assert event["request"]["idempotency_key"] == "key-1"
    assert stripe_api.found(f"events/{event['id']}") == event
    kinds = [one["type"] for one in stripe_api.found("events")["data"]]
    assert kinds == ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]


def test_forged_successes_follow_a_payment_that_was_not_made(stripe_api: Client) -> None:
    stripe_api.sim.script("forged_success")
    stripe_api.post("payment_intents", **stripe_api.payment())
    stripe_api.sim.advance(5)
    kept = [(json.loads(body), headers) for _, body, headers in stripe_api.mail.take_signed()]
    (forged,) = [(event, headers) for event, headers in kept if event["type"] == "payment_intent.succeeded"]
    moment, signatures = signed(forged[1]["Stripe-Signature"])
    assert signatures != [own_signature(json.dumps(forged[0]), stripe_secret(), int(moment))]
    assert stripe_api.sim.payments() == []
    assert SECRET_KEY not in json.dumps(forged[0])

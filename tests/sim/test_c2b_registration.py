from __future__ import annotations

from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import Client
from tests.sim.money_client import HOOKS, MoneyClient


def production(**settings: Any) -> DarajaSimulator:
    config = DarajaConfig(production=True, **settings)
    return DarajaSimulator(seed=1, clock=VirtualClock(), config=config, transport=CollectingTransport())


def test_v2_is_acknowledged_with_a_code_and_the_misspelt_id(money: MoneyClient) -> None:
    reply = money.register("v2")
    assert reply.status == 200
    assert list(reply.body) == ["OriginatorCoversationID", "ResponseCode", "ResponseDescription"]
    assert (reply.body["ResponseCode"], reply.body["ResponseDescription"]) == ("0", "Success")
    (known,) = money.sim.registrations()
    assert (known.shortcode, known.version, known.response_type) == ("174379", "v2", "Completed")
    assert (known.confirmation_url, known.validation_url) == (f"{HOOKS}/confirmation", f"{HOOKS}/validation")


def test_v1_is_acknowledged_as_of_old_without_a_code(money: MoneyClient) -> None:
    expected = {"ConversationID": "", "OriginatorCoversationID": "", "ResponseDescription": "success"}
    assert money.register("v1").body == expected
    assert [one.version for one in money.sim.registrations()] == ["v1"]


def test_the_sandbox_overwrites(money: MoneyClient) -> None:
    money.register("v1")
    assert money.register("v2", ConfirmationURL="https://shop.example/other").status == 200
    (known,) = money.sim.registrations()
    assert (known.version, known.confirmation_url) == ("v2", "https://shop.example/other")


def test_production_takes_them_once() -> None:
    with production() as sim:
        money = MoneyClient(sim, Client(sim.base_url, ""), CollectingTransport())
        assert money.register("v2").status == 200
        second = money.register("v2", ConfirmationURL="https://shop.example/other")
        assert second.error == (500, "500.003.1001", "Urls are already registered.")
        assert [one.confirmation_url for one in sim.registrations()] == [f"{HOOKS}/confirmation"]
        assert money.register("v2", ShortCode="600100").status == 200  # another shortcode's


def test_production_has_no_simulate_address() -> None:
    with production() as sim:
        money = MoneyClient(sim, Client(sim.base_url, ""), CollectingTransport())
        assert money.simulate().error == (404, "404.001.01", "Resource not found")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ShortCode": ...}, "ShortCode"),
        ({"ShortCode": "12"}, "ShortCode"),
        ({"ShortCode": "999999"}, "ShortCode"),
        ({"ResponseType": "completed"}, "ResponseType"),
        ({"ResponseType": "Canceled"}, "ResponseType"),
        ({"ResponseType": ...}, "ResponseType"),
        ({"ConfirmationURL": ...}, "ConfirmationURL"),
        ({"ConfirmationURL": "https://shop.example/M-PESA/in"}, "ConfirmationURL"),
        ({"ConfirmationURL": "https://mpesa.example/in"}, "ConfirmationURL"),
        ({"ConfirmationURL": "https://shop.example/Safaricom"}, "ConfirmationURL"),
        ({"ConfirmationURL": "https://shop.example/executive"}, "ConfirmationURL"),
        ({"ConfirmationURL": "https://shop.example/cmd"}, "ConfirmationURL"),
        ({"ConfirmationURL": "https://shop.example/mySQL"}, "ConfirmationURL"),
        ({"ConfirmationURL": "https://abc.ngrok.io/in"}, "ConfirmationURL"),
        ({"ConfirmationURL": "https://192.168.1.4/in"}, "ConfirmationURL"),
        ({"ValidationURL": "https://shop.example/query"}, "ValidationURL"),
        ({"ValidationURL": 5}, "ValidationURL"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_registered(
    money: MoneyClient, changes: dict[str, Any], field: str
) -> None:
    assert money.register(**changes).error == (400, "400.002.02", f"Bad Request - Invalid {field}")
    assert money.sim.registrations() == []


def test_plain_http_will_do_in_the_sandbox_only(money: MoneyClient) -> None:
    plain = "http://shop.example/in"
    assert money.register(ConfirmationURL=plain).status == 200
    with production() as sim:
        strict = MoneyClient(sim, Client(sim.base_url, ""), CollectingTransport())
        assert strict.register(ConfirmationURL=plain).error[2] == "Bad Request - Invalid ConfirmationURL"


def test_a_bad_token_has_the_words_of_c2b(money: MoneyClient) -> None:
    money.client.token = "stale"
    assert money.register().error == (400, "400.003.01", "Invalid Access Token")


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ("already_registered", "Urls are already registered."),
        ("old_broker", "Duplicate notification info, SP ID is 100100, correlator is 0A1B2C"),
    ],
)
def test_a_registration_can_be_refused_by_script(money: MoneyClient, outcome: str, message: str) -> None:
    money.sim.script(outcome, operation="c2b_register")
    assert money.register().error == (500, "500.003.1001", message)
    assert money.sim.registrations() == []
    assert money.register().status == 200


def test_a_registration_can_be_answered_with_a_soap_fault(money: MoneyClient) -> None:
    money.sim.script("soap_fault", operation="c2b_register")
    reply = money.register()
    assert reply.status == 500
    assert reply.body["Envelope"]["Body"]["Fault"]["faultcode"] == "soap:Server"
    assert money.sim.registrations() == []


def test_a_registration_that_was_done_can_be_answered_badly(money: MoneyClient) -> None:
    money.sim.script("accepted_5xx", operation="c2b_register")
    assert money.register().error == (500, "500.003.1001", "Internal Server Error")
    assert len(money.sim.registrations()) == 1
    money.sim.script("server_error", operation="c2b_register")
    money.register(ConfirmationURL="https://shop.example/other")
    assert [one.confirmation_url for one in money.sim.registrations()] == [f"{HOOKS}/confirmation"]

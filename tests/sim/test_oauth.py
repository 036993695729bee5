from __future__ import annotations

import re

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import App, DarajaConfig, DarajaSimulator
from tests.sim.daraja_client import TOKEN, Client, basic, send

INVALID_TOKEN = (404, "404.001.03", "Invalid Access Token")


def test_a_token_costs_key_and_secret_and_says_in_text_how_long_it_lives(client: Client) -> None:
    reply = client.fetch_token()
    assert reply.status == 200
    assert set(reply.body) == {"access_token", "expires_in"}
    assert reply.body["expires_in"] == "3599"
    assert re.fullmatch("[A-Za-z0-9]{28}", reply.body["access_token"])


@pytest.mark.parametrize("authorization", ["", "Bearer abc", "Basic !!!"])
def test_another_kind_of_authorization_is_refused(client: Client, authorization: str) -> None:
    assert client.fetch_token(authorization).error == (400, "400.008.01", "Invalid Authentication passed")


@pytest.mark.parametrize("path", ["/oauth/v1/generate", "/oauth/v1/generate?grant_type=password"])
def test_another_grant_type_is_refused(client: Client, path: str) -> None:
    assert client.fetch_token(path=path).error == (400, "400.008.02", "Invalid grant type passed")


@pytest.mark.parametrize(
    "authorization", ["Basic", basic(key="other"), basic(secret="other"), basic(key="", secret="")]
)
def test_a_wrong_key_or_secret_gets_400_and_not_a_word(client: Client, authorization: str) -> None:
    reply = client.fetch_token(authorization)
    assert (reply.status, reply.raw) == (400, b"")


def test_the_token_address_takes_get_only(client: Client) -> None:
    reply = send(client.base_url, "POST", TOKEN, b"{}", {"Authorization": basic()})
    assert reply.error == (405, "405.001", "Method Not Allowed")


def test_a_new_token_voids_the_one_before(client: Client) -> None:
    client.fetch_token()
    first = client.token
    client.fetch_token()
    second, client.token = client.token, first
    assert client.push().error == INVALID_TOKEN
    client.token = second
    assert client.push().status == 200


def test_a_lenient_server_keeps_the_one_before() -> None:
    with DarajaSimulator(clock=VirtualClock(), config=DarajaConfig(strict_tokens=False)) as sim:
        client = Client(sim.base_url, "http://127.0.0.1:9/x")
        client.fetch_token()
        first = client.token
        client.fetch_token()
        client.token = first
        assert client.push().status == 200


def test_two_apps_do_not_void_each_others_tokens() -> None:
    apps = (App(), App(consumer_key="other", consumer_secret="hidden"))
    with DarajaSimulator(clock=VirtualClock(), config=DarajaConfig(apps=apps)) as sim:
        one, two = (Client(sim.base_url, "http://127.0.0.1:9/x") for _ in range(2))
        one.fetch_token()
        two.fetch_token(basic("other", "hidden"))
        assert one.push().status == 200
        assert two.push(phone="254712345679").status == 200


def test_a_token_dies_after_an_hour(sim: DarajaSimulator, client: Client) -> None:
    client.fetch_token()
    sim.advance(3599)
    assert client.push().status == 200
    sim.advance(1)
    assert client.push(phone="254712345679").error == INVALID_TOKEN
    assert len(sim.prompts()) == 1


@pytest.mark.parametrize("token", ["", "x" * 28])
def test_no_product_without_a_good_token(sim: DarajaSimulator, client: Client, token: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"} if token else {}
    reply = send(client.base_url, "POST", "/mpesa/stkpush/v1/processrequest", b"{}", headers)
    assert reply.error == INVALID_TOKEN
    assert sim.prompts() == []


def test_tokens_can_be_voided_by_hand(sim: DarajaSimulator, client: Client) -> None:
    client.fetch_token()
    sim.expire_tokens()
    assert client.push().error == INVALID_TOKEN
    client.fetch_token()
    assert client.push().status == 200


def test_a_token_request_can_fail_by_script(sim: DarajaSimulator, client: Client) -> None:
    sim.script("server_error", operation="oauth")
    assert client.fetch_token().error == (500, "500.001.1001", "Internal Server Error")
    assert client.fetch_token().status == 200

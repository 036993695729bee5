from __future__ import annotations

from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import DarajaConfig, DarajaSimulator, Shortcode
from tests.sim.daraja_client import QUERY, Client, password, send

UNKNOWN = (400, "400.002.02", "Bad Request - Invalid CheckoutRequestID")


def test_a_query_reports_pending_and_then_the_result_in_text(sim: DarajaSimulator, client: Client) -> None:
    checkout = client.pushed()
    before = client.query(checkout)
    sim.advance(2)
    after = client.query(checkout)
    (prompt,) = sim.prompts()
    common = {
        "ResponseCode": "0",
        "ResponseDescription": "The service request has been accepted successsfully",
        "MerchantRequestID": prompt.merchant_request_id,
        "CheckoutRequestID": checkout,
    }
    pending = {"ResultCode": "4999", "ResultDesc": "The transaction is still under processing"}
    assert (before.status, before.body) == (200, {**common, **pending})
    done = {"ResultCode": "0", "ResultDesc": "The service request is processed successfully."}
    assert (after.status, after.body) == (200, {**common, **done})


def test_an_id_nobody_knows_is_refused_like_a_fresh_one(client: Client) -> None:
    assert client.query("ws_CO_15012026120000000712345678").error == UNKNOWN


@pytest.mark.parametrize("value", [None, "", 5, ["x"]])
def test_a_query_for_nothing_is_refused(client: Client, value: Any) -> None:
    assert client.query(value).error == UNKNOWN


def test_another_shortcodes_prompt_stays_hidden(sim: DarajaSimulator, client: Client) -> None:
    checkout = client.pushed()
    other = client.query(checkout, BusinessShortCode="600100", Password=password("600100"))
    assert other.error == UNKNOWN


def test_a_query_needs_the_right_password(client: Client) -> None:
    checkout = client.pushed()
    wrong = client.query(checkout, Password=password(passkey="other"))
    assert wrong.error == (500, "500.001.1001", "[MerchantValidate] - Wrong credentials")


def test_a_query_takes_post_only(client: Client) -> None:
    assert send(client.base_url, "GET", QUERY, None, {}).error == (404, "404.001.04", "Invalid Authentication Header")


def test_a_query_too_soon_does_not_find_the_prompt() -> None:
    with DarajaSimulator(clock=VirtualClock(), config=DarajaConfig(query_visible_after=5, answer_delay=9)) as sim:
        client = Client(sim.base_url, "http://127.0.0.1:9/x")
        checkout = client.pushed()
        assert client.query(checkout).error == UNKNOWN
        sim.advance(5)
        assert client.result(checkout) == "4999"


def test_pending_in_the_older_way() -> None:
    with DarajaSimulator(clock=VirtualClock(), config=DarajaConfig(pending_style="500")) as sim:
        client = Client(sim.base_url, "http://127.0.0.1:9/x")
        reply = client.query(client.pushed())
        assert reply.error == (500, "500.001.1001", "The transaction is being processed")


def test_pending_in_short() -> None:
    with DarajaSimulator(clock=VirtualClock(), config=DarajaConfig(pending_style="4999_short")) as sim:
        client = Client(sim.base_url, "http://127.0.0.1:9/x")
        reply = client.query(client.pushed())
        assert reply.body == {"ResultCode": "4999", "ResultDesc": "The transaction is still under processing"}


def test_pending_in_mixed_ways_shows_both() -> None:
    with DarajaSimulator(seed=3, clock=VirtualClock(), config=DarajaConfig(pending_style="mixed")) as sim:
        client = Client(sim.base_url, "http://127.0.0.1:9/x")
        checkout = client.pushed()
        assert {client.query(checkout).status for _ in range(30)} == {200, 500}


def test_queries_too_close_together_are_throttled_in_the_gateways_words() -> None:
    with DarajaSimulator(clock=VirtualClock(), config=DarajaConfig(query_spacing=12, answer_delay=1)) as sim:
        client = Client(sim.base_url, "http://127.0.0.1:9/x")
        sim.script("lost")
        checkout = client.pushed()
        sim.advance(1)
        assert client.result(checkout) == "0"
        reply = client.query(checkout)
        assert reply.status == 429
        assert reply.body["fault"]["detail"] == {"errorcode": "policies.ratelimit.SpikeArrestViolation"}
        sim.advance(12)
        assert client.result(checkout) == "0"


@pytest.mark.parametrize(
    "wrong",
    [
        {"pending_style": "never"},
        {"event_shape": "round"},
        {"apps": ()},
        {"shortcodes": ()},
        {"shortcodes": (Shortcode(number="12"),)},
        {"shortcodes": (Shortcode(number="174379"), Shortcode(number="174379"))},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        DarajaConfig(**wrong)

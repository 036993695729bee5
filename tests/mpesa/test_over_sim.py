"""The provider against the simulated Daraja, over real HTTP on the loopback."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import Money
from majuu_core.providers import (
    FetchRequest,
    InvalidCredentials,
    OutcomeUnknown,
    ProviderContext,
    ProviderEvent,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_core.providers.http import Exchange, ProviderHttp
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.provider import MpesaProvider
from tests.mpesa.support import DictCache, payment, webhook

sim_daraja = pytest.importorskip("majuu_sim.daraja", reason="majuu-sim is not installed")
sim_clock = pytest.importorskip("majuu_sim.clock", reason="majuu-sim is not installed")
sim_transport = pytest.importorskip("majuu_sim.transport", reason="majuu-sim is not installed")

CUSTOMER = "254712345678"


class Shop:
    """One M-Pesa account at a simulated Daraja, with the same virtual clock on both sides."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.mail = sim_transport.CollectingTransport()
        self.sim: Any = sim_daraja.DarajaSimulator(
            seed=7, clock=sim_clock.ExternalClock(self.clock.now), transport=self.mail
        )
        self.cache = DictCache()
        self.exchanges: list[Exchange] = []
        self.client = httpx.Client(trust_env=False)

    def provider(self, **changes: Any) -> MpesaProvider:
        account = {
            "consumer_key": "majuu-sim-key",
            "consumer_secret": "majuu-sim-secret",
            "passkey": sim_daraja.SANDBOX_PASSKEY,
            "shortcode": sim_daraja.SANDBOX_SHORTCODE,
            **changes,
        }
        return MpesaProvider(
            ProviderContext(
                account_id="pa_1",
                livemode=False,
                credentials=MpesaCredentials.model_validate(account),
                http=ProviderHttp(client=self.client, observe=self.exchanges.append, read_timeout=5),
                cache=self.cache,
                options={"base_url": self.sim.base_url},
            )
        )

    def push(self, amount: int = 100, **changes: Any) -> Result:
        return self.provider().sale(payment(amount, phone=CUSTOMER, **changes))

    def ask(self, result: Result) -> Result:
        return self.provider().fetch_payment(
            FetchRequest(reference="ch_1", provider_reference=result.provider_reference)
        )

    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.sim.run_due()

    def events(self) -> list[ProviderEvent]:
        return [event for _, body in self.mail.take() for event in self.provider().parse_webhook(webhook(body))]


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    with use_clock(made.clock), made.sim.serve():
        yield made
    made.client.close()


def test_a_customer_pays(shop: Shop) -> None:
    pushed = shop.push(100, merchant_reference="ORDER-1042")
    assert pushed.status is ResultStatus.REQUIRES_ACTION
    assert shop.ask(pushed).status is ResultStatus.PENDING

    shop.wait(5)

    [money] = shop.sim.payments()
    [event] = shop.events()
    assert (money.amount, money.msisdn, money.account_reference) == (100, CUSTOMER, "ORDER1042")
    assert event.provider_reference == pushed.provider_reference == money.checkout_request_id
    assert event.result.status is ResultStatus.SUCCEEDED
    assert (event.result.amount, event.result.receipt) == (Money(100, "KES"), money.receipt)
    assert event.result.payer == CUSTOMER
    assert event.occurred_at == money.paid_at.replace(microsecond=0)
    asked = shop.ask(pushed)
    assert (asked.status, asked.amount, asked.receipt) == (ResultStatus.SUCCEEDED, None, None)


def test_a_till_is_paid(shop: Shop) -> None:
    provider = shop.provider(kind="till", shortcode="600100", till_number="600101")

    provider.sale(payment(250, phone=CUSTOMER))
    shop.wait(5)

    [money] = shop.sim.payments()
    assert (money.shortcode, money.receiver, money.amount) == ("600100", "600101", 250)


def test_a_till_by_its_own_number_is_refused(shop: Shop) -> None:
    provider = shop.provider(kind="till", shortcode="600101", till_number="600101")

    with pytest.raises(InvalidCredentials, match="Merchant does not exist"):
        provider.sale(payment(250, phone=CUSTOMER))


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        *(("cancel", "1032"), ("insufficient", "1"), ("wrong_pin", "2001"), ("timeout", "1037"), ("expired", "1019")),
        *(("pin_locked", "8006"), ("unknown_operator", "SFC_IC0003"), ("push_error", "1025"), ("system_busy", "26")),
        *(("same_amount", "17"), ("daily_limit", "4"), ("receiver_full", "8"), ("not_permitted", "2028")),
        *(("below_minimum", "2"), ("above_maximum", "3"), ("subscriber_locked", "1001"), ("push_failed", "9999")),
    ],
)
def test_a_customer_does_not_pay(shop: Shop, outcome: str, code: str) -> None:
    shop.sim.script(outcome)
    pushed = shop.push()

    shop.wait(120)

    [event] = shop.events()
    for result in (event.result, shop.ask(pushed)):
        assert result.status is ResultStatus.FAILED
        assert result.failure is not None
        assert result.failure.provider_code == code
        assert shop.provider().explain_failure(code, language="sw") is not None
    assert shop.sim.payments() == []


@pytest.mark.parametrize("shape", ["plain", "decimal", "balance_without_value", "text", "masked_phone", "no_metadata"])
def test_callbacks_in_every_shape(shop: Shop, shape: str) -> None:
    shop.sim.script({"event_shape": shape})
    shop.push(100)

    shop.wait(5)

    [event] = shop.events()
    expected = None if shape == "no_metadata" else Money(100, "KES")
    assert (event.result.status, event.result.amount) == (ResultStatus.SUCCEEDED, expected)


def test_repeated_callbacks_are_one_event_and_forged_ones_another(shop: Shop) -> None:
    shop.sim.script({"duplicates": 2})
    pushed = shop.push(100)
    for _ in range(4):
        shop.wait(5)
    shop.sim.forge(pushed.provider_reference, amount=1)

    events = shop.events()

    assert len(events) == 4
    assert len({event.event_id for event in events}) == 2
    assert {event.event_id for event in events[:3]} == {events[0].event_id}


def test_the_query_tells_the_truth_when_the_callback_lies(shop: Shop) -> None:
    shop.sim.script("disagree")
    pushed = shop.push()

    shop.wait(5)

    [event] = shop.events()
    assert event.result.status is ResultStatus.SUCCEEDED
    assert shop.ask(pushed).status is ResultStatus.FAILED


@pytest.mark.parametrize("fault", ["accepted_5xx", "timeout_after_commit", "empty_body", "html_after_commit"])
def test_an_answer_lost_after_the_prompt_was_sent_is_unknown_and_rings_once(shop: Shop, fault: str) -> None:
    shop.sim.script(fault)

    with pytest.raises(OutcomeUnknown):
        shop.push()
    shop.wait(5)

    assert len(shop.sim.prompts()) == len(shop.sim.payments()) == 1
    [event] = shop.events()
    assert event.result.status is ResultStatus.SUCCEEDED


@pytest.mark.parametrize("fault", ["refuse_before_commit", "server_error", "html_body"])
def test_what_cannot_be_told_from_that_is_unknown_too(shop: Shop, fault: str) -> None:
    shop.sim.script(fault)

    with pytest.raises(OutcomeUnknown):
        shop.push()
    assert shop.sim.prompts() == []


def test_a_second_prompt_on_a_ringing_phone_is_a_definite_no(shop: Shop) -> None:
    shop.push(100)

    again = shop.push(200)

    assert again.status is ResultStatus.FAILED
    assert again.failure is not None
    assert again.failure.provider_code == "500.001.1001"
    assert len(shop.sim.prompts()) == 1


def test_too_many_requests(shop: Shop) -> None:
    shop.sim.script("spike_arrest")
    with pytest.raises(RateLimited):
        shop.push()
    shop.sim.script("read_spike_arrest")
    pushed = shop.push()
    with pytest.raises(RateLimited):
        shop.ask(pushed)


@pytest.mark.parametrize("style", ["4999", "4999_short", "500"])
def test_every_way_to_say_not_yet(style: str) -> None:
    shop = Shop()
    shop.sim = sim_daraja.DarajaSimulator(
        clock=sim_clock.ExternalClock(shop.clock.now),
        transport=shop.mail,
        config=sim_daraja.DarajaConfig(pending_style=style, query_visible_after=10),
    )
    with use_clock(shop.clock), shop.sim.serve():
        shop.sim.script({"answer_after": 30})
        pushed = shop.push()
        statuses = []
        for _ in range(3):
            statuses.append(shop.ask(pushed).status)
            shop.wait(15)

    assert statuses == [ResultStatus.PENDING, ResultStatus.PENDING, ResultStatus.SUCCEEDED]


def test_a_query_that_gets_no_answer_is_an_exception(shop: Shop) -> None:
    shop.sim.script("read_unavailable")
    pushed = shop.push()
    with pytest.raises(OutcomeUnknown):
        shop.ask(pushed)


def test_a_token_that_dies_costs_nothing(shop: Shop) -> None:
    first = shop.push(100)
    shop.sim.expire_tokens()

    assert shop.ask(first).status is ResultStatus.PENDING
    assert shop.sim.state()["tokens_issued"] == 2
    assert [found.status for found in shop.exchanges] == [200, 200, 404, 200, 200]


def test_a_token_that_dies_at_the_push_costs_no_payment(shop: Shop) -> None:
    shop.sim.script("token_expired")

    assert shop.push().status is ResultStatus.REQUIRES_ACTION
    assert len(shop.sim.prompts()) == 1


def test_one_token_for_many_threads(shop: Shop) -> None:
    def work(number: int) -> Result:
        return shop.provider().sale(payment(10 + number, phone=f"2547223344{number:02}"))

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(24)))

    assert {result.status for result in results} == {ResultStatus.REQUIRES_ACTION}
    assert len({result.provider_reference for result in results}) == 24
    assert shop.sim.state()["tokens_issued"] == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"consumer_secret": "wrong"}, "consumer key and secret"),
        ({"passkey": "wrong"}, "Wrong credentials"),
        ({"shortcode": "999999"}, "Merchant does not exist"),
    ],
)
def test_wrong_credentials_are_named(shop: Shop, changes: dict[str, str], text: str) -> None:
    with pytest.raises(InvalidCredentials, match=text):
        shop.provider(**changes).sale(payment(phone=CUSTOMER))
    assert shop.sim.prompts() == []


def test_checking_credentials(shop: Shop) -> None:
    shop.provider().check_credentials()
    with pytest.raises(InvalidCredentials):
        shop.provider(consumer_secret="wrong").check_credentials()


def test_a_callback_address_that_daraja_refuses(shop: Shop) -> None:
    with pytest.raises(RequestRejected, match="Invalid CallBackURL") as refused:
        shop.push(webhook_url="https://pay.example.co.ke/mpesa/x")
    assert refused.value.code == "400.002.02"


def test_a_timestamp_is_taken_as_east_african_time() -> None:
    shop = Shop()
    shop.sim = sim_daraja.DarajaSimulator(
        clock=sim_clock.ExternalClock(shop.clock.now),
        transport=shop.mail,
        config=sim_daraja.DarajaConfig(max_clock_skew=60),
    )
    with use_clock(shop.clock), shop.sim.serve():
        assert shop.push().status is ResultStatus.REQUIRES_ACTION
        shop.clock.advance(timedelta(hours=5))
        assert shop.provider().sale(payment(phone="254711111111")).status is ResultStatus.REQUIRES_ACTION


def test_nothing_that_was_observed_holds_a_secret(shop: Shop) -> None:
    pushed = shop.push()
    shop.sim.expire_tokens()
    shop.wait(5)
    shop.ask(pushed)
    token = next(iter(shop.cache.values.values()))

    texts = repr(shop.exchanges) + repr(pushed) + repr(shop.events())
    assert [found.operation for found in shop.exchanges] == ["oauth", "stk_push", "stk_query", "oauth", "stk_query"]
    for secret in ("majuu-sim-secret", "majuu-sim-key", sim_daraja.SANDBOX_PASSKEY, token, "zzyyxxwwvvuuttrr"):
        assert secret not in texts

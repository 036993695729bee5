"""The token all processes share, and what PayPal's refusals mean."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.providers import (
    InvalidCredentials,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    RequestRejected,
    ResultStatus,
)
from majuu_core.testing.memory import MemoryCache
from majuu_paypal.client import request_id
from tests.paypal.scripted import CREDENTIALS, ScriptedPaypal, answer, fetch, order, refused


def test_one_token_serves_every_process_until_shortly_before_its_end() -> None:
    clock, cache = VirtualClock(), MemoryCache()
    paypal = ScriptedPaypal(*(answer(order("CREATED")) for _ in range(3)))

    with use_clock(clock):
        paypal.provider(cache=cache).fetch_payment(fetch())
        clock.advance(32_400 - 121)
        paypal.provider(cache=cache).fetch_payment(fetch())
        clock.advance(2)
        paypal.provider(cache=cache).fetch_payment(fetch())

    used = [request.headers["authorization"] for request in paypal.requests]
    assert used == ["Bearer T1", "Bearer T1", "Bearer T2"]


def test_accounts_with_other_secrets_do_not_share_a_token() -> None:
    cache, paypal = MemoryCache(), ScriptedPaypal(answer(order("CREATED")), answer(order("CREATED")))
    other = paypal.provider(cache=cache)
    other.credentials = other.credentials.model_copy(
        update={"client_secret": type(other.credentials.client_secret)("another")}
    )

    paypal.provider(cache=cache).fetch_payment(fetch())
    other.fetch_payment(fetch())

    assert paypal.tokens == 2


def test_a_dead_token_is_fetched_anew_once() -> None:
    paypal = ScriptedPaypal(answer({"error": "invalid_token"}, 401), answer(order("CREATED")))

    result = paypal.provider().fetch_payment(fetch())

    assert result.status is ResultStatus.REQUIRES_ACTION
    assert [request.headers["authorization"] for request in paypal.requests] == ["Bearer T1", "Bearer T2"]


def test_a_fresh_token_that_is_refused_means_wrong_credentials() -> None:
    cache = MemoryCache()
    paypal = ScriptedPaypal(*(answer({"error": "invalid_token"}, 401) for _ in range(2)), answer(order("CREATED")))

    with pytest.raises(InvalidCredentials):
        paypal.provider(cache=cache).fetch_payment(fetch())
    paypal.provider(cache=cache).fetch_payment(fetch())

    assert paypal.tokens == 3  # the refused one was not kept


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        (answer({"error": "invalid_client"}, 401), InvalidCredentials),
        (answer({}, 503), NotSent),
        (answer({"access_token": ""}), NotSent),
        (answer({"name": "RATE_LIMIT_REACHED"}, 429, {"Retry-After": "7"}), RateLimited),
        (httpx.ReadTimeout("slow"), NotSent),
        (httpx.ConnectError("down"), NotSent),
    ],
)
def test_without_a_token_nothing_was_sent(reply: httpx.Response | Exception, wanted: type[ProviderError]) -> None:
    paypal = ScriptedPaypal(token=reply)

    with pytest.raises(wanted):
        paypal.provider().fetch_payment(fetch())

    assert paypal.requests == []


@pytest.mark.parametrize(
    ("reply", "wanted", "code"),
    [
        (refused("AMOUNT_MISMATCH"), RequestRejected, "AMOUNT_MISMATCH"),
        (answer({"name": "INVALID_REQUEST", "message": "no"}, 400), RequestRejected, "INVALID_REQUEST"),
        (answer({"name": "NOT_AUTHORIZED"}, 403), RequestRejected, "NOT_AUTHORIZED"),
        (refused("PREVIOUS_REQUEST_IN_PROGRESS", status=409), OutcomeUnknown, ""),
        (httpx.Response(403, text="<html>"), OutcomeUnknown, ""),
        (answer({"name": "INTERNAL_SERVER_ERROR"}, 500), OutcomeUnknown, ""),
        (httpx.Response(200, text="<html>"), OutcomeUnknown, ""),
        (httpx.ReadTimeout("slow"), OutcomeUnknown, ""),
        (httpx.ConnectError("down"), NotSent, ""),
    ],
)
def test_what_a_refusal_means(reply: httpx.Response | Exception, wanted: type[ProviderError], code: str) -> None:
    paypal = ScriptedPaypal(reply)

    with pytest.raises(wanted) as problem:
        paypal.provider().fetch_payment(fetch())

    assert getattr(problem.value, "code", "") == code
    assert not any(secret in str(problem.value) for secret in CREDENTIALS.values())


def test_too_many_requests_say_when_to_come_back() -> None:
    paypal = ScriptedPaypal(answer({"name": "RATE_LIMIT_REACHED"}, 429, {"Retry-After": "30"}))

    with pytest.raises(RateLimited) as problem:
        paypal.provider().fetch_payment(fetch())

    assert problem.value.retry_after == 30


def test_a_reference_cannot_leave_its_place_in_the_path() -> None:
    paypal = ScriptedPaypal(answer({"name": "RESOURCE_NOT_FOUND"}, 404))

    paypal.provider().fetch_payment(fetch(provider_reference="../../v1/oauth2/token?x=1"))

    assert paypal.requests[0].url.raw_path == b"/v2/checkout/orders/..%2F..%2Fv1%2Foauth2%2Ftoken%3Fx%3D1"


def test_long_keys_become_ids_that_paypal_takes() -> None:
    assert request_id("key-1", "capture") == "key-1-capture"
    assert len(request_id("k" * 200, "capture")) == 64
    assert request_id("k" * 200, "capture") != request_id("k" * 200, "void")


class _RealLock(MemoryCache):
    """A cache whose lock is waited for, as Redis' and the database's are."""

    def __init__(self) -> None:
        super().__init__()
        self._one = threading.Lock()

    @contextmanager
    def lock(self, key: str, *, seconds: int) -> Iterator[bool]:
        with self._one:
            yield True


def test_processes_that_need_a_token_at_once_ask_for_one() -> None:
    cache, together = _RealLock(), threading.Barrier(4)
    paypal = ScriptedPaypal(*(answer(order("CREATED")) for _ in range(4)))

    def ask() -> None:
        provider = paypal.provider(cache=cache)
        together.wait(5)
        provider.fetch_payment(fetch())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert paypal.tokens == 1
    assert {request.headers["authorization"] for request in paypal.requests} == {"Bearer T1"}
    assert len(paypal.requests) == 4

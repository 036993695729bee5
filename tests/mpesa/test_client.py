from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from majuu_core.providers import InvalidCredentials, NotSent, OutcomeUnknown, RateLimited, RequestRejected
from majuu_core.providers.http import ProviderHttp
from majuu_mpesa.client import DarajaClient
from tests.mpesa.support import BASE_URL, DictCache, ScriptedDaraja, answer, error

PATH = "/mpesa/some/v1/thing"
OK = {"ResponseCode": "0"}
INVALID_TOKEN = [
    error(404, "404.001.03", "Invalid Access Token"),
    error(401, "401.002.01", "Error Occurred - Invalid Access Token - BJGFGOXv5aZnw90KkA4TDtu4Xdyf"),
    error(400, "400.003.01", "Invalid Access Token"),
    error(401, "401.003.01", "Error Occurred: Invalid Access Token - XXXX"),
    error(401, "401.001", "Invalid access token"),
    answer(401, {"fault": {"faultstring": "Invalid Access Token", "detail": {"errorcode": "oauth.v2.Invalid"}}}),
]


def make_client(
    daraja: Any, cache: DictCache | None = None, *, key: str = "key", secret: str = "secret"
) -> DarajaClient:
    http = ProviderHttp(client=httpx.Client(transport=httpx.MockTransport(daraja)))
    return DarajaClient(
        http=http, cache=cache or DictCache(), base_url=BASE_URL, consumer_key=key, consumer_secret=secret
    )


def post(client: DarajaClient) -> int:
    return client.post(PATH, {"a": 1}, operation="thing").status


def test_one_token_serves_many_requests() -> None:
    daraja, cache = ScriptedDaraja(*[answer(200, OK)] * 3), DictCache()

    for _ in range(3):
        assert post(make_client(daraja, cache)) == 200

    assert daraja.token_requests == 1
    assert [request.headers["Authorization"] for request in daraja.requests] == ["Bearer T1"] * 3
    assert list(cache.seconds.values()) == [3599 - 120]


@pytest.mark.parametrize(
    ("expires_in", "kept"), [(3599, [3479]), ("60", [30]), ("0", []), (None, [3479]), ("soon", [3479])]
)
def test_a_token_is_kept_for_less_than_it_lives(expires_in: Any, kept: list[int]) -> None:
    cache = DictCache()
    daraja = ScriptedDaraja(oauth=lambda: answer(200, {"access_token": "T", "expires_in": expires_in}))

    assert make_client(daraja, cache).token() == "T"
    assert list(cache.seconds.values()) == kept


def test_sixteen_threads_ask_for_one_token() -> None:
    started = threading.Barrier(16)
    daraja, cache = ScriptedDaraja(*[answer(200, OK)] * 16), DictCache()

    def work(_: int) -> int:
        client = make_client(daraja, cache)
        started.wait(timeout=10)
        return post(client)

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))) == [200] * 16
    assert daraja.token_requests == 1


def test_threads_that_hold_the_same_dead_token_renew_it_once() -> None:
    """Every renewal kills the token before it: renewing twice would kill a neighbour's good one."""
    cache, started = DictCache(), threading.Barrier(8)
    issued: list[str] = []
    guard = threading.Lock()

    def daraja(request: httpx.Request) -> httpx.Response:
        with guard:
            if request.method == "GET":
                issued.append(f"T{len(issued) + 1}")
                return httpx.Response(200, json={"access_token": issued[-1], "expires_in": "3599"})
            good = request.headers["Authorization"] == f"Bearer {issued[-1]}" if len(issued) > 1 else False
        if not good:
            return httpx.Response(404, json={"errorCode": "404.001.03", "errorMessage": "Invalid Access Token"})
        return httpx.Response(200, json=OK)

    make_client(daraja, cache).token()  # T1, which the gateway will refuse

    def work(_: int) -> int:
        client = make_client(daraja, cache)
        started.wait(timeout=10)
        return post(client)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [200] * 8
    assert issued == ["T1", "T2"]


@pytest.mark.parametrize("refused", INVALID_TOKEN)
def test_a_refused_token_is_renewed_and_the_request_sent_again_once(refused: httpx.Response) -> None:
    daraja = ScriptedDaraja(refused, answer(200, OK))

    assert post(make_client(daraja)) == 200

    assert daraja.token_requests == 2
    assert [request.headers["Authorization"] for request in daraja.requests] == ["Bearer T1", "Bearer T2"]
    assert daraja.body(0) == daraja.body(1)


def test_a_fresh_token_that_is_refused_too_ends_it() -> None:
    daraja, cache = ScriptedDaraja(INVALID_TOKEN[0], INVALID_TOKEN[0]), DictCache()

    with pytest.raises(InvalidCredentials, match="fresh access token"):
        post(make_client(daraja, cache))

    assert len(daraja.requests) == 2
    assert cache.values == {}


def test_nothing_else_is_ever_sent_again() -> None:
    for reply in (answer(500, {}), answer(503, text=""), answer(404, {"errorCode": "404.001.01"}), answer(302, {})):
        daraja = ScriptedDaraja(reply)
        assert post(make_client(daraja)) == reply.status_code
        assert len(daraja.requests) == 1


@pytest.mark.parametrize("problem", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone")])
def test_a_lost_answer_is_an_unknown_outcome_and_not_sent_again(problem: Exception) -> None:
    daraja = ScriptedDaraja(problem)

    with pytest.raises(OutcomeUnknown):
        post(make_client(daraja))
    assert len(daraja.requests) == 1


def test_a_product_that_the_app_lacks_is_a_matter_of_credentials_and_drops_the_token() -> None:
    daraja = ScriptedDaraja(error(401, "401.002.01", "Invalid API call as no apiproduct match found"))
    cache = DictCache()

    with pytest.raises(InvalidCredentials, match="products of the app"):
        post(make_client(daraja, cache))
    assert (len(daraja.requests), cache.values) == (1, {})


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(400, text=""), InvalidCredentials),
        (answer(401, text="no"), InvalidCredentials),
        (error(400, "400.008.01", "Invalid Authentication passed"), RequestRejected),
        (error(400, "400.008.02", "Invalid grant type passed"), RequestRejected),
        (answer(429, text="slow down"), RateLimited),
        (error(500, "500.003.02", "Error Occurred: Spike Arrest Violation"), RateLimited),
        (answer(503, text="<html>down</html>"), NotSent),
        (answer(403, text="<html>Incapsula</html>"), NotSent),
        (answer(200, text="<html>hello</html>"), NotSent),
        (answer(200, {"access_token": ""}), NotSent),
        (answer(200, {"access_token": "T\r\nX-Evil: 1"}), NotSent),
        (answer(200, [1]), NotSent),
        (httpx.ReadTimeout("slow"), NotSent),
        (httpx.ConnectError("refused"), NotSent),
    ],
)
def test_without_a_token_the_request_is_certainly_not_sent(reply: Any, expected: type[Exception]) -> None:
    daraja, cache = ScriptedDaraja(oauth=lambda: reply), DictCache()

    with pytest.raises(expected):
        post(make_client(daraja, cache))
    assert (daraja.requests, cache.values) == ([], {})


def test_who_knows_only_the_key_does_not_get_the_owners_token() -> None:
    daraja, cache = ScriptedDaraja(), DictCache()

    assert make_client(daraja, cache, secret="right").token() == "T1"
    assert make_client(daraja, cache, secret="guess").token() == "T2"
    assert make_client(daraja, cache, secret="right").token() == "T1"


def test_a_fresh_token_is_asked_for_in_any_case_and_shared() -> None:
    daraja, cache = ScriptedDaraja(), DictCache()
    client = make_client(daraja, cache)

    assert [client.token(), client.fresh_token(), client.token()] == ["T1", "T2", "T2"]


def test_a_lock_that_cannot_be_had_does_not_stop_the_payment() -> None:
    daraja, cache = ScriptedDaraja(answer(200, OK)), DictCache()

    class Busy(DictCache):
        def lock(self, key: str, *, seconds: int) -> Any:
            return super().lock(key, seconds=0)

    cache = Busy()
    client = make_client(daraja, cache)
    with cache.lock("held by nobody of ours", seconds=1), ThreadPoolExecutor(1) as pool:
        assert pool.submit(post, client).result(timeout=10) == 200


def test_neither_secret_nor_token_is_in_the_text_form() -> None:
    client = make_client(ScriptedDaraja(), key="KEYKEY", secret="SECRETSECRET")
    token = client.token()

    assert repr(client) == f"DarajaClient({BASE_URL!r})"
    assert token not in repr(vars(client))


def test_retry_after_is_passed_on() -> None:
    daraja = ScriptedDaraja(oauth=lambda: answer(429, text="", headers={"Retry-After": "7"}))

    with pytest.raises(RateLimited) as limited:
        make_client(daraja).token()
    assert limited.value.retry_after == 7

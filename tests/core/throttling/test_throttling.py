"""Moving windows under named policies: in one process, in Redis, and while Redis is down."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from majuu_core.common import clock
from majuu_core.common.problems import TooMany
from majuu_core.throttling.checks import check_shared_counter
from majuu_core.throttling.counters import REDIS_TIMEOUT_SECONDS, forget_everything_here
from majuu_core.throttling.policies import POLICIES, check_rate_limits, policy
from majuu_core.throttling.services import Decision, address_key, allow, check, hash_of, is_exhausted
from majuu_core.throttling.windows import ProcessWindows
from tests.core.throttling.conftest import RedisServer

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "rate-limits.md"
THREE = {"second_factor": (3, timedelta(seconds=60)), "secret_key": (3, timedelta(seconds=60))}


@pytest.fixture(autouse=True)
def _three_a_minute(settings: Any) -> None:
    settings.MAJUU_RATE_LIMITS = THREE


def decisions(count: int, key: str = "u1", name: str = "second_factor") -> list[bool]:
    return [allow(name, key).allowed for _ in range(count)]


def test_what_fits_is_allowed_and_the_rest_is_told_when(virtual: clock.VirtualClock) -> None:
    """given 3 a minute / when 4 come at 0, 10, 20 and 30 s / then the last is told to wait for the first to leave."""
    found = [allow("second_factor", "u1")]
    for _ in range(3):
        virtual.advance(10)
        found.append(allow("second_factor", "u1"))

    assert [(item.allowed, item.remaining, item.reset_seconds) for item in found] == [
        (True, 2, 60),
        (True, 1, 50),
        (True, 0, 40),
        (False, 0, 30),
    ]
    assert found[-1] == Decision(
        allowed=False, policy="second_factor", limit=3, window_seconds=60, remaining=0, reset_seconds=30
    )
    assert [item.retry_after for item in found] == [0, 0, 0, 30]


def test_the_window_moves(virtual: clock.VirtualClock) -> None:
    """given a full window / when its oldest hit is a minute old / then exactly one more fits."""
    decisions(1)
    virtual.advance(30)
    decisions(2)
    virtual.advance(29)
    assert decisions(1) == [False]
    virtual.advance(1)
    assert decisions(2) == [True, False]


def test_a_refused_hit_is_not_counted(virtual: clock.VirtualClock) -> None:
    decisions(3)
    virtual.advance(59)
    assert decisions(5) == [False] * 5
    virtual.advance(1)
    assert decisions(3) == [True] * 3


def test_keys_and_policies_are_counted_apart(virtual: clock.VirtualClock) -> None:
    assert decisions(4) == [True, True, True, False]
    assert decisions(1, key="u2") == [True]
    assert decisions(1, name="secret_key") == [True]


def test_a_cost_fits_whole_or_not_at_all(virtual: clock.VirtualClock) -> None:
    assert allow("second_factor", "u1", cost=2).remaining == 1
    assert allow("second_factor", "u1", cost=2).allowed is False
    assert allow("second_factor", "u1", cost=1).allowed is True
    assert allow("second_factor", "u2", cost=4).allowed is False


def test_a_key_may_have_a_number_of_its_own(virtual: clock.VirtualClock) -> None:
    found = [allow("secret_key", "k", a_minute=1) for _ in range(2)]
    assert [(item.allowed, item.limit, item.window_seconds) for item in found] == [(True, 1, 60), (False, 1, 60)]


def test_none_is_no_limit(settings: Any, virtual: clock.VirtualClock) -> None:
    settings.MAJUU_RATE_LIMITS = {"second_factor": None}
    assert decisions(500) == [True] * 500
    assert allow("second_factor", "u1").limit == 0
    assert is_exhausted("second_factor", "u1") is False


def test_check_raises_with_the_time_to_wait(virtual: clock.VirtualClock) -> None:
    for _ in range(3):
        check("second_factor", "u1")
    virtual.advance(12)
    with pytest.raises(TooMany) as caught:
        check("second_factor", "u1")
    assert (caught.value.code, caught.value.retry_after) == ("rate_limited", 48)
    assert caught.value.message == "Too many requests. Wait 48 s, then try again."


def test_looking_counts_nothing(virtual: clock.VirtualClock) -> None:
    assert [is_exhausted("second_factor", "u1") for _ in range(9)] == [False] * 9
    assert decisions(3) == [True] * 3
    assert is_exhausted("second_factor", "u1") is True


def test_threads_share_what_fits(settings: Any, virtual: clock.VirtualClock) -> None:
    settings.MAJUU_RATE_LIMITS = {"second_factor": (50, timedelta(seconds=60))}
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.extend(decisions(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), found.count(True)) == (160, 50)


def test_memory_is_bounded(virtual: clock.VirtualClock) -> None:
    windows = ProcessWindows(size=3)
    for name in "abcd":
        windows.take(name, 1, 60, 1)
    assert [windows.take(name, 1, 60, 1).fitted for name in "dcb"] == [False] * 3
    assert windows.take("a", 1, 60, 1).fitted is True


def test_counting_starts_no_threads(virtual: clock.VirtualClock) -> None:
    before = set(threading.enumerate())
    decisions(200)
    assert set(threading.enumerate()) - before == set()  # one of another test's may end meanwhile


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("196.201.214.200", "196.201.214.200"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_one_customers_ipv6_addresses_count_as_one(address: str, expected: str) -> None:
    assert address_key(address) == expected


def test_keys_are_not_kept_as_they_are(settings: Any) -> None:
    written = hash_of("254712345678")
    assert (len(written), "254712345678" in written) == (32, False)
    settings.SECRET_KEY = "another"
    assert hash_of("254712345678") != written


# --- In Redis --------------------------------------------------------------------------------------------------------
def test_redis_counts_for_all_processes(redis_server: RedisServer, virtual: clock.VirtualClock) -> None:
    """given Redis / when a process that knows nothing goes on / then it goes on from what the others counted."""
    first = [allow("second_factor", "u1") for _ in range(2)]
    forget_everything_here()
    virtual.advance(20)
    then = [allow("second_factor", "u1") for _ in range(2)]
    assert [(item.allowed, item.remaining, item.reset_seconds) for item in first + then] == [
        (True, 2, 60),
        (True, 1, 60),
        (True, 0, 40),
        (False, 0, 40),
    ]
    assert is_exhausted("second_factor", "u1") is True
    assert is_exhausted("second_factor", "u2") is False
    virtual.advance(41)
    assert allow("second_factor", "u1").remaining == 1


def test_a_redis_that_was_emptied_is_used_again(redis_server: RedisServer, virtual: clock.VirtualClock) -> None:
    import redis

    decisions(3)
    with redis.Redis.from_url(redis_server.url) as client:
        assert all(b"u1" not in key for key in client.keys())
        client.flushall()
        client.script_flush()
    assert decisions(4) == [True, True, True, False]


def test_while_redis_is_down_sign_ins_are_counted_here_and_the_api_goes_on(
    redis_server: RedisServer, virtual: clock.VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.stop()
    with caplog.at_level(logging.WARNING, logger="majuu.throttling"):
        assert decisions(4) == [True, True, True, False]
        assert decisions(9, name="secret_key") == [True] * 9
        assert is_exhausted("second_factor", "u1") is True
        assert is_exhausted("secret_key", "u1") is False
    assert [record.getMessage() for record in caplog.records] == [
        "rate limits: Redis does not answer (ConnectionError)"
    ]


def test_a_redis_that_is_down_is_not_waited_for_each_time(
    redis_server: RedisServer, virtual: clock.VirtualClock
) -> None:
    redis_server.stop()
    decisions(1)
    started = time.monotonic()
    decisions(200, key="u2")
    assert time.monotonic() - started < 2 * REDIS_TIMEOUT_SECONDS


def test_when_redis_is_back_it_counts_again(redis_server: RedisServer, virtual: clock.VirtualClock) -> None:
    redis_server.stop()
    decisions(3)
    redis_server.start()
    forget_everything_here()
    assert decisions(4) == [True, True, True, False]
    forget_everything_here()
    assert decisions(1) == [False]


# --- Settings --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "given",
    [
        {"nobody": None},
        {"secret_key": 5},
        {"secret_key": (0, timedelta(minutes=1))},
        {"secret_key": (True, timedelta(minutes=1))},
        {"secret_key": (5, timedelta(0))},
        {"secret_key": (5, timedelta(milliseconds=1500))},
        {"secret_key": (5, timedelta(days=8))},
        {"secret_key": (100_001, timedelta(days=1))},
        ["secret_key"],
    ],
)
def test_limits_that_cannot_be_used_are_found_by_check(settings: Any, given: Any) -> None:
    settings.MAJUU_RATE_LIMITS = given
    (problem,) = check_rate_limits()
    assert problem.id == "majuu.E010"
    assert "MAJUU_RATE_LIMITS" in problem.msg
    with pytest.raises(ImproperlyConfigured):
        allow("secret_key", "k")


def test_defaults_hold_for_what_is_not_named(settings: Any) -> None:
    settings.MAJUU_RATE_LIMITS = {"secret_key": (5, timedelta(hours=1))}
    assert check_rate_limits() == []
    assert (policy("secret_key").count, policy("secret_key").seconds) == (5, 3600)
    assert policy("second_factor") == POLICIES["second_factor"]
    del settings.MAJUU_RATE_LIMITS
    assert policy("secret_key") == POLICIES["secret_key"]


def test_check_deploy_warns_when_processes_count_on_their_own(settings: Any) -> None:
    assert [item.id for item in check_shared_counter()] == ["majuu.W040"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://x"}}
    assert check_shared_counter() == []


def test_the_page_names_every_policy_with_its_default() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for item in POLICIES.values():
        assert f"| `{item.name}` | {item.count} / {written(item.window)} |" in text


def written(window: timedelta) -> str:
    minutes = int(window.total_seconds()) // 60
    return {1: "minute", 60: "hour", 1440: "day"}.get(minutes, f"{minutes} min")

"""``allow`` and ``check``: may this be done once more?"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil

from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItemPerSecond

from majuu_core.common import clock
from majuu_core.common.problems import TooMany
from majuu_core.network.client import address_of
from majuu_core.throttling.counters import SharedCounterDown, ask_shared, here
from majuu_core.throttling.policies import MINUTE, Policy, WhenDown, policy
from majuu_core.throttling.windows import Taken

IPV6_NETWORK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether it may be done, and what the headers say about it.

    ``limit`` hits fit into ``window_seconds``, ``remaining`` of them are left; ``reset_seconds`` from now the oldest
    hit stops counting. ``limit`` 0: there is no limit.
    """

    allowed: bool
    policy: str
    limit: int
    window_seconds: int
    remaining: int
    reset_seconds: int

    @property
    def retry_after(self) -> int:
        """Seconds to wait before it is worth another try; 0 when it is allowed."""
        return 0 if self.allowed else max(1, self.reset_seconds)


def allow(name: str, key: str, *, cost: int = 1, a_minute: int | None = None) -> Decision:
    """Count ``cost`` hits for a key under a policy, if they fit. What is refused is not counted.

    ``a_minute`` stands in for the policy's number and window, for this key. Keys are kept as hashes. Raises KeyError
    for an unknown policy.
    """
    known = policy(name)
    if a_minute is not None:
        known = replace(known, count=a_minute, window=MINUTE)
    if known.count is None:
        return _unlimited(known)
    return _decision(known, known.count, _take(known, known.count, hash_of(key), cost))


def check(name: str, key: str, *, cost: int = 1, a_minute: int | None = None) -> Decision:
    """As ``allow``; raises TooMany ``rate_limited`` when it is one too many."""
    decision = allow(name, key, cost=cost, a_minute=a_minute)
    if not decision.allowed:
        raise too_many(decision)
    return decision


def is_exhausted(name: str, key: str) -> bool:
    """True when not one more hit fits. Counts nothing: to refuse before the work, where only failures are counted."""
    known = policy(name)
    if known.count is None:
        return False
    item, hashed = _item(known.count, known.seconds), hash_of(key)
    try:
        fits = ask_shared(lambda counter: counter.test(item, known.name, hashed))
    except SharedCounterDown:
        if known.when_down is WhenDown.ALLOW:
            return False
        fits = None
    return not (here().test(item, known.name, hashed) if fits is None else fits)


def too_many(decision: Decision) -> TooMany:
    """The refusal that a decision stands for."""
    text = f"Too many requests. Wait {decision.retry_after} s, then try again."
    return TooMany("rate_limited", text, retry_after=decision.retry_after)


def address_key(address: str) -> str:
    """What to count an address under: itself; for IPv6 its network of 64 bits, which one customer has to himself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, IPV6_NETWORK), strict=False))


def caller_key(request: HttpRequest) -> str:
    """What to count a request's address under."""
    return address_key(address_of(request))


def hash_of(key: str) -> str:
    """How a key is written where hits are counted: nobody reads a phone number or an e-mail address out of Redis."""
    secret = settings.SECRET_KEY.encode()[:64]
    return hashlib.blake2b(key.encode(), key=secret, digest_size=16, person=b"majuu-rate").hexdigest()


@lru_cache(maxsize=256)
def _item(limit: int, seconds: int) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(limit, seconds)


def _take(known: Policy, limit: int, hashed: str, cost: int) -> Taken | None:
    item = _item(limit, known.seconds)
    try:
        taken = ask_shared(lambda counter: counter.take(item, known.name, hashed, cost=cost))
    except SharedCounterDown:
        if known.when_down is WhenDown.ALLOW:
            return None
        taken = None
    return here().take(item, known.name, hashed, cost=cost) if taken is None else taken


def _decision(known: Policy, limit: int, taken: Taken | None) -> Decision:
    if taken is None:  # nobody counts just now
        taken = Taken(True, clock.now().timestamp(), 0)
    wait = taken.oldest + known.seconds - clock.now().timestamp()
    return Decision(
        allowed=taken.fitted,
        policy=known.name,
        limit=limit,
        window_seconds=known.seconds,
        remaining=max(0, limit - taken.hits),
        reset_seconds=max(0, ceil(round(wait, 3))),
    )


def _unlimited(known: Policy) -> Decision:
    return Decision(
        allowed=True, policy=known.name, limit=0, window_seconds=known.seconds, remaining=0, reset_seconds=0
    )

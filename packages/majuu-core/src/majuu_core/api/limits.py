"""How much a caller may ask for: rate limits, quotas, and the headers that tell.

``RateLimit-Policy`` and ``RateLimit`` are those of draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from majuu_core.common import clock
from majuu_core.common.problems import TooMany
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.merchants.key_quota import QuotaState, quota_takings
from majuu_core.merchants.key_usage import usage_buffer
from majuu_core.throttling.services import Decision, allow, caller_key, too_many

QUOTA = "monthly_quota"


@dataclass(frozen=True, slots=True)
class Rate:
    """What the headers say about one limit. ``window`` 0: the limit does not move with the time, such as a month's."""

    name: str
    limit: int
    window: int
    remaining: int
    reset: int


def admit(request: HttpRequest, identity: KeyIdentity) -> None:
    """Count a request of a good key. Raises TooMany: ``rate_limited``, ``quota_exceeded``."""
    try:
        _check_rate(request, identity)
        _check_quota(request, identity)
    except TooMany:
        count(identity, refused=True)
        raise
    count(identity)


def refuse(request: HttpRequest) -> None:
    """Count a request whose key is refused. Raises TooMany when there were too many from its address."""
    decision = allow("refused_key", caller_key(request))
    if not decision.allowed:
        _tell(request, _of_decision(decision))
        raise too_many(decision)


def count(identity: KeyIdentity, *, refused: bool = False) -> None:
    """Count a request for the key's usage by day."""
    if usage_buffer.add(identity.key_id, now=clock.now(), refused=refused):
        usage_buffer.write()


def add_rate_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Say in the answer's headers what the caller has left."""
    rates: Sequence[Rate] = getattr(request, "majuu_rates", ())
    if rates:
        response.headers["RateLimit-Policy"] = ", ".join(_policy(rate) for rate in rates)
        response.headers["RateLimit"] = ", ".join(f'"{rate.name}";r={rate.remaining};t={rate.reset}' for rate in rates)


def _check_rate(request: HttpRequest, identity: KeyIdentity) -> None:
    line = str(identity.first_key_id)
    if identity.is_secret:
        decision = allow("secret_key", line, a_minute=identity.rate_limit)
    else:
        key = f"{line} {caller_key(request)}"
        decision = allow("publishable_key", key, a_minute=identity.rate_limit)
    if decision.limit:
        _tell(request, _of_decision(decision))
    if not decision.allowed:
        raise too_many(decision)


def _check_quota(request: HttpRequest, identity: KeyIdentity) -> None:
    if identity.monthly_quota is None:
        return
    state = quota_takings.use_one(first_key_id=identity.first_key_id, quota=identity.monthly_quota, now=clock.now())
    _tell(request, _of_quota(state))
    if not state.allowed:
        text = (
            "This key's requests of the month are used up. They begin anew with the month; or ask for a higher quota."
        )
        raise TooMany("quota_exceeded", text, retry_after=state.reset_seconds)


def _tell(request: HttpRequest, rate: Rate) -> None:
    request.majuu_rates = (*getattr(request, "majuu_rates", ()), rate)  # type: ignore[attr-defined]


def _of_decision(decision: Decision) -> Rate:
    return Rate(decision.policy, decision.limit, decision.window_seconds, decision.remaining, decision.reset_seconds)


def _of_quota(state: QuotaState) -> Rate:
    return Rate(QUOTA, state.limit, 0, state.remaining, state.reset_seconds)


def _policy(rate: Rate) -> str:
    return f'"{rate.name}";q={rate.limit}' + (f";w={rate.window}" if rate.window else "")

"""HTTP for providers: always a timeout, never a redirect, every exchange reported, every failure named.

The three things that matter about a request that went wrong: it never left (``NotSent``), it may have arrived
(``OutcomeUnknown``), or it was answered (then the provider's client reads the answer).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter_ns
from typing import Any

import httpx

from majuu_core.common import clock
from majuu_core.common.redaction import redact, redact_text, redact_url
from majuu_core.providers.errors import NotSent, OutcomeUnknown

MAX_BODY = 2_000_000
_STORED_BODY = 20_000
# Seconds. Shorter than any gateway keeps an idle connection: a request on one that was just closed at the other end is
# lost, and nobody can tell whether it arrived. Long enough for a token, a request and a question after each other.
_KEEP_ALIVE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One HTTP exchange with a provider, redacted and timed: what a ProviderCall row holds."""

    operation: str
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str
    status: int | None
    response_body: str
    error: str
    started_at: datetime
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer. ``text`` is decoded leniently; ``json()`` returns None for anything that is not JSON."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The parsed body, numbers with a point as Decimal (never float); None when it is not JSON."""
        from decimal import Decimal

        try:
            return json.loads(self.content, parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError):  # arithmetic: an exponent that Decimal cannot hold
            return None


class ProviderHttp:
    """Sends requests for one provider account. ``observe`` receives every exchange, also those that failed."""

    def __init__(
        self,
        *,
        observe: Callable[[Exchange], None] | None = None,
        client: httpx.Client | None = None,
        connect_timeout: int = 5,
        read_timeout: int = 25,
    ) -> None:
        self._observe = observe or (lambda exchange: None)
        self._client = client or shared_client()
        self._timeout = httpx.Timeout(read_timeout, connect=connect_timeout, pool=connect_timeout)

    def send(
        self,
        method: str,
        url: str,
        *,
        operation: str,
        headers: Mapping[str, str] | None = None,
        json_body: Any = None,
        content: bytes | None = None,
        shown: str | None = None,
    ) -> Answer:
        """Send once. Raises NotSent when it never left us and OutcomeUnknown when the answer was lost.

        ``shown`` is what is kept of the exchange in place of a body that nobody should keep, such as a file.
        """
        body = json.dumps(json_body, separators=(",", ":")).encode() if json_body is not None else content or b""
        sent_headers = dict(headers or {})
        if json_body is not None:
            sent_headers.setdefault("Content-Type", "application/json")
        started, ticks = clock.now(), perf_counter_ns()
        answer: Answer | None = None
        error = ""
        try:
            answer = self._exchange(method, url, sent_headers, body)
            return answer
        except (NotSent, OutcomeUnknown) as problem:
            error = f"{type(problem).__name__}: {problem}"
            raise
        finally:
            self._observe(
                Exchange(
                    operation=operation,
                    method=method,
                    url=redact_url(url),
                    request_headers=redact(sent_headers),
                    request_body=_stored(body) if shown is None else redact_text(shown),
                    status=answer.status if answer else None,
                    response_body=_stored(answer.content) if answer else "",
                    error=redact_text(error),
                    started_at=started,
                    duration_ms=(perf_counter_ns() - ticks) // 1_000_000,
                )
            )

    def _exchange(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        try:
            with self._client.stream(
                method, url, headers=headers, content=body, timeout=self._timeout, follow_redirects=False
            ) as response:
                chunks, size = [], 0
                for chunk in response.iter_bytes():
                    size += len(chunk)
                    if size > MAX_BODY:
                        raise OutcomeUnknown(f"the answer is longer than {MAX_BODY} bytes")
                    chunks.append(chunk)
                return Answer(response.status_code, dict(response.headers), b"".join(chunks))
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
        ) as problem:
            raise NotSent(f"no connection: {problem}") from problem
        except httpx.HTTPError as problem:
            raise OutcomeUnknown(f"no answer: {type(problem).__name__}") from problem


def _stored(body: bytes) -> str:
    """A body as it may be kept: JSON redacted by key, anything else by form, both cut to a sane length."""
    try:
        return json.dumps(redact(json.loads(body)), ensure_ascii=False)[:_STORED_BODY]
    except (ValueError, RecursionError):
        return redact_text(body.decode("utf-8", "replace"))[:_STORED_BODY]


_shared: httpx.Client | None = None


def shared_client() -> httpx.Client:
    """One connection pool a process; httpx clients are safe to share between threads."""
    global _shared
    if _shared is None:
        _shared = httpx.Client(
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_KEEP_ALIVE),
            trust_env=False,
            headers={"User-Agent": "majuu"},
        )
    return _shared

"""HTTP to Pesapal: an access token that all processes share, and answers in which an error is an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from majuu_core.providers import (
    InvalidCredentials,
    NotSent,
    OutcomeUnknown,
    ProviderContext,
    RateLimited,
    RequestRejected,
)
from majuu_core.providers.http import Answer
from majuu_pesapal.credentials import PesapalCredentials

BASE_URLS = {False: "https://cybqa.pesapal.com/pesapalv3", True: "https://pay.pesapal.com/v3"}
TOKEN_SECONDS = 240  # the company says five minutes
_BAD_KEYS = frozenset({"invalid_consumer_key_or_secret_provided", "invalid_credentials"})


class Number(str):
    """A decimal number that stands in JSON without quotes and never was a float."""


class PesapalClient:
    """Talks to one account."""

    def __init__(self, context: ProviderContext, credentials: PesapalCredentials) -> None:
        self._context, self._credentials = context, credentials
        self._base_url = context.options.get("base_url", BASE_URLS[context.livemode]).rstrip("/")
        self._cache_key = f"pesapal:{context.account_id}:token"

    def post(self, path: str, body: Mapping[str, Any], *, operation: str) -> dict[str, Any]:
        """Send once. Raises what the contract knows; an answer that comes back is one that went well."""
        return self._call("POST", path, operation=operation, content=_to_json(body))

    def get(self, path: str, query: Mapping[str, str], *, operation: str) -> dict[str, Any]:
        """Ask. An answer that is an error is given back as it is: some of them mean "not yet"."""
        return self._call("GET", f"{path}?{urlencode(query)}", operation=operation, content=None)

    def token(self, *, fresh: bool = False) -> str:
        """An access token, from the cache while it is good. Raises NotSent when none can be had: nothing was sent."""
        kept = None if fresh else self._context.cache.get(self._cache_key)
        if kept:
            return kept
        keys = {
            "consumer_key": self._credentials.consumer_key.get_secret_value(),
            "consumer_secret": self._credentials.consumer_secret.get_secret_value(),
        }
        try:
            answer = self._send("POST", "/api/Auth/RequestToken", "token", {}, _to_json(keys))
            body = _read(answer, operation="token")
        except OutcomeUnknown as problem:
            raise NotSent(f"no access token: {problem}") from problem
        token = body.get("token")
        if not isinstance(token, str) or not token:
            raise NotSent("no access token: the answer cannot be read")
        self._context.cache.set(self._cache_key, token, seconds=TOKEN_SECONDS)
        return token

    def _call(self, method: str, path: str, *, operation: str, content: bytes | None) -> dict[str, Any]:
        answer = self._send(method, path, operation, {"Authorization": f"Bearer {self.token()}"}, content)
        if answer.status == 401:  # the token went stale early: it was refused, so nothing happened
            self._context.cache.delete(self._cache_key)
            fresh = {"Authorization": f"Bearer {self.token(fresh=True)}"}
            answer = self._send(method, path, operation, fresh, content)
        return _read(answer, operation=operation, asks=method == "GET")

    def _send(
        self, method: str, path: str, operation: str, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        plain = {"Accept": "application/json", "Content-Type": "application/json", **headers}
        return self._context.http.send(
            method, f"{self._base_url}{path}", operation=operation, headers=plain, content=content
        )


def _read(answer: Answer, *, operation: str, asks: bool = False) -> dict[str, Any]:
    """The body of a good answer. Pesapal answers 200 to a refusal too and says so inside."""
    if answer.status == 429:
        wait = answer.headers.get("retry-after", "")
        raise RateLimited("Pesapal is busy", retry_after=int(wait) if wait.isascii() and wait.isdigit() else None)
    if answer.status >= 500:
        raise OutcomeUnknown(f"{operation}: Pesapal answered {answer.status}")
    body = answer.json()
    if not isinstance(body, dict):
        raise OutcomeUnknown(f"{operation}: the answer cannot be read")
    code, message = error_of(body)
    if code in _BAD_KEYS or answer.status in (401, 403):
        raise InvalidCredentials("Pesapal refused the consumer key and secret. Check that they are for this mode.")
    if (code or answer.status >= 400) and not asks:
        raise RequestRejected(message or f"Pesapal answered {answer.status}", code=code)
    return body


def error_of(body: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message of the error in an answer; two empty texts for a good one."""
    error = body.get("error")
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code") or ""), str(error.get("message") or "")


def _to_json(body: Mapping[str, Any]) -> bytes:
    parts = (
        f"{json.dumps(name)}:{value if isinstance(value, Number) else json.dumps(value)}"
        for name, value in body.items()
    )
    return f"{{{','.join(parts)}}}".encode()

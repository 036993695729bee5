"""Talks to PayPal: one shared access token, and requests that carry our idempotency key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from majuu_core.providers import InvalidCredentials, SharedCache
from majuu_core.providers.http import Answer, ProviderHttp
from majuu_paypal.tokens import AccessTokens

_LONGEST_REQUEST_ID = 108


class PaypalClient:
    """Sends requests for one REST app. Keeps nothing but what it was given."""

    def __init__(
        self, *, http: ProviderHttp, cache: SharedCache, base_url: str, client_id: str, client_secret: str
    ) -> None:
        self.http = http
        self.cache = cache
        self._base_url = base_url
        self.tokens = AccessTokens(
            http=http, cache=cache, base_url=base_url, client_id=client_id, client_secret=client_secret
        )

    def __repr__(self) -> str:
        return f"PaypalClient({self._base_url!r})"

    def get(self, path: str, *, operation: str, query: Mapping[str, str] | None = None) -> Answer:
        """Ask. Raises as ``post`` does."""
        full = f"{path}?{urlencode(query)}" if query else path
        return self._send("GET", full, operation=operation, headers={})

    def post(self, path: str, body: Any, *, operation: str, request_id: str = "") -> Answer:
        """Send JSON (None: no body) under an idempotency key, and once more only when the token was refused.

        Returns any other answer as it is. Raises NotSent or RateLimited (nothing was sent), InvalidCredentials, and
        OutcomeUnknown when the answer was lost.
        """
        headers = {"Content-Type": "application/json", "Prefer": "return=representation"}
        if request_id:
            headers["PayPal-Request-Id"] = request_id
        return self._send("POST", path, operation=operation, headers=headers, json_body=body)

    def post_bytes(
        self, path: str, content: bytes, content_type: str, *, operation: str, request_id: str = "", shown: str
    ) -> Answer:
        """The same with a body that is made already. ``shown`` is what is kept of it in our records."""
        headers = {"Content-Type": content_type}
        if request_id:
            headers["PayPal-Request-Id"] = request_id
        return self._send("POST", path, operation=operation, headers=headers, content=content, shown=shown)

    def _send(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        headers: dict[str, str],
        json_body: Any = None,
        content: bytes | None = None,
        shown: str | None = None,
    ) -> Answer:
        def send(token: str) -> Answer:
            return self.http.send(
                method,
                f"{self._base_url}{path}",
                operation=operation,
                headers={**headers, "Authorization": f"Bearer {token}", "Accept": "application/json"},
                json_body=json_body,
                content=content,
                shown=shown,
            )

        token = self.tokens.get()
        answer = send(token)
        if answer.status != 401:
            return answer
        token = self.tokens.get(stale=token)
        answer = send(token)
        if answer.status == 401:
            self.tokens.forget(token)
            raise InvalidCredentials("PayPal refused a fresh access token. The app may have been switched off.")
        return answer


def request_id(key: str, operation: str = "") -> str:
    """Our idempotency key as PayPal's ``PayPal-Request-Id``, with the operation where one key serves several."""
    full = f"{key}-{operation}" if operation else key
    if len(full) <= _LONGEST_REQUEST_ID and full.isascii() and full.isprintable():
        return full
    return hashlib.sha256(full.encode()).hexdigest()

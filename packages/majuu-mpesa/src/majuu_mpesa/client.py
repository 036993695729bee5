"""Talks to Daraja: one shared access token, and requests that are sent once.

Safaricom says that every new token makes the one before it invalid. So a token is shared by all processes, only one of
them asks for a new one, and a process that was told its token is invalid first looks whether there is a newer one.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from majuu_core.providers import (
    InvalidCredentials,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    SharedCache,
)
from majuu_core.providers.http import Answer, ProviderHttp
from majuu_mpesa.answers import refusal, refuses_product, refuses_token
from majuu_mpesa.codes import code_text

TOKEN_PATH = "/oauth/v1/generate?grant_type=client_credentials"  # noqa: S105 - a path
REFRESH_EARLY_SECONDS = 120
_DEFAULT_LIFETIME = 3599
_LONGEST_LIFETIME = 86_400
_LOCK_SECONDS = 30


class DarajaClient:
    """Sends requests for one Daraja app. Keeps nothing but what it was given; the token lives in the shared cache."""

    def __init__(
        self, *, http: ProviderHttp, cache: SharedCache, base_url: str, consumer_key: str, consumer_secret: str
    ) -> None:
        self._http = http
        self._cache = cache
        self._base_url = base_url
        self._basic = base64.b64encode(f"{consumer_key}:{consumer_secret}".encode()).decode()
        # The secret is part of the name: whoever knows only the key must not get at the token of its owner.
        owner = hashlib.sha256(f"{base_url}\n{self._basic}".encode()).hexdigest()
        self._cache_key = f"mpesa-token-{owner[:40]}"

    def __repr__(self) -> str:
        return f"DarajaClient({self._base_url!r})"

    def post(self, path: str, body: dict[str, Any], *, operation: str) -> Answer:
        """Send once, and once more only when the gateway refused the token (then nothing was executed).

        Returns any other answer as it is. Raises NotSent or RateLimited (nothing was sent), InvalidCredentials, and
        OutcomeUnknown when the answer was lost.
        """
        token = self.token()
        answer = self._post(path, body, token, operation)
        if refuses_token(answer):
            token = self.token(stale=token)
            answer = self._post(path, body, token, operation)
            if refuses_token(answer):
                self._forget(token)
                raise InvalidCredentials(
                    "M-Pesa refused a fresh access token. The app may not be approved for this environment yet."
                )
        if refuses_product(answer):
            self._forget(token)  # a token keeps the products that the app had when it was issued
            raise InvalidCredentials(f"This API is not among the products of the app on the Daraja portal ({path}).")
        return answer

    def token(self, *, stale: str | None = None) -> str:
        """The shared access token; a new one when there is none, or when the one there is ``stale``."""
        found = self._cache.get(self._cache_key)
        if found and found != stale:
            return found
        with self._cache.lock(f"{self._cache_key}-lock", seconds=_LOCK_SECONDS):
            found = self._cache.get(self._cache_key)
            if found and found != stale:
                return found  # somebody else was faster
            return self._renew()

    def fresh_token(self) -> str:
        """A new access token in any case: proof that Safaricom takes the keys now."""
        with self._cache.lock(f"{self._cache_key}-lock", seconds=_LOCK_SECONDS):
            return self._renew()

    def server_time(self) -> datetime | None:
        """What Safaricom's clock says, read off the answer to a request for a new token; None when it does not say."""
        with self._cache.lock(f"{self._cache_key}-lock", seconds=_LOCK_SECONDS):
            answer = self._ask_for_token()
            self._keep(*_read_token(answer))
        text = next((value for name, value in answer.headers.items() if name.lower() == "date"), "")
        try:
            return parsedate_to_datetime(text).astimezone(UTC)
        except ValueError:
            return None

    def _renew(self) -> str:
        token, lifetime = _read_token(self._ask_for_token())
        return self._keep(token, lifetime)

    def _keep(self, token: str, lifetime: int) -> str:
        early = min(REFRESH_EARLY_SECONDS, lifetime // 2)
        if lifetime > early:
            self._cache.set(self._cache_key, token, seconds=lifetime - early)
        return token

    def _forget(self, token: str) -> None:
        if self._cache.get(self._cache_key) == token:
            self._cache.delete(self._cache_key)

    def _ask_for_token(self) -> Answer:
        try:
            answer = self._http.send(
                "GET",
                f"{self._base_url}{TOKEN_PATH}",
                operation="oauth",
                headers={"Authorization": f"Basic {self._basic}", "Accept": "application/json"},
            )
        except OutcomeUnknown as problem:
            # Asking for a token moves no money, so what was to follow it has certainly not been sent.
            raise NotSent(f"no access token: {problem}") from problem
        if answer.status != 200:
            raise _token_refusal(answer)
        return answer

    def _post(self, path: str, body: dict[str, Any], token: str, operation: str) -> Answer:
        return self._http.send(
            "POST",
            f"{self._base_url}{path}",
            operation=operation,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            json_body=body,
        )


def _token_refusal(answer: Answer) -> ProviderError:
    """Why no token was given. Never OutcomeUnknown: no payment was sent."""
    if answer.status == 401 or (answer.status == 400 and not answer.content.strip()):
        return InvalidCredentials(
            "M-Pesa refused the consumer key and secret. Check that they belong to this environment (sandbox or live)."
        )
    problem = refusal(answer)
    return NotSent(f"no access token: {problem}") if isinstance(problem, OutcomeUnknown) else problem


def _read_token(answer: Answer) -> tuple[str, int]:
    body = answer.json()
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise NotSent("no access token: the answer of M-Pesa cannot be read")
    seconds = code_text(body.get("expires_in")) or ""
    lifetime = int(seconds) if seconds.isascii() and seconds.isdigit() else _DEFAULT_LIFETIME
    return token, min(lifetime, _LONGEST_LIFETIME)

"""The OAuth access token: one for all processes of an app, asked for by one of them at a time."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from majuu_core.providers import InvalidCredentials, NotSent, OutcomeUnknown, ProviderError, SharedCache
from majuu_core.providers.http import Answer, ProviderHttp
from majuu_paypal.answers import refusal

PATH = "/v1/oauth2/token"
REFRESH_EARLY_SECONDS = 120
_DEFAULT_LIFETIME = 3600
_LONGEST_LIFETIME = 86_400
_LOCK_SECONDS = 30


class AccessTokens:
    """Tokens of one REST app. Keeps nothing itself; a token lives in the shared cache until shortly before its end."""

    def __init__(
        self, *, http: ProviderHttp, cache: SharedCache, base_url: str, client_id: str, client_secret: str
    ) -> None:
        self._http = http
        self._cache = cache
        self._base_url = base_url
        self._basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        # The secret is part of the name: whoever knows only the id must not get at the token of its owner.
        owner = hashlib.sha256(f"{base_url}\n{self._basic}".encode()).hexdigest()
        self._key = f"paypal-token-{owner[:40]}"

    def get(self, *, stale: str | None = None) -> str:
        """The shared token; a new one when there is none, or when the one there is ``stale``.

        Raises InvalidCredentials, RateLimited or NotSent: what was to follow the token has certainly not been sent.
        """
        found = self._cache.get(self._key)
        if found and found != stale:
            return found
        with self._cache.lock(f"{self._key}-lock", seconds=_LOCK_SECONDS):
            found = self._cache.get(self._key)
            if found and found != stale:
                return found  # somebody else was faster
            return self._renew()

    def renew(self) -> str:
        """A new token in any case: proof that PayPal takes the keys now."""
        with self._cache.lock(f"{self._key}-lock", seconds=_LOCK_SECONDS):
            return self._renew()

    def forget(self, token: str) -> None:
        """Drop a token that PayPal refused, unless there is another by now."""
        if self._cache.get(self._key) == token:
            self._cache.delete(self._key)

    def _renew(self) -> str:
        token, lifetime = _read(self._ask())
        kept = lifetime - min(REFRESH_EARLY_SECONDS, lifetime // 2)
        if kept > 0:
            self._cache.set(self._key, token, seconds=kept)
        return token

    def _ask(self) -> Answer:
        headers = {
            "Authorization": f"Basic {self._basic}",
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            answer = self._http.send(
                "POST",
                f"{self._base_url}{PATH}",
                operation="oauth",
                headers=headers,
                content=b"grant_type=client_credentials",
            )
        except OutcomeUnknown as problem:
            # Asking for a token moves no money, so what was to follow it has certainly not been sent.
            raise NotSent(f"no access token: {problem}") from problem
        if answer.status != 200:
            raise _refusal(answer)
        return answer


def _refusal(answer: Answer) -> ProviderError:
    """Why no token was given. Never OutcomeUnknown: nothing else was sent."""
    body: Any = answer.json()
    if isinstance(body, dict) and body.get("error") in {"invalid_client", "unauthorized_client"}:
        return InvalidCredentials("PayPal refused the client id and secret. Check that they belong to this mode.")
    problem = refusal(answer)
    return NotSent(f"no access token: {problem}") if isinstance(problem, OutcomeUnknown) else problem


def _read(answer: Answer) -> tuple[str, int]:
    body = answer.json()
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise NotSent("no access token: PayPal's answer cannot be read")
    seconds = body.get("expires_in")
    lifetime = seconds if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0 else None
    return token, min(lifetime or _DEFAULT_LIFETIME, _LONGEST_LIFETIME)

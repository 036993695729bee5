"""Access tokens: bought with the consumer key and secret, good for an hour, voided by the next one."""

from __future__ import annotations

import base64
import binascii
import hmac
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from majuu_sim.daraja import refusals
from majuu_sim.daraja.config import App, DarajaConfig
from majuu_sim.daraja.formats import access_token


@dataclass(frozen=True, slots=True)
class Token:
    """Who bought it and until when it is good."""

    app: str
    expires_at: datetime


class TokenOffice:
    """Sells and checks access tokens."""

    def __init__(self, config: DarajaConfig, rng: random.Random) -> None:
        """Sell to the apps of ``config``; the tokens' letters come from ``rng``."""
        self._config = config
        self._rng = rng
        self._tokens: dict[str, Token] = {}
        self.issued = 0

    def issue(self, authorization: str | None, grant_type: str | None, now: datetime) -> dict[str, str]:
        """The body of a good answer; Refusal or BlankRefusal otherwise. ``expires_in`` is text, as the live one is."""
        key, secret = _read_basic(authorization)
        if grant_type != "client_credentials":
            raise refusals.Refusal(400, "400.008.02", "Invalid grant type passed")
        app = self._find(key, secret)
        if self._config.strict_tokens:
            self._tokens = {text: token for text, token in self._tokens.items() if token.app != app.consumer_key}
        text = access_token(self._rng)
        self._tokens[text] = Token(app.consumer_key, now + timedelta(seconds=self._config.token_seconds))
        self.issued += 1
        return {"access_token": text, "expires_in": str(max(0, int(self._config.token_seconds) - 1))}

    def check(self, authorization: str | None, now: datetime) -> str:
        """The token of a product call; Refusal when it is missing, unknown, replaced or too old."""
        scheme, _, text = (authorization or "").partition(" ")
        token = self._tokens.get(text.strip())
        if scheme.lower() != "bearer" or token is None or now >= token.expires_at:
            raise refusals.invalid_token()
        return text.strip()

    def revoke(self, text: str) -> None:
        """Void one token."""
        self._tokens.pop(text, None)

    def revoke_all(self) -> None:
        """Void every token."""
        self._tokens.clear()

    def clear(self) -> None:
        """Void every token and start counting anew."""
        self._tokens.clear()
        self.issued = 0

    def _find(self, key: str, secret: str) -> App:
        for app in self._config.apps:
            same_key = hmac.compare_digest(app.consumer_key.encode(), key.encode())
            if same_key and hmac.compare_digest(app.consumer_secret.encode(), secret.encode()):
                return app
        raise refusals.BlankRefusal


def _read_basic(authorization: str | None) -> tuple[str, str]:
    scheme, _, encoded = (authorization or "").partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError("not Basic")
        key, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (ValueError, binascii.Error) as error:
        raise refusals.Refusal(400, "400.008.01", "Invalid Authentication passed") from error
    return key, secret

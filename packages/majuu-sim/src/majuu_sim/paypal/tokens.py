"""Access tokens: bought with client id and secret, good for nine hours. A new one leaves the one before valid."""

from __future__ import annotations

import base64
import binascii
import hmac
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from majuu_sim.paypal import formats, refusals
from majuu_sim.paypal.config import Account, PaypalConfig
from majuu_sim.paypal.formats import iso

APP_ID = "APP-80W284485P519543T"  # the sandbox's own
SCOPES = (
    "https://uri.paypal.com/services/payments/realtimepayment",
    "https://uri.paypal.com/services/payments/payment/authcapture",
    "https://uri.paypal.com/services/payments/refund",
    "https://uri.paypal.com/services/applications/webhooks",
    "https://uri.paypal.com/services/disputes/read-seller",
    "https://uri.paypal.com/services/disputes/update-seller",
    "https://uri.paypal.com/payments/payouts",
    "https://uri.paypal.com/services/reporting/search/read",
    "openid",
)


class BadToken(Exception):
    """A bearer token nobody sold or that is over; becomes 401 ``invalid_token``."""


class BadClient(Exception):
    """A token request that is refused; ``body`` is the answer."""

    def __init__(self, status: int, body: dict[str, str]) -> None:
        """OAuth's own shape, not the APIs'."""
        super().__init__(body["error"])
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Token:
    """Who bought it and until when it is good."""

    account: Account
    expires_at: datetime


class TokenOffice:
    """Sells and checks access tokens."""

    def __init__(self, config: PaypalConfig, rng: random.Random) -> None:
        """Sell to the accounts of ``config``."""
        self._config = config
        self._rng = rng
        self._tokens: dict[str, Token] = {}
        self.issued = 0

    def issue(self, authorization: str | None, grant_type: str, now: datetime) -> dict[str, Any]:
        """The body of a good answer; BadClient otherwise."""
        account = self._client(authorization)
        if grant_type != "client_credentials":
            raise BadClient(400, refusals.UNSUPPORTED_GRANT)
        text = formats.access_token(self._rng)
        self._tokens[text] = Token(account, now + timedelta(seconds=self._config.token_seconds))
        self.issued += 1
        return {
            "scope": " ".join(SCOPES),
            "access_token": text,
            "token_type": "Bearer",
            "app_id": APP_ID,
            "expires_in": int(self._config.token_seconds),
            "nonce": iso(now) + formats.access_token(self._rng)[5:48],
        }

    def check(self, authorization: str | None, now: datetime) -> tuple[str, Account]:
        """The token of an API call and its account; Refusal without one, BadToken for a wrong one."""
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise refusals.no_token()
        token = self._tokens.get(text.strip())
        if token is None or now >= token.expires_at:
            raise BadToken
        return text.strip(), token.account

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

    def _client(self, authorization: str | None) -> Account:
        scheme, _, encoded = (authorization or "").partition(" ")
        try:
            name, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (ValueError, binascii.Error):
            name = secret = ""
        account = self._config.find(name) if scheme.lower() == "basic" else None
        if account is None or not hmac.compare_digest(account.client_secret.encode(), secret.encode()):
            raise BadClient(401, refusals.INVALID_CLIENT)
        return account

"""How the shop talks to Majuu: one call of its API, and one check of what it hears back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox_project.shop.catalogue import CURRENCY, Product


class GatewayError(Exception):
    """The payment could not be started. The text says why, for the shop's owner."""


class NotGenuine(Exception):
    """A message that Majuu did not sign, or signed too long ago."""


class Gateway:
    """The shop's account at Majuu. Keys are read from the file that the demo data wrote."""

    def __init__(self, *, url: str, secrets: Path) -> None:
        kept = json.loads(secrets.read_text(encoding="utf-8"))
        self._webhook = Webhook(kept["webhook"]["secret"])
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {kept['api_key']}"}, timeout=20, trust_env=False
        )

    def request_payment(self, *, order_id: str, product: Product, return_url: str) -> dict[str, Any]:
        """Create the payment intent of an order. The order's number is the Idempotency-Key: asked twice, made once.

        Raises GatewayError.
        """
        wanted = {
            "amount": product.price,
            "currency": CURRENCY,
            "reference": order_id,
            "description": product.name,
            "return_url": return_url,
        }
        try:
            answer = self._http.post("/api/v1/payment-intents", json=wanted, headers={"Idempotency-Key": order_id})
            found = answer.json()
        except (httpx.HTTPError, ValueError) as problem:
            raise GatewayError(f"Majuu does not answer: {problem}") from None
        if answer.status_code != httpx.codes.CREATED:
            raise GatewayError(f"{answer.status_code} {found.get('code')}: {found.get('detail')}")
        return dict(found)

    def verify(self, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """The event, once its signature and its age are found good. Raises NotGenuine."""
        try:
            event = self._webhook.verify(body, dict(headers))
        except (WebhookVerificationError, ValueError) as problem:
            # ValueError: a body or a signature that cannot even be decoded.
            raise NotGenuine(str(problem) or type(problem).__name__) from None
        if not isinstance(event, dict):
            raise NotGenuine("not an event")
        return event

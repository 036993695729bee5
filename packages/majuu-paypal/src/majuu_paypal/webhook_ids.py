"""Which of PayPal's webhooks are ours: signatures are made with a webhook's id, and checked with it.

The id is known only after the account's callback address was entered at PayPal, and that address only after the account
was made here. So an account may come without it; PayPal is asked for the ids of the app's webhooks then, of which there
are ten at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from majuu_core.providers import ProviderError, WebhookRejected
from majuu_paypal.answers import body_of
from majuu_paypal.certificates import Unreachable
from majuu_paypal.client import PaypalClient
from majuu_paypal.credentials import PaypalCredentials
from majuu_paypal.fields import rows, text

PATH = "/v1/notifications/webhooks"
_KEPT_SECONDS = 600


def webhook_ids(client: PaypalClient, credentials: PaypalCredentials) -> Sequence[str]:
    """The ids a message may be signed for. Raises Unreachable when PayPal cannot be asked now, and WebhookRejected
    when the app has no webhook."""
    if credentials.webhook_id:
        return (credentials.webhook_id,)
    app = hashlib.sha256(credentials.client_id.get_secret_value().encode()).hexdigest()[:40]
    key = f"paypal-webhooks-{app}"
    kept = client.cache.get(key)
    if kept is None:
        try:
            kept = " ".join(text(webhook, "id") for webhook in list_webhooks(client))
        except ProviderError as problem:
            raise Unreachable(str(problem)) from problem
        client.cache.set(key, kept, seconds=_KEPT_SECONDS)
    if not kept:
        raise WebhookRejected("the REST app at PayPal has no webhook; enter this account's callback address there")
    return kept.split()


def list_webhooks(client: PaypalClient) -> list[Mapping[str, Any]]:
    """The app's webhooks, as PayPal shows them."""
    return rows(body_of(client.get(PATH, operation="list_webhooks")), "webhooks")

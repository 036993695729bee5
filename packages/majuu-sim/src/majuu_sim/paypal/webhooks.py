"""Who wants to hear of what: the webhooks of every account."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from majuu_sim.paypal import formats, refusals
from majuu_sim.paypal.bodies import link

EVERYTHING = "*"
EVENT_TYPES = (
    "CHECKOUT.ORDER.APPROVED",
    "CHECKOUT.ORDER.COMPLETED",
    "CHECKOUT.ORDER.VOIDED",
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
    "CUSTOMER.DISPUTE.CREATED",
    "CUSTOMER.DISPUTE.RESOLVED",
    "CUSTOMER.DISPUTE.UPDATED",
    "PAYMENT.AUTHORIZATION.CREATED",
    "PAYMENT.AUTHORIZATION.VOIDED",
    "PAYMENT.CAPTURE.COMPLETED",
    "PAYMENT.CAPTURE.DECLINED",
    "PAYMENT.CAPTURE.DENIED",
    "PAYMENT.CAPTURE.PENDING",
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.CAPTURE.REVERSED",
    "PAYMENT.PAYOUTS-ITEM.BLOCKED",
    "PAYMENT.PAYOUTS-ITEM.CANCELED",
    "PAYMENT.PAYOUTS-ITEM.DENIED",
    "PAYMENT.PAYOUTS-ITEM.FAILED",
    "PAYMENT.PAYOUTS-ITEM.HELD",
    "PAYMENT.PAYOUTS-ITEM.REFUNDED",
    "PAYMENT.PAYOUTS-ITEM.RETURNED",
    "PAYMENT.PAYOUTS-ITEM.SUCCEEDED",
    "PAYMENT.PAYOUTS-ITEM.UNCLAIMED",
    "PAYMENT.PAYOUTSBATCH.DENIED",
    "PAYMENT.PAYOUTSBATCH.PROCESSING",
    "PAYMENT.PAYOUTSBATCH.SUCCESS",
    "PAYMENT.REFUND.FAILED",
    "PAYMENT.REFUND.PENDING",
)
AT_MOST = 10  # webhooks of one app


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address of a shop and the events it wants."""

    id: str
    client_id: str
    url: str
    event_types: tuple[str, ...]

    def wants(self, event_type: str) -> bool:
        """True when this event goes there."""
        return EVERYTHING in self.event_types or event_type in self.event_types

    def to_body(self, base: str) -> dict[str, Any]:
        """As the webhooks API shows it."""
        path = f"/v1/notifications/webhooks/{self.id}"
        return {
            "id": self.id,
            "url": self.url,
            "event_types": [{"name": name, "description": _described(name)} for name in self.event_types],
            "links": [
                link(base, path, "self"),
                link(base, path, "update", "PATCH"),
                link(base, path, "delete", "DELETE"),
            ],
        }


def _described(name: str) -> str:
    return "ALL" if name == EVERYTHING else name.replace(".", " ").capitalize() + "."


class WebhookBook:
    """Every registered webhook."""

    def __init__(self, rng: random.Random) -> None:
        """Ids come from ``rng``."""
        self._rng = rng
        self._known: dict[str, Webhook] = {}

    def clear(self) -> None:
        """Forget every webhook."""
        self._known.clear()

    def register(self, client_id: str, url: str, event_types: tuple[str, ...]) -> Webhook:
        """Keep an address; Refusal when the app has it already, has too many, or names an unknown event."""
        unknown = [name for name in event_types if name != EVERYTHING and name not in EVENT_TYPES]
        if unknown or not event_types:
            raise _bad("EVENT_TYPE_NOT_FOUND", f"no event type is called {', '.join(unknown) or 'nothing'}")
        ours = self.of(client_id)
        if any(one.url == url for one in ours):
            raise _bad("WEBHOOK_URL_ALREADY_EXISTS", "Webhook URL already exists")
        if len(ours) >= AT_MOST:
            raise _bad("WEBHOOK_NUMBER_LIMIT_EXCEEDED", "Webhook URLs number limit exceeded")
        webhook = Webhook(formats.transaction_id(self._rng), client_id, url, event_types)
        self._known[webhook.id] = webhook
        return webhook

    def of(self, client_id: str) -> list[Webhook]:
        """An app's webhooks, oldest first."""
        return [one for one in self._known.values() if one.client_id == client_id]

    def all(self) -> list[Webhook]:
        """Everybody's, oldest first."""
        return list(self._known.values())

    def get(self, webhook_id: str) -> Webhook:
        """One webhook; KeyError when there is none of this id."""
        return self._known[webhook_id]

    def find(self, client_id: str, webhook_id: str) -> Webhook:
        """An app's own webhook; Refusal when it has none of this id."""
        found = self._known.get(webhook_id)
        if found is None or found.client_id != client_id:
            raise refusals.Refusal(
                404, name="INVALID_RESOURCE_ID", message="The resource that was requested could not be found."
            )
        return found

    def remove(self, webhook: Webhook) -> None:
        """Forget one."""
        self._known.pop(webhook.id, None)


def _bad(name: str, message: str) -> refusals.Refusal:
    return refusals.Refusal(400, name=name, message=message)

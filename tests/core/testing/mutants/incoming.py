"""Providers broken on purpose: money that arrives by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from moneyed import Money

from majuu_core.common import randomness
from majuu_core.providers import (
    IncomingMoney,
    ProviderEvent,
    Trust,
    Violation,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_incoming import is_money
from tests.core.testing.mutants.base import caught_by


class Changes(FakeProvider):
    """Tells of incoming money in its own way."""

    def told(self, money: IncomingMoney) -> dict[str, Any]:
        return {}

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [
            replace(event, incoming=replace(event.incoming, **self.told(event.incoming))) if event.incoming else event
            for event in super().parse_webhook(request)
        ]


@caught_by("incoming.receipt_and_amount_are_told")
class ReadsShillingsAsCents(Changes):
    def told(self, money: IncomingMoney) -> dict[str, Any]:
        return {"amount": Money(money.amount.amount / 100, money.amount.currency)}


@caught_by("incoming.hostile_text_survives")
class TidiesWhatThePayerTyped(Changes):
    def told(self, money: IncomingMoney) -> dict[str, Any]:
        return {"account_reference": "".join(filter(str.isalnum, money.account_reference))}


@caught_by("incoming.foreign_receiver_is_noticed")
class TakesMoneyOfOthers(Changes):
    def told(self, money: IncomingMoney) -> dict[str, Any]:
        return {"at_this_account": True}


@caught_by("incoming.event_id_is_the_receipts_own")
class DrawsEventIds(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        events = super().parse_webhook(request)
        drawn = randomness.encode_url_safe(randomness.secret_bytes(20))
        return [replace(event, event_id=drawn) if event.incoming else event for event in events]


@caught_by("incoming.forged_message_is_refused")
class BelievesEverybodyAboutIncomingMoney(FakeProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        try:
            return super().verify_webhook(request)
        except WebhookRejected:
            if is_money(request.body):
                return Trust.SIGNED
            raise


@caught_by("incoming.check_is_accepted_by_default")
class SaysYesAndNoAlike(FakeProvider):
    def incoming_check_response(self, objection: Violation | None) -> WebhookResponse:
        return WebhookResponse(body=b"{}")

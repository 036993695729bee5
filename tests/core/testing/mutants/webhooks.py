"""Providers broken on purpose: listening to the provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from moneyed import Money

from majuu_core.common import randomness
from majuu_core.providers import (
    ProviderEvent,
    Trust,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_core.testing.fake import FakeProvider
from tests.core.testing.full_provider import FullProvider
from tests.core.testing.mutants.base import caught_by


@caught_by("webhook.forged_one_is_refused", "webhook.changed_one_is_refused", "incoming.forged_message_is_refused")
class ChecksNoSignature(FakeProvider):
    """Only looks whether there is a signature."""

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        try:
            return super().verify_webhook(request)
        except WebhookRejected as problem:
            if "does not fit" in str(problem) and request.headers.get("mock-signature"):
                return Trust.SIGNED
            raise


@caught_by("webhook.changed_one_is_refused")
class SignsOnlyTheTime(FakeProvider):
    def _signature(self, stamp: str, body: bytes) -> str:
        return super()._signature(stamp, b"")


@caught_by("webhook.stale_one_is_refused")
class TakesOldMessages(FakeProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        try:
            return super().verify_webhook(request)
        except WebhookRejected as problem:
            if "older" in str(problem):
                return Trust.SIGNED
            raise


@caught_by("webhook.one_without_signature_is_refused")
class TakesMessagesWithoutSignature(FakeProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        return super().verify_webhook(request) if "mock-signature" in request.headers else Trust.SIGNED


@caught_by(
    "webhook.good_one_is_accepted",
    "webhook.forged_one_is_refused",
    "webhook.changed_one_is_refused",
    "webhook.stale_one_is_refused",
    "webhook.one_without_signature_is_refused",
)
class SaysYesToEverything(FakeProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        return True  # type: ignore[return-value]


@caught_by("webhook.rubbish_is_refused_calmly")
class StumblesOverRubbish(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        try:
            return super().parse_webhook(request)
        except WebhookRejected as problem:
            raise KeyError("id") from problem


@caught_by("webhook.rubbish_is_refused_calmly")
class SwallowsRubbish(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        try:
            return super().parse_webhook(request)
        except WebhookRejected:
            return []


@caught_by("webhook.strange_headers_are_survived")
class StumblesOverHeaders(FakeProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        int(request.headers.get("mock-timestamp") or 0)
        return super().verify_webhook(request)


@caught_by("webhook.event_id_is_stable", "incoming.event_id_is_the_receipts_own")
class NumbersEventsAnew(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        fresh = randomness.secret_bytes(8).hex()
        return [replace(event, event_id=fresh) for event in super().parse_webhook(request)]


@caught_by("webhook.two_payments_have_two_event_ids", "incoming.event_id_is_the_receipts_own")
class NumbersEventsByStatus(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [replace(event, event_id=f"evt_{event.result.status}") for event in super().parse_webhook(request)]


@caught_by("webhook.event_names_the_payment")
class NamesNobody(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [replace(event, reference=None, provider_reference="?") for event in super().parse_webhook(request)]


@caught_by("webhook.event_tells_the_amount")
class ReadsTheWrongAmount(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        wrong = Money(15, "KES")
        return [replace(event, result=replace(event.result, amount=wrong)) for event in super().parse_webhook(request)]


@caught_by(
    "webhook.event_is_well_formed",
    "incoming.foreign_receiver_is_noticed",
    "incoming.hostile_text_survives",
    "incoming.receipt_and_amount_are_told",
)
class InventsEventTypes(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [replace(event, type="payment.maybe") for event in super().parse_webhook(request)]


@caught_by("webhook.accepted_is_answered_with_yes")
class AnswersWithARedirect(FakeProvider):
    def webhook_response(self, *, accepted: bool) -> WebhookResponse:
        return WebhookResponse(status=302 if accepted else 400)


@caught_by("webhook.wrong_sender_is_refused")
class TrustsAnySender(FullProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        return super().verify_webhook(replace(request, remote_addr="127.0.0.1"))

"""Providers broken on purpose: listening to the provider."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from moneyed import Money

from majuu_core.common import randomness
from majuu_core.providers import (
    ProviderContext,
    ProviderEvent,
    Trust,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_core.testing.fake import FakeProvider
from tests.core.testing.full_provider import FullProvider
from tests.core.testing.mutants.base import caught_by


@caught_by(
    "webhook.forged_one_is_refused",
    "webhook.changed_one_is_refused",
    "incoming.forged_message_is_refused",
    "webhook.body_written_anew_is_refused",
    "webhook.retired_secret_is_refused",
)
class ChecksNoSignature(FakeProvider):
    """Only looks whether there is a signature."""

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        try:
            return super().verify_webhook(request)
        except WebhookRejected as problem:
            if "does not fit" in str(problem) and request.headers.get("mock-signature"):
                return Trust.SIGNED
            raise


@caught_by(
    "webhook.changed_one_is_refused",
    "webhook.body_written_anew_is_refused",
)
class SignsOnlyTheTime(FakeProvider):
    def _signature(self, stamp: str, body: bytes, secret: bytes = b"") -> str:
        return super()._signature(stamp, b"", secret)


@caught_by("webhook.body_written_anew_is_refused")
class SignsWhatTheJsonMeans(FakeProvider):
    """Reads the JSON and signs it as it would write it itself."""

    def _signature(self, stamp: str, body: bytes, secret: bytes = b"") -> str:
        try:
            body = json.dumps(json.loads(body), sort_keys=True).encode()
        except (ValueError, RecursionError):
            pass
        return super()._signature(stamp, body, secret)


@caught_by("webhook.another_accounts_event_is_refused")
class TakesEventsOfOtherAccounts(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return super().parse_webhook(replace(request, body=request.body.replace(b"pa_of_somebody_else", b"pa_test")))


@caught_by("webhook.listed_old_secret_is_accepted")
class KnowsOnlyItsNewestSecret(FakeProvider):
    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self._secrets = (self._secret,)


@caught_by("webhook.retired_secret_is_refused")
class RemembersRetiredSecrets(FakeProvider):
    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self._secrets = (*self._secrets, b"mock-secret-long-before-that")


@caught_by("webhook.redelivery_has_the_same_event_id")
class NumbersDeliveries(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        sent = request.headers["mock-timestamp"]
        events = super().parse_webhook(request)
        return [
            replace(event, event_id=f"{event.event_id}-{sent}" if event.reference else event.event_id)
            for event in events
        ]


@caught_by("webhook.event_names_our_reference")
class LeavesOurReferenceOut(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [replace(event, reference=None) for event in super().parse_webhook(request)]


@caught_by("secrecy.not_in_events")
class KeepsItsSecretInEvents(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        raw = {"checked_with": self._secret.decode()}
        return [replace(event, result=replace(event.result, raw=raw)) for event in super().parse_webhook(request)]


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
    "webhook.body_written_anew_is_refused",
    "webhook.listed_old_secret_is_accepted",
    "webhook.retired_secret_is_refused",
)
class SaysYesToEverything(FakeProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        return True  # type: ignore[return-value]


@caught_by(
    "webhook.rubbish_is_refused_calmly",
    "webhook.another_accounts_event_is_refused",
)
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


@caught_by(
    "webhook.event_id_is_stable",
    "incoming.event_id_is_the_receipts_own",
    "webhook.redelivery_has_the_same_event_id",
)
class NumbersEventsAnew(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        fresh = randomness.secret_bytes(8).hex()
        return [replace(event, event_id=fresh) for event in super().parse_webhook(request)]


@caught_by("webhook.two_payments_have_two_event_ids", "incoming.event_id_is_the_receipts_own")
class NumbersEventsByStatus(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [replace(event, event_id=f"evt_{event.result.status}") for event in super().parse_webhook(request)]


@caught_by("webhook.event_names_the_payment", "webhook.event_names_our_reference")
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
    "disputes.webhook_carries_the_state",
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

"""Providers broken on purpose: disputes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from moneyed import Money

from majuu_core.common import clock
from majuu_core.providers import (
    DisputeReason,
    DisputeState,
    DisputeStatus,
    EvidenceRequest,
    FetchRequest,
    FollowUpRequest,
    InvalidPaymentData,
    ProviderEvent,
    RequestRejected,
    WebhookRequest,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_disputes import EVIDENCE_FIELDS
from tests.core.testing.mutants.base import caught_by


@caught_by("disputes.fields_are_usable")
class AsksTwiceForTheSame(FakeProvider):
    info = replace(FakeProvider.info, evidence_fields=(*EVIDENCE_FIELDS, EVIDENCE_FIELDS[0]))


@caught_by("disputes.names_its_payment")
class NamesAnotherPayment(FakeProvider):
    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        return replace(super().fetch_dispute(request), payment_reference="pay_elsewhere")


@caught_by("disputes.amount_is_of_the_payment")
class DisputesInCents(FakeProvider):
    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        return _in_cents(super().fetch_dispute(request))

    def list_disputes(self, *, since: datetime) -> Iterator[DisputeState]:
        return (_in_cents(state) for state in super().list_disputes(since=since))

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [
            replace(event, dispute=_in_cents(event.dispute)) if event.dispute else event
            for event in super().parse_webhook(request)
        ]


def _in_cents(state: DisputeState) -> DisputeState:
    return replace(state, amount=state.amount * 100)


@caught_by("disputes.asking_changes_nothing")
class AnswersWithADeadlineOfItsOwn(FakeProvider):
    asked = 0

    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        type(self).asked += 1
        state = super().fetch_dispute(request)
        return replace(state, provider_reason=f"{state.provider_reason}_{type(self).asked}")


@caught_by("disputes.unknown_one_is_refused")
class InventsDisputes(FakeProvider):
    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        try:
            return super().fetch_dispute(request)
        except RequestRejected:
            now = clock.now()
            return DisputeState(
                provider_reference=request.provider_reference or "",
                payment_reference="",
                status=DisputeStatus.LOST,
                reason=DisputeReason.GENERAL,
                amount=Money(1, "KES"),
                opened_at=now,
            )


@caught_by("disputes.open_one_is_listed")
class ListsNothing(FakeProvider):
    def list_disputes(self, *, since: datetime) -> Iterator[DisputeState]:
        return iter(())


@caught_by("disputes.times_have_zones")
class LocalDeadlines(FakeProvider):
    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        state = super().fetch_dispute(request)
        return replace(state, respond_by=state.opened_at.replace(tzinfo=None))


@caught_by("disputes.evidence_is_submitted", "disputes.lost_keeps_the_money_away", "disputes.won_gives_the_money_back")
class KeepsDraftsForEver(FakeProvider):
    def submit_evidence(self, request: EvidenceRequest) -> DisputeState:
        return super().submit_evidence(replace(request, submit=False))


@caught_by("disputes.same_evidence_is_submitted_once")
class RefusesTheSecondTime(FakeProvider):
    def submit_evidence(self, request: EvidenceRequest) -> DisputeState:
        name = f"sent:{request.idempotency_key}"
        if self.context.cache.get(name):
            raise RequestRejected("evidence was submitted already", code="wrong_state")
        self.context.cache.set(name, "1", seconds=1000)
        return super().submit_evidence(request)


@caught_by("disputes.unfit_evidence_is_explained")
class DropsWhatItDoesNotKnow(FakeProvider):
    def submit_evidence(self, request: EvidenceRequest) -> DisputeState:
        try:
            return super().submit_evidence(request)
        except InvalidPaymentData:
            return super().submit_evidence(replace(request, texts={}, files=()))


@caught_by("disputes.won_gives_the_money_back")
class KeepsTheMoneyAfterAWin(FakeProvider):
    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        state = super().fetch_dispute(request)
        return replace(state, withdrawn=state.amount) if state.status is DisputeStatus.WON else state


@caught_by("disputes.lost_keeps_the_money_away")
class LosesWithoutLoss(FakeProvider):
    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        state = super().fetch_dispute(request)
        lost = state.status is DisputeStatus.LOST
        return replace(state, withdrawn=Money(0, state.amount.currency)) if lost else state


@caught_by("disputes.inquiry_withdraws_nothing")
class WithdrawsForAQuestion(FakeProvider):
    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        state = super().fetch_dispute(request)
        return replace(state, withdrawn=state.amount) if state.status is DisputeStatus.NEEDS_RESPONSE else state


@caught_by("disputes.accepting_is_final")
class AcceptsOnlyOnce(FakeProvider):
    def accept_dispute(self, request: FollowUpRequest) -> DisputeState:
        known = FetchRequest(reference="", provider_reference=request.provider_reference)
        if super().fetch_dispute(known).status is DisputeStatus.ACCEPTED:
            raise RequestRejected("it is accepted already", code="wrong_state")
        return super().accept_dispute(request)


@caught_by("disputes.webhook_carries_the_state")
class TellsOnlyThatSomethingHappened(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [replace(event, dispute=None) for event in super().parse_webhook(request)]

"""Disputes at the mock provider: three magic amounts are disputed ten seconds after they were paid.

What a dispute is, and since when, is written and signed in its reference, like everything of the mock provider. Only
what the store did about it (and which payments there are to be listed) stands in the shared cache.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from moneyed import Money
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from majuu_core.common import clock
from majuu_core.common.money import AmountError, format_amount, parse_amount
from majuu_core.providers import (
    DisputeReason,
    DisputeState,
    DisputeStatus,
    EvidenceField,
    EvidenceRequest,
    FetchRequest,
    FollowUpRequest,
    InvalidPaymentData,
    ProviderContext,
    ProviderEvent,
    RequestRejected,
    Result,
    ResultStatus,
    Violation,
    WebhookRejected,
)
from majuu_core.testing.mock_amounts import behaviour_for
from majuu_core.testing.mock_wire import MockReference

TYPE = "dispute.updated"
OPENS_AFTER, DECIDED_AFTER, TIME_TO_ANSWER = timedelta(seconds=10), timedelta(seconds=60), timedelta(days=7)
FEE = 15  # in whole units of the payment's currency
PICTURES = ("application/pdf", "image/png", "image/jpeg")
EVIDENCE_FIELDS = (
    EvidenceField(
        name="explanation",
        kind="text",
        label="What happened",
        hint="Say what was ordered, and when and how it was delivered.",
        max_length=2000,
    ),
    EvidenceField(name="tracking_number", kind="text", label="Tracking number", max_length=100),
    EvidenceField(
        name="receipt",
        kind="file",
        label="Receipt or delivery note",
        hint="PDF, PNG or JPEG.",
        content_types=PICTURES,
        max_bytes=2 * 1024 * 1024,
    ),
)
_MEMORY_SECONDS = 400 * 24 * 3600
_SUBMITTED, _ACCEPTED = "submitted", "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class MockDispute:
    """One dispute: its payment, and what the store did when."""

    reference: str
    payment: MockReference
    payment_reference: str
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None

    @property
    def opened_at(self) -> datetime:
        """When the customer went to the bank."""
        return self.payment.started_at + OPENS_AFTER

    def state(self, now: datetime) -> DisputeState:
        """What the provider says of it at that time."""
        status, since = self._status(now)
        currency = self.payment.amount.currency
        is_inquiry = behaviour_for(self.payment.amount).dispute == "inquiry"
        returned = status is DisputeStatus.WON or is_inquiry
        return DisputeState(
            provider_reference=self.reference,
            payment_reference=self.payment_reference,
            status=status,
            reason=DisputeReason.UNRECOGNIZED if is_inquiry else DisputeReason.NOT_RECEIVED,
            provider_reason="mock_inquiry" if is_inquiry else "mock_not_received",
            amount=self.payment.amount,
            opened_at=self.opened_at,
            withdrawn=Money(0, currency) if returned else self.payment.amount,
            fee=Money(0 if is_inquiry else FEE, currency),
            respond_by=self.opened_at + TIME_TO_ANSWER,
            occurred_at=since,
            raw={"behaviour": behaviour_for(self.payment.amount).name},
        )

    def _status(self, now: datetime) -> tuple[DisputeStatus, datetime]:
        if self.accepted_at is not None:
            return DisputeStatus.ACCEPTED, self.accepted_at
        if self.submitted_at is not None:
            decided_at = self.submitted_at + DECIDED_AFTER
            if now < decided_at:
                return DisputeStatus.UNDER_REVIEW, self.submitted_at
            lost = behaviour_for(self.payment.amount).dispute == "lost"
            return (DisputeStatus.LOST if lost else DisputeStatus.WON), decided_at
        deadline = self.opened_at + TIME_TO_ANSWER
        if now < deadline:
            return DisputeStatus.NEEDS_RESPONSE, self.opened_at
        return DisputeStatus.EXPIRED, deadline


class DisputeBody(BaseModel):
    """A dispute on the wire."""

    model_config = ConfigDict(extra="ignore", strict=True)

    type: str = TYPE
    id: str = Field(min_length=1, max_length=80)
    provider_reference: str
    payment_reference: str
    status: str
    reason: str
    provider_reason: str
    amount: str
    withdrawn: str
    fee: str
    currency: str
    opened_at: str
    respond_by: str
    occurred_at: str


class MockDisputes:
    """The part of FakeProvider that knows disputes."""

    context: ProviderContext
    _secret: bytes

    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        return self._dispute(request.provider_reference or "").state(clock.now())

    def list_disputes(self, *, since: datetime) -> Iterator[DisputeState]:
        """Those of the payments that this account's processes remember."""
        now = clock.now()
        for reference in (self.context.cache.get(self._list_key()) or "").split():
            dispute = self._read(reference)
            if dispute is not None and since <= dispute.opened_at <= now:
                yield dispute.state(now)

    def submit_evidence(self, request: EvidenceRequest) -> DisputeState:
        """Checks the evidence and, with ``submit``, takes it once and for all."""
        dispute = self._dispute(request.provider_reference)
        _check(request)
        if request.submit:
            dispute = self._act(dispute, _SUBMITTED)
        return dispute.state(clock.now())

    def accept_dispute(self, request: FollowUpRequest) -> DisputeState:
        dispute = self._dispute(request.provider_reference)
        if dispute.accepted_at is None:
            dispute = self._act(dispute, _ACCEPTED)
        return dispute.state(clock.now())

    def remember_payment(self, token: MockReference) -> None:
        """Put a payment that will be disputed on the account's list."""
        if token.operation not in ("sale", "capture") or not behaviour_for(token.amount).dispute:
            return
        reference = self.dispute_reference(token.sign(self._secret))
        listed = (self.context.cache.get(self._list_key()) or "").split()
        if reference not in listed:
            self.context.cache.set(self._list_key(), " ".join([*listed, reference]), seconds=_MEMORY_SECONDS)

    def dispute_reference(self, payment_reference: str) -> str:
        """The reference of the dispute over one of our payments."""
        token = MockReference.read(payment_reference, self._secret)
        if token is None:
            raise ValueError(f"{payment_reference!r} is not a reference of this account")
        return replace(token, operation=f"dispute.{token.operation}").sign(self._secret)

    def _act(self, dispute: MockDispute, deed: str) -> MockDispute:
        """The store does something while that is still possible."""
        now = clock.now()
        status = dispute.state(now).status
        if deed == _SUBMITTED and dispute.submitted_at is not None:
            return dispute  # the same answer again
        if status is not DisputeStatus.NEEDS_RESPONSE:
            raise RequestRejected(f"the dispute is {status.value}", code="wrong_state")
        self.context.cache.set(f"{deed}:{dispute.reference}", now.isoformat(), seconds=_MEMORY_SECONDS)
        if deed == _SUBMITTED:
            return replace(dispute, submitted_at=now)
        return replace(dispute, accepted_at=now)

    def _dispute(self, reference: str) -> MockDispute:
        found = self._read(reference)
        if found is None or found.opened_at > clock.now():
            raise RequestRejected("there is no such dispute", code="not_found")
        return found

    def _read(self, reference: str) -> MockDispute | None:
        token = MockReference.read(reference, self._secret)
        kind, _, operation = token.operation.partition(".") if token else ("", "", "")
        if token is None or kind != "dispute" or not behaviour_for(token.amount).dispute:
            return None
        payment = replace(token, operation=operation)
        return MockDispute(
            reference=reference,
            payment=payment,
            payment_reference=payment.sign(self._secret),
            submitted_at=self._when(_SUBMITTED, reference),
            accepted_at=self._when(_ACCEPTED, reference),
        )

    def _when(self, deed: str, reference: str) -> datetime | None:
        found = self.context.cache.get(f"{deed}:{reference}")
        return datetime.fromisoformat(found) if found else None

    def _list_key(self) -> str:
        return f"disputed:{self.context.account_id}"


def is_dispute(body: bytes) -> bool:
    """Whether a message is about a dispute."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("type") == TYPE


def write_dispute(state: DisputeState) -> bytes:
    """The message about it. The same state gives the same message."""
    digest = hashlib.sha256(f"{state.provider_reference}|{state.status}".encode()).hexdigest()[:24]
    zero = Money(0, state.amount.currency)
    body = DisputeBody(
        id=f"mockevt_{digest}",
        provider_reference=state.provider_reference,
        payment_reference=state.payment_reference,
        status=state.status.value,
        reason=state.reason.value,
        provider_reason=state.provider_reason,
        amount=format_amount(state.amount),
        withdrawn=format_amount(state.withdrawn or zero),
        fee=format_amount(state.fee or zero),
        currency=state.amount.currency.code,
        opened_at=state.opened_at.isoformat(),
        respond_by=(state.respond_by or state.opened_at).isoformat(),
        occurred_at=(state.occurred_at or state.opened_at).isoformat(),
    )
    return json.dumps(body.model_dump()).encode()


def read_dispute(body: bytes) -> ProviderEvent:
    """The event of a message. Raises WebhookRejected."""
    try:
        read = DisputeBody.model_validate_json(body)
        opened_at, respond_by, occurred_at = (
            datetime.fromisoformat(text) for text in (read.opened_at, read.respond_by, read.occurred_at)
        )
        if any(moment.tzinfo is None for moment in (opened_at, respond_by, occurred_at)):
            raise ValueError("a time without a zone")
        state = DisputeState(
            provider_reference=read.provider_reference,
            payment_reference=read.payment_reference,
            status=DisputeStatus(read.status),
            reason=DisputeReason(read.reason),
            provider_reason=read.provider_reason,
            amount=parse_amount(read.amount, read.currency),
            opened_at=opened_at,
            withdrawn=parse_amount(read.withdrawn, read.currency),
            fee=parse_amount(read.fee, read.currency),
            respond_by=respond_by,
            occurred_at=occurred_at,
            raw={"id": read.id},
        )
    except (ValidationError, AmountError, ValueError) as problem:
        raise WebhookRejected(f"the body cannot be read: {type(problem).__name__}") from problem
    return ProviderEvent(
        event_id=read.id,
        type=TYPE,
        reference=None,
        provider_reference=read.provider_reference,
        result=Result(status=ResultStatus.UNKNOWN),
        occurred_at=occurred_at,
        dispute=state,
    )


def _check(request: EvidenceRequest) -> None:
    fields = {item.name: item for item in EVIDENCE_FIELDS}
    for name, text in request.texts.items():
        if name not in fields or fields[name].kind != "text":
            raise _refusal(name, "There is no such field for a text.")
        if len(text) > fields[name].max_length:
            raise _refusal(name, f"At most {fields[name].max_length} characters.")
    for file in request.files:
        if file.field not in fields or fields[file.field].kind != "file":
            raise _refusal(file.field, "There is no such field for a file.")
        wanted = fields[file.field]
        if file.content_type not in wanted.content_types or len(file.content) > wanted.max_bytes:
            raise _refusal(file.field, "The file has another type than those taken, or is too large.")


def _refusal(field: str, message: str) -> InvalidPaymentData:
    return InvalidPaymentData(Violation(code="evidence_invalid", message=message, field=field))

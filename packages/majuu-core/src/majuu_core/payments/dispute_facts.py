"""What is known of a dispute, and how a word from the provider adds to it. Pure: nothing here reads or writes rows.

Providers tell of one dispute many times, in any order, and not everything each time. So three facts are kept apart,
each with the time of its newest word: the state, what is withdrawn, and the fee. A word that is older than what is
known of its fact changes nothing; any order of the same words therefore ends in the same facts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from majuu_core.common.storable import storable
from majuu_core.payments.models import Dispute
from majuu_core.payments.transitions import DISPUTE_ORDER, OPEN_DISPUTE, may_move_dispute
from majuu_core.providers import DisputeState

_D = Dispute.Status
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFacts:
    """The columns of a dispute that the provider's words decide."""

    status: str
    reason: str
    provider_reason: str
    amount: Decimal
    respond_by: datetime | None
    told_at: datetime
    opened_at: datetime
    withdrawn_told: Decimal | None = None
    withdrawn_told_at: datetime | None = None
    withdrawn_told_with: str = ""
    fee: Decimal = Decimal(0)
    fee_currency: str = ""
    fee_told_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is not decided yet."""
        return self.status in OPEN_DISPUTE

    @property
    def withdrawn(self) -> Decimal:
        """What the provider holds back now: as told, or as it follows from a later state that says nothing of it."""
        told = self.withdrawn_told or Decimal(0)
        if self.withdrawn_told_at is not None and self.withdrawn_told_at >= self.told_at:
            return told
        if self.status == _D.WON:
            return Decimal(0)
        return told or self.amount if self.status in (_D.LOST, _D.ACCEPTED) else told

    @property
    def lost(self) -> Decimal:
        """The part of it that does not come back."""
        return self.withdrawn if self.status in (_D.LOST, _D.ACCEPTED, _D.EXPIRED) else Decimal(0)

    def columns(self) -> dict[str, Any]:
        """The values of the row, by column."""
        values: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        closed_at = None if self.is_open else self.told_at
        accepted_at = self.told_at if self.status == _D.ACCEPTED else None
        return values | {"withdrawn": self.withdrawn, "closed_at": closed_at, "accepted_at": accepted_at}


def facts_of(dispute: Dispute) -> DisputeFacts:
    """What a row says."""
    values = {item.name: getattr(dispute, item.name) for item in fields(DisputeFacts)}
    return DisputeFacts(**values | {"amount": dispute.amount.amount})


def hear(known: DisputeFacts | None, state: DisputeState, at: datetime) -> DisputeFacts:
    """What is known once the provider has said this. ``at`` is when it became so."""
    told = _told(state, at)
    if known is None:
        return told
    later = may_move_dispute(known.status, known.told_at, told.status, told.told_at)
    if later or (known.status == told.status and _details(told) > _details(known)):
        known = _taking(known, told, "status", "reason", "provider_reason", "amount", "respond_by", "told_at")
    if told.withdrawn_told_at is not None and _withdrawal(told) > _withdrawal(known):
        known = _taking(known, told, "withdrawn_told", "withdrawn_told_at", "withdrawn_told_with")
    if told.fee_told_at is not None and _fee(told) > _fee(known):
        known = _taking(known, told, "fee", "fee_currency", "fee_told_at")
    return replace(known, opened_at=min(known.opened_at, told.opened_at))


def _taking(known: DisputeFacts, told: DisputeFacts, *names: str) -> DisputeFacts:
    return replace(known, **{name: getattr(told, name) for name in names})


def _told(state: DisputeState, at: datetime) -> DisputeFacts:
    withdrawn, fee = state.withdrawn, state.fee
    return DisputeFacts(
        status=state.status.value,
        reason=state.reason.value,
        provider_reason=storable(state.provider_reason, 128),
        amount=state.amount.amount,
        respond_by=state.respond_by,
        told_at=at,
        opened_at=state.opened_at,
        withdrawn_told=None if withdrawn is None else withdrawn.amount,
        withdrawn_told_at=None if withdrawn is None else at,
        withdrawn_told_with="" if withdrawn is None else state.status.value,
        fee=Decimal(0) if fee is None else fee.amount,
        fee_currency="" if fee is None else fee.currency.code,
        fee_told_at=None if fee is None else at,
    )


def _details(facts: DisputeFacts) -> tuple[Any, ...]:
    """Orders two words of the same status: by time, and then by anything, as long as it is always the same."""
    return (facts.told_at, facts.amount, facts.respond_by or _BEGINNING, facts.reason, facts.provider_reason)


def _withdrawal(facts: DisputeFacts) -> tuple[Any, ...]:
    """Orders two words on the withdrawal. Of the same moment: the further state, and what fits it, counts."""
    if facts.withdrawn_told_at is None or facts.withdrawn_told is None:
        return (_BEGINNING,)
    came_back = facts.withdrawn_told_with == _D.WON
    order = DISPUTE_ORDER.index(facts.withdrawn_told_with)
    return (facts.withdrawn_told_at, order, -facts.withdrawn_told if came_back else facts.withdrawn_told)


def _fee(facts: DisputeFacts) -> tuple[Any, ...]:
    return (facts.fee_told_at or _BEGINNING, facts.fee_currency, facts.fee)

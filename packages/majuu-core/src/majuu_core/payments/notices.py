"""What a provider says about something that is not a charge, and how the services of this room answer.

webhooks/inbound_routes.py hands each kind of event to one function ``(Notice) -> Verdict``. The function runs its own
transactions, may be called any number of times for one event, and decides what the event is worth by ``trust``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from majuu_core.merchants.models import ProviderAccount
from majuu_core.providers import ProviderEvent, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One event. ``subject_id`` is the public id whose secret address it was sent to, "" for the account's own."""

    account: ProviderAccount
    event: ProviderEvent
    trust: Trust
    subject_id: str = ""
    topic: str = ""
    body: bytes = b""


class Ending(StrEnum):
    """How an event ends; the values are those of InboundWebhook.State."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    PARKED = "parked"
    WAITING = "received"  # no final truth yet: the message gets another turn


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one event ended, and why, for the console."""

    ending: Ending
    reason: str = ""


APPLIED = Verdict(Ending.APPLIED)


def parked(reason: str) -> Verdict:
    """A person has to look."""
    return Verdict(Ending.PARKED, reason)


def duplicate(reason: str) -> Verdict:
    """It says what is known already."""
    return Verdict(Ending.DUPLICATE, reason)


def waiting(reason: str) -> Verdict:
    """Not yet to be decided."""
    return Verdict(Ending.WAITING, reason)

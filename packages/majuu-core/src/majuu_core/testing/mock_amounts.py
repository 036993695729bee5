"""The amounts that make the "mock" payment method behave in a certain way: one table for code and documentation.

An amount counts in whole units of any currency: 7701 means KES 7701.00 as well as UGX 7701. Every other amount simply
succeeds. Seconds count from the creation of the charge, refund or payout, which is written in its public id.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from moneyed import Money

from majuu_core.providers.types import FailureCode, ResultStatus


class Trouble(StrEnum):
    """How a call goes wrong instead of being answered."""

    LOST = "lost"  # the answer never comes back
    NOT_SENT = "not sent"
    REJECTED = "rejected"
    BAD_CREDENTIALS = "bad credentials"
    RATE_LIMITED = "rate limited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What the mock provider does with one amount."""

    amount: int
    name: str
    description: str
    after: ResultStatus = ResultStatus.SUCCEEDED  # how it ends
    failure: FailureCode | None = None  # why, when it ends as FAILED
    before: ResultStatus = ResultStatus.PENDING  # what it is until then
    seconds: int | None = 0  # how long until then; None: for ever
    trouble: Trouble | None = None  # what the first call meets
    trouble_seconds: int | None = None  # how long it meets it; None: for ever
    completion: bool = False  # after the seconds the customer has approved, and complete() takes the money
    misreported: str = ""  # "amount" or "currency": what the provider reports wrongly
    dispute: str = ""  # "won", "lost" or "inquiry": what comes of it when the store answers


ORDINARY = Behaviour(amount=0, name="succeeds", description="Succeeds at once.")

_PENDING, _UNKNOWN = ResultStatus.PENDING, ResultStatus.UNKNOWN
_FAILED, _ACTION, _CANCELED = ResultStatus.FAILED, ResultStatus.REQUIRES_ACTION, ResultStatus.CANCELED


def _fails(amount: int, failure: FailureCode, description: str) -> Behaviour:
    return Behaviour(amount=amount, name=failure.value, description=description, after=_FAILED, failure=failure)


MAGIC_AMOUNTS: tuple[Behaviour, ...] = (
    _fails(7701, FailureCode.INSUFFICIENT_FUNDS, "Fails: not enough money."),
    _fails(7702, FailureCode.DECLINED, "Fails: declined."),
    _fails(7703, FailureCode.CUSTOMER_CANCELED, "Fails: the customer cancelled."),
    _fails(7704, FailureCode.AUTHENTICATION_FAILED, "Fails: wrong PIN."),
    _fails(7705, FailureCode.LIMIT_EXCEEDED, "Fails: above the customer's limit."),
    _fails(7706, FailureCode.INVALID_PAYMENT_METHOD, "Fails: the payment method cannot be used."),
    _fails(7707, FailureCode.PROCESSING_ERROR, "Fails: the provider had an error and says that nothing happened."),
    Behaviour(
        amount=7708,
        name="expired",
        description="Pending for 60 seconds, then fails: the customer did not answer.",
        after=_FAILED,
        failure=FailureCode.EXPIRED,
        seconds=60,
    ),
    Behaviour(
        amount=7711,
        name="redirect_succeeds",
        description="Asks for a redirect, succeeds after 5 seconds.",
        before=_ACTION,
        seconds=5,
    ),
    Behaviour(
        amount=7712,
        name="redirect_abandoned",
        description="Asks for a redirect, is cancelled after 5 seconds.",
        before=_ACTION,
        after=_CANCELED,
        seconds=5,
    ),
    Behaviour(
        amount=7713,
        name="redirect_completes",
        description="Asks for a redirect; after 5 seconds it is approved, and succeeds when it is completed.",
        before=_ACTION,
        seconds=5,
        completion=True,
    ),
    Behaviour(
        amount=7714,
        name="redirect_declined",
        description="Asks for a redirect; after 5 seconds it is approved, and is declined when it is completed.",
        before=_ACTION,
        after=_FAILED,
        failure=FailureCode.DECLINED,
        seconds=5,
        completion=True,
    ),
    Behaviour(amount=7721, name="pending_succeeds", description="Pending for 5 seconds, then succeeds.", seconds=5),
    Behaviour(
        amount=7722,
        name="pending_declined",
        description="Pending for 5 seconds, then fails: declined.",
        after=_FAILED,
        failure=FailureCode.DECLINED,
        seconds=5,
    ),
    Behaviour(amount=7723, name="pending_slow", description="Pending for an hour, then succeeds.", seconds=3600),
    Behaviour(amount=7724, name="pending_forever", description="Stays pending for ever.", seconds=None),
    Behaviour(
        amount=7731,
        name="lost_succeeded",
        description="The answer is lost for 5 seconds (OutcomeUnknown), but the money moved.",
        before=_UNKNOWN,
        seconds=5,
        trouble=Trouble.LOST,
        trouble_seconds=5,
    ),
    Behaviour(
        amount=7732,
        name="lost_failed",
        description="The answer is lost for 5 seconds (OutcomeUnknown), and the payment was declined.",
        before=_UNKNOWN,
        after=_FAILED,
        failure=FailureCode.DECLINED,
        seconds=5,
        trouble=Trouble.LOST,
        trouble_seconds=5,
    ),
    Behaviour(
        amount=7733,
        name="lost_forever",
        description="The answer is lost (OutcomeUnknown), and nobody ever finds out.",
        before=_UNKNOWN,
        seconds=None,
        trouble=Trouble.LOST,
    ),
    Behaviour(
        amount=7734,
        name="unknown_succeeds",
        description="Answers `unknown` for 30 seconds, then succeeds.",
        before=_UNKNOWN,
        seconds=30,
    ),
    Behaviour(
        amount=7735,
        name="unknown_fails",
        description="Answers `unknown` for 30 seconds, then fails: declined.",
        before=_UNKNOWN,
        after=_FAILED,
        failure=FailureCode.DECLINED,
        seconds=30,
    ),
    Behaviour(
        amount=7736, name="unknown_forever", description="Answers `unknown` for ever.", before=_UNKNOWN, seconds=None
    ),
    Behaviour(
        amount=7741,
        name="not_sent",
        description="The call never leaves (NotSent).",
        before=_UNKNOWN,
        seconds=None,
        trouble=Trouble.NOT_SENT,
    ),
    Behaviour(
        amount=7742,
        name="not_sent_then_succeeds",
        description="The call does not leave for 5 seconds (NotSent); after that it succeeds.",
        trouble=Trouble.NOT_SENT,
        trouble_seconds=5,
    ),
    Behaviour(
        amount=7743,
        name="rejected",
        description="The request is refused as wrong (RequestRejected).",
        before=_UNKNOWN,
        seconds=None,
        trouble=Trouble.REJECTED,
    ),
    Behaviour(
        amount=7744,
        name="rate_limited",
        description="Too many requests for 5 seconds (RateLimited); after that it succeeds.",
        trouble=Trouble.RATE_LIMITED,
        trouble_seconds=5,
    ),
    Behaviour(
        amount=7745,
        name="bad_credentials",
        description="The account's credentials are refused (InvalidCredentials).",
        before=_UNKNOWN,
        seconds=None,
        trouble=Trouble.BAD_CREDENTIALS,
    ),
    Behaviour(
        amount=7751,
        name="wrong_amount",
        description="Succeeds, but one unit less is reported.",
        misreported="amount",
    ),
    Behaviour(
        amount=7752,
        name="wrong_currency",
        description="Succeeds, but another currency is reported.",
        misreported="currency",
    ),
    Behaviour(
        amount=7761,
        name="disputed_won",
        description="Succeeds; disputed after 10 seconds, the money withdrawn. An answer wins after 60 seconds.",
        dispute="won",
    ),
    Behaviour(
        amount=7762,
        name="disputed_lost",
        description="Succeeds; disputed after 10 seconds, the money withdrawn. An answer loses after 60 seconds.",
        dispute="lost",
    ),
    Behaviour(
        amount=7763,
        name="inquiry",
        description="Succeeds; after 10 seconds an inquiry that withdraws nothing. It ends in the store's favour.",
        dispute="inquiry",
    ),
)

_BY_AMOUNT = MappingProxyType({Decimal(behaviour.amount): behaviour for behaviour in MAGIC_AMOUNTS})


def behaviour_for(money: Money) -> Behaviour:
    """What the mock provider does with this amount."""
    return _BY_AMOUNT.get(money.amount, ORDINARY)


def amount_named(name: str) -> int:
    """The magic amount with this name. Raises KeyError."""
    return {behaviour.name: behaviour.amount for behaviour in MAGIC_AMOUNTS}[name]


def amounts_as_markdown() -> str:
    """The table of docs/reference/mock-provider.md."""
    rows = [f"| {item.amount} | `{item.name}` | {item.description} |" for item in MAGIC_AMOUNTS]
    return "\n".join(["| amount | name | what happens |", "|---|---|---|", *rows])

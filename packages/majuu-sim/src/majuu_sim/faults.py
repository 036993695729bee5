"""Fault scripts: what one request to a simulated provider, and the events that follow from it, shall do differently.

A script speaks of four things every provider has: the customer's ``outcome``, the HTTP ``reply``, the ``event`` that
reports the result (callback, webhook) and later ``read`` requests (status queries). Each simulator says in its
documentation which outcomes it knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, cast

FOREVER = -1


class Reply(StrEnum):
    """How a request is answered. The ``accepted_*`` ones have done their work before they fail."""

    NORMAL = "normal"
    REFUSE_CONNECTION = "refuse_connection"  # closed before anything happened
    SERVER_ERROR = "server_error"  # 5xx, nothing happened
    SPIKE_ARREST = "spike_arrest"  # 429, nothing happened
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of a fault; the token dies and the request is refused
    LOCKED = "locked"  # the customer is busy with another request
    WAF_HTML = "waf_html"  # a firewall's HTML page, nothing happened
    ACCEPTED_ERROR = "accepted_error"  # done, then 5xx
    ACCEPTED_TIMEOUT = "accepted_timeout"  # done, socket held, then closed without an answer
    ACCEPTED_EMPTY = "accepted_empty"  # done, then 200 without a body
    ACCEPTED_HTML = "accepted_html"  # done, then an HTML page

    @property
    def commits(self) -> bool:
        """True when the provider does what was asked, whatever it answers."""
        return self is Reply.NORMAL or self.value.startswith("accepted_")


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultScript:
    """One deviation from the ordinary, JSON-able. Times are seconds of the simulator's clock unless said otherwise."""

    # The customer.
    outcome: str | None = None  # None: as the customer usually does
    answer_after: float | None = None  # None: the simulator's usual delay
    # The HTTP answer.
    reply: Reply = Reply.NORMAL
    reply_status: int | None = None  # another HTTP status for the faulty replies
    reply_delay: float = 0.0  # REAL seconds before the answer or, for accepted_timeout, before the socket closes
    token_dies_after: bool = False  # the access token is void once this request has been answered
    # The event that reports the result.
    event_lost: bool = False
    event_delay: float = 0.0
    event_before_reply: bool = False  # the customer answers at once, and the event is delivered before the HTTP answer
    event_out_of_order: bool = False  # held back until the next event of any payment has been delivered
    event_outcome: str | None = None  # the event claims this; the truth stays what it is
    event_amount: str | None = None  # the event claims this amount
    event_shape: str | None = None  # a variant of the body the simulator knows
    event_receiver: str | None = None  # the event names this receiver of the money
    notice_after: float | None = None  # a notice that it takes too long, so many seconds after the request
    validation_lost: bool = False  # the provider's question whether to take the money never arrives
    duplicates: int = 0  # further copies of the event
    duplicate_gap: float = 1.0
    stale_outcome: str | None = None  # an older, contradicting event delivered after the true one
    stale_after: float = 1.0
    forged: int = 0  # success events nobody at the provider sent, on the payment's own address
    forged_amount: str | None = None  # None: the amount that was asked
    forged_after: float = 0.0
    # Status queries, each a number of times (FOREVER = -1), in this order.
    read_unavailable: int = 0
    read_spike_arrest: int = 0
    read_missing: int = 0
    read_pending: int = 0
    read_outcome: str | None = None  # the query claims this; the truth stays what it is

    def __post_init__(self) -> None:
        """Refuse values of the wrong kind or sign with ValueError."""
        for spec in fields(self):
            _check_value(spec.name, getattr(self, spec.name))
        object.__setattr__(self, "reply", Reply(self.reply))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FaultScript:
        """A script out of JSON; ValueError names unknown fields and wrong values."""
        known = {spec.name for spec in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise ValueError(f"unknown fault field(s): {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """Only what differs from the ordinary."""
        return {name: value for name, value in asdict(self).items() if value != _USUAL[name]}

    def reads(self) -> dict[str, int]:
        """How often each kind of bad status query is still to come."""
        return {
            "unavailable": self.read_unavailable,
            "spike_arrest": self.read_spike_arrest,
            "missing": self.read_missing,
            "pending": self.read_pending,
        }


_COUNTS = {"read_unavailable", "read_spike_arrest", "read_missing", "read_pending"}
_WHOLE = {"duplicates", "forged"}
_FLAGS = {"token_dies_after", "event_lost", "event_before_reply", "event_out_of_order", "validation_lost"}
_SECONDS = {"reply_delay", "event_delay", "duplicate_gap", "stale_after", "forged_after"}
_AMOUNTS = {"event_amount", "forged_amount"}


def is_whole(value: object) -> bool:
    """True for an integer that is not a boolean: JSON's true is Python's 1."""
    return isinstance(value, int) and not isinstance(value, bool)


def _check_value(name: str, value: object) -> None:
    whole = is_whole(value)
    number = whole or isinstance(value, float)
    if name in _COUNTS:
        good = whole and cast(int, value) >= FOREVER
    elif name in _WHOLE:
        good = whole and 0 <= cast(int, value) <= 1000
    elif name in _FLAGS:
        good = isinstance(value, bool)
    elif name in _SECONDS or (name in ("answer_after", "notice_after") and value is not None):
        good = number and 0 <= cast(float, value) < float("inf")
    elif name == "reply":
        good = isinstance(value, str) and value in set(Reply)
    elif name == "reply_status":
        good = value is None or (whole and 200 <= cast(int, value) <= 599)
    elif name in _AMOUNTS:
        good = value is None or (isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 12)
    else:
        good = value is None or isinstance(value, str)
    if not good:
        raise ValueError(f"{name} cannot be {value!r}")


_ORDINARY = FaultScript()
_USUAL = asdict(_ORDINARY)

PRESETS: dict[str, FaultScript] = {
    "normal": _ORDINARY,
    "lost": FaultScript(event_lost=True),
    "late": FaultScript(event_delay=90),
    "duplicate": FaultScript(duplicates=1),
    "out_of_order": FaultScript(event_out_of_order=True),
    "stale_failure": FaultScript(stale_outcome="timeout"),
    "forged_success": FaultScript(outcome="cancel", forged=1),
    "forged_amount": FaultScript(forged=1, forged_amount="1"),
    "event_before_reply": FaultScript(event_before_reply=True),
    "wrong_amount": FaultScript(event_amount="1"),
    "disagree": FaultScript(outcome="cancel", event_outcome="pay"),
    "disagree_read": FaultScript(read_outcome="timeout"),
    "accepted_5xx": FaultScript(reply=Reply.ACCEPTED_ERROR),
    "timeout_after_commit": FaultScript(reply=Reply.ACCEPTED_TIMEOUT),
    "refuse_before_commit": FaultScript(reply=Reply.REFUSE_CONNECTION),
    "server_error": FaultScript(reply=Reply.SERVER_ERROR),
    "spike_arrest": FaultScript(reply=Reply.SPIKE_ARREST),
    "token_expired": FaultScript(reply=Reply.TOKEN_EXPIRED),
    "token_dies_after": FaultScript(token_dies_after=True),
    "locked": FaultScript(reply=Reply.LOCKED),
    "empty_body": FaultScript(reply=Reply.ACCEPTED_EMPTY),
    "html_body": FaultScript(reply=Reply.WAF_HTML),
    "html_after_commit": FaultScript(reply=Reply.ACCEPTED_HTML),
    "pending_then_final": FaultScript(read_pending=2),
    "read_unavailable": FaultScript(read_unavailable=3),
    "read_missing": FaultScript(read_missing=2),
    "read_spike_arrest": FaultScript(read_spike_arrest=1),
    "slow_customer": FaultScript(answer_after=45),
    "queue_timeout": FaultScript(notice_after=10, event_delay=60),
    "queue_timeout_lost": FaultScript(notice_after=10, event_lost=True),
    "queue_timeout_undone": FaultScript(outcome="system_busy", notice_after=10, event_lost=True),
    "wrong_shortcode": FaultScript(event_receiver="600999"),
    "validation_lost": FaultScript(validation_lost=True),
}


@dataclass(slots=True)
class FaultRule:
    """A script and the requests it is meant for."""

    script: FaultScript
    operation: str
    customer: str | None = None  # None: whoever comes next
    times: int = 1  # FOREVER: until reset

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "operation": self.operation,
            "customer": self.customer,
            "times": self.times,
            "script": self.script.to_dict(),
        }


@dataclass(slots=True)
class FaultQueue:
    """Scripts that wait for their request, first come first served."""

    rules: list[FaultRule] = field(default_factory=list)

    def add(self, rule: FaultRule) -> None:
        """Queue ``rule``; ValueError when ``times`` is neither positive nor FOREVER."""
        if not is_whole(rule.times) or (rule.times < 1 and rule.times != FOREVER):
            raise ValueError("times is a positive whole number, or -1 for every time")
        self.rules.append(rule)

    def take(self, operation: str, customer: str | None = None) -> FaultScript | None:
        """The first script for this request, used up once; None when there is none."""
        rule = self.find(operation, customer)
        if rule is None:
            return None
        self.use(rule)
        return rule.script

    def find(self, operation: str, customer: str | None = None) -> FaultRule | None:
        """The first rule for this request, not used up by that; None when there is none."""
        fitting = (rule for rule in self.rules if rule.operation == operation and rule.customer in (None, customer))
        return next(fitting, None)

    def use(self, rule: FaultRule) -> None:
        """Use a rule up once."""
        if rule.times == FOREVER:
            return
        rule.times -= 1
        if rule.times == 0:
            self.rules.remove(rule)

"""How well money that arrived by itself fits what a customer owes: 0 to 100, with the reasons.

Pure: no database, no clock. Evidence of five kinds is added up: what the payer typed, the amount, the phone, the
name, the time. Then rivals are compared: where two orders fit the same money, or two payments the same order, both
lose points, so that a high score always means that nothing else comes near.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from functools import cached_property

from majuu_core.payments import account_references
from majuu_core.payments.hidden_numbers import fits_holed_hash, hash_phone
from majuu_core.payments.similarity import NameLikeness, compare_names, email_words, name_words, slips
from majuu_core.payments.suggestion_reasons import NEAR_TIE, WITHOUT_IDENTITY, Reason, reason

_TELLING_LENGTH = 4  # shorter order numbers are typed by chance
_NEAR_LENGTH = 6
_VERY_NEAR_LENGTH = 9
_MOST_TWINS = 50
_PHONE_LENGTH = 9  # digits that name a subscriber, without country code and trunk zero
_FEE = Decimal("0.03")
_LARGEST_FEE = Decimal(110)
ROUNDINGS = (1, 5, 10, 50)
_CLOCKS_DIFFER = timedelta(minutes=10)
_TIMES = (
    (timedelta(minutes=30), "time_minutes"),
    (timedelta(hours=6), "time_hours"),
    (timedelta(days=1), "time_day"),
    (timedelta(days=7), "time_week"),
)
_OWN_NUMBER = frozenset({"reference_checked", "reference_exact", "reference_corrected"})
_IDENTIFIES = _OWN_NUMBER | {"reference_phone", "phone_same", "name_same"}
_HINTS = frozenset({"reference_digits", "reference_near", "phone_masked", "name_part"})  # two of them identify


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Money that arrived.

    ``named_orders`` are the orders its account reference names, as (store, canonical number), whatever their state;
    ``named_stores`` the stores whose ``prefix`` it begins with. ``prefix_is_certain``: the check character agrees.
    """

    key: uuid.UUID
    amount: Decimal
    currency: str
    occurred_at: datetime
    account_reference: str = ""
    payer_name: str = ""
    phone: str = ""
    phone_hash: str = ""
    phone_masked: str = ""
    named_orders: frozenset[tuple[uuid.UUID, str]] = frozenset()
    named_stores: frozenset[uuid.UUID] = frozenset()
    prefix: str = ""
    prefix_is_certain: bool = False

    @cached_property
    def readings(self) -> tuple[str, ...]:
        """What the payer may have meant by the account reference, the whole text first."""
        found = account_references.readings(self.account_reference)
        without = (text.removeprefix(self.prefix) for text in found) if self.prefix else ()
        return tuple(dict.fromkeys((*found, *filter(None, without))))

    @cached_property
    def subscriber(self) -> str:
        """The nine digits of the phone that paid; "" unless the provider says it plainly."""
        return subscriber(self.phone)

    @cached_property
    def typed_phone(self) -> str:
        """The nine digits, when the payer typed a phone number as the account reference."""
        return subscriber(self.account_reference)

    @cached_property
    def has_number(self) -> bool:
        """Whether the account reference holds a digit."""
        return any(map(str.isdigit, account_references.compact(self.account_reference)))

    @cached_property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """The payer's name, and the one they typed as the account, if it may be one."""
        typed = () if self.has_number else name_words(self.account_reference)
        return tuple(filter(None, (name_words(self.payer_name), typed)))


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a customer owes. ``phones`` are the order's and those of earlier attempts to pay it."""

    key: uuid.UUID
    store: uuid.UUID
    merchant: uuid.UUID | None = None
    amount: Decimal
    remaining: Decimal
    currency: str
    created_at: datetime
    prefix: str = ""
    reference: str = ""
    is_open: bool = True
    phones: tuple[str, ...] = ()
    name: str = ""
    email: str = ""

    @cached_property
    def order(self) -> str:
        """The order number, canonical."""
        return account_references.canonical(self.reference)

    @cached_property
    def full(self) -> str:
        """The account reference we would print, canonical."""
        return account_references.full_reference(self.prefix, self.reference) if self.order else ""

    @cached_property
    def digits(self) -> str:
        """The digits of the order number, if it has letters too; "" when they are too few to tell anything."""
        found = "".join(filter(str.isdigit, account_references.compact(self.reference)))
        return found if len(found) >= _TELLING_LENGTH and found != self.order else ""

    @cached_property
    def prefixed(self) -> str:
        """The same without its check character."""
        return self.full[:-1]

    @cached_property
    def subscribers(self) -> frozenset[str]:
        """The phones without country code: what names a subscriber."""
        return frozenset(filter(None, map(subscriber, self.phones)))

    @cached_property
    def phone_hashes(self) -> frozenset[str]:
        """SHA-256 of the phones as M-Pesa sends it."""
        return frozenset(hash_phone(f"254{digits}") for digits in self.subscribers)

    @cached_property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """The customer's name as the shop told it, or as the e-mail address says."""
        return tuple(filter(None, (name_words(self.name), email_words(self.email))))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """That this money pays that order. ``rival_gap`` is how far the next best is behind; None without another."""

    arrival: Arrival
    expectation: Expectation
    score: int
    reasons: tuple[Reason, ...] = field(default=())
    rival_gap: int | None = None


def subscriber(phone: str) -> str:
    """The nine digits that name a Kenyan subscriber; "" for what is no such phone number."""
    digits = "".join(character for character in phone if character.isascii() and character.isdigit())
    for start in ("00254", "254", "0"):
        if digits.startswith(start) and len(digits) == len(start) + _PHONE_LENGTH:
            return digits[len(start) :]
    return digits if len(digits) == _PHONE_LENGTH and digits[0] in "17" else ""


def fits_mask(mask: str, digits: str) -> bool:
    """Whether a number may stand behind ``2547 ***** 126``: what is seen of it, before and after the stars, agrees."""
    head, stars, tail = mask.replace(" ", "").partition("*")
    tail = tail.lstrip("*")
    seen = head + tail
    return bool(stars) and seen.isdigit() and len(seen) >= 5 and digits.startswith(head) and digits.endswith(tail)


def score_pair(arrival: Arrival, expectation: Expectation) -> Suggestion:
    """How well the money fits the order, rivals apart. Another currency never fits: 0."""
    if arrival.currency != expectation.currency:
        return Suggestion(arrival, expectation, 0)
    codes = {code for judge in _JUDGES if (code := judge(arrival, expectation))}
    if "phone_same" in codes:
        codes.discard("reference_phone")  # who pays from a phone and types its number tells one thing, not two
    reasons = sorted(map(reason, codes), key=lambda found: (-found.points, found.code))
    total = sum(found.points for found in reasons)
    if total > WITHOUT_IDENTITY and not codes & _IDENTIFIES and len(codes & _HINTS) < 2:
        reasons.append(Reason("identity_unknown", WITHOUT_IDENTITY - total))
        total = WITHOUT_IDENTITY
    return Suggestion(arrival, expectation, max(0, min(total, 100)), tuple(reasons))


def rank(found: Sequence[Suggestion]) -> list[Suggestion]:
    """Rival suggestions, the best first. Whoever has a rival near or ahead loses what is missing to NEAR_TIE points."""
    ordered = sorted(found, key=_order)
    return sorted((_against(one, _rival(one, ordered)) for one in ordered), key=_order)


def is_certain(suggestion: Suggestion, at_least: int) -> bool:
    """Whether it may be acted on without asking: the order is open, the score is reached, and no rival came near."""
    is_alone = suggestion.rival_gap is None or suggestion.rival_gap >= NEAR_TIE
    return is_alone and suggestion.expectation.is_open and suggestion.score >= at_least


def _order(one: Suggestion) -> tuple[int, uuid.UUID, uuid.UUID]:
    return -one.score, one.arrival.key, one.expectation.key


def _rival(one: Suggestion, ordered: Sequence[Suggestion]) -> int | None:
    """The score of the strongest rival. A twin is as strong as the suggestion itself."""
    others = [other for other in ordered if other is not one]
    best = max((other.score for other in others), default=None)
    is_certain_of_order = any(found.code in _OWN_NUMBER for found in one.reasons)
    if best is not None and not is_certain_of_order and any(_are_twins(one, other) for other in others[:_MOST_TWINS]):
        return max(best, one.score)
    return best


def _are_twins(one: Suggestion, other: Suggestion) -> bool:
    """Two orders of one customer over one amount: nothing but their numbers could tell them apart."""
    first, second = one.expectation, other.expectation
    if first.key == second.key or (first.store, first.remaining) != (second.store, second.remaining):
        return False
    if first.subscribers & second.subscribers or (first.email and first.email == second.email):
        return True
    likeness = (compare_names(left, right) for left in first.names for right in second.names)
    return max(likeness, default=NameLikeness.UNKNOWN) == NameLikeness.SAME


def _against(one: Suggestion, rival: int | None) -> Suggestion:
    if not rival:
        return one
    gap = one.score - rival
    lost = min(NEAR_TIE, max(0, NEAR_TIE - gap))
    reasons = (*one.reasons, Reason("ambiguous", -lost)) if lost else one.reasons
    return Suggestion(one.arrival, one.expectation, max(0, one.score - lost), reasons, gap)


def _judge_reference(arrival: Arrival, expectation: Expectation) -> str:
    if not arrival.readings:
        return ""
    found, is_whole = _same_reference(arrival, expectation)
    # A shop's own numbers may happen to begin with another's prefix: only the whole text is believed then.
    if _names_another_store(arrival, expectation) and (arrival.prefix_is_certain or not (found and is_whole)):
        return "reference_of_another_store"
    if found:
        return found
    if arrival.typed_phone in expectation.subscribers:
        return "reference_phone"
    if any(store == expectation.store for store, _ in arrival.named_orders):
        return "reference_of_another_order"
    if expectation.digits and expectation.digits in arrival.readings:
        return "reference_digits"
    if found := _near_reference(arrival, expectation):
        return found
    return "reference_other" if expectation.order and _looks_like_reference(arrival) else ""


def _names_another_store(arrival: Arrival, expectation: Expectation) -> bool:
    return bool(arrival.named_stores) and expectation.store not in arrival.named_stores


def _same_reference(arrival: Arrival, expectation: Expectation) -> tuple[str, bool]:
    """The evidence if this order's own reference was typed, and whether nothing else was."""
    if not expectation.order:
        return "", False
    long_enough = len(expectation.full) > _NEAR_LENGTH
    for text in arrival.readings:
        is_whole = text == arrival.readings[0]
        if text == expectation.full or (long_enough and text.startswith(expectation.full)):
            return "reference_checked", is_whole
        if text in (expectation.order, expectation.prefixed):
            return ("reference_exact" if len(expectation.order) >= _TELLING_LENGTH else "reference_short"), is_whole
    return "", False


def _near_reference(arrival: Arrival, expectation: Expectation) -> str:
    if len(expectation.full) > _NEAR_LENGTH and any(slips(text, expectation.full, 1) <= 1 for text in arrival.readings):
        return "reference_corrected"
    length = len(expectation.order)
    most = 2 if length >= _VERY_NEAR_LENGTH else 1 if length >= _NEAR_LENGTH else 0
    wanted = (expectation.order, expectation.prefixed)
    near = most and any(slips(text, one, most) <= most for text in arrival.readings for one in wanted)
    return "reference_near" if near else ""


def _looks_like_reference(arrival: Arrival) -> bool:
    return len(arrival.readings[0]) >= _TELLING_LENGTH and arrival.has_number and not arrival.typed_phone


def _judge_amount(arrival: Arrival, expectation: Expectation) -> str:
    paid, owed = arrival.amount, expectation.remaining
    if paid == owed:
        return "amount_exact"
    if owed < paid and any(paid == round_up(owed, unit) for unit in ROUNDINGS):
        return "amount_rounded"
    if paid == expectation.amount:
        return "amount_whole"
    if paid < owed and owed - paid <= min(_LARGEST_FEE, owed * _FEE):
        return "amount_less_fee"
    if slips(format(paid.normalize(), "f"), format(owed.normalize(), "f"), 1) == 1:
        return "amount_slip"
    return "amount_part" if paid < owed else "amount_other"


def _judge_phone(arrival: Arrival, expectation: Expectation) -> str:
    known = expectation.subscribers
    if not known:
        return ""
    if arrival.phone:
        return "phone_same" if arrival.subscriber in known else "phone_other"
    if arrival.phone_hash and "*" not in arrival.phone_hash:
        return "phone_same" if arrival.phone_hash.lower() in expectation.phone_hashes else "phone_other"
    holed = [fits_holed_hash(arrival.phone_masked, f"254{one}") for one in known]
    if None not in holed:
        return "phone_same" if any(holed) else "phone_other"
    if "*" in arrival.phone_masked:
        return "phone_masked" if any(fits_mask(arrival.phone_masked, f"254{one}") for one in known) else "phone_other"
    return ""


def _judge_name(arrival: Arrival, expectation: Expectation) -> str:
    pairs = ((told, known) for told in arrival.names for known in expectation.names)
    return _NAMES[max((compare_names(*pair) for pair in pairs), default=NameLikeness.UNKNOWN)]


def _judge_time(arrival: Arrival, expectation: Expectation) -> str:
    age = arrival.occurred_at - expectation.created_at
    if age < -_CLOCKS_DIFFER:
        return "time_before"
    return next((code for limit, code in _TIMES if age <= limit), "time_late")


def _judge_state(arrival: Arrival, expectation: Expectation) -> str:
    return "" if expectation.is_open else "order_closed"


_NAMES = {
    NameLikeness.UNKNOWN: "",
    NameLikeness.DIFFERENT: "name_other",
    NameLikeness.INITIALS: "name_initials",
    NameLikeness.PART: "name_part",
    NameLikeness.SAME: "name_same",
}
_JUDGES: tuple[Callable[[Arrival, Expectation], str], ...] = (
    _judge_reference,
    _judge_amount,
    _judge_phone,
    _judge_name,
    _judge_time,
    _judge_state,
)


def expectation_keys(expectation: Expectation) -> Iterator[tuple[str, object]]:
    """Under which keys an order is looked for: money that shares none of them is not compared with it."""
    amounts = {expectation.amount, expectation.remaining}
    amounts |= {round_up(expectation.remaining, unit) for unit in ROUNDINGS}
    yield from (("amount", (expectation.currency, amount)) for amount in amounts)
    for digits in expectation.subscribers:
        yield "phone", digits
        yield "hash", hash_phone(f"254{digits}")
    yield "text", expectation.prefixed
    yield "text", expectation.digits
    for text in {expectation.full, expectation.order} - {""}:
        yield from (("text", shortened) for shortened in _shortened(text))


def arrival_keys(arrival: Arrival) -> Iterator[tuple[str, object]]:
    """The keys money is compared under; of the kinds that ``expectation_keys`` has."""
    yield "amount", (arrival.currency, arrival.amount)
    yield "phone", arrival.subscriber
    yield "phone", arrival.typed_phone
    yield "hash", arrival.phone_hash.lower()
    for text in arrival.readings:
        yield from (("text", shortened) for shortened in _shortened(text))


def round_up(amount: Decimal, unit: int) -> Decimal:
    """The next whole multiple of ``unit``."""
    return (amount / unit).to_integral_value(ROUND_CEILING) * unit


def _shortened(text: str) -> Iterator[str]:
    """The text and, from six characters on, all that lack one of its own: texts one slip apart have one in common."""
    yield text
    if len(text) >= _NEAR_LENGTH:
        yield from (text[:at] + text[at + 1 :] for at in range(len(text)))

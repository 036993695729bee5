"""Reads Stripe's objects, as they come from the SDK or in an event, without ever trusting their shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from majuu_core.common.money import AmountError, Money
from majuu_core.common.redaction import redact
from majuu_core.providers import OutcomeUnknown
from majuu_stripe.currencies import from_stripe

Obj = dict[str, Any]

REFERENCE = "majuu_reference"  # in an object's metadata: our public id of what it was made for
ACCOUNT = "majuu_account"  # and of the provider account, where two Majuus share one Stripe account
FLOW = "majuu_flow"
ORDER = "majuu_order"
CHECKOUT, DIRECT = "checkout", "direct"  # a payment in Stripe's own page, or one that we confirm

# Names that look like secrets and are none.
_KEEP = frozenset({"payment_method_options", "setup_future_usage"})
_LARGEST_TIME = 253_402_300_799  # the end of the year 9999


def plain(value: Any) -> Any:
    """A copy of a decoded JSON value without floats: those become decimal texts."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, (float, Decimal)) else value


def shown(value: Obj) -> Obj:
    """The object as people may see it and as it is kept."""
    redacted: Obj = redact(plain(value), keep=_KEEP)
    return redacted


def inside(value: Any, *keys: str) -> Any:
    """What stands at the end of these keys; None when one of them is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text(value: Any, *keys: str) -> str:
    """The text there; "" for anything else."""
    found = inside(value, *keys)
    return found if isinstance(found, str) else ""


def whole(value: Any, *keys: str) -> int | None:
    """The whole number there; None for anything else, truth values among it."""
    found = inside(value, *keys)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def obj(value: Any, *keys: str) -> Obj:
    """The object there; an empty one for anything else, for an id that was not expanded above all."""
    found = inside(value, *keys)
    return dict(found) if isinstance(found, Mapping) else {}


def items(value: Any, *keys: str) -> Iterator[Obj]:
    """The objects of the list there, whether it is Stripe's list object or plain."""
    found = inside(value, *keys)
    found = found.get("data") if isinstance(found, Mapping) else found
    for item in found if isinstance(found, list) else ():
        if isinstance(item, Mapping):
            yield dict(item)


def id_of(value: Any, *keys: str) -> str:
    """The id there, whether the object was expanded or not; "" without one."""
    found = inside(value, *keys)
    return text(found, "id") if isinstance(found, Mapping) else found if isinstance(found, str) else ""


def moment(value: Any, *keys: str) -> datetime | None:
    """The time there, which Stripe counts in seconds."""
    seconds = whole(value, *keys)
    return None if seconds is None or not 0 < seconds <= _LARGEST_TIME else datetime.fromtimestamp(seconds, UTC)


def seconds_of(at: datetime) -> int:
    """A time as Stripe counts it."""
    return int(at.timestamp())


def money(value: Any, amount: str, currency: str = "currency") -> Money | None:
    """The amount under one name with the currency under another; None when it is not told.

    Raises OutcomeUnknown for a currency that we cannot read: what was paid must not be guessed.
    """
    number, code = whole(value, amount), text(value, currency)
    if number is None or not code:
        return None
    try:
        return from_stripe(number, code)
    except AmountError:
        raise OutcomeUnknown(f"Stripe names the currency {code[:8]!r}, which Majuu does not know") from None


def reference_of(value: Obj, prefix: str, account_id: str) -> str:
    """Our public id that the object carries, if it is of this kind ("" for any) and account; "" otherwise."""
    found = text(value, "metadata", REFERENCE)
    owner = text(value, "metadata", ACCOUNT)
    fits = found.startswith(f"{prefix}_") if prefix else bool(found)
    return found if fits and owner in ("", account_id) else ""

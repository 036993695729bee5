"""One account at Stripe as the modules here see it: its credentials, its API, and what every request shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from majuu_core.common import ids
from majuu_core.providers import SharedCache
from majuu_stripe.client import StripeApi
from majuu_stripe.credentials import StripeCredentials
from majuu_stripe.fields import ACCOUNT, FLOW, ORDER, REFERENCE, Obj, seconds_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of Stripe's metadata: 50 names, names of 40 characters, values of 500.
_MOST_METADATA, _LONGEST_NAME, _LONGEST_VALUE = 40, 40, 500
# How far from the id's own time an object may have been made that was asked for under that id.
_BEFORE, _AFTER = timedelta(minutes=5), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a request needs. Keeps nothing between calls."""

    account_id: str
    livemode: bool
    credentials: StripeCredentials
    api: StripeApi = field(repr=False)
    cache: SharedCache = field(repr=False)
    options: Mapping[str, str]

    @property
    def publishable_key(self) -> str:
        """For Stripe's own form in the customer's browser; "" when the account has none."""
        return self.credentials.publishable_key or ""

    def metadata(self, reference: str, more: Mapping[str, str] | None = None, *, flow: str = "") -> dict[str, str]:
        """What Stripe keeps beside an object, so that it can be found and told from other people's."""
        told = {name[:_LONGEST_NAME]: value[:_LONGEST_VALUE] for name, value in (more or {}).items() if value}
        kept = dict(list(told.items())[:_MOST_METADATA])
        return kept | {REFERENCE: reference, ACCOUNT: self.account_id} | ({FLOW: flow} if flow else {})

    def owns(self, found: Obj, reference: str) -> bool:
        """True when the object was made for this reference of this account."""
        metadata = found.get("metadata")
        told = metadata if isinstance(metadata, Mapping) else {}
        return told.get(REFERENCE) == reference and told.get(ACCOUNT) in (None, "", self.account_id)


def order_metadata(merchant_reference: str) -> dict[str, str]:
    """The shop's own order number, for people who look at Stripe's dashboard."""
    return {ORDER: merchant_reference[:_LONGEST_VALUE]} if merchant_reference else {}


def made_at(reference: str) -> datetime | None:
    """When a public id of ours was made; None for a text that is none."""
    try:
        number = ids.decode_id(reference.partition("_")[0], reference).int
    except ValueError:
        return None
    return _EPOCH + timedelta(milliseconds=number >> 80)


def window_around(reference: str) -> dict[str, int] | None:
    """When an object of ours can have been made at Stripe, as its lists want it; None for an id without a time."""
    at = made_at(reference)
    return None if at is None else {"gte": seconds_of(at - _BEFORE), "lte": seconds_of(at + _AFTER)}

"""Whose a charge is, where an event names only the charge: asked once, and remembered for all processes."""

from __future__ import annotations

from majuu_core.providers import RequestRejected
from majuu_stripe.account import Account
from majuu_stripe.errors import is_missing
from majuu_stripe.fields import reference_of

_REMEMBERED_SECONDS = 7 * 24 * 3600
_NOBODY = "-"


def owner_of_charge(account: Account, charge_id: str) -> str:
    """Our public id of the charge; "" for one that another system made in the same Stripe account.

    Raises what a request raises: then nobody knows, which is not the same as nobody's.
    """
    key = f"stripe-charge-{account.account_id}-{charge_id}"[:200]
    known = account.cache.get(key)
    if known is None:
        known = _ask(account, charge_id) or _NOBODY
        account.cache.set(key, known, seconds=_REMEMBERED_SECONDS)
    return "" if known == _NOBODY else known


def _ask(account: Account, charge_id: str) -> str:
    try:
        found = account.api.send(lambda v1: v1.charges.retrieve(charge_id))
    except RequestRejected as problem:
        if is_missing(problem):
            return ""
        raise
    return reference_of(found, "ch", account.account_id)

"""The environment names that people who use Stripe already have, as an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from majuu_core.providers import EnvironmentAccount, InvalidPaymentData, Violation
from majuu_stripe.credentials import SECRET_KEY

KEYS = ("STRIPE_SECRET_KEY", "STRIPE_API_KEY")  # the second is what Stripe's own command line reads
WEBHOOK_SECRET = "STRIPE_WEBHOOK_SECRET"  # noqa: S105 - a name
PUBLISHABLE_KEY = "STRIPE_PUBLISHABLE_KEY"


def read_environment(environ: Mapping[str, str]) -> EnvironmentAccount | None:
    """The account that the names describe; None when none of them is set. Raises InvalidPaymentData."""
    told = {
        name: value for name in (*KEYS, WEBHOOK_SECRET, PUBLISHABLE_KEY) if (value := environ.get(name, "").strip())
    }
    if not told:
        return None
    name = next((name for name in KEYS if name in told), None)
    if name is None:
        return EnvironmentAccount(livemode=False, credentials={}, used=tuple(told), missing=(KEYS[0],))
    match = SECRET_KEY.fullmatch(told[name])
    if match is None:
        message = f"{name} must begin with sk_test_, sk_live_, rk_test_ or rk_live_."
        raise InvalidPaymentData(Violation(code="secret_key_unknown", message=message, field=name))
    credentials: dict[str, Any] = {"secret_key": told[name]}
    if WEBHOOK_SECRET in told:
        credentials["webhook_secrets"] = told[WEBHOOK_SECRET].replace(",", " ").split()
    if PUBLISHABLE_KEY in told:
        credentials["publishable_key"] = told[PUBLISHABLE_KEY]
    used = tuple(one for one in told if one not in KEYS or one == name)
    return EnvironmentAccount(
        livemode=match[1] == "live", credentials=credentials, used=used, notes=tuple(_notes(told, name))
    )


def _notes(told: Mapping[str, str], name: str) -> list[str]:
    notes = []
    if WEBHOOK_SECRET not in told:
        notes.append(f"{WEBHOOK_SECRET} is not set: payments are followed by asking, until the endpoint is made.")
    if len(told.keys() & set(KEYS)) == 2:
        other = next(one for one in KEYS if one != name)
        notes.append(f"{other} is not read, because {name} is set.")
    return notes

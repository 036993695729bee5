"""The environment names that people who use M-Pesa already have, as an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from majuu_core.providers import EnvironmentAccount, InvalidPaymentData, Violation
from majuu_mpesa.credentials import MpesaCredentials

ENVIRONMENT = "MPESA_ENVIRONMENT"
CALLBACK_URL = "MPESA_CALLBACK_URL"
TILL_NUMBER = "MPESA_TILL_NUMBER"
# Field of the credentials by environment name.
NAMES: Mapping[str, str] = {
    "MPESA_CONSUMER_KEY": "consumer_key",
    "MPESA_CONSUMER_SECRET": "consumer_secret",
    "MPESA_SHORTCODE": "shortcode",
    "MPESA_PASSKEY": "passkey",
    "MPESA_B2C_INITIATOR_NAME": "initiator_name",
    "MPESA_B2C_INITIATOR_PASSWORD": "initiator_password",
}
_TEST = frozenset({"sandbox", "test", "testing", "dev", "development", "staging"})
_LIVE = frozenset({"production", "prod", "live"})


def read_environment(environ: Mapping[str, str]) -> EnvironmentAccount | None:
    """The account that the names describe; None when none of them is set. Raises InvalidPaymentData."""
    told = {
        name: value
        for name in (*NAMES, ENVIRONMENT, CALLBACK_URL, TILL_NUMBER)
        if (value := environ.get(name, "").strip())
    }
    if not told.keys() & NAMES.keys():
        return None
    fields = MpesaCredentials.model_fields
    credentials: dict[str, Any] = {
        field: told[name] for name, field in NAMES.items() if name in told and field in fields
    }
    if TILL_NUMBER in told:
        credentials |= {"kind": "till", "till_number": told[TILL_NUMBER]}
    return EnvironmentAccount(
        livemode=_livemode(told.get(ENVIRONMENT, "")),
        credentials=credentials,
        used=tuple(told),
        missing=tuple(
            name
            for name, field in NAMES.items()
            if field in fields and fields[field].is_required() and name not in told
        ),
        callback_url=told.get(CALLBACK_URL, ""),
        notes=_notes(told),
    )


def _livemode(environment: str) -> bool:
    word = environment.lower()
    if word in _LIVE:
        return True
    if word in _TEST or not word:
        return False
    message = f"{ENVIRONMENT} must be sandbox or production."
    raise InvalidPaymentData(Violation(code="environment_unknown", message=message, field=ENVIRONMENT))


def _notes(told: Mapping[str, str]) -> tuple[str, ...]:
    notes = []
    if ENVIRONMENT not in told:
        notes.append(f"{ENVIRONMENT} is not set, so this is an account for Safaricom's sandbox.")
    unknown = [name for name, field in NAMES.items() if name in told and field not in MpesaCredentials.model_fields]
    if unknown:
        notes.append(f"{' and '.join(unknown)} cannot be kept yet: this version sends no money out.")
    pair = ("MPESA_B2C_INITIATOR_NAME", "MPESA_B2C_INITIATOR_PASSWORD")
    if len(told.keys() & set(pair)) == 1:
        notes.append(f"Of {pair[0]} and {pair[1]} only one is set: payouts need both.")
    return tuple(notes)

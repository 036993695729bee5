"""The environment names that people who use PayPal already have, as an account."""

from __future__ import annotations

from collections.abc import Mapping

from majuu_core.providers import EnvironmentAccount, InvalidPaymentData, Violation

MODE = "PAYPAL_MODE"
# Field of the credentials by environment name.
NAMES: Mapping[str, str] = {
    "PAYPAL_CLIENT_ID": "client_id",
    "PAYPAL_CLIENT_SECRET": "client_secret",
    "PAYPAL_WEBHOOK_ID": "webhook_id",
}
_TEST = frozenset({"sandbox", "test", "testing", "dev", "development"})
_LIVE = frozenset({"live", "production", "prod"})


def read_environment(environ: Mapping[str, str]) -> EnvironmentAccount | None:
    """The account that the names describe; None when none of them is set. Raises InvalidPaymentData."""
    told = {name: value for name in (*NAMES, MODE) if (value := environ.get(name, "").strip())}
    if not told.keys() & NAMES.keys():
        return None
    notes = () if MODE in told else (f"{MODE} is not set, so this is an account for PayPal's sandbox.",)
    return EnvironmentAccount(
        livemode=_livemode(told.get(MODE, "")),
        credentials={field: told[name] for name, field in NAMES.items() if name in told},
        used=tuple(told),
        missing=tuple(name for name, field in NAMES.items() if name not in told and field != "webhook_id"),
        notes=notes,
    )


def _livemode(mode: str) -> bool:
    word = mode.lower()
    if word in _LIVE:
        return True
    if word in _TEST or not word:
        return False
    message = f"{MODE} must be sandbox or live."
    raise InvalidPaymentData(Violation(code="environment_unknown", message=message, field=MODE))

"""Where the providers are, as the environment says, and the demo's rate from shillings to dollars."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env


def provider_settings(env: Env) -> dict[str, dict[str, Any]]:
    """``MAJUU_PROVIDERS``. What is not set stays as the packages have it: the providers' own addresses."""
    return {
        "mpesa": {
            "test": _mpesa_test(env),
            "live": _given(env, callback_addresses="MAJUU_MPESA_LIVE_CALLBACK_ADDRESSES"),
        },
        "stripe": {"test": _given(env, base_url="MAJUU_STRIPE_TEST_URL")},
        "paypal": {"test": _paypal_test(env)},
    }


def demo_rate(text: str, *, debug: bool) -> Decimal | None:
    """Dollars for a shilling, so that PayPal can be tried with shillings; None without it, and on a real site.

    Raises ImproperlyConfigured for what is no rate.
    """
    if not text.strip() or not debug:
        return None
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or rate <= 0:
        raise ImproperlyConfigured("SANDBOX_DEMO_RATE must be dollars for one shilling, such as 0.0077.")
    return rate


def _mpesa_test(env: Env) -> dict[str, str]:
    # In test mode no money moves, and the truth is fetched whoever calls back: any address may.
    addresses = {"callback_addresses": env.str("MAJUU_MPESA_TEST_CALLBACK_ADDRESSES", default="*")}
    return addresses | _given(env, base_url="MAJUU_MPESA_TEST_URL")


def _mpesa_live(env: Env) -> dict[str, str]:
    return _given(env, callback_addresses="MAJUU_MPESA_LIVE_CALLBACK_ADDRESSES")


def _paypal_test(env: Env) -> dict[str, str]:
    """Another PayPal for test mode serves the certificates of its messages itself, from a root of its own."""
    found = _given(env, base_url="MAJUU_PAYPAL_TEST_URL", root_certificates="MAJUU_PAYPAL_TEST_ROOT_CERTIFICATES")
    return found | ({"certificate_origin": found["base_url"]} if "base_url" in found else {})


def _given(env: Env, **names: str) -> dict[str, str]:
    """The options whose variables are set."""
    return {option: value for option, name in names.items() if (value := str(env.str(name, default="")))}

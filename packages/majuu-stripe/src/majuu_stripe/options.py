"""The operator's settings for Stripe: where it is, and how long its payment page stays open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

API = "https://api.stripe.com"
FILES = "https://files.stripe.com"
DEFAULT_CHECKOUT_MINUTES = 60
# Stripe's own limits, less what a slow request may take.
SHORTEST_CHECKOUT, LONGEST_CHECKOUT = 35, 24 * 60 - 5


class OptionsError(ValueError):
    """A setting that cannot be used. The text names the setting and says what it may hold."""


def base_addresses(options: Mapping[str, str], *, livemode: bool) -> dict[str, str]:
    """Where requests and files go: Stripe's own hosts, or the options ``base_url`` and ``files_url``.

    With only ``base_url`` files go there too, so that what belongs to a simulator never reaches Stripe.
    """
    base = _address(options, "base_url", livemode)
    files = _address(options, "files_url", livemode) or base
    return {"api": base or API, "files": files or FILES}


def checkout_time(options: Mapping[str, str]) -> timedelta:
    """How long a payment page stays open: option ``checkout_minutes``."""
    found = str(options.get("checkout_minutes", "")).strip() or str(DEFAULT_CHECKOUT_MINUTES)
    minutes = int(found) if found.isascii() and found.isdigit() and len(found) < 6 else 0
    if not SHORTEST_CHECKOUT <= minutes <= LONGEST_CHECKOUT:
        raise OptionsError(f"checkout_minutes must be a whole number from {SHORTEST_CHECKOUT} to {LONGEST_CHECKOUT}")
    return timedelta(minutes=minutes)


def _address(options: Mapping[str, str], name: str, livemode: bool) -> str:
    url = str(options.get(name, "")).strip().rstrip("/")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise OptionsError(f"{name} must be an address such as {API}")
    if livemode and not url.startswith("https://"):
        raise OptionsError(f"{name} must start with https:// in live mode, or the key would travel in the clear")
    return url

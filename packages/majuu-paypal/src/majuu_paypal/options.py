"""The operator's settings for PayPal: where it is, and how far its messages are believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

SANDBOX = "https://api-m.sandbox.paypal.com"
PRODUCTION = "https://api-m.paypal.com"
SANDBOX_CERTIFICATES = "https://api.sandbox.paypal.com"
PRODUCTION_CERTIFICATES = "https://api.paypal.com"
SANDBOX_SIGNER = "messageverificationcerts.sandbox.paypal.com"
PRODUCTION_SIGNER = "messageverificationcerts.paypal.com"
OFFLINE, ONLINE = "offline", "online"
# PayPal sends a message that was not taken again for three days.
DEFAULT_TOLERANCE = 3 * 86_400 + 6 * 3600
_LONGEST_BRAND = 127


class OptionsError(ValueError):
    """A setting that cannot be used. The text names the setting and says what it may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How messages are verified."""

    certificate_origins: frozenset[str]  # scheme, host and port that certificates may come from
    signer: str  # the name that a certificate must have
    root_certificates: str  # path of a PEM file; "" for DigiCert's roots from the trust store
    online: bool
    tolerance: timedelta


def base_url(options: Mapping[str, str], *, livemode: bool) -> str:
    """PayPal's address without a trailing slash: option ``base_url``, or PayPal's own for the mode."""
    url = options.get("base_url", "").strip() or (PRODUCTION if livemode else SANDBOX)
    found = origin(url)
    if not found:
        raise OptionsError("base_url must be an address such as https://api-m.paypal.com")
    if livemode and not found.startswith("https://"):
        raise OptionsError("base_url must start with https:// in live mode, or the keys would travel in the clear")
    return url.rstrip("/")


def verification(options: Mapping[str, str], *, livemode: bool) -> Verification:
    """How messages are verified, by the options ``certificate_origin``, ``root_certificates``,
    ``webhook_verification`` and ``webhook_tolerance_seconds``. Raises OptionsError."""
    return Verification(
        certificate_origins=_origins(options, livemode),
        signer=PRODUCTION_SIGNER if livemode else SANDBOX_SIGNER,
        root_certificates=options.get("root_certificates", "").strip(),
        online=_online(options),
        tolerance=timedelta(seconds=_seconds(options)),
    )


def brand_name(options: Mapping[str, str]) -> str:
    """The name that customers see on PayPal's pages; "" for the account's own."""
    return options.get("brand_name", "").strip()[:_LONGEST_BRAND]


def origin(url: str) -> str:
    """``https://host`` or ``https://host:port`` of an address; "" for anything that is no plain web address."""
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or parts.password is not None:
        return ""
    usual = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")


def _origins(options: Mapping[str, str], livemode: bool) -> frozenset[str]:
    own = PRODUCTION_CERTIFICATES if livemode else SANDBOX_CERTIFICATES
    extra = options.get("certificate_origin", "").strip()
    if not extra:
        return frozenset({own})
    if livemode:
        raise OptionsError("certificate_origin is for simulators; a live account takes PayPal's certificates only")
    found = origin(extra)
    if not found:
        raise OptionsError("certificate_origin must be an address such as http://127.0.0.1:8102")
    return frozenset({own, found})


def _online(options: Mapping[str, str]) -> bool:
    how = options.get("webhook_verification", "").strip() or OFFLINE
    if how not in {OFFLINE, ONLINE}:
        raise OptionsError("webhook_verification must be offline or online")
    return how == ONLINE


def _seconds(options: Mapping[str, str]) -> int:
    told = options.get("webhook_tolerance_seconds", "").strip()
    if not told:
        return DEFAULT_TOLERANCE
    if not (told.isascii() and told.isdigit() and 60 <= int(told[:9]) <= 30 * 86_400):
        raise OptionsError("webhook_tolerance_seconds must be a number from 60 to 2592000")
    return int(told)

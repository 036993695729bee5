"""The operator's settings for M-Pesa: where Daraja is, and which addresses its callbacks may come from."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

SANDBOX = "https://sandbox.safaricom.co.ke"
PRODUCTION = "https://api.safaricom.co.ke"

# The addresses Safaricom publishes for callbacks. They can change, so an operator may set others.
CALLBACK_ADDRESSES: tuple[str, ...] = (
    *("196.201.214.200", "196.201.214.206", "196.201.214.207", "196.201.214.208", "196.201.213.114", "196.201.213.44"),
    *("196.201.212.127", "196.201.212.138", "196.201.212.129", "196.201.212.136", "196.201.212.74", "196.201.212.69"),
)

_ANY = "*"
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class OptionsError(ValueError):
    """A setting that cannot be used. The text names the setting and says what it may hold."""


def base_url(options: Mapping[str, str], *, livemode: bool) -> str:
    """Daraja's address without a trailing slash: option ``base_url``, or Safaricom's own for the mode."""
    url = options.get("base_url", "").strip() or (PRODUCTION if livemode else SANDBOX)
    scheme = web_scheme(url)
    if scheme is None:
        raise OptionsError("base_url must be an address such as https://api.safaricom.co.ke")
    if livemode and scheme != "https":
        raise OptionsError("base_url must start with https:// in live mode, or the keys would travel in the clear")
    return url.rstrip("/")


def web_scheme(url: str) -> str | None:
    """``http`` or ``https`` for an address that names a host, None for anything else."""
    try:
        parts = urlsplit(url)
        return parts.scheme if parts.scheme in {"http", "https"} and parts.hostname else None
    except ValueError:
        return None


def may_send_callbacks(address: str, options: Mapping[str, str], *, livemode: bool) -> bool:
    """True when a callback may come from this address: option ``callback_addresses``, or Safaricom's published list.

    The option is a comma-separated list of addresses and networks; ``*`` means any and is refused in live mode.
    Raises OptionsError for a list that cannot be read.
    """
    allowed = _networks(options.get("callback_addresses", "").strip() or ",".join(CALLBACK_ADDRESSES), livemode)
    if allowed is None:
        return True
    try:
        sender = ipaddress.ip_address(address.strip())
    except ValueError:
        return False
    if isinstance(sender, ipaddress.IPv6Address) and sender.ipv4_mapped:
        sender = sender.ipv4_mapped
    return any(sender in network for network in allowed)


def _networks(text: str, livemode: bool) -> list[_Network] | None:
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if _ANY in entries:
        if livemode:
            raise OptionsError('callback_addresses must not be "*" in live mode: list the addresses of Safaricom')
        return None
    try:
        return [ipaddress.ip_network(entry) for entry in entries]
    except ValueError as problem:
        raise OptionsError(f"callback_addresses must be addresses separated by commas: {problem}") from None

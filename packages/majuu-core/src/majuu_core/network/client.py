"""Where a request comes from, through the proxies that MAJUU_TRUSTED_PROXIES names and no others."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest

from majuu_core.common.client_address import client_address
from majuu_core.configuration import trusted_proxies

_FORWARDED = "HTTP_X_FORWARDED_FOR"
_PROTOCOL = "HTTP_X_FORWARDED_PROTO"


def address_of(request: HttpRequest) -> str:
    """The caller's address; "" when the server does not know it."""
    return client_address(request.META.get("REMOTE_ADDR", ""), request.META.get(_FORWARDED, ""), trusted_proxies())


def settle_client(request: HttpRequest) -> None:
    """Let REMOTE_ADDR be the caller's address, for us and for every library that reads it.

    What a caller says about itself is not believed: where trusted proxies are configured, X-Forwarded-Proto counts
    from those alone.
    """
    trusted = trusted_proxies()
    if not trusted:
        return
    peer = request.META.get("REMOTE_ADDR", "")
    if not _is_within(peer, trusted):
        request.META.pop(_PROTOCOL, None)
        return
    request.META["REMOTE_ADDR"] = client_address(peer, request.META.get(_FORWARDED, ""), trusted)


def _is_within(text: str, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    found = getattr(address, "ipv4_mapped", None) or address
    return any(found in network for network in networks if network.version == found.version)

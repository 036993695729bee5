"""Where a request really came from: the nearest address that is not one of our own proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(remote_addr: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The right-most address of X-Forwarded-For that no trusted proxy holds.

    Without a trusted peer the header is worthless, anybody can write it: then ``remote_addr`` is the answer. A header
    entry that is no address ends the search at the last good one.
    """
    address = _parse(remote_addr)
    if address is None:
        return remote_addr
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    while hops and any(address in network for network in trusted if network.version == address.version):
        found = _parse(hops.pop())
        if found is None:
            break
        address = found
    return str(address)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address

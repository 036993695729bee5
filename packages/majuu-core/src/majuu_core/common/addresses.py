"""Where we may connect to when somebody else chose the address: the public internet and nothing else.

A shop's webhook address is such a choice. A request to it leaves from inside our network, so addresses of our own
machine, our network, or a cloud's metadata service are refused after the name was resolved. Whoever connects must
connect to the very address that was checked: then a name that changes its answer in between gains nothing.

Special-purpose ranges: IANA registries for IPv4 and IPv6 (RFC 6890 and its updates).
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_REFUSED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers; also a cloud's metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's host agent, on a public-looking address
        "169.254.0.0/16",  # link-local; most clouds' metadata service
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Global unicast is 2000::/3. Everything outside it is refused: loopback, link-local, unique local, multicast,
# IPv4-mapped and -compatible addresses, and the NAT64 prefixes, behind which an IPv4 address hides.
_UNICAST_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, among them Teredo, which also carries an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


class AddressRefused(OSError):
    """The address is not on the public internet."""


def is_public_address(address: str | IPv4Address | IPv6Address) -> bool:
    """True for an address on the public internet. Anything that is not an IP address is not one."""
    if isinstance(address, str):
        try:
            address = ip_address(address)
        except ValueError:
            return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    if address.scope_id is not None or address not in _UNICAST_V6:
        return False
    return not any(address in network for network in _REFUSED_V6)


def literal_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address a host is, when it is one in any spelling the system's resolver takes (``127.1``, ``0x7f000001``)."""
    host = host.strip("[]").rstrip(".")
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host)) if host[:1].isdigit() else None
    except (OSError, ValueError):
        return None

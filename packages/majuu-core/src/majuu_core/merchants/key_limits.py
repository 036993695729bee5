"""Where a key may be used from (addresses and networks, IPv4 and IPv6) and how much: what can be entered."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence

from majuu_core.common.client_address import Network
from majuu_core.merchants.errors import InvalidInput
from majuu_core.providers.types import Violation

MAX_NETWORKS = 50
MOST_A_MINUTE = 100_000
MOST_A_MONTH = 2_000_000_000


def checked_networks(entries: Collection[str]) -> list[str]:
    """The networks as they are stored: each once, in order, a single address without its prefix length.

    Raises InvalidInput, naming the first entry that is no address and no network.
    """
    if isinstance(entries, str) or len(entries) > MAX_NETWORKS:
        raise _invalid(f"Give a list of at most {MAX_NETWORKS} addresses and networks.")
    found: dict[str, None] = {}
    for entry in entries:
        try:
            network = ipaddress.ip_network(str(entry).strip())
        except ValueError:
            example = "such as 196.201.214.0/24 or 2001:db8::/48"
            raise _invalid(f'"{str(entry)[:64]}" is not an address or a network {example}.') from None
        found[_written(network)] = None
    return list(found)


def checked_rate_limit(value: int | None) -> int | None:
    """Requests a minute, or None. Raises InvalidInput."""
    return _checked_number("rate_limit", value, MOST_A_MINUTE)


def checked_quota(value: int | None) -> int | None:
    """Requests a month, or None. Raises InvalidInput."""
    return _checked_number("monthly_quota", value, MOST_A_MONTH)


def parse_networks(entries: Sequence[str]) -> tuple[Network, ...]:
    """The stored networks, ready to be compared with."""
    return tuple(ipaddress.ip_network(entry) for entry in entries)


def is_inside(address: str, networks: Sequence[Network]) -> bool:
    """True when one of the networks holds the address. What is no address is in no network."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in networks)  # another version's network never holds it


def _written(network: Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _invalid(message: str) -> InvalidInput:
    return InvalidInput(Violation(code="invalid_address", message=message, field="allowed_addresses"))


def _checked_number(field: str, value: object, most: int) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most):
        return value
    raise InvalidInput(Violation(code="out_of_range", message=f"Use a whole number from 1 to {most}.", field=field))

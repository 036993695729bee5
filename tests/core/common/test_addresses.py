"""Which addresses somebody else may make us connect to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common.addresses import is_public_address, literal_address

PRIVATE_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
PRIVATE_V6 = [
    "::/128",
    "::1/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
]


@given(network=st.sampled_from(PRIVATE_V4), bits=st.integers(0, 2**32 - 1))
def test_no_address_of_a_special_ipv4_range_is_public(network: str, bits: int) -> None:
    """given any address of a special range / when it is checked / then it is refused, as text and as an address."""
    found = IPv4Network(network)
    address = IPv4Address(int(found.network_address) | (bits & int(found.hostmask)))

    assert not is_public_address(address)
    assert not is_public_address(str(address))


@given(network=st.sampled_from(PRIVATE_V6), bits=st.integers(0, 2**128 - 1))
def test_no_address_of_a_special_ipv6_range_is_public(network: str, bits: int) -> None:
    """given any address of a special range / when it is checked / then it is refused."""
    found = IPv6Network(network)
    address = IPv6Address(int(found.network_address) | (bits & int(found.hostmask)))

    assert not is_public_address(address)


@given(st.ip_addresses(v=4))
def test_every_address_called_public_is_also_global_to_python(address: IPv4Address) -> None:
    """given any IPv4 address / when we call it public / then Python's own table does not call it private."""
    assert not (is_public_address(address) and address.is_private)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_hidden_in_ipv6_is_never_public(address: IPv4Address) -> None:
    """given any IPv4 address, public or not / when it is wrapped in IPv6 / then it is refused."""
    hidden = int(address)
    for wrapped in (
        IPv6Address(0xFFFF << 32 | hidden),  # IPv4-mapped
        IPv6Address(hidden),  # IPv4-compatible
        IPv6Address(0x64FF9B << 96 | hidden),  # NAT64
        IPv6Address(0x2002 << 112 | hidden << 80),  # 6to4
    ):
        assert not is_public_address(wrapped)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "196.201.214.200", "2606:4700:4700::1111", "2c0f:fe38::1"])
def test_ordinary_addresses_are_public(address: str) -> None:
    """given an address of the public internet / when it is checked / then it is taken."""
    assert is_public_address(address)


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fe80::1%eth0", "2606:4700::1%1"),
        *("", "localhost", "example.com", "1.1.1", "1.1.1.1 ", "999.1.1.1"),
    ],
)
def test_metadata_services_scoped_addresses_and_nonsense_are_not_public(address: str) -> None:
    """given a cloud's metadata address, or something that is no address / when it is checked / then it is refused."""
    assert not is_public_address(address)


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("0x7f.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("10.1", "10.0.0.1"),
        ("[::1]", "::1"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
    ],
)
def test_odd_spellings_of_an_address_are_understood(host: str, meant: str) -> None:
    """given a host that is an address in another spelling / when it is read / then it is the address it means."""
    found = literal_address(host)

    assert found is not None
    assert found == type(found)(meant)


@pytest.mark.parametrize("host", ["shop.example", "1and1.example", "x", "", "0xshop.example", "1.2.3.4.5"])
def test_names_are_not_addresses(host: str) -> None:
    """given a name / when it is read / then it is no address."""
    assert literal_address(host) is None

"""Whose request it is: proxies are believed only when they are ours."""

from __future__ import annotations

import ipaddress

import pytest

from majuu_core.common.client_address import client_address

OURS = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "expected"),
    [
        ("196.201.214.200", "", OURS, "196.201.214.200"),
        ("6.6.6.6", "196.201.214.200", OURS, "6.6.6.6"),  # not our proxy: the header is worthless
        ("10.0.0.1", "196.201.214.200", OURS, "196.201.214.200"),
        ("10.0.0.1", "196.201.214.200, 6.6.6.6", OURS, "6.6.6.6"),  # what the client wrote is on the left
        ("10.0.0.1", "6.6.6.6, 196.201.214.200, 10.0.0.2", OURS, "196.201.214.200"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", OURS, "10.0.0.3"),  # only our own: the farthest of them
        ("10.0.0.1", "nonsense", OURS, "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, nonsense", OURS, "10.0.0.1"),
        ("10.0.0.1", "", OURS, "10.0.0.1"),
        ("10.0.0.1", "196.201.214.200", [], "10.0.0.1"),
        ("::ffff:10.0.0.1", "196.201.214.200", OURS, "196.201.214.200"),
        ("fd00::1", "2001:db8::7", OURS, "2001:db8::7"),
        ("10.0.0.1", " , ,196.201.214.200 ,", OURS, "196.201.214.200"),
        ("unix:", "196.201.214.200", OURS, "unix:"),
    ],
)
def test_the_nearest_address_that_is_not_ours(
    remote: str, forwarded: str, trusted: list[ipaddress.IPv4Network], expected: str
) -> None:
    assert client_address(remote, forwarded, trusted) == expected

from __future__ import annotations

import pytest

from majuu_mpesa.options import CALLBACK_ADDRESSES, OptionsError, base_url, may_send_callbacks


def test_the_mode_decides_the_host_unless_the_operator_says_otherwise() -> None:
    assert base_url({}, livemode=False) == "https://sandbox.safaricom.co.ke"
    assert base_url({"base_url": " "}, livemode=True) == "https://api.safaricom.co.ke"
    assert base_url({"base_url": "http://127.0.0.1:9000/"}, livemode=False) == "http://127.0.0.1:9000"


@pytest.mark.parametrize("url", ["daraja", "ftp://daraja.test", "http://", "https://[::1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(OptionsError, match="base_url must be an address"):
        base_url({"base_url": url}, livemode=False)


def test_live_keys_never_travel_in_the_clear() -> None:
    with pytest.raises(OptionsError, match="https"):
        base_url({"base_url": "http://api.safaricom.co.ke"}, livemode=True)


@pytest.mark.parametrize("livemode", [True, False])
@pytest.mark.parametrize("address", CALLBACK_ADDRESSES)
def test_the_published_addresses_are_the_default(address: str, livemode: bool) -> None:
    assert may_send_callbacks(address, {}, livemode=livemode)
    assert may_send_callbacks(f"::ffff:{address}", {"callback_addresses": ""}, livemode=livemode)


def test_there_are_twelve_published_addresses() -> None:
    assert len(set(CALLBACK_ADDRESSES)) == 12


@pytest.mark.parametrize("address", ["196.201.214.201", "127.0.0.1", "::1", "", "unknown", "196.201.214.200, 10.0.0.1"])
def test_nobody_else_may_call(address: str) -> None:
    assert not may_send_callbacks(address, {}, livemode=False)


def test_an_own_list_replaces_the_default_and_may_hold_networks() -> None:
    options = {"callback_addresses": "127.0.0.1, 10.1.0.0/16,"}

    assert may_send_callbacks("127.0.0.1", options, livemode=True)
    assert may_send_callbacks("10.1.200.3", options, livemode=True)
    assert not may_send_callbacks(CALLBACK_ADDRESSES[0], options, livemode=True)


def test_any_address_is_for_tests_only() -> None:
    assert may_send_callbacks("203.0.113.9", {"callback_addresses": "*"}, livemode=False)
    with pytest.raises(OptionsError, match="live mode"):
        may_send_callbacks(CALLBACK_ADDRESSES[0], {"callback_addresses": f"{CALLBACK_ADDRESSES[0]},*"}, livemode=True)


def test_a_list_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(OptionsError, match="separated by commas"):
        may_send_callbacks("127.0.0.1", {"callback_addresses": "127.0.0.1 10.0.0.1"}, livemode=False)

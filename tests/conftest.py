"""What holds for every test: no network beyond this machine, tables that can be emptied, nothing known beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_socket import socket_allow_hosts

from majuu_core.testing.database import let_tests_flush

let_tests_flush()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked ``postgresql`` on any other database; begin with what is slow.

    Whoever of several processes is done takes over what others have not begun: the slow ones must not come last.
    """
    from django.db import connection

    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    if connection.vendor == "postgresql":
        return
    for item in items:
        if item.get_closest_marker("postgresql"):
            item.add_marker(pytest.mark.skip(reason=f"needs PostgreSQL; this run is on {connection.vendor}"))


@pytest.fixture(autouse=True)
def _only_this_machine() -> None:
    """Connections go to the loopback interface or nowhere. pytest-socket lifts this again after each test."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture
def custodian(settings: Any) -> None:
    """This site holds money for others: wallets, and what lies at the platform's account."""
    settings.MAJUU_CUSTODIAL = True
    settings.MAJUU_TRUST_ACCOUNTS = {"kcb": {"name": "Majuu Trust", "bank": "KCB Bank"}}


@pytest.fixture(autouse=True)
def _ledger_knows_no_accounts() -> Iterator[None]:
    """Accounts that one test committed are gone in the next."""
    from majuu_core.ledger.services import forget_known_accounts

    forget_known_accounts()
    yield
    forget_known_accounts()


@pytest.fixture(autouse=True)
def _rates_start_anew() -> Iterator[None]:
    """What one test did is not too often in the next."""
    from majuu_core.merchants.key_addresses import seen_addresses
    from majuu_core.merchants.key_quota import quota_takings
    from majuu_core.merchants.key_usage import usage_buffer
    from majuu_core.throttling.counters import forget_everything_here, forget_everything_shared

    forget_everything_shared()  # what a run before this one has left, too
    yield
    forget_everything_here()
    usage_buffer.forget()
    seen_addresses.forget()
    quota_takings.forget()

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from majuu_core.common import clock
from tests.matrix.cells import CELLS, table
from tests.matrix.two_shops import TwoShops


@pytest.fixture(scope="module")
def shops(django_db_setup: None, django_db_blocker: Any) -> Iterator[TwoShops]:
    """Mine and the other one, made once for all requests of a module; each request is undone."""
    custodial = {"MAJUU_CUSTODIAL": True, "MAJUU_TRUST_ACCOUNTS": {"kcb": {"name": "Trust", "bank": "KCB Bank"}}}
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # as TestCase does, so that durable blocks open
    still = clock.use_clock(clock.VirtualClock(clock.now()))
    with django_db_blocker.unblock(), override_settings(**custodial), still, block:
        yield TwoShops()
        transaction.set_rollback(True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--matrix", action="store_true", help="print routes × actors at the end")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many cells were checked; with --matrix, which."""
    if CELLS and config.getoption("--matrix", default=False):
        for line in table():
            terminalreporter.write_line(line)

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.testing.people import sign_in
from tests.core.console.world import World, make_staff


@pytest.fixture
def world(db, virtual_clock) -> World:
    """One of everything."""
    return World().add()


@pytest.fixture(scope="module")
def first_world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One of everything, made once in a transaction around a module's tests. For ``shared_world``."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # as TestCase does, so that durable blocks open
    with django_db_blocker.unblock(), use_clock(VirtualClock()), block:
        yield World().add()
        transaction.set_rollback(True)


@pytest.fixture
def shared_world(first_world: World, db, virtual_clock) -> World:
    """``world`` for modules with many tests that all want it: to make it takes longer than most of them.

    What a test changes is undone, and its objects are copies. The mock provider forgets nothing in between.
    """
    return deepcopy(first_world)


@pytest.fixture
def superuser_client(db) -> Client:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, make_staff(superuser=True))
    return client


@pytest.fixture
def staff_client(db):
    """Call it with permissions for the client of a member of staff who has just these."""

    def make(*permissions: str) -> Client:
        client = Client()
        sign_in(client, make_staff(*permissions))
        return client

    return make

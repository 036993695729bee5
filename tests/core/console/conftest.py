from __future__ import annotations

import pytest
from django.test import Client

from majuu_core.testing.people import sign_in
from tests.core.console.world import World, make_staff


@pytest.fixture
def world(db, virtual_clock) -> World:
    """One of everything."""
    return World().add()


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

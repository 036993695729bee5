"""A business with one member for each role, a stranger who owns another, and their browsers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from majuu_core.merchants.services import add_member
from majuu_core.testing.factories import make_merchant, make_store, make_user
from majuu_core.testing.people import sign_in

ROLES = ("owner", "developer", "finance", "viewer")


class Business:
    """What the tests look at."""

    def __init__(self) -> None:
        self.people: dict[str, Any] = {role: make_user(email=f"{role}@duka.example") for role in ROLES}
        self.people["stranger"] = make_user(email="owner@elsewhere.example")
        self.merchant = make_merchant(owner=self.people["owner"])
        for role in ROLES[1:]:
            add_member(merchant=self.merchant, user=self.people[role], role=role)
        self.elsewhere = make_merchant(name="Elsewhere", owner=self.people["stranger"])
        self.store = make_store(merchant=self.merchant)
        for person in self.people.values():
            EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)

    def url(self, name: str, *args: str) -> str:
        return reverse(f"dashboard:{name}", args=[self.merchant.public_id, *args])

    def browser(self, who: str, **how: Any) -> Client:
        client = Client()
        sign_in(client, self.people[who], **how)
        return client


@pytest.fixture
def business(db: None) -> Iterator[Business]:
    cache.clear()
    yield Business()
    cache.clear()

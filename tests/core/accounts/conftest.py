from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache

from majuu_core.testing.factories import make_user


@pytest.fixture(autouse=True)
def _nothing_was_tried_yet() -> None:
    """allauth counts in the cache."""
    cache.clear()


@pytest.fixture
def somebody(db) -> Any:
    """A person with a confirmed address and without a second factor."""
    user = make_user()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user

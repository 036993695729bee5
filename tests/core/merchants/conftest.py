"""Every test of this room starts with empty caches, and audit entries can be put in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models.signals import post_save

from majuu_core.audit.models import AuditEntry
from majuu_core.merchants.key_cache import key_cache
from tests.core.merchants.support import written


@pytest.fixture(autouse=True)
def _empty_caches() -> Iterator[None]:
    key_cache.clear()
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _written_entries() -> Iterator[None]:
    def note(instance: AuditEntry, **kwargs: Any) -> None:
        written.append(instance.pk)

    post_save.connect(note, sender=AuditEntry)
    yield
    post_save.disconnect(note, sender=AuditEntry)
    written.clear()

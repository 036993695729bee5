"""Databases from before the first release that have run only some of the migrations which one has replaced since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def check_replaced_migrations(
    app_configs: Sequence[Any] | None = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """majuu.E006: Django would leave such a migration out without a word. Asked by ``migrate``, before it begins."""
    return [
        Error(
            f"The database {alias!r} has run only some of the migrations that {app}.{name} replaces.",
            hint="Bring it up to date with the version of Majuu it was made with, or make it anew.",
            id="majuu.E006",
        )
        for alias in databases or ()
        for app, name in _half_replaced(alias)
    ]


def _half_replaced(alias: str) -> Iterator[tuple[str, str]]:
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    for key, migration in sorted(MigrationLoader(None).disk_migrations.items()):
        done = [replaced in applied for replaced in migration.replaces]
        if key[0].startswith("majuu_") and key not in applied and any(done) and not all(done):
            yield key

"""The database as it was, again and again: a thousand examples that commit for real, and nothing to clean up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from django.db import connection, transaction

from majuu_core.ledger.services import forget_known_accounts


class Rewind(Protocol):
    """Brings the database back to the moment it was made."""

    def start(self) -> None:
        """Before an example: the database is as it was."""

    def stop(self) -> None:
        """After an example."""


class _Copy:
    """SQLite in memory: a copy of the whole database, written back in a fraction of a millisecond."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._copy = sqlite3.connect(":memory:")
        connection.connection.backup(self._copy)

    def start(self) -> None:
        forget_known_accounts()
        self._copy.backup(connection.connection)

    def stop(self) -> None:
        self.start()


class _RolledBack:
    """Elsewhere: a transaction around the example, as Django's TestCase has it."""

    def __init__(self) -> None:
        self._around: transaction.Atomic | None = None

    def start(self) -> None:
        self.stop()
        forget_known_accounts()
        self._around = transaction.atomic()
        self._around._from_testcase = True  # type: ignore[attr-defined]
        self._around.__enter__()

    def stop(self) -> None:
        around, self._around = self._around, None
        if around is not None:
            transaction.set_rollback(True)
            around.__exit__(None, None, None)


@contextmanager
def rewinding() -> Iterator[Rewind]:
    """A rewind to this very moment; the database is as it is now when the block ends."""
    rewind: Rewind = _Copy() if connection.vendor == "sqlite" else _RolledBack()
    try:
        yield rewind
    finally:
        rewind.stop()

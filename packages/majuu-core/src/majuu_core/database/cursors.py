"""Cursors for statements whose text is always the same."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def statement_cursor(connection: BaseDatabaseWrapper) -> AbstractContextManager[Any]:
    """A cursor for a text with ``%s`` places and no other percent sign.

    Errors, query logs and execution wrappers work as with Django's own. On PostgreSQL the driver is spared the
    analysis of the text, which it repeats at every execution when the text is long.
    """
    if connection.vendor != "postgresql":
        return connection.cursor()
    from majuu_core.database.cursors_postgresql import NumberedCursor  # imports the driver

    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw: Any = NumberedCursor(connection.connection)
    return connection.make_debug_cursor(raw) if connection.queries_logged else connection.make_cursor(raw)

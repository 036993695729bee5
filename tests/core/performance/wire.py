"""Counts round trips to PostgreSQL as libpq itself sees them: BEGIN and COMMIT included, however they are sent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection


@dataclass
class Wire:
    """What went over the connection; filled when the block ends."""

    round_trips: int = 0
    lines: list[str] = field(default_factory=list)


@contextmanager
def watch_wire() -> Iterator[Wire]:
    """Record what the connection of this thread exchanges with the server while the block runs."""
    connection.ensure_connection()
    libpq = connection.connection.pgconn
    wire = Wire()
    with tempfile.TemporaryFile() as file:
        libpq.trace(file.fileno())
        try:
            yield wire
        finally:
            libpq.untrace()
            file.seek(0)
            wire.lines = file.read().decode(errors="replace").splitlines()
            wire.round_trips = sum("ReadyForQuery" in line for line in wire.lines)

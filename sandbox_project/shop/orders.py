"""The shop's own records, in SQLite: its orders, and every event that Majuu told it."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, product TEXT NOT NULL, amount TEXT NOT NULL, state TEXT NOT NULL,
    payment_intent TEXT UNIQUE, payment_url TEXT, receipt TEXT, reason TEXT, ordered_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY, type TEXT NOT NULL, payment_intent TEXT, copies INTEGER NOT NULL, received_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS refused (reason TEXT PRIMARY KEY, times INTEGER NOT NULL);
"""
# Events may come late, twice and in any order: a paid order never becomes unpaid again by an older one.
_MOVES = {
    "payment_intent.requires_action": ("waiting", ("new", "failed", "waiting")),
    "payment_intent.payment_failed": ("failed", ("new", "waiting", "failed")),
    "payment_intent.canceled": ("canceled", ("new", "waiting", "failed")),
    "payment_intent.succeeded": ("paid", ("new", "waiting", "failed", "canceled", "paid")),
}


class Orders:
    """Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._open() as database:
            database.executescript(_TABLES)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock, closing(sqlite3.connect(self._path, timeout=20)) as database, database:
            database.row_factory = sqlite3.Row
            yield database

    def add(self, order_id: str, product: str, amount: str) -> None:
        """A new order; nothing happens when it is there already (the button was pressed twice)."""
        with self._open() as database:
            database.execute(
                "INSERT OR IGNORE INTO orders (id, product, amount, state, ordered_at) VALUES (?, ?, ?, 'new', ?)",
                (order_id, product, amount, time.time()),
            )

    def remember_intent(self, order_id: str, intent: dict[str, Any]) -> None:
        """Write down which payment intent pays an order."""
        with self._open() as database:
            database.execute(
                "UPDATE orders SET payment_intent = ?, payment_url = ? WHERE id = ?",
                (intent["id"], intent["payment_url"], order_id),
            )

    def take_event(self, webhook_id: str, event: dict[str, Any]) -> bool:
        """Apply a verified event. False when it came before: its id is kept, so its effect happens once."""
        event_type, charge = str(event.get("type", "")), _part(event, "charge")
        intent_id = str(_part(event, "payment_intent").get("id") or charge.get("payment_intent") or "")
        with self._open() as database:
            seen = database.execute("UPDATE events SET copies = copies + 1 WHERE id = ?", (webhook_id,)).rowcount
            if seen:
                return False
            database.execute(
                "INSERT INTO events (id, type, payment_intent, copies, received_at) VALUES (?, ?, ?, 1, ?)",
                (webhook_id, event_type, intent_id or None, time.time()),
            )
            _move_order(database, event_type, intent_id)
            if charge:
                _note_charge(database, charge)
        return True

    def count_refused(self, reason: str) -> None:
        """A message that did not prove where it came from."""
        with self._open() as database:
            database.execute(
                "INSERT INTO refused VALUES (?, 1) ON CONFLICT (reason) DO UPDATE SET times = times + 1",
                (reason[:100],),
            )

    def list_orders(self, limit: int = 8) -> list[dict[str, Any]]:
        """The latest orders, newest first."""
        return self._rows("SELECT * FROM orders ORDER BY ordered_at DESC LIMIT ?", limit)

    def list_events(self, limit: int = 8) -> list[dict[str, Any]]:
        """The latest verified events, newest first."""
        return self._rows("SELECT * FROM events ORDER BY received_at DESC, id DESC LIMIT ?", limit)

    def list_refused(self) -> list[dict[str, Any]]:
        """Why messages were refused, and how often."""
        return self._rows("SELECT * FROM refused ORDER BY reason LIMIT ?", 20)

    def find(self, order_id: str) -> dict[str, Any] | None:
        """One order."""
        found = self._rows("SELECT * FROM orders WHERE id = ?", order_id)
        return found[0] if found else None

    def _rows(self, query: str, argument: Any) -> list[dict[str, Any]]:
        with self._open() as database:
            return [dict(row) for row in database.execute(query, (argument,))]


def _part(event: dict[str, Any], name: str) -> dict[str, Any]:
    """The object an event is about; empty when it is about something else."""
    data = event.get("data")
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _move_order(database: sqlite3.Connection, event_type: str, intent_id: str) -> None:
    if event_type not in _MOVES:
        return
    state, before = _MOVES[event_type]
    marks = ", ".join("?" * len(before))
    database.execute(
        f"UPDATE orders SET state = ? WHERE payment_intent = ? AND state IN ({marks})",  # noqa: S608 - question marks
        (state, intent_id, *before),
    )


def _note_charge(database: sqlite3.Connection, charge: dict[str, Any]) -> None:
    """Keep what an attempt to pay ended with: its receipt number, or why it failed."""
    reason = (charge.get("failure") or {}).get("message")
    database.execute(
        "UPDATE orders SET receipt = COALESCE(?, receipt), reason = ? WHERE payment_intent = ?",
        (charge.get("receipt"), reason, charge.get("payment_intent")),
    )


def as_json(value: Any) -> bytes:
    """JSON for whoever watches the shop."""
    return json.dumps(value).encode()

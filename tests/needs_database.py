"""A pytest plugin for the runs on PostgreSQL and MariaDB: leaves out the tests that touch no database, and the browser.

Loaded with ``-p tests.needs_database`` by ``scripts/run_tests.py``. SQLite has run everything by then.
"""

from __future__ import annotations

from unittest import TestCase

import pytest

DATABASE_FIXTURES = frozenset(
    "db transactional_db django_db_reset_sequences django_db_serialized_rollback"
    " live_server admin_user admin_client".split()
)


def needs_database(item: pytest.Item) -> bool:
    """Whether a test is marked ``django_db`` or ``postgresql``, asks for a database fixture, or is a TestCase."""
    if item.get_closest_marker("browser"):
        return False  # what a page looks like does not depend on the database
    if item.get_closest_marker("django_db") or item.get_closest_marker("postgresql"):
        return True
    if DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
        return True
    owner = getattr(item, "cls", None)
    # hypothesis makes a plain unittest.TestCase of a state machine; only the others are sure to touch no database.
    return isinstance(owner, type) and issubclass(owner, TestCase)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that need a database and report the number of the others as deselected."""
    left_out = [item for item in items if not needs_database(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if needs_database(item)]

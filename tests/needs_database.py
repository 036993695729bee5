"""A pytest plugin for the runs on PostgreSQL and MariaDB: leaves out what touches no database, browser tests, ``once``.

Loaded with ``-p tests.needs_database`` by ``scripts/run_tests.py``. SQLite has run everything by then. PostgreSQL,
where races are won and lost, runs all that touches the database. MariaDB shows that core's statements, guards and
migrations mean the same there: provider packages and the sandbox write through core alone, and what is slow is so by
its size.
"""

from __future__ import annotations

from pathlib import Path
from unittest import TestCase

import pytest

DATABASE_FIXTURES = frozenset(
    "db transactional_db django_db_reset_sequences django_db_serialized_rollback"
    " live_server admin_user admin_client".split()
)


CORE = Path(__file__).parent / "core"


def says_nothing_new_on_mariadb(item: pytest.Item) -> bool:
    """Whether a test is slow, or is not one of core's."""
    return item.get_closest_marker("slow") is not None or CORE not in item.path.parents


def needs_database(item: pytest.Item) -> bool:
    """Whether a test is marked ``django_db`` or ``postgresql``, asks for a database fixture, or is a TestCase."""
    if item.get_closest_marker("browser") or item.get_closest_marker("once"):
        return False  # neither what a page looks like nor what these show depends on the database
    if item.get_closest_marker("django_db") or item.get_closest_marker("postgresql"):
        return True
    if DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
        return True
    owner = getattr(item, "cls", None)
    # hypothesis makes a plain unittest.TestCase of a state machine; only the others are sure to touch no database.
    return isinstance(owner, type) and issubclass(owner, TestCase)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that this run is for and report the number of the others as deselected."""
    from django.db import connection

    on_mariadb = connection.vendor == "mysql"
    kept = [item for item in items if needs_database(item) and not (on_mariadb and says_nothing_new_on_mariadb(item))]
    left_out = set(items) - set(kept)
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = kept

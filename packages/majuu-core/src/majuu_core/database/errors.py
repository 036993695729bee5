"""What a database error means, said the same way for PostgreSQL, SQLite and MariaDB."""

from __future__ import annotations

from django.db import DatabaseError, IntegrityError

_MARIADB_DUPLICATE = (1062, 1586)


def is_unique_violation(error: DatabaseError) -> bool:
    """True when a unique constraint or primary key already had such a row; False for every other refusal."""
    if not isinstance(error, IntegrityError):
        return False
    if error.args and isinstance(error.args[0], int):
        return error.args[0] in _MARIADB_DUPLICATE
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    if sqlstate is not None:
        return bool(sqlstate == "23505")
    # Our guards against INSERT OR REPLACE on SQLite speak in the same words (operations.py).
    return str(error).startswith("UNIQUE constraint failed")


def names_constraint(error: DatabaseError, *names: str) -> bool:
    """True when the error's text has one of these names: of a constraint, or of a column on SQLite."""
    text = " ".join(str(argument) for argument in error.args)
    return any(name in text for name in names)

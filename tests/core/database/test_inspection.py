from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, models

from majuu_core.audit.models import AuditEntry
from majuu_core.database.inspection import constraint_problems, guard_problems
from majuu_core.database.operations import AppendOnly, CompositeForeignKey, VendorSQL
from majuu_core.events.models import HandlerRun

pytestmark = pytest.mark.django_db


def test_what_migrations_installed_is_there() -> None:
    assert list(guard_problems(connection, [AppendOnly(AuditEntry._meta.db_table)])) == []
    assert list(constraint_problems(connection, [HandlerRun, AuditEntry])) == []


def test_what_was_never_installed_is_missing() -> None:
    kind = "constraint" if connection.vendor != "sqlite" else "trigger"
    suffix = "" if connection.vendor != "sqlite" else "_insert"
    key = CompositeForeignKey("majuu_test_key", "a_table", ("x", "y"), "b_table", ("id", "y"))

    missing = list(guard_problems(connection, [AppendOnly("a_table"), key]))

    assert f"{kind} majuu_test_key{suffix} is missing" in missing
    assert any(message.startswith("trigger a_table_") for message in missing)


def test_statements_that_create_nothing_are_passed_over() -> None:
    everywhere = {vendor: ["SELECT 1"] for vendor in ("postgresql", "sqlite", "mysql")}

    assert list(guard_problems(connection, [VendorSQL(forwards=everywhere, backwards=everywhere)])) == []


def test_missing_constraints_of_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    extra: list[Any] = [models.UniqueConstraint(fields=["state"], name="majuu_test_once")]
    monkeypatch.setattr(HandlerRun._meta, "constraints", [*HandlerRun._meta.constraints, *extra])
    monkeypatch.setitem(HandlerRun._meta.get_field("attempts").__dict__, "unique", True)

    assert list(constraint_problems(connection, [HandlerRun])) == [
        "constraint majuu_test_once of majuu_events_handlerrun is missing",
        "column attempts of majuu_events_handlerrun is not unique",
    ]

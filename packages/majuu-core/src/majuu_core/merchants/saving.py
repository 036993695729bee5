"""Validate, then write: what every service of this room does with a new or changed row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction

from majuu_core.merchants.errors import InvalidInput
from majuu_core.providers.types import Violation


def insert_row(row: models.Model) -> None:
    """Validate and insert. Raises InvalidInput, also when a unique constraint was lost to somebody faster."""
    try:
        row.full_clean()
        with transaction.atomic():
            row.save(force_insert=True)
    except ValidationError as problem:
        raise InvalidInput(*_violations(problem)) from None
    except IntegrityError:
        raise InvalidInput(Violation(code="already_exists", message="There is one like this already.")) from None


def update_row(row: models.Model, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Set, validate and save only these fields. Returns what changed, as {field: [before, after]}.

    Raises InvalidInput. A row that already is as wanted is not written.
    """
    before = {name: getattr(row, name) for name in values}
    changes = {name: [_plain(before[name]), _plain(value)] for name, value in values.items() if before[name] != value}
    for name in changes:
        setattr(row, name, values[name])
    try:
        row.full_clean()
        if changes:
            with transaction.atomic():
                row.save(update_fields=list(changes))
    except ValidationError as problem:
        raise InvalidInput(*_violations(problem)) from None
    except IntegrityError:
        raise InvalidInput(Violation(code="already_exists", message="There is one like this already.")) from None
    return changes


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, bool, list)) else str(value)


def _violations(problem: ValidationError) -> list[Violation]:
    return [
        Violation(
            code=error.code or "invalid",
            message=" ".join(error.messages),
            field="" if field == NON_FIELD_ERRORS else field,
        )
        for field, errors in problem.error_dict.items()
        for error in errors
    ]

"""Adding to a row of counters that may not exist yet, in one statement and one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connections, models, router


def add_to_counters(model: type[models.Model], *, unique: Mapping[str, Any], add: Mapping[str, int]) -> None:
    """Add to the columns of the row that these unique columns name; it is made with these values when it is missing.

    ``unique`` are the columns of one unique constraint. Every other column of the model needs a default.
    """
    using = router.db_for_write(model)
    connection = connections[using]
    row = model(**unique, **add)
    fields = [field for field in model._meta.concrete_fields if getattr(field, "column", None)]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    quote = connection.ops.quote_name
    table, columns = quote(model._meta.db_table), ", ".join(quote(str(field.column)) for field in fields)
    counters = [quote(str(model._meta.get_field(name).column)) for name in add]  # type: ignore[union-attr]
    places = ", ".join(["%s"] * len(fields))
    if connection.vendor == "mysql":
        sums = ", ".join(f"{name} = {name} + VALUES({name})" for name in counters)
        ending = f"ON DUPLICATE KEY UPDATE {sums}"
    else:
        target = ", ".join(quote(str(model._meta.get_field(name).column)) for name in unique)  # type: ignore[union-attr]
        sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in counters)
        ending = f"ON CONFLICT ({target}) DO UPDATE SET {sums}"
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places}) {ending}"  # noqa: S608 - names of models
    with connection.cursor() as cursor:
        cursor.execute(statement, values)

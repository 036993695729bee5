"""Several writes as one: a single statement on PostgreSQL, one transaction elsewhere.

A hot job writes to four or five tables. Statement by statement that is as many round trips; on PostgreSQL a batch sends
them together as data-modifying common table expressions, which commit or fail as one. Elsewhere the same writes run
one after another inside ``atomic()``.

Rules of PostgreSQL that callers keep: no two writes of a batch touch the same row, and no write reads what another one
of the same batch wrote. Foreign keys are checked at the end, so parents and children may come together; elsewhere the
order counts, so parents come first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, connections, models, router, transaction

from majuu_core.database.errors import is_unique_violation
from majuu_core.database.writes import Insert, UnexpectedRowCount, Update, Write, unexpected

__all__ = ["UnexpectedRowCount", "WriteBatch"]


class WriteBatch:
    """Collects inserts and updates, then writes them together. Used once."""

    def __init__(self) -> None:
        self._guard: models.Model | None = None
        self._writes: list[Write] = []
        self._absent: set[tuple[type[models.Model], Any]] = set()
        self._callbacks: list[Callable[[], object]] = []

    def insert_guard(self, instance: models.Model) -> None:
        """This row first; if a unique constraint already has its like, nothing at all is written."""
        if self._guard is not None:
            raise ValueError("a batch has one guard")
        self._guard = instance

    def insert(self, *instances: models.Model) -> None:
        """Insert the rows. Every field is written; defaults that the database would compute are not supported.

        An automatic primary key is given by the database and not read back: use rows with keys of their own where you
        need them afterwards.
        """
        self._writes.extend(Insert(instance) for instance in instances)

    def insert_if_absent(self, *instances: models.Model) -> None:
        """Insert the rows unless a unique constraint already has them. Naming one row twice is the same as once."""
        for instance in instances:
            if (type(instance), instance.pk) not in self._absent:
                if instance.pk is not None:
                    self._absent.add((type(instance), instance.pk))
                self._writes.append(Insert(instance, ignore_conflicts=True))

    def update(
        self,
        model: type[models.Model],
        pk: Any,
        values: Mapping[str, Any],
        *,
        where: Mapping[str, Any] | None = None,
        version: str | None = None,
    ) -> None:
        """Update one row by primary key, if it also matches ``where`` (plain column equality, None meaning NULL).

        With a ``version`` (see ``row_version``; PostgreSQL only) only while nobody has changed the row since.
        """
        if not values:
            raise ValueError("an update changes at least one column")
        self._writes.append(Update(model, pk, values, where or {}, version))

    def when_committed(self, callback: Callable[[], object]) -> None:
        """Call this once what the batch wrote is committed; never when it was refused or rolled back."""
        self._callbacks.append(callback)

    def __len__(self) -> int:
        return len(self._writes) + (self._guard is not None)

    def execute(self) -> bool:
        """Write everything or nothing. False when the guard row was there already.

        Raises UnexpectedRowCount when an update found no row, and the database's own errors.
        """
        if not len(self):
            return True
        using = router.db_for_write(self._any_model())
        together = connections[using].vendor == "postgresql"
        written = self._execute_together(using) if together else self._execute_one_by_one(using)
        if written:
            for callback in self._callbacks:
                transaction.on_commit(callback, using=using)
        return written

    def _any_model(self) -> type[models.Model]:
        if self._guard is not None:
            return type(self._guard)
        first = self._writes[0]
        return type(first.instance) if isinstance(first, Insert) else first.model

    def _execute_one_by_one(self, using: str) -> bool:
        with transaction.atomic(using=using):
            if self._guard is not None and not _insert_unless_present(self._guard, using):
                return False
            for write in self._writes:
                _write_by_orm(write, using)
        return True

    def _execute_together(self, using: str) -> bool:
        from majuu_core.database.batch_postgresql import write_together  # imports the driver

        return write_together(connections[using], self._guard, self._writes)


def _write_by_orm(write: Write, using: str) -> None:
    if isinstance(write, Update):
        if write.version is not None:
            raise ValueError("row versions exist on PostgreSQL only")
        manager = write.model._base_manager.using(using)
        # MariaDB counts changed rows, not found ones: a lock and a look first give the same answer everywhere.
        if not manager.filter(pk=write.pk, **write.where).select_for_update().exists():
            raise unexpected(write)
        manager.filter(pk=write.pk).update(**write.values)
    elif write.ignore_conflicts:
        _insert_unless_present(write.instance, using)
    else:
        write.instance.save(using=using, force_insert=True)


def _insert_unless_present(instance: models.Model, using: str) -> bool:
    # INSERT IGNORE would also swallow what is wrong with the row, so only "it is there already" is let pass.
    try:
        with transaction.atomic(using=using):
            instance.save(using=using, force_insert=True)
    except IntegrityError as error:
        if not is_unique_violation(error):
            raise
        return False
    return True

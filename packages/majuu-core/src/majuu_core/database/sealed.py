"""Columns that hold encrypted values: declared once, sealed and opened here, re-encrypted together when keys rotate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models, transaction

from majuu_core.common.crypto import Cipher, DecryptionError
from majuu_core.configuration import encryption_keys

_CHUNK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedColumn:
    """A text column whose values are encrypted for one purpose and bound to their row.

    ``model`` is "app_label.Model". ``bound_to`` gives the text that names the row for good (its public id): a value
    copied to another row does not open. ``after_reseal`` is called in the transaction that re-encrypted a row.
    """

    model: str
    column: str
    purpose: str
    bound_to: Callable[[Any], str]
    after_reseal: Callable[[Any], None] | None = None

    def seal(self, row: models.Model, plaintext: bytes) -> str:
        """The value to store for this row, encrypted with the newest key."""
        return self._cipher().encrypt(plaintext, bound_to=self.bound_to(row))

    def open(self, row: models.Model) -> bytes:
        """What the row holds. Raises DecryptionError."""
        return self.open_value(getattr(row, self.column), bound_to=self.bound_to(row))

    def open_value(self, value: str, *, bound_to: str) -> bytes:
        """What a stored value holds. Raises DecryptionError."""
        return self._cipher().decrypt(value, bound_to=bound_to)

    def reseal(self) -> ResealReport:
        """Encrypt anew, with the newest key, every value that an older one made. Safe to repeat and to interrupt."""
        report = ResealReport(column=self)
        rows = list(self.outdated()[:_CHUNK])
        while rows:
            for row in rows:
                try:
                    report.resealed += self._reseal_row(row)
                except DecryptionError:
                    report.unreadable.append(self.bound_to(row))
            rows = list(self.outdated().filter(pk__gt=rows[-1].pk)[:_CHUNK])
        return report

    def outdated(self) -> models.QuerySet[Any]:
        """The rows whose value was not made with the newest key."""
        rows: models.QuerySet[Any] = apps.get_model(self.model)._base_manager.order_by("pk")
        return rows.exclude(**{self.column: ""}).exclude(**{f"{self.column}__startswith": self._cipher().mark})

    def _reseal_row(self, row: models.Model) -> int:
        old = getattr(row, self.column)
        sealed = self.seal(row, self.open(row))
        with transaction.atomic():
            # Whoever stored another value meanwhile has sealed it with the newest key: it stays.
            unchanged = type(row)._base_manager.filter(pk=row.pk, **{self.column: old})
            changed = unchanged.update(**{self.column: sealed})
            if changed and self.after_reseal is not None:
                self.after_reseal(row)
        return changed

    def _cipher(self) -> Cipher:
        return Cipher(encryption_keys(), self.purpose)


@dataclass(slots=True, kw_only=True)
class ResealReport:
    """What re-encrypting one column did. ``unreadable`` names rows whose key is gone or whose value was changed."""

    column: SealedColumn
    resealed: int = 0
    unreadable: list[str] = field(default_factory=list)


_columns: dict[tuple[str, str], SealedColumn] = {}


def register_sealed_column(column: SealedColumn) -> SealedColumn:
    """Let key rotation know of a column. Call it from the app's ``ready()``. Twice the same is fine."""
    key = (column.model.lower(), column.column)
    if _columns.setdefault(key, column) is not column:
        raise ValueError(f"{column.model}.{column.column} is registered twice")
    return column


def sealed_columns() -> Iterator[SealedColumn]:
    """All registered columns."""
    return iter(tuple(_columns.values()))

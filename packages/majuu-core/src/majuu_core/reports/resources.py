"""How lines of a statement are imported: django-import-export's resource, fed with pieces of a file.

The reader gives typed values, row by row; a data set holds one piece of them. Rows end as new, update, skip or invalid,
and an invalid one names its columns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from import_export import fields, instance_loaders, resources, widgets
from tablib import Dataset

from majuu_core.common.storable import storable
from majuu_core.providers import StatementLine
from majuu_core.reports.days import SKEW, day_of
from majuu_core.reports.models import Settlement, SettlementLine

Key = tuple[str, str, str]
Row = Mapping[str, Any]
PIECE = 500  # rows of a data set: compared and written at once
_KEY = ("receipt", "kind", "direction")
_COMPARED = ("amount", "currency", "fee", "balance_after", "occurred_at")
_TOLD = ("day", "counterparty", "description", "reference", "linked_receipt", "raw", "line_number")
_NAMED = ("line_id", "object_id", "provider_reference", "payout_reference", "presented_amount", "presented_currency")
COLUMNS = (*_KEY, *_COMPARED, *_TOLD, *_NAMED)
# What we set or cut to size ourselves is not checked again; a foreign key would be a query for each row.
_NOT_CHECKED = {field.name for field in SettlementLine._meta.fields} - {*_KEY, *_COMPARED}
_OPTIONAL = ("fee", "balance_after")
SHOWN_CHANGES = 20


def data_set(lines: Iterable[StatementLine], zone: str) -> Dataset:
    """One piece of a statement as rows, with texts that every database can keep."""
    found = Dataset(headers=list(COLUMNS))
    for line in lines:
        found.append(
            (
                storable(line.receipt, 64),
                line.kind,
                line.direction,
                line.amount.amount,
                line.amount.currency.code,
                None if line.fee is None else line.fee.amount,
                None if line.balance is None else line.balance.amount,
                line.occurred_at,
                day_of(line.occurred_at, zone),
                storable(line.counterparty, 200),
                storable(line.description, 300),
                storable(line.reference, 64),
                storable(line.linked_receipt, 64),
                {storable(name, 60): storable(text, 300) for name, text in line.raw.items()},
                line.line_number,
                storable(line.line_id, 64) or None,
                storable(line.object_id, 40),
                storable(line.provider_reference, 128),
                storable(line.payout_reference, 64),
                None if line.presented is None else line.presented.amount,
                "" if line.presented is None else line.presented.currency.code,
            )
        )
    return found


class LineLoader(instance_loaders.BaseInstanceLoader):  # type: ignore[misc]
    """What is there of a piece, asked for once.

    Rows that say the same are one line. A row that says something else under the same receipt, kind and direction is a
    correction when it comes in another statement, and a second posting, with a ``leg`` of its own, in the same one or
    when it is of another day. A row with the provider's id of the line is that line, and no other.
    """

    def __init__(self, resource: SettlementLineResource, dataset: Dataset) -> None:
        # The resource holds the loader. If the loader held it too, no piece would be freed before the next collection.
        super().__init__(None, dataset)
        self._settlement = resource.settlement
        self._there = _there(resource.settlement, dataset["receipt"])
        self._by_id = _by_id(resource.settlement, dataset["line_id"])
        self.paid_out: dict[str, set[int]] = defaultdict(set)  # payout to the lines it turned out to hold
        # A receipt is judged on the day of its first posting.
        self._days: dict[str, set[date]] = defaultdict(set)
        for (receipt, _, _), lines in self._there.items():
            self._days[receipt] |= {line.day for line in lines}
        self.seen: set[int] = set()
        self.says_the_same = False  # the row that get_instance() was asked for last
        # All known rows first: what is known must not be taken for what has changed.
        self.known = sum(self._is_known(dict(zip(COLUMNS, row, strict=True))) for row in dataset)
        resource.loader = self

    def get_instance(self, row: Row) -> SettlementLine | None:
        """The line that the row tells of; None for a new one."""
        same = self._same(row)
        self.says_the_same = same is not None
        return same or self._earlier(row)

    def _same(self, row: Row) -> SettlementLine | None:
        """The line that says the very same already."""
        if row["line_id"]:
            known = self._by_id.get(row["line_id"])
            return known if known and _key_of(known) == _key(row) and _is_same(known, row) else None
        return next((line for line in self._there[_key(row)] if _is_same(line, row)), None)

    def next_leg(self, row: Row) -> int:
        """The number of a posting that has the row's key in common with others."""
        return max((line.leg for line in self._there[_key(row)]), default=0) + 1

    def days(self, row: Row) -> set[date]:
        """The days on which a new or changed row is judged."""
        return {row["day"], *self._days.get(row["receipt"], ())}

    def keep(self, line: SettlementLine, row: Row) -> None:
        """Later rows of the piece are compared with this line too."""
        group = self._there[_key(row)]
        if line.line_id:
            self._by_id[line.line_id] = line
        if line._state.adding or all(item.pk != line.pk for item in group):
            group.append(line)
        else:
            group[:] = [line if item.pk == line.pk else item for item in group]

    def original(self, line: SettlementLine, row: Row) -> SettlementLine:
        """The line as it was before the row changed it."""
        if line.line_id:
            return self._by_id[line.line_id]
        return next(item for item in self._there[_key(row)] if item.pk == line.pk)

    def _earlier(self, row: Row) -> SettlementLine | None:
        if row["line_id"]:
            known = self._by_id.get(row["line_id"])
            return None if known is None else copy(known)
        others = (line for line in self._there[_key(row)] if line.seen_in_id != self._settlement.pk)
        old = next((line for line in others if not _is_of_another_day(line, row)), None)
        return None if old is None else copy(old)  # what turns out invalid leaves it as it was

    def _is_known(self, row: Row) -> bool:
        line = self._same(row)
        if line is None:
            return False
        self.seen.add(line.pk)
        line.seen_in = self._settlement
        if row["payout_reference"] and not line.payout_reference:  # it went to the bank since: no day is judged anew
            line.payout_reference = row["payout_reference"]
            self.paid_out[line.payout_reference].add(line.pk)
        return True


class SettlementLineResource(resources.ModelResource):  # type: ignore[misc]
    """Lines of one statement, a piece at a time. After ``import_data`` it tells what is counted and shown.

    Of an existing line only what is new is written; a dry run writes nothing at all. An error that is no fault of a row
    is raised, and the piece rolled back.
    """

    loader: LineLoader

    class Meta:
        model = SettlementLine
        fields = COLUMNS
        import_id_fields = _KEY  # of the resource's own account; the loader tells postings of one key apart
        instance_loader_class = LineLoader
        use_bulk = True
        batch_size = PIECE
        use_transactions = True
        skip_unchanged = True
        skip_diff = True  # no copies and no HTML of every row: skip_row asks the loader instead
        report_skipped = False
        store_instance = False

    def __init__(self, settlement: Settlement) -> None:
        super().__init__()
        self.settlement = settlement
        self.changes: list[dict[str, str]] = []
        self.days: set[date] = set()
        self._import_fields: list[fields.Field] = super().get_import_fields()

    @classmethod
    def field_from_django_field(cls, field_name: str, django_field: Any, readonly: bool) -> fields.Field:
        """Values come typed from the reader: no widget reads them again, by the settings of some language."""
        return fields.Field(attribute=field_name, column_name=field_name, widget=widgets.Widget(), readonly=readonly)

    def get_import_fields(self) -> list[fields.Field]:
        """The same for every row."""
        return self._import_fields

    def get_bulk_update_fields(self) -> list[str]:
        return [*super().get_bulk_update_fields(), "seen_in", "leg"]

    def init_instance(self, row: Row | None = None) -> SettlementLine:
        return SettlementLine(
            settlement=self.settlement,
            provider_account_id=self.settlement.provider_account_id,
            livemode=self.settlement.livemode,
            leg=1 if row is None else self.loader.next_leg(row),
        )

    def import_instance(self, instance: SettlementLine, row: Row, **options: Any) -> None:
        if self.loader.says_the_same:
            return
        if not instance._state.adding and _key_of(instance) != _key(row):
            instance.leg = self.loader.next_leg(row)
        super().import_instance(instance, row, **options)
        instance.seen_in = self.settlement

    def skip_row(
        self, instance: SettlementLine, original: None, row: Row, import_validation_errors: Any = None
    ) -> bool:
        return self.loader.says_the_same

    def save_m2m(self, instance: SettlementLine, row: Row, **options: Any) -> None:
        """There are none; the inherited method looks at every field of every row for them."""

    def validate_instance(
        self, instance: SettlementLine, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        """``clean_model_instances`` would ask the database five times for every row; its constraints hold anyway."""
        errors: dict[str, Any] = dict(import_validation_errors or {})
        untold = [name for name in _OPTIONAL if getattr(instance, name) is None]
        try:
            instance.clean_fields(exclude={*errors, *untold, *_NOT_CHECKED})
        except ValidationError as problem:
            errors = problem.update_error_dict(errors)
        if "amount" not in errors and instance.amount <= 0:
            errors["amount"] = ValidationError("Must be above zero.")
        if errors:
            raise ValidationError(errors)

    def save_instance(self, instance: SettlementLine, is_create: bool, row: Row, **options: Any) -> None:
        if not is_create:
            self._tell(self.loader.original(instance, row), instance)
        self.days |= self.loader.days(row)
        self.loader.keep(instance, row)
        if not options["dry_run"]:
            super().save_instance(instance, is_create, row, **options)

    def after_import(self, dataset: Dataset, result: Any, **options: Any) -> None:
        if self.loader.seen and not options["dry_run"]:
            SettlementLine.objects.filter(pk__in=self.loader.seen).update(seen_in=self.settlement)
            for payout, lines in self.loader.paid_out.items():
                SettlementLine.objects.filter(pk__in=lines).update(payout_reference=payout)

    def handle_import_error(self, result: Any, error: Exception, raise_errors: bool = False) -> None:
        raise error

    def _tell(self, old: SettlementLine, new: SettlementLine) -> None:
        if len(self.changes) < SHOWN_CHANGES:
            self.changes += [
                {
                    "row": str(new.line_number),
                    "receipt": new.receipt,
                    "column": name,
                    "before": _shown(getattr(old, name)),
                    "after": _shown(getattr(new, name)),
                }
                for name in _COMPARED
                if getattr(old, name) != getattr(new, name)
            ]


def _there(settlement: Settlement, receipts: Iterable[str]) -> dict[Key, list[SettlementLine]]:
    lines = SettlementLine.objects.filter(provider_account_id=settlement.provider_account_id, receipt__in=set(receipts))
    grouped: dict[Key, list[SettlementLine]] = defaultdict(list)
    for line in lines.order_by("leg"):
        grouped[line.receipt, line.kind, line.direction].append(line)
    return grouped


def _by_id(settlement: Settlement, names: Iterable[str | None]) -> dict[str, SettlementLine]:
    wanted = {name for name in names if name}
    if not wanted:
        return {}
    lines = SettlementLine.objects.filter(provider_account_id=settlement.provider_account_id, line_id__in=wanted)
    return {line.line_id: line for line in lines if line.line_id}


def _key(row: Row) -> Key:
    return row["receipt"], row["kind"], row["direction"]


def _key_of(line: SettlementLine) -> Key:
    return line.receipt, line.kind, line.direction


def _is_same(line: SettlementLine, row: Row) -> bool:
    """Whether both tell of one posting. What one source does not tell says nothing about the other."""
    return (
        (line.amount, line.currency) == (row["amount"], row["currency"])
        and _agree(line.balance_after, row["balance_after"])
        and abs(line.occurred_at - row["occurred_at"]).total_seconds() < 1
        and _agree(line.fee, row["fee"])
    )


def _is_of_another_day(line: SettlementLine, row: Row) -> bool:
    """Whether both are too far apart to be one posting; around midnight two sources may name different days."""
    return bool(line.day != row["day"] and abs(line.occurred_at - row["occurred_at"]) > SKEW)


def _agree(old: Decimal | None, new: Decimal | None) -> bool:
    return old is None or new is None or old == new


def _shown(value: object) -> str:
    """For people: an amount without the zeros that the database adds."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else "" if value is None else str(value)

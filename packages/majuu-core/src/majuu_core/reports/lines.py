"""Writing the lines of statements: what is new, what is known, what has changed. The same line twice is one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import IntegrityError

from majuu_core.common.storable import storable
from majuu_core.providers import StatementLine, StatementProblem
from majuu_core.reports.models import Close, Settlement
from majuu_core.reports.resources import SHOWN_CHANGES, SettlementLineResource, data_set


@dataclass(slots=True)
class Difference:
    """What a statement would change: counts, the first changes, and the days it touches."""

    new: int = 0
    known: int = 0
    changed: int = 0
    changes: list[dict[str, str]] = field(default_factory=list)
    days: set[date] = field(default_factory=set)


def compare_lines(
    settlement: Settlement, lines: Sequence[StatementLine], zone: str, difference: Difference, *, write: bool
) -> list[StatementProblem]:
    """Compare a piece of a statement with what is there, and write it, if that is wanted, in one transaction.

    Returns the lines that cannot be kept, by row and column; they are not counted, and the others are taken in. Rows
    that say the same are one line. A row that says something else under the same receipt, kind and direction is a
    correction when it comes in another statement, and a second posting when it comes in the same one, or when it is of
    another day: a statement of that day does not show the first, so it says nothing about it.
    """
    if not lines:
        return []
    try:
        resource, result = _import(settlement, lines, zone, write)
    except IntegrityError:  # another upload wrote some of them at this moment: now they are known
        resource, result = _import(settlement, lines, zone, write)
    difference.new += result.totals["new"]
    difference.changed += result.totals["update"]
    difference.known += resource.loader.known
    room = max(0, SHOWN_CHANGES - len(difference.changes))
    difference.changes += resource.changes[:room]
    difference.days |= resource.days
    return list(_problems(result, lines))


def _import(
    settlement: Settlement, lines: Sequence[StatementLine], zone: str, write: bool
) -> tuple[SettlementLineResource, Any]:
    resource = SettlementLineResource(settlement)
    result = resource.import_data(data_set(lines, zone), dry_run=not write)
    if result.error_rows:  # no row's fault: rolled back
        raise result.error_rows[0].errors[0].error
    return resource, result


def ask_for_closes(settlement: Settlement, days: Iterable[date], zone: str) -> None:
    """Let the worker close these days (again): the statement says something new about them.

    A run that is at work may have passed the new lines: it stops at its next step, and the day is closed anew.
    """
    wanted = sorted(set(days))
    rows = [
        Close(provider_account_id=settlement.provider_account_id, livemode=settlement.livemode, day=day, time_zone=zone)
        for day in wanted
    ]
    Close.objects.bulk_create(rows, ignore_conflicts=True)
    Close.objects.filter(provider_account_id=settlement.provider_account_id, day__in=wanted).update(
        state=Close.State.WAITING
    )


def _problems(result: Any, lines: Sequence[StatementLine]) -> Iterator[StatementProblem]:
    for row in result.invalid_rows:
        line = lines[row.number - 1]
        values = dict(zip(result.diff_headers, row.values, strict=True))
        for column, messages in row.error_dict.items():
            yield StatementProblem(
                line_number=line.line_number,
                column=column,
                message=" ".join(messages),
                value=storable(str(values.get(column, "")), 100),
            )

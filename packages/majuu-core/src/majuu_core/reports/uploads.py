"""Statements that people upload: kept as they came, looked at first, imported on a yes. Again changes nothing.

The preview and the import read the same bytes the same way, in pieces: a statement of any length takes the same memory.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import BinaryIO, cast

from django.db import transaction

from majuu_core.audit.services import record_entry
from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Invalid, Problem
from majuu_core.common.storable import storable
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.people import acting_person
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.providers import ReadsStatements, StatementLine, StatementProblem, StatementUnreadable
from majuu_core.reports.arrivals import take_in_arrivals
from majuu_core.reports.days import bounds, day_of
from majuu_core.reports.lines import Difference, ask_for_closes, compare_lines
from majuu_core.reports.models import Settlement, SettlementPart
from majuu_core.reports.resources import PIECE

MOST_DAYS = 400
LARGEST_FILE = 100 * 1024 * 1024
_PART = 256 * 1024
_PIECE = PIECE
_SHOWN_PROBLEMS = 100
_LOOKED_AT = 200  # rows, for a first look
_IN_MEMORY = 1024 * 1024
_S = Settlement.State
# A line without a receipt can be compared with nothing, and must not vanish.
_NAMELESS = partial(StatementProblem, column="receipt", message="The row has no receipt.")


def stage_statement(
    *,
    account: ProviderAccount,
    chunks: Iterable[bytes],
    name: str,
    first_day: date | None = None,
    last_day: date | None = None,
) -> Settlement:
    """Keep a file and find out what it would change; nothing is imported yet.

    The days that the statement covers are those of its lines, unless they are named. A file that was imported before
    is not kept again: its settlement is returned. Raises Invalid for a provider whose statements nobody can read, for
    an empty or too large file, and for days in the wrong order.
    """
    reader = _reader(account)
    if first_day and last_day and last_day < first_day:
        raise Invalid("period_reversed", "The last day is before the first.", field="last_day")
    with transaction.atomic():
        settlement = _keep(account, chunks, name)
        before = Settlement.objects.filter(
            provider_account=account, content_hash=settlement.content_hash, state=_S.IMPORTED
        ).first()
        if before is not None and (first_day, last_day) == (None, None):
            transaction.set_rollback(True)
            return before
    _preview(settlement, reader, first_day, last_day)
    with transaction.atomic():
        settlement.save()
        record_entry(action="settlement.uploaded", object_id=settlement.public_id, changes=_summary(settlement))
    return settlement


def import_settlement(*, settlement: Settlement) -> Settlement:
    """Take the lines of a staged file in, and let the days be closed. Imported already: nothing happens.

    Every piece is its own transaction, and may be repeated: a worker or a browser that goes away leaves a staged file
    that can be imported again. Raises Conflict for a file that was refused or discarded.
    """
    row = Settlement.objects.select_related("provider_account").get(pk=settlement.pk)
    if row.state == _S.IMPORTED:
        return row
    if row.state != _S.STAGED:
        raise Conflict("settlement_not_staged", f"This statement is {row.get_state_display().lower()}.")
    reader = _reader(row.provider_account)
    difference = _walk(row, reader, write=True)
    _note(row, take_in_arrivals(row))
    with transaction.atomic():
        if not _move(row, _S.IMPORTED):
            return Settlement.objects.get(pk=row.pk)
        ask_for_closes(row, _days_touched(row, difference), reader.statement_time_zone())
        record_entry(action="settlement.imported", object_id=row.public_id, changes=_summary(row))
    return row


def discard_settlement(*, settlement: Settlement) -> Settlement:
    """Say no to a staged file. Its bytes are removed. Raises Conflict when it is imported already."""
    with transaction.atomic():
        row = Settlement.objects.select_for_update().get(pk=settlement.pk)
        if row.state == _S.IMPORTED:
            raise Conflict("settlement_imported", "This statement is imported; its lines stay.")
        if row.state != _S.DISCARDED:
            SettlementPart.objects.filter(settlement=row).delete()
            row.state = _S.DISCARDED
            row.save(update_fields=["state"])
            record_entry(action="settlement.discarded", object_id=row.public_id, changes={})
    return row


def save_listed(
    *,
    account: ProviderAccount,
    source: str,
    lines: Iterable[StatementLine],
    zone: str,
    covers: tuple[datetime, datetime],
) -> Settlement | None:
    """Take in what a provider listed. Only a whole statement ("settlements") covers its time: what a list of payments
    does not show may have happened all the same. None when it listed nothing."""
    pieces = _pieces(iter(lines))
    first = next(pieces, None)
    if first is None and source != Settlement.Source.SETTLEMENTS:
        return None
    whole = source == Settlement.Source.SETTLEMENTS
    settlement = Settlement.objects.create(
        provider_account=account,
        livemode=account.livemode,
        source=source,
        covers_from=covers[0] if whole else None,
        covers_until=min(covers[1], clock.now()) if whole else None,
        created_by=acting_person(),
    )
    difference = Difference()
    for piece in (first or [], *pieces):
        settlement.rows += len(piece)
        _note(settlement, compare_lines(settlement, piece, zone, difference, write=True))
    _count(settlement, difference)
    with transaction.atomic():
        _move(settlement, _S.IMPORTED)
        ask_for_closes(settlement, difference.days, zone)
    return settlement


def first_lines(settlement: Settlement, count: int = 10) -> list[StatementLine]:
    """The first lines of a staged file, as they are understood; none of a file that cannot be read any more."""
    try:
        reader = _reader(settlement.provider_account)
        with open_file(settlement) as file, closing(_generated(reader, file, settlement.file_name)) as items:
            return list(islice((item for item in items if isinstance(item, StatementLine)), count))
    except (Problem, StatementUnreadable):
        return []


def _generated(
    reader: ReadsStatements, file: BinaryIO, name: str
) -> Generator[StatementLine | StatementProblem, None, None]:
    yield from islice(reader.read_statement(file, name=name), _LOOKED_AT)


@contextmanager
def open_file(settlement: Settlement) -> Iterator[BinaryIO]:
    """The uploaded file, as it came, to be read from its beginning."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        for data in settlement.parts.order_by("number").values_list("data", flat=True).iterator(chunk_size=4):
            file.write(data)
        file.seek(0)
        yield cast("BinaryIO", file)


def _reader(account: ProviderAccount) -> ReadsStatements:
    provider = provider_for(account)
    if not isinstance(provider, ReadsStatements):
        raise Invalid(
            "statements_unsupported", f"Statements of {provider.info.display_name} cannot be uploaded.", field="account"
        )
    return provider


def _keep(account: ProviderAccount, chunks: Iterable[bytes], name: str) -> Settlement:
    settlement = Settlement(
        provider_account=account,
        livemode=account.livemode,
        source=Settlement.Source.UPLOAD,
        file_name=storable(name.replace("\\", "/").rpartition("/")[2], 200),
        created_by=acting_person(),
    )
    settlement.save(force_insert=True)
    digest, number = hashlib.sha256(), 0
    for chunk in chunks:
        for start in range(0, len(chunk), _PART):
            piece = chunk[start : start + _PART]
            digest.update(piece)
            settlement.size += len(piece)
            if settlement.size > LARGEST_FILE:
                raise Invalid("file_too_large", "A statement has at most 100 MB. Split it by days.", field="file")
            SettlementPart.objects.create(settlement=settlement, number=number, data=piece)
            number += 1
    if not settlement.size:
        raise Invalid("file_empty", "The file is empty.", field="file")
    settlement.content_hash = digest.hexdigest()
    return settlement


def _preview(settlement: Settlement, reader: ReadsStatements, first_day: date | None, last_day: date | None) -> None:
    zone = reader.statement_time_zone()
    try:
        _walk(settlement, reader, write=False)
    except StatementUnreadable as problem:
        settlement.state, settlement.message = _S.REFUSED, storable(str(problem), 1000)
        return
    if not settlement.new_lines + settlement.known_lines + settlement.changed_lines and not first_day:
        settlement.state, settlement.message = _S.REFUSED, "The file has no line that could be read."
        return
    # Whole days, but never the time after the file was made.
    start = first_day or (day_of(settlement.covers_from, zone) if settlement.covers_from else last_day)
    end = last_day or (day_of(settlement.covers_until, zone) if settlement.covers_until else first_day)
    if start and end and (end - start).days > MOST_DAYS:
        text = (
            f"The rows reach from {start} to {end}, more than {MOST_DAYS} days. Correct the dates, or split the file."
        )
        settlement.state, settlement.message = _S.REFUSED, text
        settlement.covers_from = settlement.covers_until = None
    elif start and end:
        settlement.covers_from = bounds(start, zone)[0]
        settlement.covers_until = min(bounds(end, zone)[1], settlement.created_at)


def _walk(settlement: Settlement, reader: ReadsStatements, *, write: bool) -> Difference:
    """Read the whole file once: counts, problems, and (with ``write``) its lines."""
    difference, zone = Difference(), reader.statement_time_zone()
    times: list[datetime] = []
    settlement.rows = settlement.unreadable_rows = settlement.left_out_rows = 0
    settlement.problems = []
    with open_file(settlement) as file:
        for piece in _pieces(_without_problems(settlement, reader.read_statement(file, name=settlement.file_name))):
            times = [min([*times, *_times(piece)]), max([*times, *_times(piece)])]
            _note(settlement, compare_lines(settlement, piece, zone, difference, write=write))
    settlement.problems.sort(key=lambda problem: problem["row"])
    if times and not write:
        settlement.covers_from, settlement.covers_until = times
    _count(settlement, difference)
    return difference


def _times(piece: list[StatementLine]) -> list[datetime]:
    return [line.occurred_at for line in piece]


def _without_problems(
    settlement: Settlement, items: Iterable[StatementLine | StatementProblem]
) -> Iterator[StatementLine]:
    for item in items:
        settlement.rows += 1
        if isinstance(item, StatementLine) and not item.receipt.strip():
            item = _NAMELESS(line_number=item.line_number)
        if isinstance(item, StatementLine):
            yield item
        elif not item.is_error:
            settlement.left_out_rows += 1
        else:
            _note(settlement, [item])


def _note(settlement: Settlement, problems: Sequence[StatementProblem]) -> None:
    """A row is unreadable once, however many of its columns are."""
    settlement.unreadable_rows += len({problem.line_number for problem in problems})
    room = max(0, _SHOWN_PROBLEMS - len(settlement.problems))
    settlement.problems += [
        {
            "row": problem.line_number,
            "column": storable(problem.column, 60),
            "message": storable(problem.message, 300),
            "value": storable(problem.value, 100),
        }
        for problem in problems[:room]
    ]


def _pieces(lines: Iterator[StatementLine]) -> Iterator[list[StatementLine]]:
    while piece := list(islice(lines, _PIECE)):
        yield piece


def _count(settlement: Settlement, difference: Difference) -> None:
    settlement.new_lines, settlement.known_lines = difference.new, difference.known
    settlement.changed_lines, settlement.changes = difference.changed, difference.changes


def _days_touched(settlement: Settlement, difference: Difference) -> set[date]:
    """The days with new or changed lines, and all days that are now covered: silence says something too."""
    zone = _reader(settlement.provider_account).statement_time_zone()
    days = set(difference.days)
    if settlement.covers_from and settlement.covers_until:
        day, last = (
            day_of(settlement.covers_from, zone),
            day_of(settlement.covers_until - timedelta(microseconds=1), zone),
        )
        while day <= last:
            days.add(day)
            day += timedelta(days=1)
    return days


def _move(settlement: Settlement, state: str) -> bool:
    settlement.state, settlement.imported_at = state, clock.now()
    values = {
        name: getattr(settlement, name)
        for name in (
            *("state", "imported_at", "rows", "new_lines", "known_lines", "changed_lines", "unreadable_rows"),
            *("left_out_rows", "problems", "changes"),
        )
    }
    return Settlement.objects.filter(pk=settlement.pk, state=_S.STAGED).update(**values) == 1


def _summary(settlement: Settlement) -> dict[str, object]:
    return {
        "file": settlement.file_name,
        "sha256": settlement.content_hash,
        "lines": [settlement.new_lines, settlement.known_lines, settlement.changed_lines],
        "unreadable": settlement.unreadable_rows,
    }

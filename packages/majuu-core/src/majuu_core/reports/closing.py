"""The close of a day: ledger, statement and events of one provider account, compared receipt by receipt.

Two passes, both in pieces, so that memory does not grow with the day. The first takes every line of the day and looks
for what we have under its receipt, whenever that was; the second takes every payment of the day and looks for its line
on any day. So a payment at midnight is found on whichever side of it the other party counted it. The second pass
looks at a day that ends ten minutes early and begins ten minutes early: the statement of the next day may be needed
for the rest, and the next close looks at it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from majuu_core.audit.services import record_entry
from majuu_core.common import clock, ids
from majuu_core.common.money import Money
from majuu_core.common.problems import Conflict
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.late_fees import book_late_fees
from majuu_core.payments.models import Charge, Payout, Refund
from majuu_core.payments.settling import apply_result
from majuu_core.providers import Result, ResultStatus
from majuu_core.reports.coverage import Coverage
from majuu_core.reports.days import SKEW, bounds, zone_of
from majuu_core.reports.findings import count_open, end_findings, save_findings
from majuu_core.reports.matching import (
    CHARGE,
    DISPUTE,
    EARLIEST,
    FEE,
    IN,
    LATEST,
    MATCHED,
    MISSING_HERE,
    MISSING_THERE,
    Finding,
    Judgement,
    Line,
    Record,
    judge,
    pair_nameless,
)
from majuu_core.reports.models import Close, SettlementLine
from majuu_core.reports.own_bookings import book_own_lines
from majuu_core.reports.sources import (
    accounts_like,
    count_day,
    disputed_receipts,
    nameless_charges,
    read_day,
    records_by_receipt,
    records_told,
    refunds_by_original,
)
from majuu_core.reports.totals import Totals

logger = logging.getLogger("majuu.reports")
LEASE = timedelta(minutes=5)
PIECE = 500
Progress = Callable[[int, int], None]
# Which of our objects a line of a kind is; a fee or a dispute only is about one.
_TOLD_BY = {"charge": Charge.id_prefix, "refund": Refund.id_prefix, "payout": Payout.id_prefix}
_OPEN_CHARGE = "The charge {} has the same amount, phone and time, and its outcome is open. Settle it first."


@dataclass(slots=True)
class _Run:
    """One run of one close."""

    close: Close
    account: ProviderAccount
    coverage: Coverage
    start: datetime
    end: datetime
    progress: Progress | None = None
    totals: Totals = field(default_factory=Totals)
    fees_booked: int = 0
    lines_booked: int = 0


def close_day(*, account: ProviderAccount, day: date, progress: Progress | None = None) -> Close:
    """Close a day, or close it again; returns the close as it is afterwards.

    Without a whole statement of the day nothing is called missing there. ``progress`` gets what is done and what there
    is to do. Raises Conflict while another run of the same close is at work.
    """
    zone = zone_of(account)
    close = _begin(account, day, zone)
    start, end = bounds(day, zone)
    run = _Run(close, account, Coverage.of(account, start, end), start, end, progress)
    try:
        _work(run)
    except Exception as problem:
        _mine(close).update(
            state=Close.State.FAILED, leased_until=None, message=f"{type(problem).__name__}: {problem}"[:500]
        )
        raise
    return close


def _begin(account: ProviderAccount, day: date, zone: str) -> Close:
    now = clock.now()
    with transaction.atomic():
        Close.objects.get_or_create(
            provider_account=account, day=day, defaults={"livemode": account.livemode, "time_zone": zone}
        )
        close = Close.objects.select_for_update().get(provider_account=account, day=day)
        if close.state == Close.State.RUNNING and close.leased_until and close.leased_until > now:
            raise Conflict("close_running", f"The close of {day} is running already.")
        close.state, close.runs, close.done, close.expected = Close.State.RUNNING, close.runs + 1, 0, 0
        close.started_at, close.finished_at, close.leased_until = now, None, now + LEASE
        close.message, close.time_zone = "", zone
        close.save()
    close.provider_account = account
    return close


def _work(run: _Run) -> None:
    lines = SettlementLine.objects.filter(provider_account=run.account, day=run.close.day)
    run.close.expected = lines.count() + count_day(run.account, run.start - SKEW, run.end)
    for count, groups in _line_groups(run):
        _judge_lines(run, groups)
        _advance(run, count)
    for count, records in read_day(run.account, run.start - SKEW, run.end, size=PIECE):
        _judge_records(run, records)
        _advance(run, count)
    _finish(run)


# From the statement to us.


def _line_groups(run: _Run) -> Iterator[tuple[int, dict[str, list[Line]]]]:
    """The day's lines by receipt, with those that the same receipt has on other days."""
    of_day = SettlementLine.objects.filter(provider_account=run.account, day=run.close.day).order_by("receipt")
    last = ""
    while True:
        piece = list(of_day.filter(receipt__gt=last).values_list("receipt", flat=True)[:PIECE])
        if not piece:
            return
        last = piece[-1]
        groups = _lines_of(run.account, set(piece))
        count = sum(run.start <= line.occurred_at < run.end for group in groups.values() for line in group)
        yield count, groups


def _lines_of(account: ProviderAccount, receipts: Iterable[str]) -> dict[str, list[Line]]:
    rows = SettlementLine.objects.filter(provider_account=account, receipt__in=list(receipts)).defer(
        "raw", "description", "reference"
    )
    groups: dict[str, list[Line]] = defaultdict(list)
    for row in rows.order_by("receipt", "occurred_at", "pk"):
        groups[row.receipt].append(
            Line(
                pk=row.pk,
                receipt=row.receipt,
                kind=row.kind,
                direction=row.direction,
                leg=row.leg,
                amount=row.money,
                fee=None if row.fee is None else Money(row.fee, row.currency),
                occurred_at=row.occurred_at,
                counterparty=row.counterparty,
                linked_receipt=row.linked_receipt,
                line_id=row.line_id or "",
                object_id=row.object_id,
                provider_reference=row.provider_reference,
                payout_reference=row.payout_reference,
                presented=row.presented,
            )
        )
    return groups


def _judge_lines(run: _Run, groups: Mapping[str, list[Line]]) -> None:
    records = records_by_receipt(run.account, groups)
    _add_told(run, groups, records)
    _add_nameless_refunds(run, groups, records)
    about = [receipt for receipt, lines in groups.items() if any(line.kind == DISPUTE for line in lines)]
    disputed = disputed_receipts(run.account, about) if about else set()
    judgements = {
        receipt: judge(lines, records.get(receipt, ()), disputed=receipt in disputed)
        for receipt, lines in groups.items()
    }
    _name_charges(run, groups, judgements)
    for receipt, lines in groups.items():
        run.totals.add_lines(line for line in lines if run.start <= line.occurred_at < run.end)
        # A receipt with postings on two days belongs to the day of the first.
        if lines[0].occurred_at < run.start:
            judgements.pop(receipt)
    _write(run, judgements.values())


def _add_told(run: _Run, groups: Mapping[str, list[Line]], records: dict[str, list[Record]]) -> None:
    """Payments whose line repeats our own id, or names the provider's other reference. A receipt that we never learned
    of such a payment is kept from now on."""
    moved = [line for lines in groups.values() for line in lines if line.kind in _TOLD_BY]
    known = {(receipt, record.object_id) for receipt, found in records.items() for record in found}
    names = {line.object_id: line for line in moved if _is_told(line) and (line.receipt, line.object_id) not in known}
    references = {line.provider_reference: line for line in moved if line.receipt not in records}
    references.pop("", None)
    if not names and not references:
        return
    told, acknowledged = records_told(run.account, names, references)
    found = [(names[record.object_id], record) for record in told]
    found += [(references[record.reference], record) for record in acknowledged]
    for line, record in found:
        there = records.setdefault(line.receipt, [])
        if record.direction == line.direction and record.object_id not in {item.object_id for item in there}:
            there.append(replace(record, receipt=line.receipt))
            if not record.receipt and line.kind == CHARGE and line.receipt != line.provider_reference:
                _give_receipt(record.object_id, line)


def _is_told(line: Line) -> bool:
    """Whether the id on the line is that of what moved, and not of what it was about: a refund may repeat its
    charge's."""
    return line.object_id.startswith(f"{_TOLD_BY[line.kind]}_") and (line.direction == IN) == (line.kind == CHARGE)


def _add_nameless_refunds(run: _Run, groups: Mapping[str, list[Line]], records: dict[str, list[Record]]) -> None:
    """Refunds whose own receipt we were never told stand under the receipt of the payment they take back."""
    alone = {
        receipt: lines[0].linked_receipt
        for receipt, lines in groups.items()
        if not records.get(receipt) and lines[0].linked_receipt
    }
    known = refunds_by_original(run.account, alone.values()) if alone else {}
    for receipt, original in alone.items():
        same = [record for record in known.get(original, ()) if record.amount == groups[receipt][0].amount]
        if same:
            records[receipt] = same[:1]
            known[original].remove(same[0])


def _name_charges(run: _Run, groups: Mapping[str, list[Line]], judgements: dict[str, Judgement]) -> None:
    """Lines that are missing here may be charges that succeeded without a receipt: those get theirs now."""
    lone = [
        line
        for receipt, judgement in judgements.items()
        for line in groups[receipt]
        if judgement.outcomes.get(line.pk) == MISSING_HERE and line.direction == IN and line.kind not in (FEE, DISPUTE)
    ]
    if not lone:
        return
    first = min(line.occurred_at for line in lone) - LATEST
    last = max(line.occurred_at for line in lone) - EARLIEST
    amounts = [line.amount for line in lone]
    pairs = pair_nameless(lone, nameless_charges(run.account, amounts, first, last))
    for line, charge in pairs:
        _give_receipt(charge.object_id, line)
    named = {line.receipt for line, _ in pairs}
    records = records_by_receipt(run.account, named) if named else {}
    for receipt in named:
        judgements[receipt] = judge(groups[receipt], records.get(receipt, ()))
    _hint_at_open_charges(run, [line for line in lone if line.receipt not in named], judgements, (first, last))


def _give_receipt(object_id: str, line: Line) -> None:
    apply_result(
        charge_id=ids.decode_id(Charge.id_prefix, object_id),
        result=Result(status=ResultStatus.SUCCEEDED, receipt=line.receipt, occurred_at=line.occurred_at),
    )


def _hint_at_open_charges(
    run: _Run, lines: list[Line], judgements: Mapping[str, Judgement], span: tuple[datetime, datetime]
) -> None:
    amounts = [line.amount for line in lines]
    charges = nameless_charges(run.account, amounts, *span, open_ones=True) if lines else []
    for line, charge in pair_nameless(lines, charges):
        judgements[line.receipt].findings = [
            _with_hint(finding, charge.object_id) for finding in judgements[line.receipt].findings
        ]


def _with_hint(finding: Finding, object_id: str) -> Finding:
    return replace(finding, detail=_OPEN_CHARGE.format(object_id))


def _book(run: _Run, judgements: Iterable[Judgement]) -> list[Finding]:
    """Book what only the statement tells. Before its findings are written: none of it is one, once it is booked."""
    fees = [fee for judgement in judgements for fee in judgement.late_fees]
    run.fees_booked += book_late_fees(fees)
    own = [line for judgement in judgements for line in judgement.own]
    exchanged = [pair for judgement in judgements for pair in judgement.exchanged]
    booked, findings = book_own_lines(run.account, own, exchanged)
    run.lines_booked += booked
    return findings


def _write(run: _Run, judgements: Collection[Judgement]) -> None:
    by_outcome: dict[str, list[int]] = defaultdict(list)
    findings: list[Finding] = []
    for judgement in judgements:
        findings += judgement.findings
        for pk, outcome in judgement.outcomes.items():
            by_outcome[outcome].append(pk)
        for fee in judgement.unbooked_fees:
            run.totals.add("statement", "fees_not_told", fee)
        run.totals.add_booked(judgement)
    findings += _book(run, judgements)
    with transaction.atomic():
        for outcome, keys in by_outcome.items():
            run.totals.outcomes[outcome] += len(keys)
            SettlementLine.objects.filter(pk__in=keys).exclude(outcome=outcome).update(outcome=outcome)
        save_findings(run.close, [finding for finding in findings if _is_judged(run, finding)])


def _is_judged(run: _Run, finding: Finding) -> bool:
    """Whether the statement can be believed about what is not on it."""
    return finding.kind != MISSING_THERE or run.coverage.holds(finding.occurred_at)


# From us to the statement.


def _judge_records(run: _Run, records: list[Record]) -> None:
    """Payments of the day that no line of any day belongs to. The others were judged with their lines."""
    run.totals.add_records(record for record in records if run.start <= record.occurred_at < run.end)
    due = [record for record in records if record.occurred_at < run.end - SKEW]
    shown = _shown_receipts(run, due)
    missing = [record for record in due if not {record.receipt, record.reference, record.object_id} & shown]
    judged = [record for record in missing if run.coverage.holds(record.occurred_at)]
    run.totals.not_covered += len(missing) - len(judged)
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in judged:
        groups[record.receipt or record.object_id].append(record)
    judgements = [judge((), group) for group in groups.values()]
    run.totals.outcomes[MISSING_THERE] += sum(len(judgement.findings) for judgement in judgements)
    with transaction.atomic():
        save_findings(run.close, [finding for judgement in judgements for finding in judgement.findings])


def _shown_receipts(run: _Run, records: list[Record]) -> set[str]:
    """Receipts and references of these records that some statement shows, whatever its day and account; and the ids of
    refunds that a statement shows only as what takes their payment back."""
    names = {name for record in records for name in (record.receipt, record.reference) if name}
    accounts = accounts_like(run.account)
    lines = SettlementLine.objects.filter(provider_account__in=accounts, receipt__in=names).order_by()
    shown = set(lines.values_list("receipt", flat=True))
    nameless = {record.original: record.object_id for record in records if record.original and not record.receipt}
    named = {name: record.object_id for record in records for name in (record.object_id, record.reference) if name}
    for column in ("object_id", "provider_reference"):
        told = SettlementLine.objects.filter(
            provider_account__in=accounts, kind__in=list(_TOLD_BY), **{f"{column}__in": list(named)}
        ).order_by()
        shown |= {named[name] for name in told.values_list(column, flat=True) if name in named}
    if nameless:
        days = [run.close.day + timedelta(days=days) for days in (-1, 0, 1)]
        linked = SettlementLine.objects.filter(
            provider_account__in=accounts, day__in=days, linked_receipt__in=list(nameless)
        ).order_by()
        shown |= {nameless[receipt] for receipt in linked.values_list("linked_receipt", flat=True)}
    return shown


# Progress and the end.


def _mine(close: Close) -> QuerySet[Close]:
    """The close's row, as long as this run is the one at work and no statement asked for another."""
    return Close.objects.filter(pk=close.pk, runs=close.runs, state=Close.State.RUNNING)


def _advance(run: _Run, count: int) -> None:
    close = run.close
    close.done += count
    close.leased_until = clock.now() + LEASE
    if not _mine(close).update(done=close.done, expected=close.expected, leased_until=close.leased_until):
        raise _taken_over()
    if run.progress is not None:
        run.progress(close.done, close.expected)


def _taken_over() -> Conflict:
    return Conflict("close_taken_over", "Another run of this close has begun, or was asked for.")


def _finish(run: _Run) -> None:
    close = run.close
    run.totals.outcomes.setdefault(MATCHED, 0)
    with transaction.atomic():
        if not _mine(close).select_for_update().exists():
            raise _taken_over()
        gone = end_findings(close)
        close.state, close.finished_at, close.leased_until = Close.State.DONE, clock.now(), None
        close.done = close.expected
        close.has_statement = run.coverage.is_whole(run.start, run.end)
        close.totals, close.outcomes = run.totals.to_json(), dict(sorted(run.totals.outcomes.items()))
        close.save()
        record_entry(
            action="close.finished",
            object_id=close.public_id,
            changes={
                "day": str(close.day),
                "outcomes": close.outcomes,
                "open": count_open(close),
                "gone": gone,
                "booked": {"fees": run.fees_booked, "lines": run.lines_booked},
            },
        )
    if run.progress is not None:
        run.progress(close.expected, close.expected)
    logger.info("closed %s of %s: %s", close.day, run.account, close.outcomes)

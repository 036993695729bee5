"""Writing what a run of a close found, so that the next run of the same close changes only what changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from majuu_core.common import clock
from majuu_core.common.money import Money
from majuu_core.reports.matching import Finding
from majuu_core.reports.models import Close, Mismatch

GONE = "A later run of the close did not find it any more."
_State = Mismatch.State
_REFRESHED = ("line_id", "object_id", "here", "there", "detail", "occurred_at", "seen_in_run")
_REOPENED = (*_REFRESHED, "state", "resolution", "resolved_by", "resolved_at")


def save_findings(close: Close, findings: Iterable[Finding]) -> None:
    """Open what is new, refresh what is known, and open again what was settled and is now different.

    What a person resolved stays resolved as long as the amounts are those that were resolved. Within a transaction.
    """
    found = {finding.key: finding for finding in findings}
    # Locked: somebody may be resolving one of them at this moment.
    rows = Mismatch.objects.select_for_update().filter(close=close, key__in=list(found)).order_by("pk")
    known = {row.key: row for row in rows}
    made = [_new(close, key, finding) for key, finding in found.items() if key not in known]
    Mismatch.objects.bulk_create(made)
    for key, row in known.items():
        _refresh(close, row, found[key])
    if known:
        Mismatch.objects.bulk_update(known.values(), _columns())


def end_findings(close: Close) -> int:
    """Settle what this run did not find any more; returns how many. The run must have looked at everything."""
    gone = Mismatch.objects.filter(close=close, seen_in_run__lt=close.runs).exclude(state=_State.RESOLVED)
    return gone.update(state=_State.RESOLVED, resolution=GONE, resolved_by="", resolved_at=clock.now())


def _new(close: Close, key: str, finding: Finding) -> Mismatch:
    return Mismatch(
        close=close,
        provider_account_id=close.provider_account_id,
        livemode=close.livemode,
        key=key,
        kind=finding.kind,
        direction=finding.direction,
        receipt=finding.receipt,
        currency=_currency(finding),
        **_values(close, finding),
    )


def _values(close: Close, finding: Finding) -> dict[str, Any]:
    return {
        "line_id": finding.line_pk,
        "object_id": finding.object_id,
        "here": None if finding.here is None else finding.here.amount,
        "there": None if finding.there is None else finding.there.amount,
        "detail": finding.detail,
        "occurred_at": finding.occurred_at,
        "seen_in_run": close.runs,
    }


def _refresh(close: Close, row: Mismatch, finding: Finding) -> None:
    values = _values(close, finding)
    is_different = (row.here, row.there) != (values["here"], values["there"])
    for name, value in values.items():
        setattr(row, name, value)
    if row.state == _State.RESOLVED and (is_different or not row.resolved_by):
        row.state = _State.ASSIGNED if row.assignee_id else _State.OPEN
        row.resolution, row.resolved_by, row.resolved_at = "", "", None


def _columns() -> list[str]:
    return ["line" if name == "line_id" else name for name in _REOPENED]


def _currency(finding: Finding) -> str:
    amount: Money | None = finding.there or finding.here
    if amount is None:
        raise ValueError("a finding has an amount on one side at least")
    return str(amount.currency.code)


def count_open(close: Close) -> int:
    """Differences of the close that wait for somebody."""
    return Mismatch.objects.filter(close=close).exclude(state=_State.RESOLVED).count()

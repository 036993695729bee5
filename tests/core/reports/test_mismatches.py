"""What people do about a difference, who may, and what is written down about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.reports.mismatches import assign_mismatch, reopen_mismatch, resolve_mismatch
from majuu_core.reports.models import Mismatch
from majuu_core.testing.factories import make_user
from tests.core.reports.desk import NOON, Desk


@pytest.fixture
def mismatch(desk: Desk) -> Mismatch:
    desk.bring(f"UA01,{NOON},100")
    desk.close()
    return Mismatch.objects.get()


def entries(row: Mismatch) -> list[tuple[str, str, object]]:
    found = AuditEntry.objects.filter(object_id=row.public_id).order_by("pk")
    return [(item.action, f"{item.actor_type}:{item.actor_id}", item.changes) for item in found]


def test_it_is_taken_on_and_resolved_with_a_reason(mismatch: Mismatch, desk: Desk) -> None:
    user = make_user()
    with acting_as(Actor(type="user", id=str(user.pk))):
        assert assign_mismatch(mismatch=mismatch, assignee=user).state == "assigned"
        desk.clock.advance(timedelta(days=3))
        row = resolve_mismatch(mismatch=mismatch, reason="  Paid in\nby the owner. ")
    assert (row.state, row.resolution, row.resolved_by) == ("resolved", "Paid in by the owner.", f"user:{user.pk}")
    assert row.age == timedelta(days=3)
    actor = f"user:{user.pk}"
    assert entries(row) == [
        ("mismatch.assigned", actor, {"assignee": ["", str(user.pk)]}),
        ("mismatch.resolved", actor, {"state": ["assigned", "resolved"], "reason": "Paid in by the owner."}),
    ]


def test_repeating_changes_nothing(mismatch: Mismatch) -> None:
    user = make_user()
    for _ in range(2):
        assign_mismatch(mismatch=mismatch, assignee=user)
    for reason in ("The first reason.", "Another reason."):
        resolve_mismatch(mismatch=mismatch, reason=reason)
    assert Mismatch.objects.get().resolution == "The first reason."
    assert len(entries(mismatch)) == 2


@pytest.mark.parametrize("reason", ["", "   ", "ok", "\x00"])
def test_a_resolution_needs_a_reason(mismatch: Mismatch, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        resolve_mismatch(mismatch=mismatch, reason=reason)
    assert (caught.value.code, caught.value.field) == ("reason_missing", "reason")
    assert (Mismatch.objects.get().state, entries(mismatch)) == ("open", [])


def test_a_resolved_one_cannot_be_assigned(mismatch: Mismatch) -> None:
    resolve_mismatch(mismatch=mismatch, reason="Settled for good.")
    with pytest.raises(Conflict) as caught:
        assign_mismatch(mismatch=mismatch, assignee=make_user())
    assert caught.value.code == "mismatch_resolved"
    assert Mismatch.objects.get().assignee_id is None


def test_it_can_be_opened_again_and_goes_back_to_whoever_had_it(mismatch: Mismatch) -> None:
    user = make_user()
    assign_mismatch(mismatch=mismatch, assignee=user)
    resolve_mismatch(mismatch=mismatch, reason="Settled too soon.")
    row = reopen_mismatch(mismatch=mismatch)
    assert (row.state, row.assignee, row.resolution, row.resolved_at) == ("assigned", user, "", None)
    assert entries(row)[-1][2] == {"state": ["resolved", "assigned"], "reason": "Settled too soon."}
    reopen_mismatch(mismatch=mismatch)
    assert len(entries(row)) == 3


def test_nobody_can_be_the_assignee(mismatch: Mismatch) -> None:
    assign_mismatch(mismatch=mismatch, assignee=make_user())
    assert assign_mismatch(mismatch=mismatch, assignee=None).state == "open"

"""django-q2's schedules, and the sweep they start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import Schedule

from majuu_core.plugins import PeriodicTask, hookimpl
from majuu_core.worker import sweep
from majuu_core.worker.loops import LoopsFailed
from majuu_core.worker.schedules import SWEEP, sync_schedules

pytestmark = pytest.mark.django_db


class Plugin:
    """A plugin with a task of its own."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes

    @hookimpl
    def register_periodic_tasks(self) -> list[PeriodicTask]:
        every = timedelta(minutes=self._minutes)
        return [PeriodicTask(name="parcels.track", every=every, function="parcels.jobs.track")]


def rows() -> set[tuple[str, str, int, int]]:
    return set(Schedule.objects.values_list("name", "func", "minutes", "repeats"))


SWEEP_ROW = ("majuu: sweep", SWEEP, 1, -1)
PULL_ROW = ("majuu: incoming.pull", "majuu_core.payments.incoming_pull.pull_all", 30, -1)
KYC_ROWS = {
    ("majuu: kyc.letters", "majuu_core.merchants.kyc.letters.send_letters", 1, -1),
    ("majuu: kyc.screening", "majuu_core.merchants.kyc.screening.rescreen", 30, -1),
    ("majuu: kyc.reviews_due", "majuu_core.merchants.kyc.reverification.mark_due", 60, -1),
}
KEYS_ROW = ("majuu: api_keys.forget_addresses", "majuu_core.merchants.key_addresses.forget_old_addresses", 360, -1)
DISPUTES_ROW = ("majuu: disputes.pull", "majuu_core.payments.dispute_pull.pull_all_disputes", 60, -1)
CORE_ROWS = {SWEEP_ROW, PULL_ROW, DISPUTES_ROW, KEYS_ROW, *KYC_ROWS}


def test_the_sweep_and_the_plugins_tasks_are_scheduled(temporary_plugin: Callable[[object], object]) -> None:
    """given a plugin with a periodic task / when schedules are synced twice / then each is there once."""
    temporary_plugin(Plugin(10))

    sync_schedules()
    sync_schedules()

    assert rows() == CORE_ROWS | {("majuu: parcels.track", "parcels.jobs.track", 10, -1)}
    assert Schedule.objects.count() == 8


def test_syncing_again_keeps_the_next_time(temporary_plugin: Callable[[object], object]) -> None:
    """given schedules that are right / when synced / then their next run stays; a restart postpones nothing."""
    sync_schedules()
    then = timezone.now() + timedelta(seconds=30)
    Schedule.objects.update(next_run=then)

    sync_schedules()

    assert set(Schedule.objects.values_list("next_run", flat=True)) == {then}


def test_changes_and_removals_follow_the_plugins(temporary_plugin: Callable[[object], object]) -> None:
    """given a task that changed, one that is gone, one doubled and a foreign one / when synced / then all is right."""
    foreign = Schedule.objects.create(name="reports", func="reports.send", schedule_type=Schedule.DAILY)
    Schedule.objects.create(name="majuu: gone.task", func="gone.task", schedule_type=Schedule.MINUTES, minutes=5)
    for minutes in (3, 5):
        Schedule.objects.create(
            name="majuu: parcels.track", func="parcels.jobs.track", schedule_type=Schedule.MINUTES, minutes=minutes
        )
    temporary_plugin(Plugin(7))

    sync_schedules()

    assert rows() == CORE_ROWS | {
        ("majuu: parcels.track", "parcels.jobs.track", 7, -1),
        ("reports", "reports.send", None, foreign.repeats),
    }
    assert Schedule.objects.count() == 9


def test_the_sweep_runs_the_loops_and_delivers_only_what_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """given late deliveries or none / when the sweep runs / then the deliverer is started for late ones only."""
    late = [True, False]
    monkeypatch.setattr(sweep, "run_all", lambda *, seconds: 4)
    monkeypatch.setattr(sweep, "has_overdue", lambda age: late.pop())
    monkeypatch.setattr(sweep, "deliver_due", lambda *, seconds: 9)

    assert sweep.run_sweep() == "4 due, 0 late deliveries"
    assert sweep.run_sweep() == "4 due, 9 late deliveries"
    assert rows() == CORE_ROWS


def test_a_failing_loop_makes_the_sweep_fail_after_it_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """given a loop that raises / when the sweep runs / then late deliveries still leave and the task is a failure."""
    delivered: list[int] = []

    def fail(*, seconds: float) -> int:
        raise LoopsFailed("failed: payments.expiry")

    def deliver(*, seconds: float) -> int:
        delivered.append(1)
        return 1

    monkeypatch.setattr(sweep, "run_all", fail)
    monkeypatch.setattr(sweep, "has_overdue", lambda age: True)
    monkeypatch.setattr(sweep, "deliver_due", deliver)

    with pytest.raises(LoopsFailed):
        sweep.run_sweep()

    assert delivered == [1]


def test_the_sweep_works_on_an_empty_database() -> None:
    """given nothing to do / when the real sweep runs / then it says so."""
    assert sweep.run_sweep() == "0 due, 0 late deliveries"

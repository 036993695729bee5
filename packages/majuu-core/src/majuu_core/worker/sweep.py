"""The sweep: once a minute django-q2 does whatever is due, so that work goes on when a loop of the worker does not."""

from __future__ import annotations

from datetime import timedelta

from majuu_core.webhooks.deliverer import deliver_due
from majuu_core.webhooks.outbound_upkeep import has_overdue
from majuu_core.worker.loops import LoopsFailed, run_all
from majuu_core.worker.schedules import sync_schedules

# Together below django-q2's timeout of 60 s, with the 15 s of the last delivery.
_LOOP_SECONDS = 20.0
_DELIVER_SECONDS = 15.0
_LATE = timedelta(minutes=1)


def run_sweep() -> str:
    """Run every loop once down; deliver only what is a minute late, which a living deliverer never leaves.

    Raises LoopsFailed, after everything else was done, when a loop failed: django-q2 then shows a failed task.
    """
    sync_schedules()
    failure: LoopsFailed | None = None
    done = delivered = 0
    try:
        done = run_all(seconds=_LOOP_SECONDS)
    except LoopsFailed as problem:
        failure = problem
    if has_overdue(_LATE):
        delivered = deliver_due(seconds=_DELIVER_SECONDS)
    if failure is not None:
        raise failure
    return f"{done} due, {delivered} late deliveries"

"""django-q2's schedules: core's sweep every minute, and the periodic tasks of plugins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django_q.models import Schedule

from majuu_core.common import clock
from majuu_core.plugins.manager import registries

PREFIX = "majuu: "  # marks the schedules that are ours to change and remove
SWEEP = "majuu_core.worker.sweep.run_sweep"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A schedule as it should be."""

    name: str
    function: str
    minutes: int


def wanted_schedules() -> tuple[Wanted, ...]:
    """The sweep, and every periodic task of the plugins."""
    tasks = registries().periodic_tasks.values()
    return (
        Wanted(f"{PREFIX}sweep", SWEEP, 1),
        *(Wanted(f"{PREFIX}{task.name}", task.path, task.minutes) for task in tasks),
    )


def sync_schedules() -> None:
    """Make the table agree with what is wanted. Safe to repeat: a schedule that is right keeps its next time.

    django-q2 has no unique names, so of several with one name the oldest stays.
    """
    wanted = {item.name: item for item in wanted_schedules()}
    with transaction.atomic():
        seen: set[str] = set()
        for row in Schedule.objects.select_for_update().filter(name__startswith=PREFIX).order_by("pk"):
            item = wanted.get(row.name)
            if item is None or row.name in seen:
                row.delete()
                continue
            seen.add(row.name)
            _correct(row, item)
        for name in wanted.keys() - seen:
            item = wanted[name]
            Schedule.objects.create(name=name, next_run=clock.now(), **_columns(item))


def _correct(row: Any, item: Wanted) -> None:
    changes = {name: value for name, value in _columns(item).items() if getattr(row, name) != value}
    if changes:
        Schedule.objects.filter(pk=row.pk).update(**changes)


def _columns(item: Wanted) -> dict[str, Any]:
    return {"func": item.function, "schedule_type": Schedule.MINUTES, "minutes": item.minutes, "repeats": -1}

"""``manage.py majuu_worker``: everything that happens in the background, in one command."""

from __future__ import annotations

import signal
import sys
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from majuu_core.audit.site_settings import note_settings
from majuu_core.webhooks.deliverer import deliver_due
from majuu_core.worker.loops import CORE_LOOPS, DISPATCH, LoopsFailed, run_all
from majuu_core.worker.parts import ClusterPart, DelivererPart, LoopPart
from majuu_core.worker.supervisor import Part, Supervisor

# A delivery may take 15 s and django-q2 25 s to finish its task.
_GRACE = 30.0
# Python lets a busy thread run 5 ms before another may. The deliverer's database threads come back for it several times
# in a statement; measured with 20 endpoints, 0.5 ms delivers a quarter more.
_SWITCH_INTERVAL = 0.0005


class Command(BaseCommand):
    help = (
        "Run the worker: outgoing webhooks, questions to providers, callbacks, event handlers, and django-q2 for the "
        "schedules. Ends on SIGTERM or Ctrl-C after finishing what is under way. Several may run at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-q2", action="store_true", help="do not start django-q2 (another process runs it)")
        parser.add_argument("--once", action="store_true", help="do all that is due now, then end (for cron and tests)")

    def handle(self, *args: Any, no_q2: bool = False, once: bool = False, **options: Any) -> None:
        if once:
            self._run_once()
        else:
            self._run(with_cluster=not no_q2)

    def _run_once(self) -> None:
        try:
            done = run_all(deliver=deliver_due)
        except LoopsFailed as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"Nothing more is due ({done} done).")

    def _run(self, *, with_cluster: bool) -> None:
        supervisor = Supervisor(build_parts(with_cluster=with_cluster))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.request_stop())
        sys.setswitchinterval(_SWITCH_INTERVAL)
        note_settings()
        supervisor.start()
        self.stdout.write("The worker is running. Ctrl-C ends it.")
        self.stdout.flush()
        if not supervisor.wait(grace=_GRACE):
            raise CommandError(
                "The worker was ended before all its parts had finished; what they held is taken up again."
            )
        self.stdout.write("The worker has finished.")


def build_parts(*, with_cluster: bool) -> list[Part]:
    """The deliverer, a part for each thread of each loop, and the cluster."""
    deliverer = DelivererPart()
    parts: list[Part] = [deliverer]
    parts += [
        LoopPart(loop, on_work=deliverer.wake if loop is DISPATCH else None, number=number)
        for loop in CORE_LOOPS
        for number in range(1, loop.threads + 1)
    ]
    if with_cluster:
        if not apps.is_installed("django_q"):
            raise CommandError('Add "django_q" to INSTALLED_APPS, or start with --no-q2.')
        from majuu_core.worker.schedules import sync_schedules

        sync_schedules()
        connections.close_all()  # this thread only waits from here on
        parts.append(ClusterPart())
    return parts

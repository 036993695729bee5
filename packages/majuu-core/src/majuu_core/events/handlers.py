"""Runs plugins' event handlers: each run in a transaction of its own, with its own retries."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction

from majuu_core.common import clock, randomness
from majuu_core.common.redaction import redact_text
from majuu_core.database.claims import claim_rows
from majuu_core.events.models import HandlerRun
from majuu_core.plugins.contributions import EventHandler
from majuu_core.plugins.manager import registries

_log = logging.getLogger("majuu.events")

# Seconds to wait after the first, second, … failure; after the last one the run is given up, visibly.
RETRY_DELAYS = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800)
_LEASE = timedelta(minutes=10)
_MAX_ERROR = 2000


class LeaseLost(Exception):
    """Another worker took the run over while the handler ran; this result does not count."""


def run_due_handlers(limit: int = 50) -> int:
    """Run handlers that are due. Returns how many runs were taken, whatever came of them."""
    runs = claim_rows(HandlerRun.objects.filter(state=HandlerRun.State.PENDING), limit=limit, lease=_LEASE)
    for run in runs:
        _run_one(run)
    return len(runs)


def retry_handler_run(*, run: HandlerRun) -> HandlerRun:
    """Put a run that was given up back into the queue, with all its attempts."""
    HandlerRun.objects.filter(pk=run.pk, state=HandlerRun.State.FAILED).update(
        state=HandlerRun.State.PENDING, attempts=0, next_attempt_at=clock.now(), leased_until=None
    )
    run.refresh_from_db()
    return run


def _run_one(run: HandlerRun) -> None:
    handler = registries().event_handlers.get(run.handler)
    if handler is None:
        _record_failure(run, f"no handler is registered as {run.handler!r}; is its plugin still installed?")
        return
    try:
        _handle(run, handler)
    except LeaseLost:
        _log.warning("handler %s of %s took longer than its lease", run.handler, run.event_id)
    except Exception as problem:  # noqa: BLE001 - whatever a plugin raises, the next handler must run
        _log.exception("handler %s of event %s failed", run.handler, run.event_id)
        _record_failure(run, f"{type(problem).__name__}: {problem}")


def _handle(run: HandlerRun, handler: EventHandler) -> None:
    with transaction.atomic():
        handler.resolve()(run.event)
        done = HandlerRun.objects.filter(pk=run.pk, leased_until=run.leased_until).update(
            state=HandlerRun.State.SUCCEEDED,
            attempts=run.attempts + 1,
            next_attempt_at=None,
            leased_until=None,
            last_error="",
        )
        if not done:
            raise LeaseLost


def _record_failure(run: HandlerRun, error: str) -> None:
    attempts = run.attempts + 1
    gives_up = attempts > len(RETRY_DELAYS)
    delay = 0 if gives_up else RETRY_DELAYS[attempts - 1]
    HandlerRun.objects.filter(pk=run.pk, leased_until=run.leased_until).update(
        state=HandlerRun.State.FAILED if gives_up else HandlerRun.State.PENDING,
        attempts=attempts,
        next_attempt_at=None
        if gives_up
        else clock.now() + timedelta(seconds=delay + randomness.jitter(0, delay // 10)),
        leased_until=None,
        last_error=redact_text(error)[:_MAX_ERROR],
    )

"""Plugins' handlers: their own transaction, their own retries."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from majuu_core.common.clock import VirtualClock
from majuu_core.events.handlers import RETRY_DELAYS, retry_handler_run, run_due_handlers
from majuu_core.events.models import Event, HandlerRun
from majuu_core.events.services import build_event
from majuu_core.plugins import EventHandler, hookimpl

pytestmark = pytest.mark.django_db
_seen: list[Event] = []
_on_event: list[Callable[[Event], None]] = []


def handle(event: Event) -> None:
    _seen.append(event)
    for action in _on_event:
        action(event)


class Plugin:
    @hookimpl
    def register_event_handlers(self) -> list[EventHandler]:
        return [EventHandler(name="tests.all", event_types=frozenset({"*"}), function=handle)]


@pytest.fixture(autouse=True)
def _plugin(temporary_plugin: Callable[[object], object]) -> Iterator[None]:
    _seen.clear()
    _on_event.clear()
    temporary_plugin(Plugin())
    yield
    _seen.clear()
    _on_event.clear()


@pytest.fixture
def event() -> Event:
    made = build_event(store_id=uuid.uuid4(), livemode=False, type="charge.failed", object_id="ch_1", data={})
    made.save(force_insert=True)
    return made


@pytest.fixture
def run(virtual_clock: VirtualClock, event: Event) -> HandlerRun:
    return HandlerRun.objects.create(event=event, handler="tests.all", next_attempt_at=virtual_clock.now())


def fail(event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(object_id="written by the handler")
    raise RuntimeError("no such parcel sk_test_0123456789abcdef")


def test_a_due_run_is_handled_once(run: HandlerRun, event: Event) -> None:
    """given a due run / when the runner works twice / then the handler saw the event once."""
    assert (run_due_handlers(), run_due_handlers()) == (1, 0)

    assert _seen == [event]
    run.refresh_from_db()
    assert (run.state, run.attempts, run.next_attempt_at, run.leased_until) == ("succeeded", 1, None, None)


def test_what_a_failing_handler_wrote_is_undone_and_tried_again(
    run: HandlerRun, event: Event, virtual_clock: VirtualClock
) -> None:
    """given a handler that writes and then fails / when run / then its writing is gone and the run waits."""
    _on_event.append(fail)

    run_due_handlers()

    event.refresh_from_db()
    run.refresh_from_db()
    assert event.object_id == "ch_1"
    assert (run.state, run.attempts, run.leased_until) == ("pending", 1, None)
    assert run.last_error == "RuntimeError: no such parcel [redacted]"
    assert run.next_attempt_at == virtual_clock.now() + timedelta(seconds=RETRY_DELAYS[0])


def test_a_handler_that_recovers_succeeds_later(run: HandlerRun, virtual_clock: VirtualClock) -> None:
    """given a handler that failed once / when its time comes and it works / then the run is done."""
    _on_event.append(fail)
    run_due_handlers()
    _on_event.clear()
    virtual_clock.advance(RETRY_DELAYS[0] - 1)
    assert run_due_handlers() == 0
    virtual_clock.advance(1)

    assert run_due_handlers() == 1

    run.refresh_from_db()
    assert (run.state, run.attempts, run.last_error) == ("succeeded", 2, "")


def test_after_ten_failures_the_run_is_given_up_and_can_be_retried_by_hand(
    run: HandlerRun, virtual_clock: VirtualClock
) -> None:
    """given a handler that always fails / when ten attempts are over / then it is failed until somebody retries it."""
    _on_event.append(fail)
    for _ in range(len(RETRY_DELAYS) + 1):
        assert run_due_handlers() == 1
        virtual_clock.advance(timedelta(days=1))
    run.refresh_from_db()
    assert (run.state, run.attempts, run.next_attempt_at) == ("failed", 10, None)
    assert run_due_handlers() == 0

    _on_event.clear()
    retry_handler_run(run=run)

    assert run_due_handlers() == 1
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("succeeded", 1)


def test_a_run_that_is_not_given_up_is_not_retried_by_hand(run: HandlerRun) -> None:
    """given a run that succeeded / when somebody retries it / then it stays as it is."""
    run_due_handlers()

    assert retry_handler_run(run=run).state == "succeeded"
    assert run_due_handlers() == 0


def test_one_failing_handler_does_not_stop_the_next(run: HandlerRun, event: Event, virtual_clock: VirtualClock) -> None:
    """given a run without a registered handler and a good one / when run / then the good one is done."""
    orphan = HandlerRun.objects.create(event=event, handler="gone.plugin", next_attempt_at=virtual_clock.now())

    assert run_due_handlers() == 2

    orphan.refresh_from_db()
    run.refresh_from_db()
    assert (orphan.state, orphan.attempts, run.state) == ("pending", 1, "succeeded")
    assert "is its plugin still installed?" in orphan.last_error


def test_a_run_whose_worker_died_is_taken_again_after_its_lease(run: HandlerRun, virtual_clock: VirtualClock) -> None:
    """given a run that a dead worker holds / when its lease ends / then it is handled."""
    HandlerRun.objects.update(leased_until=virtual_clock.now() + timedelta(seconds=5))
    assert run_due_handlers() == 0

    virtual_clock.advance(5)

    assert run_due_handlers() == 1


def test_a_handler_that_outlives_its_lease_leaves_the_run_to_the_other_worker(
    run: HandlerRun, event: Event, virtual_clock: VirtualClock
) -> None:
    """given another worker took the run over meanwhile / when the first handler ends / then what it wrote is undone."""

    def slow(event: Event) -> None:
        Event.objects.filter(pk=event.pk).update(object_id="written too late")
        HandlerRun.objects.update(leased_until=virtual_clock.now() + timedelta(hours=1))

    _on_event.append(slow)
    run_due_handlers()

    event.refresh_from_db()
    run.refresh_from_db()
    assert (event.object_id, run.state) == ("ch_1", "pending")


def test_queries_per_run_do_not_grow(run: HandlerRun, event: Event, virtual_clock: VirtualClock) -> None:
    """given one run, then twenty / when run / then each costs the same."""

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            taken = run_due_handlers()
        return len(captured) // taken

    one = queries()
    for number in range(20):
        made = build_event(store_id=uuid.uuid4(), livemode=False, type="a.b", object_id=str(number), data={})
        made.save(force_insert=True)
        HandlerRun.objects.create(event=made, handler="tests.all", next_attempt_at=virtual_clock.now())

    assert queries() <= one

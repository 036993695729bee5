"""Taking rows so that no two workers have the same."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from majuu_core.common.clock import VirtualClock
from majuu_core.database.claims import claim_rows
from majuu_core.events.models import Event, HandlerRun
from majuu_core.events.services import build_event

LEASE = timedelta(minutes=5)


def add_runs(count: int, clock: VirtualClock, **values: object) -> list[HandlerRun]:
    event = build_event(store_id=uuid.uuid4(), livemode=False, type="a.b", object_id="x", data={})
    event.save(force_insert=True)
    return [
        HandlerRun.objects.create(
            event=event,
            handler=f"h.{number}",
            **{"next_attempt_at": clock.now() - timedelta(seconds=count - number), **values},
        )
        for number in range(count)
    ]


def claim(limit: int = 100) -> list[HandlerRun]:
    return claim_rows(HandlerRun.objects.filter(state="pending"), limit=limit, lease=LEASE)


@pytest.mark.django_db
def test_the_longest_due_are_taken_and_leased(virtual_clock: VirtualClock) -> None:
    """given five due rows / when three are claimed / then they are the oldest, and carry their lease."""
    rows = add_runs(5, virtual_clock)

    taken = claim(3)

    assert sorted(row.pk for row in taken) == [row.pk for row in rows[:3]]
    assert {row.leased_until for row in taken} == {virtual_clock.now() + LEASE}
    assert HandlerRun.objects.filter(leased_until=virtual_clock.now() + LEASE).count() == 3


@pytest.mark.django_db
def test_rows_that_are_leased_not_due_without_a_time_or_not_work_stay(virtual_clock: VirtualClock) -> None:
    """given rows of all sorts / when claimed / then only the one that is due and free is taken."""
    now = virtual_clock.now()
    add_runs(1, virtual_clock, leased_until=now + timedelta(seconds=1))
    add_runs(1, virtual_clock, next_attempt_at=now + timedelta(seconds=1))
    add_runs(1, virtual_clock, next_attempt_at=None)
    add_runs(1, virtual_clock, state="succeeded")
    (due,) = add_runs(1, virtual_clock)

    assert claim() == [due]
    assert claim() == []


@pytest.mark.django_db
def test_a_lease_that_ended_is_free_again(virtual_clock: VirtualClock) -> None:
    """given a claimed row / when its lease ends / then it can be claimed again."""
    (row,) = add_runs(1, virtual_clock)
    assert claim() == [row]
    virtual_clock.advance(LEASE - timedelta(seconds=1))
    assert claim() == []
    virtual_clock.advance(1)

    assert claim() == [row]


@pytest.mark.django_db
def test_a_limit_below_one_takes_nothing(virtual_clock: VirtualClock) -> None:
    """given a due row / when none is asked for / then none is taken."""
    add_runs(1, virtual_clock)

    assert claim(0) == []
    assert HandlerRun.objects.get().leased_until is None


@pytest.mark.postgresql
@pytest.mark.django_db
def test_on_postgresql_a_claim_is_one_statement(virtual_clock: VirtualClock) -> None:
    """given thirty due rows / when twenty are claimed / then that was one statement."""
    add_runs(30, virtual_clock)

    with CaptureQueriesContext(connection) as captured:
        assert len(claim(20)) == 20

    assert len(captured) == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_time_share_the_rows(virtual_clock: VirtualClock) -> None:
    """given 200 due rows / when four workers claim at once / then each row had exactly one of them."""
    rows = add_runs(200, virtual_clock)
    taken: list[int] = []

    def work() -> None:
        try:
            while mine := claim(7):
                taken.extend(row.pk for row in mine)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == [row.pk for row in rows]
    assert Event.objects.count() == 1

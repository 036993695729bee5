"""Who may send next."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from majuu_core.webhooks.deliverer_lanes import PLACES, Lanes, Standing
from majuu_core.webhooks.outbound import Job
from tests.core.webhooks.outbound.test_outcomes import make_job

A, B, C = (uuid.UUID(int=number) for number in (1, 2, 3))


def job_of(endpoint: uuid.UUID) -> Job:
    job = make_job()
    job.endpoint_id = endpoint
    return job


def start_all(lanes: Lanes) -> list[Job]:
    started = []
    while (job := lanes.next_job()) is not None:
        started.append(job)
    return started


def with_standing(lanes: Lanes, endpoint: uuid.UUID, *, prompt: bool, answered: bool = True) -> None:
    lanes.add([job_of(endpoint)])
    (job,) = start_all(lanes)
    lanes.finish(job, prompt=prompt, answered=answered)


def test_an_unknown_endpoint_gets_a_few_places_only() -> None:
    """given an endpoint never seen / when work is planned and started / then it holds five places."""
    lanes = Lanes()

    assert lanes.plan([A]) == [(A, 5)]
    lanes.add([job_of(A) for _ in range(8)])

    assert len(start_all(lanes)) == 5
    assert lanes.queued == 3
    assert lanes.plan([A]) == []


def test_a_prompt_endpoint_gets_more_but_never_the_whole_lane() -> None:
    """given an endpoint that answers promptly / when work is planned / then 25 at once and 75 waiting."""
    lanes = Lanes()
    with_standing(lanes, A, prompt=True)

    assert lanes.plan([A]) == [(A, 100)]
    lanes.add([job_of(A) for _ in range(100)])
    assert len(start_all(lanes)) == 25
    assert lanes.plan([A]) == []


def test_many_endpoints_share_the_room_equally() -> None:
    """given 40 endpoints with work / when it is planned / then each gets its share and the room is not exceeded."""
    lanes = Lanes()
    endpoints = [uuid.UUID(int=number) for number in range(40)]

    wants = lanes.plan(endpoints)

    assert [slots for _, slots in wants] == [5] * 40
    assert sum(slots for _, slots in wants) <= lanes.room


def test_a_request_that_takes_long_gives_its_main_place_free() -> None:
    """given a full main lane / when its requests take long / then others may start in their place."""
    lanes = Lanes(main_limit=5)
    lanes.add([job_of(A) for _ in range(5)])
    slow = start_all(lanes)
    lanes.add([job_of(B)])
    assert start_all(lanes) == []

    for job in slow:
        lanes.take_long(job)

    assert [job.endpoint_id for job in start_all(lanes)] == [B]
    assert lanes.standing(A) is Standing.SLOW


def test_queued_jobs_of_an_endpoint_that_turned_slow_are_given_back() -> None:
    """given jobs waiting behind a slow request / when it turns out slow / then they are handed out to be released."""
    lanes = Lanes()
    jobs = [job_of(A) for _ in range(7)]
    lanes.add(jobs)
    started = start_all(lanes)

    assert lanes.take_long(started[0]) == jobs[5:]
    assert lanes.queued == 0


def test_a_hanging_endpoint_has_one_place_in_the_slow_lane_and_recovers_with_one_prompt_answer() -> None:
    """given an endpoint that hung / when it is planned, then answers promptly / then one place first, then 25."""
    lanes = Lanes()
    with_standing(lanes, A, prompt=False, answered=False)
    assert lanes.standing(A) is Standing.HANGING
    assert lanes.plan([A]) == [(A, 1)]

    with_standing(lanes, A, prompt=True)

    assert lanes.plan([A]) == [(A, 100)]


def test_hanging_endpoints_never_fill_the_main_lane() -> None:
    """given a slow lane full of hanging requests / when a good endpoint has work / then it starts at once."""
    lanes = Lanes(main_limit=10, slow_limit=5)
    hanging = [uuid.UUID(int=100 + number) for number in range(20)]
    for endpoint in hanging:
        with_standing(lanes, endpoint, prompt=False, answered=False)

    lanes.add([job_of(endpoint) for endpoint in hanging])
    assert len(start_all(lanes)) == 5
    lanes.add([job_of(B)])

    assert [job.endpoint_id for job in start_all(lanes)] == [B]


def test_an_endpoint_known_to_fail_starts_in_the_slow_lane() -> None:
    """given a worker that starts anew and an endpoint whose record is bad / when it has work / then one slow place."""
    lanes = Lanes()
    jobs = [job_of(A) for _ in range(5)]
    for job in jobs:
        job.is_failing = True

    lanes.add(jobs)

    assert lanes.standing(A) is Standing.HANGING
    assert start_all(lanes) == jobs[:1]
    assert len(lanes._main) == 0


def test_planning_looks_at_no_more_endpoints_than_can_be_served() -> None:
    """given a hundred thousand endpoints with work / when planned / then only the first few hundred are looked at."""
    looked: list[int] = []

    def endpoints() -> Iterator[uuid.UUID]:
        for number in range(100_000):
            looked.append(number)
            yield uuid.UUID(int=number)

    wants = Lanes(main_limit=50, slow_limit=150).plan(endpoints())

    assert len(wants) == 200
    assert len(looked) <= 351


def test_clear_takes_out_everything_that_waits_and_nothing_that_runs() -> None:
    """given jobs under way and waiting / when cleared / then the waiting ones are handed out."""
    lanes = Lanes()
    lanes.add([job_of(A) for _ in range(6)] + [job_of(B) for _ in range(2)])
    started = start_all(lanes)

    assert len(lanes.clear()) == 8 - len(started)
    assert (lanes.queued, lanes.under_way, lanes.is_empty) == (0, len(started), False)


ACTIONS = st.lists(st.tuples(st.sampled_from("acstfh"), st.integers(0, 5)), max_size=80)


@given(actions=ACTIONS)
def test_whatever_happens_limits_hold_and_no_job_is_lost(actions: list[tuple[str, int]]) -> None:
    """given any sequence of claims, starts and ends / then limits hold and every job is somewhere."""
    lanes, endpoints = Lanes(main_limit=4, slow_limit=3), [uuid.UUID(int=number) for number in range(6)]
    under_way: list[Job] = []
    claimed = ended = 0
    for action, number in actions:
        if action in "ac":
            jobs = [job_of(key) for key, slots in lanes.plan(endpoints[: number + 1]) for _ in range(slots)]
            lanes.add(jobs)
            claimed += len(jobs)
        elif action == "s":
            under_way += start_all(lanes)
        elif under_way:
            job = under_way[number % len(under_way)]
            if action == "t":
                ended += len(lanes.take_long(job))
            else:
                under_way.remove(job)
                lanes.finish(job, prompt=action == "f", answered=number % 2 == 0)
                ended += 1
        assert len(lanes._main) <= 4
        assert len(lanes._slow) <= 3
        assert lanes.under_way == len(under_way)
        assert claimed == ended + lanes.queued + lanes.under_way
        assert all(count <= max(PLACES.values()) for count in Counter(job.endpoint_id for job in under_way).values())

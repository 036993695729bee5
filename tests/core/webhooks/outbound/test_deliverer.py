"""The deliverer's own behaviour when its database or its sender misbehave, over a store and a sender made of memory."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Self

import pytest
from django.db import IntegrityError, OperationalError

from majuu_core.common.clock import VirtualClock
from majuu_core.webhooks import deliverer as module
from majuu_core.webhooks.deliverer import Deliverer, Options
from majuu_core.webhooks.outbound import START_WITHIN, Answer, Job, Result
from majuu_core.webhooks.outbound_store import DeliveryStore
from tests.core.webhooks.outbound.test_outcomes import make_job

ENDPOINT = uuid.UUID(int=1)


class MemoryStore(DeliveryStore):
    """Jobs of one endpoint in a list. ``failures`` are raised by the methods they are named for, one a call."""

    def __init__(self, count: int) -> None:
        self.waiting = [self._make() for _ in range(count)]
        self.recorded: list[Result] = []
        self.released: list[Job] = []
        self.failures: dict[str, list[Exception]] = {}
        self.refuses: set[uuid.UUID] = set()

    @staticmethod
    def _make() -> Job:
        job = make_job()
        job.endpoint_id = ENDPOINT
        return job

    def _maybe_fail(self, name: str) -> None:
        if self.failures.get(name):
            raise self.failures[name].pop()

    def recover(self) -> int:
        return 0

    def find_endpoints(self) -> list[uuid.UUID]:
        self._maybe_fail("find_endpoints")
        return [ENDPOINT] if self.waiting else []

    def claim(self, wants: Sequence[tuple[uuid.UUID, int]]) -> list[Job]:
        self._maybe_fail("claim")
        ((_, slots),) = wants
        taken, self.waiting = self.waiting[:slots], self.waiting[slots:]
        return taken

    def record(self, results: Sequence[Result]) -> None:
        self._maybe_fail("record")
        if any(result.job.delivery_id in self.refuses for result in results):
            raise IntegrityError("the delivery is gone")
        self.recorded += results

    def release(self, jobs: Any) -> None:
        self.released += jobs


class MemorySender:
    """Answers as it is told; ``started`` counts the requests."""

    def __init__(self, **options: Any) -> None:
        self.started = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *arguments: Any) -> None:
        """Nothing to close."""

    async def send(self, job: Job) -> Answer:
        self.started += 1
        return await self.answer(job)

    async def answer(self, job: Job) -> Answer:
        await asyncio.sleep(0)
        return Answer(status=200)


def run(
    monkeypatch: pytest.MonkeyPatch,
    store: MemoryStore,
    *,
    sender: MemorySender | None = None,
    during: Callable[[Deliverer], None] | None = None,
    **options: Any,
) -> int:
    """Run a deliverer until it is idle, or until it was stopped."""
    made = sender or MemorySender()
    monkeypatch.setattr(module, "Sender", lambda **given: made)

    async def in_loop(work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    async def main() -> int:
        deliverer = Deliverer(
            run_in_database=in_loop,
            store=store,
            options=Options(poll=0.01, group=0.005, database_pause=0.01, **options),
        )
        if during is not None:
            asyncio.get_running_loop().call_later(0.05, during, deliverer)
        return await deliverer.run(until_idle=during is None)

    return asyncio.run(main())


@pytest.mark.parametrize("step", ["find_endpoints", "claim", "record"])
def test_a_database_that_is_away_for_a_moment_loses_nothing(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """given a database that fails three times at one step / when delivering / then every result is written once."""
    store = MemoryStore(30)
    store.failures[step] = [OperationalError("the server closed the connection") for _ in range(3)]

    assert run(monkeypatch, store) == 30

    assert len({result.job.delivery_id for result in store.recorded}) == len(store.recorded) == 30
    assert store.failures[step] == []


def test_a_result_the_database_refuses_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """given a delivery that was deleted while under way / when its group is written / then the others are written."""
    store = MemoryStore(20)
    gone = store.waiting[7].delivery_id
    store.refuses = {gone}

    assert run(monkeypatch, store) == 20

    assert len(store.recorded) == 19
    assert gone not in {result.job.delivery_id for result in store.recorded}


def test_a_fault_of_ours_costs_the_attempt_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """given a sender that raises what nobody expects / when delivering / then those attempts failed and are written."""

    class Broken(MemorySender):
        async def answer(self, job: Job) -> Answer:
            if self.started % 2:
                raise RuntimeError("a bug")
            return Answer(status=200)

    store = MemoryStore(10)

    assert run(monkeypatch, store, sender=Broken()) == 10

    errors = sorted(result.answer.error for result in store.recorded)
    assert errors == [""] * 5 + ["internal error: RuntimeError"] * 5


def test_stopping_finishes_what_is_under_way_and_releases_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """given five requests under way and more claimed / when stopped / then five results, the rest given back."""

    class Slow(MemorySender):
        async def answer(self, job: Job) -> Answer:
            await asyncio.sleep(0.3)
            return Answer(status=200)

    store = MemoryStore(12)
    # The endpoint is known to be prompt, so that more is claimed than may start.
    sender = Slow()

    assert run(monkeypatch, store, sender=sender, during=Deliverer.stop, main_limit=3) == 3

    assert len(store.recorded) == sender.started == 3
    assert len(store.recorded) + len(store.released) + len(store.waiting) == 12
    assert len(store.released) == 2


def test_what_waited_too_long_is_given_back_unsent(
    monkeypatch: pytest.MonkeyPatch, virtual_clock: VirtualClock
) -> None:
    """given a job claimed so long ago that its lease may end under way / when its turn comes / then it is released."""
    store = MemoryStore(4)
    virtual_clock.advance(START_WITHIN)
    fresh = [store._make() for _ in range(2)]
    virtual_clock.advance(1)
    store.waiting += fresh

    assert run(monkeypatch, store) == 2

    assert {result.job for result in store.recorded} == set(fresh)
    assert len(store.released) == 4


def test_the_limit_of_requests_at_once_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """given much work and a limit of four / when delivering / then never more than four are under way."""
    most: list[int] = [0, 0]

    class Counting(MemorySender):
        async def answer(self, job: Job) -> Answer:
            most[0] += 1
            most[1] = max(most)
            await asyncio.sleep(0.002)
            most[0] -= 1
            return Answer(status=200)

    assert run(monkeypatch, MemoryStore(60), sender=Counting(), main_limit=4) == 60

    assert most == [0, 4]


def test_waking_makes_it_look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """given an idle deliverer that looks once an hour / when woken / then new work is sent now."""
    store = MemoryStore(0)

    def add_work(deliverer: Deliverer) -> None:
        store.waiting.append(store._make())
        deliverer.wake()
        asyncio.get_running_loop().call_later(0.2, deliverer.stop)

    async def in_loop(work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    monkeypatch.setattr(module, "Sender", MemorySender)

    async def main() -> int:
        deliverer = Deliverer(run_in_database=in_loop, store=store, options=Options(poll=3600))
        asyncio.get_running_loop().call_later(0.05, add_work, deliverer)
        return await asyncio.wait_for(deliverer.run(), 10)

    assert asyncio.run(main()) == 1

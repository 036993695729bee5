"""Empties the delivery table: claims what is due, sends it, writes what came of it. One asyncio loop a worker.

The loop never touches the database itself: claims and results go through ``run_in_database``, a function that runs its
argument in a thread. Results are written in groups, every 20 milliseconds while there are any.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from asgiref.sync import async_to_sync, sync_to_async
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connections

from majuu_core import configuration
from majuu_core.common import clock
from majuu_core.webhooks.deliverer_lanes import MAIN_LIMIT, SLOW_LIMIT, Lanes
from majuu_core.webhooks.outbound import START_WITHIN, Answer, Job, Result, judge
from majuu_core.webhooks.outbound_http import TIMEOUT_SECONDS, Sender
from majuu_core.webhooks.outbound_store import DeliveryStore

_log = logging.getLogger("majuu.webhooks")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How one deliverer works. Times in seconds."""

    main_limit: int = MAIN_LIMIT
    slow_limit: int = SLOW_LIMIT
    timeout: float = TIMEOUT_SECONDS
    poll: float = 0.25  # how often it looks for new work when nobody wakes it
    prompt: float = 1.0  # a request that takes longer moves to the slow lane
    claim_after: int = 50  # claim again after so many have finished, or when none is left waiting
    group: float = 0.02  # results are collected this long before they are written
    recover_every: float = 5.0
    database_pause: float = 0.5  # before trying again when the database does not answer


class Deliverer:
    """One worker's deliverer. ``run`` it once, inside its event loop."""

    def __init__(
        self,
        *,
        run_in_database: Callable[..., Awaitable[Any]],
        store: DeliveryStore | None = None,
        options: Options | None = None,
    ) -> None:
        self._database = run_in_database
        self._store = store or DeliveryStore()
        self._options = options or Options()
        self._lanes = Lanes(main_limit=self._options.main_limit, slow_limit=self._options.slow_limit)
        self._candidates: dict[Any, None] = {}
        self._under_way: dict[Job, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[Result] = []
        self._to_release: list[Job] = []
        self._finished_since_claim = 0
        self._stopping = False
        self._looks_at = 0.0
        self._recovers_at = 0.0
        self.finished = 0

    async def run(self, *, until_idle: bool = False) -> int:
        """Deliver until ``stop`` is called, or with ``until_idle`` until nothing is due. Returns how many attempts.

        Ends only after everything under way was answered and written.
        """
        self._loop, self._until_idle = asyncio.get_running_loop(), until_idle
        self._nudge = asyncio.Event()
        self._has_results = asyncio.Event()
        sender = Sender(allow_private=configuration.allow_private_webhook_addresses(), timeout=self._options.timeout)
        async with sender as self._sender:
            writer = asyncio.create_task(self._write_results())
            try:
                while not self._stopping and not writer.done():
                    await self._step()
                    if until_idle and await self._is_idle():
                        break
                    await self._pause()
                await self._wind_down()
            finally:
                self._stopping = True
                self._has_results.set()
                await writer
        return self.finished

    def stop(self) -> None:
        """Claim nothing more and end when all under way is done. May be called from any thread."""
        self._stopping = True
        self._wake()

    def wake(self) -> None:
        """There is new work: look now. May be called from any thread."""
        self._looks_at = 0.0
        self._wake()

    def _wake(self) -> None:
        loop = getattr(self, "_loop", None)
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._nudge.set)

    async def _step(self) -> None:
        self._nudge.clear()
        self._notice_slow()
        await self._survive(self._look, self._claim, self._release)
        self._start()

    async def _survive(self, *steps: Callable[[], Awaitable[None]]) -> bool:
        """Do the steps. False when the database failed: then the rest is left for the next time."""
        try:
            for step in steps:
                await step()
        except DatabaseError:
            _log.exception("the deliverer cannot use the database; it tries again")
            await asyncio.sleep(self._options.database_pause)
            return False
        return True

    async def _look(self) -> None:
        now = monotonic()
        if now >= self._recovers_at:
            self._recovers_at = now + self._options.recover_every
            await self._in_database(self._store.recover)
        if now >= self._looks_at:
            self._looks_at = now + self._options.poll
            found = await self._in_database(self._store.find_endpoints)
            # Known ones keep their turn; new ones queue up behind.
            self._candidates = dict.fromkeys([*self._candidates, *found])

    async def _claim(self) -> None:
        wants = self._lanes.plan(self._candidates)
        if not wants:
            return
        self._finished_since_claim = 0
        jobs: list[Job] = await self._in_database(self._store.claim, wants)
        received: dict[Any, int] = {}
        for job in jobs:
            received[job.endpoint_id] = received.get(job.endpoint_id, 0) + 1
        for endpoint, slots in wants:
            self._candidates.pop(endpoint, None)
            if received.get(endpoint, 0) == slots:
                self._candidates[endpoint] = None  # it may have more: back to the end of the queue
        self._lanes.add(jobs)

    def _start(self) -> None:
        while (job := self._next_job()) is not None:
            task = asyncio.create_task(self._send_from(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next_job(self) -> Job | None:
        while (job := self._lanes.next_job()) is not None:
            if clock.now() <= job.claimed_at + START_WITHIN:
                return job
            self._lanes.drop(job)
            self._to_release.append(job)
        return None

    async def _send_from(self, job: Job | None) -> None:
        # The task goes on with the next job that may start: a task for each would cost more.
        while job is not None:
            await self._attempt(job)
            job = self._next_job()

    async def _attempt(self, job: Job) -> None:
        started_at, started = clock.now(), monotonic()
        self._under_way[job] = started
        try:
            answer = await self._sender.send(job)
        except Exception as problem:  # noqa: BLE001 - a fault of ours: it costs this attempt, not the deliverer
            _log.exception("attempt %d of delivery %s failed", job.number, job.delivery_id)
            answer = Answer(error=f"internal error: {type(problem).__name__}")
        self._under_way.pop(job, None)
        prompt = monotonic() - started <= self._options.prompt
        self._lanes.finish(job, prompt=prompt, answered=answer.status is not None)
        self._results.append(judge(job, answer, started_at=started_at))
        self.finished += 1
        self._finished_since_claim += 1
        self._has_results.set()
        # Claims take groups: one row at a time would cost a round trip each.
        if self._candidates and (not self._lanes.queued or self._finished_since_claim >= self._options.claim_after):
            self._nudge.set()

    def _notice_slow(self) -> None:
        line = monotonic() - self._options.prompt
        for job, started in list(self._under_way.items()):
            if started < line:
                self._to_release += self._lanes.take_long(job)

    async def _release(self) -> None:
        if self._to_release:
            jobs, self._to_release = self._to_release, []
            await self._in_database(self._store.release, jobs)

    async def _write_results(self) -> None:
        while not self._stopping or self._results or self._under_way:
            await self._has_results.wait()
            self._has_results.clear()
            await asyncio.sleep(self._options.group)
            if self._results:
                group, self._results = self._results, []
                await self._write(group)
                if self._until_idle:
                    self._nudge.set()

    async def _write(self, group: list[Result]) -> None:
        # Until the lease of these deliveries ends nobody else sends them, so it pays to keep trying.
        while True:
            try:
                await self._in_database(self._store.record, group)
            except (OperationalError, InterfaceError):
                _log.exception("%d results cannot be written; trying again", len(group))
                await asyncio.sleep(self._options.database_pause)
            except DatabaseError:
                await self._write_apart(group)
                return
            else:
                return

    async def _write_apart(self, group: list[Result]) -> None:
        # The database refuses one of them, such as that of a delivery deleted meanwhile: the others must not suffer.
        if len(group) > 1:
            for result in group:
                await self._write([result])
        else:
            _log.exception("the result of delivery %s is refused and dropped", group[0].job.delivery_id)

    async def _is_idle(self) -> bool:
        if not self._lanes.is_empty or self._results or self._candidates or self._to_release:
            return False
        self._looks_at = 0.0
        return await self._survive(self._look) and not self._candidates and self._lanes.is_empty

    async def _pause(self) -> None:
        if self._stopping or (self._candidates and self._lanes.plan(self._candidates)):
            return
        try:
            async with asyncio.timeout(self._options.poll):
                await self._nudge.wait()
        except TimeoutError:
            pass

    async def _wind_down(self) -> None:
        self._to_release += self._lanes.clear()
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        await self._survive(self._release)  # if not, the leases end by themselves

    async def _in_database(self, work: Callable[..., Found], *arguments: Any) -> Found:
        found: Found = await self._database(_guarded, work, *arguments)
        return found


def _guarded(work: Callable[..., Found], *arguments: Any) -> Found:
    try:
        return work(*arguments)
    except DatabaseError:
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()  # the next try gets a new one
        raise


def deliver_due(*, options: Options | None = None, seconds: float | None = None) -> int:
    """Deliver what is due and return the number of attempts. The database is used from the calling thread only.

    After ``seconds`` nothing new is claimed; what is under way then is still waited for.
    """

    async def run() -> int:
        in_this_thread = sync_to_async(_call, thread_sensitive=True)
        deliverer = Deliverer(run_in_database=in_this_thread, options=options)
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, deliverer.stop)
        return await deliverer.run(until_idle=True)

    return async_to_sync(run)()


def _call(work: Callable[..., Found], *arguments: Any) -> Found:
    return work(*arguments)

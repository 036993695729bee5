"""Things that are due later, run in the order of their time on whichever clock the simulator uses."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from majuu_sim.clock import Clock, VirtualClock

logger = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]


@dataclass(order=True, slots=True)
class Due:
    """One job and its moment. Jobs of one moment run in the order they were scheduled."""

    at: datetime
    order: int
    label: str = field(compare=False)
    job: Job = field(compare=False)
    cancelled: bool = field(default=False, compare=False)
    timer: asyncio.TimerHandle | None = field(default=None, compare=False)


class Scheduler:
    """Runs jobs when they are due.

    On a clock that runs by itself every job gets a timer and its own task, so a slow one delays no other. On a manual
    clock jobs run one after another, only when asked, which makes a run repeatable.
    """

    def __init__(self, clock: Clock) -> None:
        """Schedule on ``clock``; nothing runs before :meth:`start`."""
        self._clock = clock
        self._planned: dict[int, Due] = {}
        self._heap: list[Due] = []  # manual clocks only; may hold cancelled jobs
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._advancing = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()

    def start(self) -> None:
        """Bind to the running loop. Call once, on the loop's thread."""
        self._loop = asyncio.get_running_loop()

    def after(self, seconds: float, label: str, job: Job) -> Due:
        """Run ``job`` in ``seconds`` of the simulator's time (negative counts as zero)."""
        self._count += 1
        wait = max(0.0, seconds)
        due = Due(self._clock.now() + timedelta(seconds=wait), self._count, label, job)
        self._planned[due.order] = due
        if self._clock.manual:
            heapq.heappush(self._heap, due)
        else:
            self._arm(due, wait)
        return due

    def cancel(self, due: Due) -> None:
        """Take ``due`` off the plan; harmless when it has run already."""
        due.cancelled = True
        if due.timer is not None:
            due.timer.cancel()
        self._planned.pop(due.order, None)
        self._note_idle()

    def clear(self) -> None:
        """Take everything off the plan and stop what is running."""
        for due in list(self._planned.values()):
            self.cancel(due)
        for task in self._tasks:
            task.cancel()

    def pending(self) -> list[Due]:
        """What is planned, soonest first."""
        return sorted(self._planned.values())

    async def advance(self, seconds: float) -> int:
        """Turn the virtual clock forward, running what falls due on the way; returns how many jobs ran.

        Raises ValueError for a negative number and RuntimeError on a clock that cannot be turned from here.
        """
        if seconds < 0:
            raise ValueError("a clock is advanced by zero or more seconds")
        if not isinstance(self._clock, VirtualClock):
            raise RuntimeError("only a virtual clock can be advanced")
        async with self._advancing:
            return await self._run_until(self._clock.now() + timedelta(seconds=seconds))

    async def run_due(self) -> int:
        """Run what is due now on a manual clock; returns how many jobs ran."""
        if not self._clock.manual:
            return 0
        async with self._advancing:
            return await self._run_until(self._clock.now())

    async def settle(self, within: float) -> int:
        """Run everything planned in the next ``within`` seconds, and return how many jobs ran.

        The virtual clock stops at the last job that ran. A clock that runs by itself is waited for (the count is then
        0); TimeoutError when it takes longer than ``within`` real seconds.
        """
        if not self._clock.manual:
            await asyncio.wait_for(self._idle.wait(), within)
            return 0
        if not isinstance(self._clock, VirtualClock):
            return await self.run_due()
        async with self._advancing:
            limit = self._clock.now() + timedelta(seconds=within)
            ran = 0
            while (due := self._next()) is not None and due.at <= limit:
                ran += await self._run_until(max(due.at, self._clock.now()))
            return ran

    async def _run_until(self, moment: datetime) -> int:
        ran = 0
        while (due := self._next()) is not None and due.at <= moment:
            heapq.heappop(self._heap)
            del self._planned[due.order]
            self._move_clock(due.at)
            await due.job()
            ran += 1
        self._move_clock(moment)
        return ran

    def _move_clock(self, moment: datetime) -> None:
        if isinstance(self._clock, VirtualClock) and moment > self._clock.now():
            self._clock.move_to(moment)

    def _next(self) -> Due | None:
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def _arm(self, due: Due, wait: float) -> None:
        if self._loop is None:
            raise RuntimeError("the scheduler has not been started")
        self._idle.clear()
        due.timer = self._loop.call_later(wait, self._fire, due)

    def _fire(self, due: Due) -> None:
        task = asyncio.create_task(self._guarded(due))
        self._tasks.add(task)
        del self._planned[due.order]
        task.add_done_callback(self._done)

    async def _guarded(self, due: Due) -> None:
        try:
            await due.job()
        except Exception:
            logger.exception("the scheduled job %r failed", due.label)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._note_idle()

    def _note_idle(self) -> None:
        if not self._planned and not self._tasks:
            self._idle.set()

"""Decides who may send next, so that one slow shop never delays another's events. Pure bookkeeping: no I/O, no time.

Two lanes. The **main** lane holds the requests that are expected to be answered promptly. A request that takes longer
than a moment moves to the **slow** lane and its place in the main lane is free again; from then on its endpoint starts
in the slow lane, with few places, until it answers promptly. So hanging endpoints can fill the slow lane only.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from majuu_core.webhooks.outbound import Job

MAIN_LIMIT = 50
SLOW_LIMIT = 150
_MAX_IDLE = 10_000


class Standing(Enum):
    """What is known of an endpoint."""

    UNKNOWN = "unknown"
    PROMPT = "prompt"
    SLOW = "slow"
    HANGING = "hanging"

    @property
    def places(self) -> int:
        """How many requests to such an endpoint may be under way at once."""
        return _PLACES[self]

    @property
    def is_slow(self) -> bool:
        return self in {Standing.SLOW, Standing.HANGING}


_PLACES = {Standing.UNKNOWN: 5, Standing.PROMPT: 25, Standing.SLOW: 5, Standing.HANGING: 1}


@dataclass(slots=True)
class _Endpoint:
    standing: Standing = Standing.UNKNOWN
    queued: deque[Job] = field(default_factory=deque)
    under_way: int = 0

    @property
    def held(self) -> int:
        return len(self.queued) + self.under_way


class Lanes:
    """The jobs of one worker: those claimed and waiting, and those under way."""

    def __init__(self, *, main_limit: int = MAIN_LIMIT, slow_limit: int = SLOW_LIMIT) -> None:
        self.main_limit = main_limit
        self.slow_limit = slow_limit
        self._endpoints: dict[uuid.UUID, _Endpoint] = {}
        self._waiting: deque[uuid.UUID] = deque()  # endpoints with queued jobs, in the order of their turn
        self._slow: set[uuid.UUID] = set()  # deliveries under way in the slow lane
        self._main: set[uuid.UUID] = set()
        self.queued = 0

    @property
    def under_way(self) -> int:
        return len(self._main) + len(self._slow)

    @property
    def is_empty(self) -> bool:
        return not self.queued and not self.under_way

    @property
    def room(self) -> int:
        """How many more jobs are useful in the main lane: one group under way and one waiting behind it."""
        return max(self.main_limit * 2 - len(self._main) - self.queued, 0)

    def standing(self, endpoint: uuid.UUID) -> Standing:
        known = self._endpoints.get(endpoint)
        return known.standing if known else Standing.UNKNOWN

    def plan(self, candidates: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, int]]:
        """How many deliveries of each endpoint to claim now: an equal share, never more than it may have."""
        ready = [(endpoint, self._places(endpoint)) for endpoint in candidates]
        ready = [(endpoint, places) for endpoint, places in ready if places > 0]
        room, slow_room = self.room, self.slow_limit - len(self._slow)
        share = max(room // len(ready), 1) if ready else 0
        wants = []
        for endpoint, places in ready:
            if self.standing(endpoint).is_slow:
                slots = min(places, slow_room)
                slow_room -= slots
            else:
                slots = min(places, share, room)
                room -= slots
            if slots > 0:
                wants.append((endpoint, slots))
        return wants

    def add(self, jobs: Iterable[Job]) -> None:
        """Queue claimed jobs."""
        for job in jobs:
            endpoint = self._endpoints.setdefault(job.endpoint_id, _Endpoint())
            if not endpoint.queued:
                self._waiting.append(job.endpoint_id)
            endpoint.queued.append(job)
            self.queued += 1

    def start(self) -> Iterator[Job]:
        """The jobs that may start now, one endpoint after the other."""
        stuck = 0
        while self._waiting and stuck < len(self._waiting):
            endpoint_id = self._waiting.popleft()
            endpoint = self._endpoints[endpoint_id]
            if not self._may_start(endpoint):
                self._waiting.append(endpoint_id)
                stuck += 1
                continue
            stuck = 0
            job = endpoint.queued.popleft()
            self.queued -= 1
            endpoint.under_way += 1
            (self._slow if endpoint.standing.is_slow else self._main).add(job.delivery_id)
            if endpoint.queued:
                self._waiting.append(endpoint_id)
            yield job

    def take_long(self, job: Job) -> list[Job]:
        """The request is not answered promptly. Returns the endpoint's queued jobs that now have to wait their turn."""
        if job.delivery_id in self._main and len(self._slow) < self.slow_limit:
            self._main.discard(job.delivery_id)
            self._slow.add(job.delivery_id)
        endpoint = self._endpoints[job.endpoint_id]
        if not endpoint.standing.is_slow:
            endpoint.standing = Standing.SLOW
        return self._take_queued(job.endpoint_id)

    def finish(self, job: Job, *, prompt: bool, answered: bool) -> None:
        """The request is over. ``answered``: something came back, whatever it said."""
        self.drop(job)
        endpoint = self._endpoints[job.endpoint_id]
        if prompt:
            endpoint.standing = Standing.PROMPT
        else:
            endpoint.standing = Standing.SLOW if answered else Standing.HANGING
        if len(self._endpoints) > _MAX_IDLE:
            self._forget_idle()

    def drop(self, job: Job) -> None:
        """The job was started here but not sent. Nothing was learned about its endpoint."""
        self._main.discard(job.delivery_id)
        self._slow.discard(job.delivery_id)
        self._endpoints[job.endpoint_id].under_way -= 1

    def clear(self) -> list[Job]:
        """Take everything that is queued out again, to be given back."""
        return [job for endpoint in list(self._waiting) for job in self._take_queued(endpoint)]

    def _places(self, endpoint_id: uuid.UUID) -> int:
        endpoint = self._endpoints.get(endpoint_id)
        if endpoint is None:
            return Standing.UNKNOWN.places
        # A prompt endpoint may also have as many waiting, so that it never waits for the next claim.
        allowed = endpoint.standing.places * (2 if endpoint.standing is Standing.PROMPT else 1)
        return allowed - endpoint.held

    def _may_start(self, endpoint: _Endpoint) -> bool:
        if endpoint.under_way >= endpoint.standing.places:
            return False
        if endpoint.standing.is_slow:
            return len(self._slow) < self.slow_limit
        return len(self._main) < self.main_limit

    def _take_queued(self, endpoint_id: uuid.UUID) -> list[Job]:
        endpoint = self._endpoints[endpoint_id]
        jobs = list(endpoint.queued)
        endpoint.queued.clear()
        self.queued -= len(jobs)
        if jobs:
            self._waiting.remove(endpoint_id)
        return jobs

    def _forget_idle(self) -> None:
        self._endpoints = {key: endpoint for key, endpoint in self._endpoints.items() if endpoint.held}

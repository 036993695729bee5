"""Decides who may send next, so that one slow shop never delays another's events. Pure bookkeeping: no I/O, no time.

Two lanes. The **main** lane holds the requests that are expected to be answered promptly. A request that takes longer
than a moment moves to the **slow** lane and its place in the main lane is free again; from then on its endpoint starts
in the slow lane, with few places, until it answers promptly. So hanging endpoints can fill the slow lane only.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable
from enum import Enum
from itertools import islice

from majuu_core.webhooks.outbound import Job

MAIN_LIMIT = 50
SLOW_LIMIT = 150
_AHEAD = 4  # jobs held for each place: a claim takes as long as several requests to a fast receiver
_MAX_KNOWN = 10_000


class Standing(Enum):
    """What is known of an endpoint."""

    UNKNOWN = "unknown"
    PROMPT = "prompt"
    SLOW = "slow"  # answers, but takes its time
    HANGING = "hanging"  # took its time and then did not even answer


# How many requests to one endpoint may be under way at once.
PLACES = {Standing.UNKNOWN: 5, Standing.PROMPT: 25, Standing.SLOW: 5, Standing.HANGING: 1}
_SLOW = frozenset({Standing.SLOW, Standing.HANGING})


class _Endpoint:
    """One endpoint's jobs. What follows from the standing is kept beside it: it is asked for at every step."""

    __slots__ = ("is_slow", "key", "places", "queued", "standing", "under_way")

    def __init__(self, key: uuid.UUID) -> None:
        self.key = key
        self.queued: deque[Job] = deque()
        self.under_way = 0
        self.set_standing(Standing.UNKNOWN)

    def set_standing(self, standing: Standing) -> None:
        self.standing = standing
        self.places = PLACES[standing]
        self.is_slow = standing in _SLOW

    @property
    def held(self) -> int:
        return len(self.queued) + self.under_way


class Lanes:
    """The jobs of one worker: those claimed and waiting, and those under way."""

    def __init__(self, *, main_limit: int = MAIN_LIMIT, slow_limit: int = SLOW_LIMIT) -> None:
        self.main_limit = main_limit
        self.slow_limit = slow_limit
        self._endpoints: dict[uuid.UUID, _Endpoint] = {}
        self._waiting: deque[_Endpoint] = deque()  # those with queued jobs, in the order of their turn
        self._main: dict[Job, _Endpoint] = {}
        self._slow: dict[Job, _Endpoint] = {}
        self.queued = 0

    @property
    def under_way(self) -> int:
        return len(self._main) + len(self._slow)

    @property
    def is_empty(self) -> bool:
        return not self.queued and not self._main and not self._slow

    @property
    def room(self) -> int:
        """How many more jobs are useful in the main lane: those under way, and some waiting behind them."""
        return max(self.main_limit * _AHEAD - len(self._main) - self.queued, 0)

    def standing(self, endpoint: uuid.UUID) -> Standing:
        """What is known of an endpoint."""
        known = self._endpoints.get(endpoint)
        return known.standing if known else Standing.UNKNOWN

    def plan(self, candidates: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, int]]:
        """How many deliveries of each endpoint to claim now: an equal share, never more than it may have."""
        room, slow_room = self.room, self.slow_limit - len(self._slow)
        free = ((key, places) for key in candidates if (places := self._free_places(key)) > 0)
        ready = list(islice(free, room + slow_room))  # no need to look at more than can be served
        share = max(room // len(ready), 1) if ready else 0
        wants = []
        for key, places in ready:
            known = self._endpoints.get(key)
            if known is not None and known.is_slow:
                slots = min(places, slow_room)
                slow_room -= slots
            else:
                slots = min(places, share, room)
                room -= slots
            if slots > 0:
                wants.append((key, slots))
        return wants

    def add(self, jobs: Iterable[Job]) -> None:
        """Queue claimed jobs."""
        for job in jobs:
            endpoint = self._endpoints.get(job.endpoint_id)
            if endpoint is None:
                endpoint = self._endpoints[job.endpoint_id] = _Endpoint(job.endpoint_id)
                if job.is_failing:  # perhaps it hangs: a worker that starts anew need not find out in the main lane
                    endpoint.set_standing(Standing.HANGING)
            if not endpoint.queued:
                self._waiting.append(endpoint)
            endpoint.queued.append(job)
            self.queued += 1

    def next_job(self) -> Job | None:
        """A job that may start now, of the endpoint whose turn it is; None when none may."""
        for _ in range(len(self._waiting)):
            endpoint = self._waiting[0]
            lane, limit = (self._slow, self.slow_limit) if endpoint.is_slow else (self._main, self.main_limit)
            if endpoint.under_way >= endpoint.places or len(lane) >= limit:
                self._waiting.rotate(-1)
                continue
            self._waiting.popleft()
            job = endpoint.queued.popleft()
            self.queued -= 1
            endpoint.under_way += 1
            lane[job] = endpoint
            if endpoint.queued:
                self._waiting.append(endpoint)
            return job
        return None

    def take_long(self, job: Job) -> list[Job]:
        """The request is not answered promptly. Returns the endpoint's queued jobs: they have to wait their turn."""
        endpoint = self._main.get(job) or self._slow[job]
        if job in self._main and len(self._slow) < self.slow_limit:
            self._slow[job] = self._main.pop(job)
        if not endpoint.is_slow:
            endpoint.set_standing(Standing.SLOW)
        return self._take_queued(endpoint)

    def finish(self, job: Job, *, prompt: bool, answered: bool) -> None:
        """The request is over. ``answered``: something came back, whatever it said."""
        standing = Standing.PROMPT if prompt else Standing.SLOW if answered else Standing.HANGING
        endpoint = self.drop(job)
        if endpoint.standing is not standing:
            endpoint.set_standing(standing)
        if len(self._endpoints) > _MAX_KNOWN:
            self._endpoints = {key: known for key, known in self._endpoints.items() if known.held}

    def drop(self, job: Job) -> _Endpoint:
        """The job is not under way any more. Nothing was learned about its endpoint."""
        endpoint = self._main.pop(job, None) or self._slow.pop(job)
        endpoint.under_way -= 1
        return endpoint

    def clear(self) -> list[Job]:
        """Take everything that is queued out again, to be given back."""
        return [job for endpoint in list(self._waiting) for job in self._take_queued(endpoint)]

    def _free_places(self, key: uuid.UUID) -> int:
        endpoint = self._endpoints.get(key)
        if endpoint is None:
            return PLACES[Standing.UNKNOWN]
        # A prompt endpoint may also have some waiting, so that it never waits for the next claim.
        allowed = endpoint.places * (_AHEAD if endpoint.standing is Standing.PROMPT else 1)
        return allowed - endpoint.held

    def _take_queued(self, endpoint: _Endpoint) -> list[Job]:
        jobs = list(endpoint.queued)
        endpoint.queued.clear()
        self.queued -= len(jobs)
        if jobs:
            self._waiting.remove(endpoint)
        return jobs

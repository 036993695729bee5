"""The load: a bounded number of HTTP requests over keep-alive connections, from a process of its own.

It speaks as little HTTP as it needs, so that two cores go to what is measured. ``python -m benchmarks.load`` reads a
pickled Work from standard input and prints a pickled Outcome.
"""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import cast
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
UNIQUE = b"{unique}"  # replaced by a new identifier in every request
CONNECTIONS = 16
_LONGEST_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Work:
    """What to send: each of ``requests`` once, or ``template`` so many times. ``rate`` is per second; None: at once."""

    port: int
    requests: Sequence[bytes] = ()
    template: bytes = b""
    count: int = 0
    connections: int = CONNECTIONS
    rate: int | None = None

    @property
    def total(self) -> int:
        return len(self.requests) or self.count

    def each(self) -> Iterator[bytes]:
        if self.requests:
            yield from self.requests
        for _ in range(0 if self.requests else self.count):
            yield self.template.replace(UNIQUE, uuid4().hex.encode())


@dataclass(kw_only=True)
class Outcome:
    """What came back: milliseconds of every request, statuses and their numbers, and how long all of it took."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cpu: tuple[float, float] | None = None  # seconds used meanwhile: by our server, by PostgreSQL

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds


def send(work: Work) -> Outcome:
    """Do the work in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, cwd=ROOT, input=pickle.dumps(work), stdout=subprocess.PIPE, check=True)
    outcome: Outcome = pickle.loads(done.stdout)  # noqa: S301 - our own process wrote it
    return outcome


def build_request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A POST of JSON."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection(asyncio.Protocol):
    """One keep-alive connection: sends the next request as soon as an answer is complete, and not before it is due."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._received = b""
        self._started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end].lower()
        if b"transfer-encoding: chunked" in head:
            complete = self._received.endswith(b"0\r\n\r\n")
        else:
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            complete = len(self._received) >= end + 4 + length
        if complete:
            self._run.note(self._received[9:12].decode(), self._started)
            self._received = b""
            self._next()

    def connection_lost(self, problem: Exception | None) -> None:
        self._run.leave(problem)

    def _next(self) -> None:
        request, due = self._run.take()
        if request is None:
            self._transport.close()
            return
        wait = due - perf_counter()
        if wait > 0:
            # Waiting in line counts: the clock of a request starts when it is due, not when it can be sent.
            asyncio.get_running_loop().call_later(wait, self._send, request, due)
        else:
            self._send(request, due if due else perf_counter())

    def _send(self, request: bytes, started: float) -> None:
        self._started = started
        self._transport.write(request)


class _Run:
    def __init__(self, work: Work) -> None:
        self.outcome = Outcome()
        self._work = work
        self._requests = work.each()
        self._taken = 0
        self._open = work.connections
        self._done = asyncio.get_running_loop().create_future()

    async def finish(self) -> Outcome:
        loop = asyncio.get_running_loop()
        self._began = perf_counter()
        for _ in range(self._work.connections):
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._work.port)
        async with asyncio.timeout(_LONGEST_SECONDS):
            await self._done
        self.outcome.seconds = perf_counter() - self._began
        if len(self.outcome.milliseconds) != self._work.total:
            raise RuntimeError(f"{len(self.outcome.milliseconds)} of {self._work.total} requests were answered")
        return self.outcome

    def take(self) -> tuple[bytes | None, float]:
        """The next request and when it is due (0.0: now)."""
        due = self._began + self._taken / self._work.rate if self._work.rate else 0.0
        self._taken += 1
        return next(self._requests, None), due

    def note(self, status: str, started: float) -> None:
        self.outcome.milliseconds.append((perf_counter() - started) * 1000)
        self.outcome.statuses[status] = self.outcome.statuses.get(status, 0) + 1

    def leave(self, problem: Exception | None) -> None:
        self._open -= 1
        if not self._open and not self._done.done():
            self._done.set_result(None)


async def _main(work: Work) -> Outcome:
    return await _Run(work).finish()


if __name__ == "__main__":
    from benchmarks import load  # so that what is pickled names this module, not __main__
    from benchmarks.loops import run_fast

    sys.stdout.buffer.write(pickle.dumps(run_fast(load._main(pickle.loads(sys.stdin.buffer.read())))))  # noqa: S301

"""The jobs that run over HTTP against pgbench: accept, complete, latency, hotrow, million."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from benchmarks import cpu, stock
from benchmarks.floor import Floor, FloorRun, open_floor
from benchmarks.load import Outcome, Work, send
from benchmarks.measures import Measure, Target, percentile
from benchmarks.servers import CannotMeasure, Postgres, Served, migrate, serve
from benchmarks.stock import Stock

FLOOR_ROUND = {"accept": 12_000, "complete": 10_000}
ROUND = {"accept": 5_000, "complete": 4_000}
WARM_UP = 500
STORES = 16
PRESENT = 10_000
MANY = 1_000_000
LATENCY_RATE, LATENCY_COUNT = 50, 500
UNSIGNED = 2_000


@dataclass(kw_only=True)
class Site:
    """The application with its database, served."""

    url: str
    stock: Stock
    served: Served
    _next: int = field(default=1, init=False)

    def accept(self, count: int, *, rate: int | None = None) -> Outcome:
        """Create so many payment intents over HTTP."""
        work = Work(port=self.served.port, template=stock.accept_request(self.stock), count=count, rate=rate)
        return _all_answered("201", send(work))

    def complete(self, count: int, *, stores: int = STORES) -> Outcome:
        """Send so many signed callbacks, each for a charge of its own, spread over the stores."""
        numbers = self._numbers(count)
        requests = stock.call(self.url, "add_waiting", stock=self.stock, numbers=numbers, stores=stores)
        outcome = _all_answered("200", send(Work(port=self.served.port, requests=requests)))
        done = stock.call(self.url, "count_succeeded", stock=self.stock, numbers=numbers)
        if done != len(numbers):
            raise CannotMeasure(f"{done} of {len(numbers)} charges succeeded")
        return outcome

    def receive_unsigned(self, count: int) -> Outcome:
        """Send so many M-Pesa callbacks."""
        requests = stock.call(self.url, "add_unsigned", stock=self.stock, numbers=self._numbers(count))
        return _all_answered("200", send(Work(port=self.served.port, requests=requests)))

    def warm_up(self) -> None:
        """Let every thread connect, prepare its statements and fill its caches."""
        self.accept(WARM_UP)
        self.complete(WARM_UP // STORES * STORES)

    def _numbers(self, count: int) -> range:
        first, self._next = self._next, self._next + count
        return range(first, self._next)


def _all_answered(status: str, outcome: Outcome) -> Outcome:
    if set(outcome.statuses) != {status}:
        raise CannotMeasure(f"expected only {status}, got {outcome.statuses}")
    return outcome


@contextmanager
def open_site(postgres: Postgres, *, present: int = PRESENT, suffix: str = "app") -> Iterator[Site]:
    """A fresh database with so many payments in it, and the application in front of it, warmed up."""
    with postgres.database(suffix) as url:
        migrate(url)
        made: Stock = stock.call(url, "prepare", stores=STORES)
        stock.call(url, "add_finished", stock=made, count=present)
        with serve(url) as served:
            site = Site(url=url, stock=made, served=served)
            site.warm_up()
            yield site


def against_floor(postgres: Postgres, jobs: list[str], rounds: int) -> Iterator[Measure]:
    """Accept and complete, each round of ours between two of the floor."""
    waiting = FLOOR_ROUND["complete"] * (rounds + 1)
    with open_floor(postgres, waiting=waiting) as floor, open_site(postgres) as site:
        for job in jobs:
            yield from _interleave(job, floor, site, rounds)
        if "complete" in jobs:
            yield from _unsigned(site)


def _interleave(job: str, floor: Floor, site: Site, rounds: int) -> Iterator[Measure]:
    ours: Callable[[int], Outcome] = site.accept if job == "accept" else site.complete
    floors: list[FloorRun] = [floor.run(job, FLOOR_ROUND[job])]
    outcomes: list[Outcome] = []
    meter = CpuMeter(site.served.pid)
    for _ in range(rounds):
        with meter:
            outcomes.append(ours(ROUND[job]))
        floors.append(floor.run(job, FLOOR_ROUND[job]))
    ratios = [
        outcome.per_second / ((before.per_second + after.per_second) / 2)
        for outcome, before, after in zip(outcomes, floors, floors[1:], strict=False)
    ]
    rate, floor_rate = median(one.per_second for one in outcomes), median(one.per_second for one in floors)
    p99 = median(percentile(one.milliseconds, 99) for one in outcomes)
    floor_p99 = median(percentile(one.milliseconds, 99) for one in floors)
    spread = f"rounds {min(ratios):.2f} to {max(ratios):.2f}"
    yield Measure(
        name=f"{job}: ratio to pgbench",
        value=median(ratios),
        target=Target(must=0.22, goal=0.33) if job == "accept" else Target(must=0.33, goal=0.50),
        note=f"{rate:,.0f}/s against {floor_rate:,.0f}/s; {spread}; {meter.per_request(rounds * ROUND[job])}",
    )
    yield Measure(
        name=f"{job}: p99 over pgbench's",
        value=p99 / floor_p99,
        target=Target(must=9, goal=6, upwards=False),
        note=f"{p99:.1f} ms against {floor_p99:.1f} ms",
    )


class CpuMeter:
    """Adds up the CPU time of our server and of PostgreSQL while it is entered."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._python = 0.0
        self._postgres = 0.0
        self._known = True

    def __enter__(self) -> None:
        self._before = cpu.seconds_of_tree(self._pid), cpu.seconds_of_postgres()

    def __exit__(self, *problem: object) -> None:
        after = cpu.seconds_of_tree(self._pid), cpu.seconds_of_postgres()
        if None in self._before or None in after:
            self._known = False
            return
        self._python += (after[0] or 0) - (self._before[0] or 0)
        self._postgres += (after[1] or 0) - (self._before[1] or 0)

    def per_request(self, count: int) -> str:
        if not self._known:
            return "CPU unknown"
        return f"CPU µs server {self._python / count * 1e6:,.0f}, PostgreSQL {self._postgres / count * 1e6:,.0f}"


def _unsigned(site: Site) -> Iterator[Measure]:
    received = site.receive_unsigned(UNSIGNED)
    done, seconds = stock.call(site.url, "work_off_unsigned")
    if done != UNSIGNED:
        raise CannotMeasure(f"the worker took {done} of {UNSIGNED} callbacks")
    note = "M-Pesa: stored and answered, nothing applied yet"
    yield Measure(name="unsigned callback: received per second", value=received.per_second, note=note)
    note = "M-Pesa: one worker, the provider's answer faked at no cost"
    yield Measure(name="unsigned callback: settled per second", value=done / seconds, note=note)


def latency(postgres: Postgres) -> Iterator[Measure]:
    """Create payment intents at a steady 50 a second (promise P14)."""
    with open_site(postgres) as site:
        outcome = site.accept(LATENCY_COUNT, rate=LATENCY_RATE)
    note = f"at {LATENCY_RATE}/s; median {percentile(outcome.milliseconds, 50):.1f} ms"
    target = Target(must=150, goal=150, upwards=False)
    yield Measure(
        name="latency: create intent, p95 in ms", value=percentile(outcome.milliseconds, 95), target=target, note=note
    )


def hot_row(postgres: Postgres, rounds: int) -> Measure:
    """Sixteen connections complete payments of one store, and of sixteen."""
    with open_site(postgres) as site:
        pairs = [
            (site.complete(ROUND["complete"], stores=1), site.complete(ROUND["complete"], stores=STORES))
            for _ in range(rounds)
        ]
    return _paired("hot row: one store over sixteen", pairs)


def million(postgres: Postgres, rounds: int) -> Iterator[Measure]:
    """A database with a million payments beside one with ten thousand."""
    with (
        open_site(postgres, present=MANY, suffix="many") as large,
        open_site(postgres, present=PRESENT, suffix="few") as small,
    ):
        accepts = [(large.accept(ROUND["accept"]), small.accept(ROUND["accept"])) for _ in range(rounds)]
        completes = [(large.complete(ROUND["complete"]), small.complete(ROUND["complete"])) for _ in range(rounds)]
    yield _paired("million: accept", accepts)
    yield _paired("million: complete", completes)


def _paired(name: str, pairs: list[tuple[Outcome, Outcome]]) -> Measure:
    ratios = [one.per_second / other.per_second for one, other in pairs]
    rates = [median(outcome.per_second for outcome in side) for side in zip(*pairs, strict=True)]
    return Measure(
        name=name,
        value=median(ratios),
        target=Target(must=0.9, goal=1.0),
        note=f"{rates[0]:,.0f}/s against {rates[1]:,.0f}/s; rounds {min(ratios):.2f} to {max(ratios):.2f}",
    )

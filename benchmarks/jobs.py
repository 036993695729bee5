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
        return self._send("201", work)

    def complete(self, count: int, *, stores: int = STORES) -> Outcome:
        """Send so many signed callbacks, each for a charge of its own, spread over the stores."""
        numbers = self._numbers(count)
        requests = stock.call(self.url, "add_waiting", stock=self.stock, numbers=numbers, stores=stores)
        outcome = self._send("200", Work(port=self.served.port, requests=requests))
        done = stock.call(self.url, "count_succeeded", stock=self.stock, numbers=numbers)
        if done != len(numbers):
            raise CannotMeasure(f"{done} of {len(numbers)} charges succeeded")
        return outcome

    def receive_unsigned(self, count: int) -> Outcome:
        """Send so many M-Pesa callbacks."""
        requests = stock.call(self.url, "add_unsigned", stock=self.stock, numbers=self._numbers(count))
        return self._send("200", Work(port=self.served.port, requests=requests))

    def warm_up(self) -> None:
        """Let every thread connect, prepare its statements and fill its caches."""
        self.accept(WARM_UP)
        self.complete(WARM_UP // STORES * STORES)

    def _send(self, status: str, work: Work) -> Outcome:
        before = cpu.seconds_of_tree(self.served.pid), cpu.seconds_of_postgres()
        outcome = send(work)
        after = cpu.seconds_of_tree(self.served.pid), cpu.seconds_of_postgres()
        if set(outcome.statuses) != {status}:
            raise CannotMeasure(f"expected only {status}, got {outcome.statuses}")
        if before[0] is not None and before[1] is not None and after[0] is not None and after[1] is not None:
            outcome.cpu = after[0] - before[0], after[1] - before[1]
        return outcome

    def _numbers(self, count: int) -> range:
        first, self._next = self._next, self._next + count
        return range(first, self._next)


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
            with postgres.connect(postgres.name(suffix)) as connection:
                # As autovacuum does within minutes; plans made while tables were empty are dropped.
                connection.execute("VACUUM ANALYZE")
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
    for _ in range(rounds):
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
        note=f"{rate:,.0f}/s against {floor_rate:,.0f}/s; {spread}; {_cpu(outcomes)}",
    )
    yield Measure(
        name=f"{job}: p99 over pgbench's",
        value=p99 / floor_p99,
        target=Target(must=9, goal=6, upwards=False),
        note=f"{p99:.1f} ms against {floor_p99:.1f} ms",
    )


def _cpu(outcomes: list[Outcome]) -> str:
    used = [one.cpu for one in outcomes if one.cpu is not None]
    count = sum(len(one.milliseconds) for one in outcomes)
    if len(used) < len(outcomes):
        return "CPU unknown"
    server, database = (sum(side) / count * 1e6 for side in zip(*used, strict=True))
    return f"CPU µs server {server:,.0f}, PostgreSQL {database:,.0f}"


def _unsigned(site: Site) -> Iterator[Measure]:
    received = site.receive_unsigned(UNSIGNED)
    done, seconds = stock.call(site.url, "work_off_unsigned")
    if done != UNSIGNED:
        raise CannotMeasure(f"the worker took {done} of {UNSIGNED} callbacks")
    note = "M-Pesa: stored and answered, nothing applied yet"
    yield Measure(name="unsigned callback: received per second", value=received.per_second, note=note)
    note = "M-Pesa: one worker, the provider's answer faked at no cost"
    yield Measure(name="unsigned callback: settled per second", value=done / seconds, note=note)


def latency(postgres: Postgres) -> Measure:
    """Create payment intents at a steady 50 a second (promise P14)."""
    with open_site(postgres) as site:
        outcome = site.accept(LATENCY_COUNT, rate=LATENCY_RATE)
    return Measure(
        name="latency: create intent, p95 in ms",
        value=percentile(outcome.milliseconds, 95),
        target=Target(must=150, goal=150, upwards=False),
        note=f"at {LATENCY_RATE}/s; median {percentile(outcome.milliseconds, 50):.1f} ms",
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

"""Measures the application against the floor and prints what was reached beside the targets.

    python benchmarks/run.py [accept] [complete] [deliver] [hotrow] [latency] [million] [--rounds N] [--strict]

Without names: everything but ``million``, which takes several minutes. docs/how-to/benchmark.md says how to read it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import deliveries, in_process, jobs
from benchmarks.measures import Measure, as_table
from benchmarks.servers import CannotMeasure, Postgres, find_pgbench, open_postgresql

JOBS = ("accept", "complete", "deliver", "hotrow", "latency", "million")
USUAL = tuple(job for job in JOBS if job != "million")


def measure(postgres: Postgres, names: Sequence[str], rounds: int) -> Iterator[Measure]:
    """Run the jobs, one after the other, never two at once."""
    over_http = [name for name in ("accept", "complete") if name in names]
    if over_http:
        yield from jobs.against_floor(postgres, over_http, rounds)
        yield from (one for one in in_process.cpu_ratios(postgres) if one.name.partition(":")[0] in over_http)
    if "hotrow" in names:
        yield jobs.hot_row(postgres, rounds)
    if "latency" in names:
        yield jobs.latency(postgres)
    if "deliver" in names:
        yield from deliveries.deliver(postgres, rounds)
    if "million" in names:
        yield from jobs.million(postgres, rounds)


def main(arguments: Sequence[str]) -> int:
    """Measure and print. With ``--strict`` 1 if a "must" was missed; 2 when nothing could be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", metavar="job", help=", ".join(JOBS))
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each job (5)")
    parser.add_argument("--strict", action="store_true", help='exit with 1 when a "must" is missed')
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.jobs) - set(JOBS))
    if unknown:
        parser.error(f"unknown job: {', '.join(unknown)}; known are {', '.join(JOBS)}")
    measures: list[Measure] = []
    try:
        with open_postgresql() as postgres:
            load = " ".join(f"{number:.1f}" for number in os.getloadavg())
            print(f"{postgres.description}, {find_pgbench()}, {os.cpu_count()} cores, load before: {load}", flush=True)
            started = time.monotonic()
            for one in measure(postgres, chosen.jobs or USUAL, chosen.rounds):
                measures.append(one)
                print(as_table([one]).partition("\n")[2], flush=True)
    except CannotMeasure as problem:
        print(f"cannot measure: {problem}", file=sys.stderr)
        return 2
    print(f"\n{as_table(measures)}\n\n{time.monotonic() - started:.0f} s")
    return int(chosen.strict and any(one.missed for one in measures))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

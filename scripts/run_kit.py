"""Runs the checks of the provider contract over every provider and over every provider that is broken on purpose.

    python scripts/run_kit.py [--report FILE] [fake] [mpesa] [stripe] [paypal] [manual] [pesapal] [mutants]

Prints a table, providers by groups, and whether each mutant is caught by exactly the checks declared for it. Exits with
1 when a provider fails or a mutant is caught by other checks, or by none. A provider whose package or harness is not
there is named as left out. Uses as many processes as there are cores.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "docs/examples/majuu-pesapal"
MUTANTS = "mutants"
BATCH = 12


@dataclass(frozen=True)
class Target:
    """A provider, and the harness that drives it."""

    name: str
    provider: str
    harness: str

    def missing(self) -> str:
        """The module that is not there; empty when both are."""
        return next((module for module in self._modules() if not _exists(module)), "")

    def _modules(self) -> Iterator[str]:
        for name in (self.provider, self.harness):
            yield name.partition(":")[0]


TARGETS = (
    Target("fake", "majuu_core.testing.fake:FakeProvider", "majuu_core.testing.mock_harness:MockHarness"),
    Target("mpesa", "majuu_mpesa.provider:MpesaProvider", "tests.mpesa.harness:MpesaHarness"),
    Target("mpesa-b2c", "majuu_mpesa.provider:MpesaProvider", "tests.mpesa.harness:MpesaPayingBackHarness"),
    Target("stripe", "majuu_stripe.provider:StripeProvider", "tests.stripe.harness:StripeHarness"),
    Target("paypal", "majuu_paypal.provider:PaypalProvider", "tests.paypal.harness:PaypalHarness"),
    Target("manual", "majuu_core.manual.provider:ManualProvider", "tests.core.manual.harness:ManualHarness"),
    Target("pesapal", "majuu_pesapal.provider:PesapalProvider", "majuu_pesapal.testing:PesapalHarness"),
)


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for, print the summary, and return 1 when something is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*(target.name for target in TARGETS), MUTANTS]
    parser.add_argument("only", nargs="*", metavar="|".join(names))
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the results of the providers as JSON")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.only) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(names)}")
    wanted = chosen.only or names
    started = time.monotonic()
    targets = [target for target in TARGETS if target.name in wanted]
    with ProcessPoolExecutor(os.cpu_count(), initializer=prepare) as pool:
        runs = [(target, pool.submit(check, target)) for target in targets if not target.missing()]
        batches = [pool.submit(check_mutants, start) for start in _starts()] if MUTANTS in wanted else []
        results = [(target, future.result()) for target, future in runs]
        mutants = [line for batch in batches for line in batch.result()]
    good = print_providers(targets, results, chosen.report)
    if MUTANTS in wanted:
        good = print_mutants(mutants) and good
    print(f"{time.monotonic() - started:.0f} s")
    return int(not good)


def prepare() -> None:
    """Let a process import the tests, the packages of this repository and the example."""
    for path in (ROOT, EXAMPLE / "src", *ROOT.glob("packages/*/src")):
        if str(path) not in sys.path:
            sys.path.insert(0, str(path))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def check(target: Target) -> list[Any]:
    """The results of one provider, in a process of the pool."""
    from majuu_core.testing.finding import find_subjects
    from majuu_core.testing.kit import run

    [subject] = find_subjects([target.provider], [target.harness])
    return list(run(subject.make_harness).results)


def check_mutants(start: int) -> list[tuple[str, list[str], list[str]]]:
    """Of a batch of mutants: the name, the checks that caught it unasked, and the declared ones that did not."""
    from majuu_core.testing.kit import run
    from tests.core.testing.mutants import MUTANTS as declared
    from tests.core.testing.mutants.base import harness_for

    found = []
    for mutant in declared[start : start + BATCH]:
        failed = run(harness_for(mutant.provider)).ids("failed")
        found.append((mutant.provider.__name__, sorted(failed - mutant.caught_by), sorted(mutant.caught_by - failed)))
    return found


def print_providers(
    targets: Sequence[Target], results: Sequence[tuple[Target, list[Any]]], report: Path | None
) -> bool:
    """The table, what failed, what was left out, and the report. True when every provider passed."""
    from majuu_core.testing.finding import find_subjects
    from majuu_core.testing.reporting import count, is_good, write_report

    runs = [(find_subjects([target.provider], [target.harness])[0], found) for target, found in results]
    groups = list(dict.fromkeys(result.group for _, found in results for result in found))
    if results:
        print(f"{'passed/failed/left out':<24}" + "".join(f"{target.name:>12}" for target, _ in results))
    for group in groups:
        counts = [count(result for result in found if result.group == group) for _, found in results]
        print(f"{group:<24}" + "".join(f"{_cell(item):>12}" for item in counts))
    for target, found in results:
        for result in found:
            if result.outcome == "failed":
                print(f"\n{target.name}: {result.detail}")
    for target in targets:
        if missing := target.missing():
            print(f"{target.name}: left out, there is no module {missing}")
    if report:
        write_report(report, runs)
    return all(is_good(subject, found) for subject, found in runs)


def print_mutants(mutants: Sequence[tuple[str, list[str], list[str]]]) -> bool:
    """One sentence when each mutant was caught as declared, else those that were not."""
    wrong = [mutant for mutant in mutants if mutant[1] or mutant[2]]
    for name, extra, missed in wrong:
        if missed:
            print(f"{name}: not caught by {', '.join(missed)}")
        if extra:
            print(f"{name}: caught by {', '.join(extra)} too, which is not declared")
    if not wrong:
        print(f"{len(mutants)} mutants: each caught by its checks, no other")
    return not wrong


def _cell(counts: dict[str, int]) -> str:
    if not counts["passed"] + counts["failed"] + counts["left_out"]:
        return "-"
    return f"{counts['passed']}/{counts['failed']}/{counts['left_out']}"


def _starts() -> range:
    from tests.core.testing.mutants import MUTANTS as declared

    return range(0, len(declared), BATCH)


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    prepare()
    raise SystemExit(main(sys.argv[1:]))

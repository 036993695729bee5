"""What a run of the kit tells: a table for people, and a report for programs.

The report is JSON. Version 1::

    {"schema": "majuu.kit", "version": 1, "majuu_core": "0.1.0", "contract_version": 1, "passed": true,
     "providers": [{"provider": "my_package.provider:MyProvider", "harness": true, "capabilities": ["SupportsSale"],
       "counts": {"passed": 80, "failed": 0, "skipped": 40, "left_out": 3},
       "checks": [{"id": "payment.decline_is_a_value", "group": "payment", "outcome": "passed", "detail": "",
                   "left_out": false}]}]}

Within a version fields are only added. ``outcome`` is passed, failed or skipped; ``left_out`` marks what was skipped
although the provider has the capability. ``detail`` is the failure in full, or the reason for skipping.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from majuu_core import __version__
from majuu_core.providers import CAPABILITIES, PaymentProvider, operations
from majuu_core.providers.base import CONTRACT_VERSION, methods_of
from majuu_core.testing.finding import Subject
from majuu_core.testing.kit import CheckResult

SCHEMA, VERSION = "majuu.kit", 1


def report_as_dict(runs: Sequence[tuple[Subject, Sequence[CheckResult]]]) -> dict[str, Any]:
    """The machine-readable report."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "majuu_core": __version__,
        "contract_version": CONTRACT_VERSION,
        "passed": all(is_good(subject, results) for subject, results in runs),
        "providers": [_provider_as_dict(subject, results) for subject, results in runs],
    }


def write_report(path: Path, runs: Sequence[tuple[Subject, Sequence[CheckResult]]]) -> None:
    """Write the report; the folder must exist."""
    path.write_text(json.dumps(report_as_dict(runs), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def is_good(subject: Subject, results: Sequence[CheckResult]) -> bool:
    """True when there is a harness and nothing failed."""
    return not subject.missing and bool(results) and all(result.outcome != "failed" for result in results)


def summary_lines(subject: Subject, results: Sequence[CheckResult]) -> Iterator[str]:
    """The table of one provider: a row a group, then the reasons for what was skipped, then the verdict."""
    yield f"{subject.name}: {', '.join(capabilities(subject.provider)) or 'no capability'}"
    yield f"  {'group':<15}{'passed':>8}{'failed':>8}{'skipped':>9}{'left out':>10}"
    for group in dict.fromkeys(result.group for result in results):
        counts = count(result for result in results if result.group == group)
        numbers = f"{counts['passed']:>8}{counts['failed']:>8}{counts['skipped']:>9}{counts['left_out']:>10}"
        yield f"  {group:<15}{numbers}"
    yield from _reasons(results)
    yield f"  {verdict(subject, results)}"


def verdict(subject: Subject, results: Sequence[CheckResult]) -> str:
    """One sentence about one provider."""
    counts = count(results)
    if subject.missing:
        return f"NOT PROVED: {subject.missing}"
    if counts["failed"]:
        return f"FAILED: {counts['failed']} of {counts['passed'] + counts['failed']} checks that ran"
    return f"PASSED: {counts['passed']} checks; {counts['left_out']} were left out by the harness"


def count(results: Iterable[CheckResult]) -> dict[str, int]:
    """How many passed, failed, were skipped for want of a capability, and were left out by the harness."""
    found = Counter("left_out" if result.left_out else result.outcome for result in results)
    return {name: found[name] for name in ("passed", "failed", "skipped", "left_out")}


def capabilities(provider: type[PaymentProvider]) -> list[str]:
    """The names of the protocols that the provider implements whole."""
    has = operations(provider)
    return [item.__name__ for item in CAPABILITIES if set(methods_of(item)) <= has]


def _reasons(results: Sequence[CheckResult]) -> Iterator[str]:
    by_reason: dict[tuple[bool, str], list[str]] = {}
    for result in results:
        if result.outcome == "skipped":
            by_reason.setdefault((result.left_out, result.detail), []).append(result.id)
    for (left_out, reason), ids in sorted(by_reason.items(), key=lambda item: not item[0][0]):
        named = f": {', '.join(ids)}" if left_out and len(ids) <= 3 else ""
        yield f"  {'left out' if left_out else 'skipped'} ({len(ids)}) {reason}{named}"


def _provider_as_dict(subject: Subject, results: Sequence[CheckResult]) -> dict[str, Any]:
    return {
        "provider": subject.name,
        "harness": not subject.missing,
        "capabilities": capabilities(subject.provider),
        "counts": count(results),
        "checks": [asdict(result) for result in results],
    }

"""``python -m majuu_core.testing my_package.provider:MyProvider``: the kit without pytest, for scripts and programs.

Exits with 0 when every provider passed, with 1 when one did not, with 2 when a name leads nowhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from majuu_core.testing.finding import NotFound, Subject, find_subjects
from majuu_core.testing.kit import CheckResult, run
from majuu_core.testing.reporting import is_good, summary_lines, write_report


def main(arguments: Sequence[str], out: TextIO = sys.stdout) -> int:
    """Run the checks over the providers named and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m majuu_core.testing", description="Check payment providers.")
    parser.add_argument("providers", nargs="+", metavar="PACKAGE.MODULE:CLASS")
    parser.add_argument("--harness", action="append", default=[], metavar="PACKAGE.MODULE:CLASS")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the results as JSON")
    chosen = parser.parse_args(arguments)
    try:
        subjects = find_subjects(chosen.providers, chosen.harness)
    except NotFound as problem:
        out.write(f"{problem}\n")
        return 2
    runs: list[tuple[Subject, Sequence[CheckResult]]] = [
        (subject, run(subject.make_harness, subject.checks).results) for subject in subjects
    ]
    for subject, results in runs:
        out.writelines(f"{result.detail}\n\n" for result in results if result.outcome == "failed")
        out.writelines(f"{line}\n" for line in summary_lines(subject, results))
    if chosen.report:
        write_report(chosen.report, runs)
    return int(not all(is_good(subject, results) for subject, results in runs))


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    raise SystemExit(main(sys.argv[1:]))

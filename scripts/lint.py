"""Runs every check that is not a test, and says of each whether it held.

    python scripts/lint.py [name ...]

All are run even if one fails; what a failing check printed follows its line. Without names, all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Check:
    """One command; it holds when the command exits with 0."""

    name: str
    command: tuple[str, ...]
    folder: Path = ROOT


def checks() -> list[Check]:
    """Every check, the quick ones first."""
    python = sys.executable
    django = (python, "-m", "django")
    return [
        Check("format", (str(BIN / "ruff"), "format", "--check", "--quiet", "--diff", ".")),
        Check("ruff", (str(BIN / "ruff"), "check", "--quiet", "--output-format=concise", ".")),
        Check("sizes", (python, "scripts/check_sizes.py")),
        Check("constraints", (python, "scripts/check_constraints.py")),
        *(
            Check(f"deptry {package.name}", (str(BIN / "deptry"), "--no-ansi", "src"), package)
            for package in sorted((ROOT / "packages").iterdir())
            if (package / "pyproject.toml").exists()
        ),
        Check("imports", (str(BIN / "lint-imports"), "--no-logo")),
        Check("django", (*django, "check", "--fail-level", "WARNING", "--settings=tests.settings")),
        Check("migrations", (*django, "makemigrations", "--check", "--dry-run", "--settings=tests.settings")),
        Check("types", (str(BIN / "mypy"),)),
        Check("new-provider", (python, "scripts/check_new_provider.py")),  # after "types", whose cache it reads
    ]


def run(check: Check) -> bool:
    """Run one check, print its line, and what it said if it did not hold."""
    started = time.monotonic()
    environment = os.environ | {"PYTHONPATH": str(ROOT)} if check.folder == ROOT else dict(os.environ)
    done = subprocess.run(
        check.command,
        cwd=check.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdict = "FAILED" if done.returncode else "ok"
    print(f"{check.name:<20} {verdict:<7} {time.monotonic() - started:5.1f} s", flush=True)
    if done.returncode:
        print(done.stdout, flush=True)
    return done.returncode == 0


def main(names: Sequence[str]) -> int:
    """Run the checks named, or all, and return 1 if one failed."""
    known = checks()
    unknown = set(names) - {check.name.partition(" ")[0] for check in known}
    if unknown:
        print(f"unknown check: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [check for check in known if not names or check.name.partition(" ")[0] in names]
    results = [run(check) for check in chosen]
    return int(not all(results))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

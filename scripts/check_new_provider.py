"""Fails unless the package that ``majuu_startprovider`` writes passes ruff and ``mypy --strict`` as it is.

    python scripts/check_new_provider.py

It is written into a folder of its own and checked with what mypy knows of the other packages from `make lint`; from
nothing that takes a minute and a half.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from majuu_core.plugins.start_provider import NewProvider, start_provider

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NAME = "majuu-acme-pay"


def complaints(package: Path) -> Iterator[str]:
    """What each tool prints of the package in this folder, tools that are content left out."""
    ours = [str(path) for path in sorted(ROOT.glob("packages/*/src"))]
    commands: list[tuple[Path, list[str]]] = [
        (package, [str(BIN / "ruff"), "check", "--quiet", "--output-format=concise", "."]),
        (package, [str(BIN / "ruff"), "format", "--check", "--quiet", "--diff", "."]),
        (ROOT, [str(BIN / "mypy"), "--no-error-summary", str(package / "src")]),
    ]
    environment = os.environ | {"MYPYPATH": os.pathsep.join([str(package / "src"), *ours])}
    for folder, command in commands:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            yield done.stdout


def main() -> int:
    """Write the package, print what the tools say, and return 1 if they say anything."""
    with TemporaryDirectory(prefix="majuu-new-provider-") as folder:
        start_provider(NewProvider(name=NAME, author="Duka Ltd"), Path(folder))
        found = list(complaints(Path(folder) / NAME))
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())

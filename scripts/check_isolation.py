"""Fails unless exactly the packages named can be imported, and none of them from the repository.

    python -P scripts/check_isolation.py ROOT majuu_core ...

Run inside a tox environment: it shows that the tests there see the built wheel and nothing else of ours.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


def our_packages(root: Path) -> list[str]:
    """The import names of every package in the workspace."""
    return sorted(path.parent.name for path in root.glob("packages/*/src/*/__init__.py"))


def problems(root: Path, expected: Sequence[str]) -> Iterator[str]:
    """What is importable and should not be, what is not and should be, and what comes from the wrong place."""
    for name in our_packages(root):
        spec = importlib.util.find_spec(name)
        if spec is None:
            if name in expected:
                yield f"{name} is not installed"
        elif name not in expected:
            yield f"{name} is installed and must not be: {spec.origin}"
        elif Path(spec.origin or "").resolve().is_relative_to(root / "packages"):
            yield f"{name} is imported from the repository, not from its wheel: {spec.origin}"


def main(arguments: Sequence[str]) -> int:
    """Print what is wrong and return 1 if there is anything."""
    root, *expected = arguments
    found = list(problems(Path(root).resolve(), expected))
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

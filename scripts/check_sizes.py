"""Fails when a module or a function is too long to be read in one go.

    python scripts/check_sizes.py [file or folder ...]

A module may have 500 lines, a function 70 (from ``def`` to its last line; decorators do not count). Migrations are
left out: Django writes them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

MODULE_LINES = 500
FUNCTION_LINES = 70
ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("packages", "sandbox_project", "benchmarks", "scripts")


def python_files(places: Sequence[Path]) -> Iterator[Path]:
    """Every Python file in the places given, migrations and build folders apart."""
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            if not {"migrations", "build", "node_modules"} & set(path.parts):
                yield path


def too_long(path: Path) -> Iterator[str]:
    """One line of text for the module if it is too long, and for each of its functions that is."""
    source = path.read_text(encoding="utf-8")
    length = len(source.splitlines())
    if length > MODULE_LINES:
        yield f"{path}:1: the module has {length} lines; {MODULE_LINES} are allowed"
    for node in ast.walk(ast.parse(source, filename=str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines; {FUNCTION_LINES} are allowed"


def main(arguments: Sequence[str]) -> int:
    """Print what is too long and return 1 if there is anything."""
    places = [Path(argument) for argument in arguments] or [ROOT / source for source in SOURCES]
    found = [line for path in python_files(places) for line in too_long(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

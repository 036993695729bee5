"""No file names a registry, and none names a path that exists on one machine only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.workspace import ROOT

# Written so that this file does not find itself.
PLACES = re.compile(
    "|".join(["pypi[.]org", "pythonhosted[.]org", r"(?<![\w.])/(?:root|work|Users|home/[a-z]+)/[a-z.]"])
)
SKIPPED = frozenset(
    ".git .venv .venvs .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache __pycache__ build"
    " dist site var node_modules screenshots htmlcov".split()
)
BINARY = frozenset([".png", ".ico", ".woff", ".woff2", ".mo", ".pyc", ".sqlite3", ".gif", ".jpg", ".webp", ".zip"])


def files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in SKIPPED or path.is_symlink():
            continue
        if path.is_dir():
            yield from files(path)
        elif path.suffix not in BINARY and ".sqlite3" not in path.name:
            yield path


def named_places(text: str) -> list[str]:
    return [f"{number}: {line.strip()}" for number, line in enumerate(text.splitlines(), 1) if PLACES.search(line)]


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files(ROOT)
        for line in named_places(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["see https://py_pi.org/project/x", "cd /ro_ot/project", "/wo_rk/main", "/ho_me/somebody/x"]
)
def test_a_place_is_found(line: str) -> None:
    assert len(named_places(line.replace("_", ""))) == 1
    assert named_places(line) == []

"""The pages about security: every requirement judged once, every test named there exists, the counts are right."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from majuu_core.common.crypto import MIN_MASTER_LENGTH
from majuu_core.database.sealed import sealed_columns

ROOT = Path(__file__).resolve().parents[2]
ROWS_PAGE = ROOT / "docs" / "reference" / "asvs.md"
OVERVIEW = ROOT / "docs" / "security.md"
NUMBERS = Path(__file__).with_name("asvs_numbers.txt")
VERDICTS = ("met", "partly", "not met", "operator's", "not applicable")
_ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (\d) \| ([^|]+) \| ([^|]+) \| ([^|]*) \| ([^|]+) \|$", re.M)
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
_COUNT = re.compile(r"^\| (met|partly|not met|operator's|not applicable|\*\*all\*\*) \| \**(\d+)\** \|$", re.M)
_OWN_RULES = re.compile(r"\((?:exception) (\d+)\)")


def rows() -> list[tuple[str, ...]]:
    return [match.groups() for match in _ROW.finditer(ROWS_PAGE.read_text(encoding="utf-8"))]


@cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def absent(named: list[tuple[str, str]]) -> list[str]:
    """What is named and is not there: a file, or a function of it."""
    missing = []
    for path, function in named:
        file = ROOT / path
        if not file.is_file() or (function and function not in functions(file)):
            missing.append(f"{path}::{function}")
    return missing


def test_every_requirement_is_judged_once_with_its_level() -> None:
    listed = [tuple(line.split()) for line in NUMBERS.read_text(encoding="utf-8").splitlines()]

    assert [(number, level) for number, level, *_ in rows()] == listed
    assert len(listed) == 258
    assert len({number for number, _ in listed}) == 258


def test_every_row_has_a_verdict_and_says_how() -> None:
    assert [number for number, _, _, verdict, _, _ in rows() if verdict not in VERDICTS] == []
    assert [number for number, _, what, _, how, _ in rows() if not what.strip() or not how.strip()] == []


def test_what_is_met_names_a_test_or_a_page_and_what_does_not_apply_names_none() -> None:
    shown = {number: bool(_TEST.search(tests)) for number, *_, tests in rows()}
    met = [(number, how) for number, _, _, verdict, how, _ in rows() if verdict == "met"]

    assert [number for number, how in met if not shown[number] and ".md" not in how] == []
    assert [number for number, _, _, verdict, _, _ in rows() if verdict == "not applicable" and shown[number]] == []


@pytest.mark.parametrize("page", [ROWS_PAGE, OVERVIEW], ids=["rows", "overview"])
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = _TEST.findall(page.read_text(encoding="utf-8"))

    assert named
    assert absent(named) == []


def test_a_test_that_does_not_exist_is_found() -> None:
    here = Path(__file__).relative_to(ROOT).as_posix()

    assert absent([(here, "test_a_test_that_does_not_exist_is_found")]) == []
    assert absent([(here, "test_gone")]) == [f"{here}::test_gone"]
    assert absent([("tests/core/test_gone.py", "")]) == ["tests/core/test_gone.py::"]


@pytest.mark.parametrize("page", [ROWS_PAGE, OVERVIEW], ids=["rows", "overview"])
def test_the_counts_are_those_of_the_rows(page: Path) -> None:
    counted = Counter(verdict for _, _, _, verdict, _, _ in rows())
    told = {name.strip("*"): int(number) for name, number in _COUNT.findall(page.read_text(encoding="utf-8"))}

    assert told == {**{verdict: counted[verdict] for verdict in VERDICTS}, "all": 258}


def test_the_overview_lists_what_is_not_met_and_what_is_only_partly() -> None:
    text = OVERVIEW.read_text(encoding="utf-8")
    section = text[text.index("## What is missing") : text.index("## Threats")]
    told = set(re.findall(r"\b\d+\.\d+\.\d+\b", section))

    assert told == {number for number, _, _, verdict, _, _ in rows() if verdict in ("not met", "partly")}


def test_exceptions_that_rows_point_to_are_there() -> None:
    overview = OVERVIEW.read_text(encoding="utf-8")
    section = overview[overview.index("## Reasoned exceptions") : overview.index("## When something has happened")]
    named = set(_OWN_RULES.findall(ROWS_PAGE.read_text(encoding="utf-8")))

    assert named
    assert [number for number in sorted(named) if not re.search(rf"^{number}\. \*\*", section, re.M)] == []


def test_the_inventory_names_every_sealed_column_by_its_purpose() -> None:
    overview = OVERVIEW.read_text(encoding="utf-8")
    inventory = overview[overview.index("## Cryptography") : overview.index("## Reasoned exceptions")]
    purposes = {column.purpose for column in sealed_columns()}

    assert len(purposes) >= 5
    assert sorted(purpose for purpose in purposes if f"`{purpose}`" not in inventory) == []
    assert f"at least {MIN_MASTER_LENGTH} characters" in inventory

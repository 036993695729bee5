"""What docs/plugins says is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from majuu_core.testing.finding import find_subjects
from majuu_core.testing.harness import Outcome
from majuu_core.testing.kit import CheckResult
from majuu_core.testing.reporting import report_as_dict

PAGES = Path(__file__).parents[3] / "docs/plugins"
EXAMPLE = PAGES.parent / "examples/majuu-pesapal/src/majuu_pesapal"
BLOCKS = re.findall(r'```python title="([^"]+)"\n(.*?)\n```', (PAGES / "walkthrough.md").read_text(), re.DOTALL)


@pytest.mark.parametrize(("name", "code"), BLOCKS, ids=[f"{name}-{number}" for number, (name, _) in enumerate(BLOCKS)])
def test_every_piece_of_the_walkthrough_is_the_example_s(name: str, code: str) -> None:
    source = (EXAMPLE / name).read_text()

    assert all(piece in source for piece in code.split("\n\n\n"))


def test_the_walkthrough_shows_every_part_of_the_package() -> None:
    assert {name for name, _ in BLOCKS} == {
        "credentials.py",
        "client.py",
        "mapping.py",
        "provider.py",
        "majuu_hooks.py",
        "testing/__init__.py",
    }


def test_every_field_of_the_report_is_described() -> None:
    [subject] = find_subjects(["majuu_core.testing.fake:FakeProvider"])
    report = report_as_dict([(subject, [CheckResult(id="a.b", group="a", outcome="passed")])])
    [provider] = report["providers"]
    [checked] = provider["checks"]
    page = (PAGES / "run-the-kit.md").read_text()

    for name in [*report, *provider, *provider["counts"], *checked]:
        assert f"`{name}`" in page


def test_the_faults_named_are_outcomes_of_the_kit() -> None:
    named = set(re.findall(r"`([A-Z_]{6,})`", (PAGES / "test-with-faults.md").read_text())) - {"MAJUU_PROVIDERS"}

    assert named == {name for name in named if name in Outcome.__members__}
    assert named >= {"LOST_PAID", "LOST_UNPAID", "SERVER_ERROR", "FAILS_LATE"}

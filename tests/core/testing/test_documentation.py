"""What the documentation says about the kit and the mock method is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from majuu_core.providers import CAPABILITIES, operations
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.kit import all_checks
from majuu_core.testing.mock_amounts import MAGIC_AMOUNTS, amounts_as_markdown

DOCS = Path(__file__).parents[3] / "docs"


def test_the_table_of_magic_amounts_is_the_code_s_own() -> None:
    assert f"\n\n{amounts_as_markdown()}\n\n" in (DOCS / "reference/mock-provider.md").read_text()


def test_magic_amounts_and_names_are_unique() -> None:
    assert len({item.amount for item in MAGIC_AMOUNTS}) == len(MAGIC_AMOUNTS)
    assert len({item.name for item in MAGIC_AMOUNTS}) == len(MAGIC_AMOUNTS)


def test_every_check_is_listed_in_its_group() -> None:
    page = (DOCS / "reference/provider-contract.md").read_text()
    listed = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| (.+) \| (.+) \|$", page, re.MULTILINE)

    assert listed == [(item.id, item.why, item.fix) for item in all_checks()]


def test_every_capability_is_described() -> None:
    page = (DOCS / "reference/provider-contract.md").read_text()

    for capability in CAPABILITIES:
        assert f"| `{capability.__name__}` |" in page
    for operation in operations(FakeProvider):
        assert f"`{operation}`" in page

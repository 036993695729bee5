"""The examples of the how-to run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from majuu_core.merchants import key_format
from majuu_core.merchants.models import ApiKey, ProviderAccount
from majuu_core.testing.factories import make_user

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "keys-and-accounts.md"


@pytest.mark.django_db
def test_the_examples_of_keys_and_accounts(capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = [
        block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "import" in block or "_key(" in block
    ]
    assert len(blocks) == 4
    names: dict[str, Any] = {"user": make_user()}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 - the page is ours
    printed = capsys.readouterr().out.split()
    assert [key_format.is_well_formed(key) for key in printed] == [True, True]
    old, new = ApiKey.objects.order_by("pk")
    assert (old.name, old.rate_limit, new.rotated_from, new.monthly_quota) == ("Web shop", 300, old, 100_000)
    assert ProviderAccount.objects.get().health == "healthy"


def test_the_page_shows_the_real_pattern_and_codes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "[spct]k_(test|live)_[0-9A-Za-z]{55}" in text
    assert key_format.PATTERN.pattern == "[spct]k_(?:test|live)_[0-9A-Za-z]{55}"

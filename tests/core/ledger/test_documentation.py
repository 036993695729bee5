from __future__ import annotations

import re
from pathlib import Path

from majuu_core.ledger.chart import CHART, AccountKind
from majuu_core.ledger.guards import LEDGER_GUARDS

PAGE = (Path(__file__).parents[3] / "docs" / "explanation" / "ledger.md").read_text(encoding="utf-8")


def test_the_documented_chart_is_the_chart() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([a-z]+) \| (debit|credit) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)

    assert rows == [
        (kind.value, entry.category.value, kind.normal_side.value, entry.owned_by, entry.meaning)
        for kind, entry in CHART.items()
    ]


def test_every_account_that_the_examples_name_exists() -> None:
    examples = PAGE.split("Which transactions touch which accounts")[1].split("## Holds")[0]
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", examples))

    assert len(named) > 10
    kinds_of_transactions = {name for name in named if name.startswith("dispute_")}
    assert named - kinds_of_transactions <= {kind.value for kind in AccountKind}


def test_every_guard_can_be_taken_back() -> None:
    for guard in LEDGER_GUARDS:
        for vendor in ("postgresql", "sqlite", "mysql"):
            made = re.findall(r"CREATE (?:TRIGGER|FUNCTION|TABLE) (\w+)", " ".join(guard.forwards[vendor]))
            dropped = re.findall(r"DROP (?:TRIGGER|FUNCTION|TABLE) (\w+)", " ".join(guard.backwards[vendor]))
            assert sorted(made) == sorted(dropped)

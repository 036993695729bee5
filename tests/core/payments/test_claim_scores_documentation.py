"""docs/explanation/claim-scores.md and the code give the same points."""

from __future__ import annotations

import re
from pathlib import Path

from majuu_core.payments.suggestion_queries import WINDOW
from majuu_core.payments.suggestion_reasons import AUTO_CLAIM_SCORE, KINDS, NEAR_TIE, WITHOUT_IDENTITY

DOCS = Path(__file__).parents[3] / "docs"
ROW = re.compile(r"^\| `([a-z_]+)` \| ([+-]\d+) \| (.+?) \|$", re.MULTILINE)
BY_RULE = {"ambiguous", "identity_unknown"}  # their points depend on the rest


def test_the_table_of_points_is_the_one_in_use():
    text = (DOCS / "explanation" / "claim-scores.md").read_text(encoding="utf-8")
    documented = {code: (int(points), sentence) for code, points, sentence in ROW.findall(text)}
    assert documented == {code: (kind.points, kind.english) for code, kind in KINDS.items() if code not in BY_RULE}


def test_the_rules_name_the_limits_in_use():
    text = (DOCS / "explanation" / "claim-scores.md").read_text(encoding="utf-8")
    assert f"the score is at most {WITHOUT_IDENTITY}" in text
    assert f"loses what is missing to {NEAR_TIE}" in text
    assert f"sets its score to {AUTO_CLAIM_SCORE}" in text
    assert f"in the {WINDOW.days} days before" in text
    assert all(f"`{code}`" in text for code in BY_RULE)
    assert f"best to {AUTO_CLAIM_SCORE}" in (DOCS / "how-to" / "suggestions.md").read_text(encoding="utf-8")

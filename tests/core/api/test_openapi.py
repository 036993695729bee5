"""The API describes itself, and the description is the one that was agreed on."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from majuu_core.api.messages import SWAHILI
from majuu_core.api.urls import api

SNAPSHOT = Path(__file__).resolve().parents[3] / "docs" / "reference" / "openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")


def schema() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
    return made


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, item in schema()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python 3.13 words HTTP 413 and 422 differently")
def test_the_snapshot_is_up_to_date() -> None:
    if not SNAPSHOT.exists():
        pytest.skip("the snapshot lies in the repository, not in the package")
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == schema(), "run `make openapi` and look at the difference"


def test_operation_ids_are_unique() -> None:
    counts = Counter(operation["operationId"] for _, _, operation in operations())
    assert [name for name, count in counts.items() if count > 1] == []


def refusals_expected(operation: dict[str, Any]) -> set[int]:
    """By key or client: 401 and 403. By the token of a person: 401. By nobody in particular: too many."""
    schemes = {name for scheme in operation.get("security", ()) for name in scheme}
    if not schemes:
        return {422, 429}
    return {401} if schemes == {"UserBearer"} else {401, 403}


def test_every_operation_has_a_summary_and_declares_its_refusals() -> None:
    for method, path, operation in operations():
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        refusals = {int(code) for code in operation["responses"] if int(code) >= 400}
        assert refusals_expected(operation) <= refusals, (method, path)


def test_the_documentation_page_needs_nothing_from_elsewhere(db: None) -> None:
    page = Client().get("/api/v1/docs").content.decode()
    assert "https://" not in page.replace("https://github.com", "")
    assert "/static/ninja/swagger-ui-bundle.js" in page


def test_the_description_is_served(db: None) -> None:
    served = Client().get("/api/v1/openapi.json").json()
    assert set(served["paths"]) == set(schema()["paths"])


def test_swahili_texts_are_sentences() -> None:
    for code, text in SWAHILI.items():
        assert text.endswith("."), code
        assert text[0].isupper() or text.split()[0] in {"limit", "cursor", "metadata"}, code

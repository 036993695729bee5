"""Finds material that is shared between projects and not part of this repository; tests skip where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(os.environ.get("MAJUU_SHARED") or Path(__file__).parents[2] / "shared")


def shared_fixture(name: str) -> Path:
    """The file ``fixtures/<name>``; skips the test, with the reason, when it is not there."""
    path = _ROOT / "fixtures" / name
    if not path.exists():
        pytest.skip(f"the shared fixture {name} is not available here (set MAJUU_SHARED to its directory)")
    return path

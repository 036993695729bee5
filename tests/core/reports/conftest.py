from __future__ import annotations

import pytest

from tests.core.reports.desk import Desk
from tests.core.reports.paper_provider import PaperPlugin


@pytest.fixture
def desk(db, virtual_clock, temporary_plugin) -> Desk:
    """An account whose statements can be uploaded; it is 12 January 2026, noon in Nairobi."""
    temporary_plugin(PaperPlugin())
    return Desk.open(virtual_clock)

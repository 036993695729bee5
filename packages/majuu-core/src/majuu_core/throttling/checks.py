"""What ``manage.py check --deploy`` says about rate limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning

from majuu_core.throttling.counters import redis_address


def check_shared_counter(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.W040: with several processes, each allows as much as all of them together should."""
    if redis_address() is not None:
        return []
    return [
        Warning(
            "Rate limits are counted by each process on its own, because the default cache is not Redis.",
            hint='Make Redis the cache "default". If a single process serves this site, silence this warning.',
            id="majuu.W040",
        )
    ]

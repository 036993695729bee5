"""System check for hooks: the only thing that notices a misspelt hook name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error

from majuu_core.plugins.manager import plugins


def check_hooks(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.E001: an implementation that no hook answers to would silently never run."""
    return [
        Error(
            f"{found.plugin}: there is no hook named {found.name!r}.",
            hint=f"Did you mean {found.suggestion!r}?" if found.suggestion else "See docs/reference/hooks.md.",
            obj=found.plugin,
            id="majuu.E001",
        )
        for found in plugins().unknown_hooks()
    ]

"""Stripe's bracket form encoding: ``a[b][0][c]=1`` becomes ``{"a": {"b": [{"c": "1"}]}}``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from majuu_sim.stripe.errors import StripeRefusal

_PARTS = re.compile(r"[^\[\]]+|(?<=\[)(?=\])")
DEPTH = 12


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The nested parameters of a form or a query string; every leaf is text. A refusal for nonsense."""
    root: dict[str, Any] = {}
    for key, value in pairs:
        parts = _PARTS.findall(key)
        if not parts or len(parts) > DEPTH:
            raise StripeRefusal(400, f"Invalid parameter name: {key[:80]}", param=key[:80], began=False)
        _put(root, parts, value, key)
    return {name: _lists(value) for name, value in root.items()}


def _put(root: dict[str, Any], parts: list[str], value: str, key: str) -> None:
    here = root
    for part in parts[:-1]:
        step = here.setdefault(part or str(len(here)), {})
        if not isinstance(step, dict):
            raise StripeRefusal(400, f"Invalid parameter name: {key[:80]}", param=key[:80], began=False)
        here = step
    here[parts[-1] or str(len(here))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(part) for name, part in value.items()}


def flatten(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    """The other way round, for fingerprints: every leaf with its full name, sorted."""
    if isinstance(value, dict):
        for key in sorted(value):
            yield from flatten(value[key], f"{name}[{key}]" if name else key)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from flatten(part, f"{name}[{index}]")
    else:
        yield name, str(value)

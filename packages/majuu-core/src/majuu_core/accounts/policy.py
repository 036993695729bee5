"""Who must have a second factor. Rooms above, which know roles, register their rules here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from majuu_core.accounts.configuration import second_factor_is_compulsory

Rule = Callable[[Any], bool]

_rules: list[Rule] = []


def register_second_factor_rule(rule: Rule) -> None:
    """Add a rule: called with a user, True when that user must have a second factor. Again changes nothing."""
    if rule not in _rules:
        _rules.append(rule)


def second_factor_required(user: Any) -> bool:
    """Whether this user must have a second factor: staff always, others when a rule says so. Nobody is no one."""
    if not user.is_authenticated or not second_factor_is_compulsory():
        return False
    return bool(user.is_staff) or any(rule(user) for rule in _rules)

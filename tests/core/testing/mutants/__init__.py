"""Providers that are broken on purpose. Each says which checks must catch it, and no other may."""

from tests.core.testing.mutants import (
    cards,
    definition,
    disputes,
    incoming,
    looking_up,
    operations,
    payments,
    refunds,
    saved,
    texts,
    webhooks,
)
from tests.core.testing.mutants.base import MUTANTS, Mutant

__all__ = [
    "MUTANTS",
    "Mutant",
    "cards",
    "definition",
    "disputes",
    "incoming",
    "looking_up",
    "operations",
    "payments",
    "refunds",
    "saved",
    "texts",
    "webhooks",
]

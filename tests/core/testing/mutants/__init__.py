"""Providers that are broken on purpose. Each says which checks must catch it, and no other may."""

from tests.core.testing.mutants import definition, incoming, looking_up, operations, payments, refunds, texts, webhooks
from tests.core.testing.mutants.base import MUTANTS, Mutant

__all__ = [
    "MUTANTS",
    "Mutant",
    "definition",
    "incoming",
    "looking_up",
    "operations",
    "payments",
    "refunds",
    "texts",
    "webhooks",
]

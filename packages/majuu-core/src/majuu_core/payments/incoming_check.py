"""May money come in? Asked by a provider before it takes a payment; whoever objects has a reason for the customer."""

from __future__ import annotations

from majuu_core.merchants.models import ProviderAccount
from majuu_core.plugins.manager import collect
from majuu_core.providers import IncomingMoney, Violation


def object_to_incoming(*, account: ProviderAccount, money: IncomingMoney) -> Violation | None:
    """The first objection of any plugin (``validate_incoming_payment``), or None: the money is welcome."""
    for objection in collect("validate_incoming_payment", provider_account=account, incoming=money):
        return Violation(code=objection.code, message=objection.message, field=objection.field)
    return None

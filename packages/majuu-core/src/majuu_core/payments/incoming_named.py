"""Money whose payer wrote the reference of a charge: a bank transfer, seen on a statement.

The reference says which charge it is, whatever became of that charge meanwhile. The right amount pays it, late or not;
a charge that a person has confirmed before is the same money, told again. What is left is for the shop to decide.
"""

from __future__ import annotations

import logging

from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.incoming_applying import apply_to_intent, reserve_for_store
from majuu_core.payments.incoming_links import INCOMING_METHOD, link_to_charge
from majuu_core.payments.models import Charge, IncomingPayment
from majuu_core.payments.settling import apply_result
from majuu_core.providers import ReadsReferences, Result, ResultStatus, operations
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")


def settle_named(incoming: IncomingPayment) -> bool:
    """Give the money to the charge that is named. False when there is none, or it cannot be that simply."""
    charge = named_charge(incoming)
    if charge is None:
        return False
    if charge.amount != incoming.amount:
        return _settle_other_amount(incoming, charge)
    if charge.status != Charge.Status.SUCCEEDED:
        told = Result(
            status=ResultStatus.SUCCEEDED,
            amount=incoming.amount,
            receipt=incoming.receipt,
            occurred_at=incoming.occurred_at,
        )
        apply_result(charge_id=charge.pk, result=told)
    if link_to_charge(incoming.pk, charge.pk, named=True):
        return True
    reserve_for_store(incoming.pk, charge.payment_intent.store)  # paid twice
    return False


def named_charge(incoming: IncomingPayment) -> Charge | None:
    """The charge of the same account whose reference the payer wrote, however it went."""
    reference = reference_given_at(incoming.provider_account, incoming.account_reference)
    if not reference:
        return None
    rows = Charge.objects.filter(provider_account_id=incoming.provider_account_id, provider_reference=reference)
    return rows.exclude(payment_method=INCOMING_METHOD).select_related("payment_intent__store").first()


def reference_given_at(account: ProviderAccount, text: str) -> str:
    """The one reference in a text that was given to a charge of the account; "" when there is none."""
    registry = installed_providers()
    if not text or account.provider not in registry:
        return ""
    if "payment_references" not in operations(registry.get(account.provider)):
        return ""
    provider = provider_for(account)
    possible = provider.payment_references(text) if isinstance(provider, ReadsReferences) else ()
    rows = Charge.objects.filter(provider_account=account, provider_reference__in=possible)
    found = [str(known) for known in rows.values_list("provider_reference", flat=True)[:2]] if possible else []
    return found[0] if len(found) == 1 else ""


def _settle_other_amount(incoming: IncomingPayment, charge: Charge) -> bool:
    """Less or more than was asked for: taken where the account's owner has said so, else the shop's to claim."""
    provider = provider_for(incoming.provider_account)
    takes = isinstance(provider, ReadsReferences) and provider.takes_other_amounts()
    if takes and apply_to_intent(incoming.pk, charge.payment_intent_id):
        return True
    logger.info("%s names %s, in another amount", incoming.public_id, charge.public_id)
    reserve_for_store(incoming.pk, charge.payment_intent.store)
    return False

"""How often a phone may be asked to pay: a payment page would otherwise let anybody ring a stranger's phone for hours.

Counted from the charges that exist. Charges of two intents that start in the same instant do not see each other, so a
phone may get a prompt or two more.
"""

from __future__ import annotations

from math import ceil

from django.db.models import QuerySet

from majuu_core import configuration
from majuu_core.common import clock
from majuu_core.common.problems import Conflict
from majuu_core.configuration import Limit
from majuu_core.payments.models import Charge
from majuu_core.providers.installed import installed_providers


def check_prompts(charge: Charge) -> None:
    """Raises Conflict ``too_many_attempts`` when the new charge, not stored yet, would be one prompt too many.

    Only for payment methods that ask for a phone number. ``MAJUU_PROMPT_LIMITS`` says how many are too many.
    """
    if not _prompts_a_phone(charge):
        return
    limits = configuration.prompt_limits()
    same_intent = Charge.objects.filter(payment_intent_id=charge.payment_intent_id)
    waits = [_wait(same_intent, limits["intent"])]
    if charge.payer:
        same_phone = Charge.objects.filter(payer=charge.payer, provider=charge.provider, livemode=charge.livemode)
        waits.append(_wait(same_phone, limits["phone"]))
    if wait := max(waits):
        raise Conflict(
            "too_many_attempts",
            f"Too many payment attempts. Wait {ceil(wait / 60)} min, then try again.",
            retry_after=wait,
        )


def _prompts_a_phone(charge: Charge) -> bool:
    methods = installed_providers().get(charge.provider).info.payment_methods
    return any(
        field.kind == "phone" for method in methods if method.code == charge.payment_method for field in method.fields
    )


def _wait(charges: QuerySet[Charge], limit: Limit | None) -> int:
    """Seconds until one more fits; 0 when it does now."""
    if limit is None:
        return 0
    now = clock.now()
    recent = charges.filter(created_at__gt=now - limit.window).order_by("-created_at")
    times = list(recent.values_list("created_at", flat=True)[: limit.count])
    return 0 if len(times) < limit.count else ceil((times[-1] + limit.window - now).total_seconds())

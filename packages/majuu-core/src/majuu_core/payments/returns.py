"""Customers who come back from a provider's page: what became of their payment is found out at once."""

from __future__ import annotations

import logging
from datetime import timedelta

from majuu_core.common import clock
from majuu_core.payments.follow_ups import follow_up_charge
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.transitions import OPEN_CHARGE
from majuu_core.payments.voids import call_back, waiting_on_a_page

logger = logging.getLogger("majuu.payments")
# An address that anybody with the link can open must not become a way to keep a provider busy.
MOST_CALLS = 20
_PERIOD = timedelta(minutes=1)


def hear_of_return(intent: PaymentIntent, *, gave_up: bool = False) -> None:
    """Ask the provider what became of the intent's open charge, and complete what the customer has approved.

    ``gave_up``: the customer did not want to pay after all, so the attempt is ended where the provider can; otherwise
    it stays open. Never raises: without an answer the follow-ups go on asking.
    """
    charge = waiting_on_a_page(intent) if gave_up else _open_charge(intent)
    if charge is None or _was_asked_too_often(charge):
        return
    try:
        if gave_up:
            call_back(charge)
        else:
            follow_up_charge(charge.pk)
    except Exception:
        logger.exception("a customer came back to %s", charge.public_id)


def _open_charge(intent: PaymentIntent) -> Charge | None:
    return intent.charges.filter(status__in=OPEN_CHARGE, is_parked=False).order_by("pk").last()


def _was_asked_too_often(charge: Charge) -> bool:
    recent = charge.calls.filter(started_at__gt=clock.now() - _PERIOD)
    return recent.count() >= MOST_CALLS

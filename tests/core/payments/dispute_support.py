"""Disputes at the till: what a provider might say, in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from moneyed import Money

from majuu_core.common import clock
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.addresses import account_callback_url
from majuu_core.payments.dispute_applying import AppliedDispute, apply_dispute
from majuu_core.payments.models import Charge, Dispute
from majuu_core.providers import DisputeReason, DisputeState, DisputeStatus
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_disputes import OPENS_AFTER
from tests.core.payments.support import Till

OPENED = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def told(
    charge: Charge,
    status: str = "needs_response",
    *,
    hours: int = 0,
    withdrawn: str | None = None,
    amount: str | None = None,
    fee: str | None = None,
    **fields: Any,
) -> DisputeState:
    """What the provider says about the charge's dispute, so many hours after it was opened."""
    currency = charge.currency
    values: dict[str, Any] = {
        "provider_reference": "disp_1",
        "payment_reference": charge.provider_reference or "",
        "status": DisputeStatus(status),
        "reason": DisputeReason.NOT_RECEIVED,
        "amount": charge.amount_received if amount is None else Money(amount, currency),
        "opened_at": OPENED,
        "respond_by": OPENED + timedelta(days=7),
        "occurred_at": OPENED + timedelta(hours=hours),
        "withdrawn": None if withdrawn is None else Money(withdrawn, currency),
        "fee": None if fee is None else Money(fee, currency),
    }
    return DisputeState(**values | fields)


def hear_of(till: Till, state: DisputeState) -> AppliedDispute:
    """Apply it as a signed message would."""
    return apply_dispute(account=till.account, state=state, at=OPENED)


def disputed_at_mock(till: Till, virtual_clock: Any, amount: str = "7761") -> Dispute:
    """A payment of a magic amount, its dispute opened and told by the mock provider's own webhook."""
    _, charge = till.pay_new(amount)
    virtual_clock.advance(OPENS_AFTER)
    assert tell(till, charge) == 200
    return Dispute.objects.get(charge=charge)


def tell(till: Till, charge: Charge) -> int:
    """Bring the mock provider's message about the charge's dispute, as it is now, and let it be worked on."""
    from majuu_core.webhooks.inbound_processing import process_waiting

    provider = provider_for(till.account)
    assert isinstance(provider, FakeProvider)
    message = provider.make_dispute_webhook(charge.provider_reference or "")
    headers = {name: value for name, value in message.headers.items() if name != "content-type"}
    path = account_callback_url(till.account.pk).removeprefix("http://testserver")
    answer = Client().generic("POST", path, message.body, content_type="application/json", headers=headers)
    process_waiting()
    return answer.status_code


def later(days: int = 0, **span: int) -> datetime:
    """A moment from now on."""
    return clock.now() + timedelta(days=days, **span)

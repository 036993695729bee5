"""A provider asks before it takes money (M-Pesa calls it validation): we answer within seconds, and default to yes.

The answer is given in the request, because the provider waits for it; what was asked and answered is kept like every
other message.
"""

from __future__ import annotations

import logging

from majuu_core.common import clock
from majuu_core.common.storable import storable
from majuu_core.payments.incoming_check import object_to_incoming
from majuu_core.providers import SupportsIncoming, SupportsWebhooks, Violation, WebhookRejected, WebhookRequest
from majuu_core.providers.types import WebhookResponse
from majuu_core.webhooks.models import InboundWebhook

logger = logging.getLogger("majuu.webhooks")
CHECK_TOPIC = "check"


def answer_check(provider: SupportsIncoming, inbound: InboundWebhook, request: WebhookRequest) -> WebhookResponse:
    """Accept or refuse, and keep the question. A message from a stranger is refused and decides nothing."""
    objection: Violation | None = None
    inbound.state, inbound.reason = InboundWebhook.State.APPLIED, "Asked before the payment: accepted."
    try:
        assert isinstance(provider, SupportsWebhooks)  # noqa: S101 - only such a provider gets here
        inbound.trust = provider.verify_webhook(request).value
        money = provider.read_incoming_check(request)
        assert inbound.provider_account is not None  # noqa: S101 - the address names it
        objection = object_to_incoming(account=inbound.provider_account, money=money)
    except WebhookRejected as problem:
        inbound.state, inbound.reason = InboundWebhook.State.REJECTED, storable(str(problem), 500)
        logger.warning("check %s rejected: %s", inbound.public_id, problem)
    except Exception:
        # A fault of ours is no reason to turn a customer away: the confirmation will tell of the money.
        logger.exception("a check of incoming money to %s failed", inbound.provider_account)
        inbound.reason = "Asked before the payment: accepted, because looking at it failed; see the log."
    if objection is not None:
        inbound.reason = storable(f"Asked before the payment: refused, {objection.code}: {objection.message}", 500)
    inbound.processed_at = clock.now()
    inbound.save(force_insert=True)
    return provider.incoming_check_response(objection)

"""What providers tell us: keep it raw first, believe it only as far as it proves itself, lose none of it.

A signed message is applied at once, in the request: it is written together with all that it changes, or, when that
cannot be done, kept first and worked on then. An unsigned one (M-Pesa) is answered at once and worked on by the
worker, because the truth has to be fetched first and a request thread must not wait for a provider. Every message ends
as applied, duplicate, rejected or parked.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from majuu_core.common import clock, ids
from majuu_core.common.redaction import redact
from majuu_core.common.storable import storable
from majuu_core.database.batch import WriteBatch
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.addresses import read_callback_path
from majuu_core.payments.locks import Seen, look_at_charge
from majuu_core.payments.models import Charge
from majuu_core.providers import (
    SupportsIncoming,
    SupportsWebhooks,
    Trust,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_core.webhooks.inbound_check import CHECK_TOPIC, answer_check
from majuu_core.webhooks.inbound_processing import apply_at_once, process_signed
from majuu_core.webhooks.models import InboundWebhook
from majuu_core.webhooks.self_test import SELF_TEST_TOPIC, answer_self_test

logger = logging.getLogger("majuu.webhooks")
MAX_BODY = 256 * 1024
_KEPT_OF_TOO_LARGE = 4 * 1024
_HEADERS_NOT_KEPT = frozenset({"cookie", "authorization"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A request as the web server gave it. ``body`` may be cut after MAX_BODY + 1 bytes."""

    method: str
    subject: str
    secret: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    remote_addr: str
    topic: str = ""


def receive_webhook(raw: RawRequest) -> WebhookResponse | None:
    """Keep a provider's message and say what to answer; None when the address is not one of ours."""
    found = _find_subject(raw)
    if found is None:
        logger.warning("callback to an unknown address from %s", raw.remote_addr)
        return None
    account, seen, subject_id = found
    charge = seen.charge if seen else None
    try:
        provider = provider_for(account, observe=lambda exchange: None)
    except Exception:
        # Uninstalled, or its credentials cannot be read: the message is worth no less for that.
        logger.exception("no provider for a webhook to %s", account.public_id)
        return _park_unread(_build_row(raw, account, charge, subject_id))
    if not isinstance(provider, SupportsWebhooks):
        return None
    request = WebhookRequest(
        method=raw.method,
        headers=raw.headers,
        query=raw.query,
        body=raw.body,
        remote_addr=raw.remote_addr,
        reference=charge.public_id if charge else subject_id or None,
        topic=raw.topic,
    )
    inbound = _build_row(raw, account, charge, subject_id)
    if raw.topic == SELF_TEST_TOPIC:
        return answer_self_test(inbound)
    if len(raw.body) > MAX_BODY:
        return _reject(provider, inbound, f"The body is longer than {MAX_BODY} bytes.")
    if raw.topic == CHECK_TOPIC and isinstance(provider, SupportsIncoming):
        return answer_check(provider, inbound, request)
    try:
        trust = provider.verify_webhook(request)
        events = list(provider.parse_webhook(request))
    except WebhookRejected as problem:
        return _reject(provider, inbound, str(problem))
    except Exception:
        # A bug in a plugin is no reason to lose the message.
        logger.exception("the provider %s could not read a webhook", account.provider)
        inbound.state, inbound.processed_at = InboundWebhook.State.PARKED, clock.now()
        inbound.reason = "The provider package failed to read it."
        inbound.save(force_insert=True)
        return provider.webhook_response(accepted=True)
    inbound.trust = trust.value
    inbound.next_attempt_at = inbound.received_at
    signed = trust is Trust.SIGNED
    if not (signed and seen is not None and apply_at_once(inbound, events, seen)):
        batch = WriteBatch()
        batch.insert(inbound)
        batch.execute()
        if signed:
            process_signed(inbound, events)
    return provider.webhook_response(accepted=True)


def _park_unread(inbound: InboundWebhook) -> WebhookResponse:
    inbound.state, inbound.processed_at = InboundWebhook.State.PARKED, clock.now()
    inbound.reason = "The provider package could not be used; see the log."
    inbound.save(force_insert=True)
    return WebhookResponse(status=200, body=b"")


def _find_subject(raw: RawRequest) -> tuple[ProviderAccount, Seen | None, str] | None:
    """The account an address belongs to; with it the charge, or the public id of what else it was made for."""
    subject = read_callback_path(raw.subject, raw.secret)
    if subject is None:
        return None
    if subject.kind == "p":
        seen = look_at_charge(subject.id)
        return (seen.charge.provider_account, seen, "") if seen else None
    if subject.kind == "a":
        account = ProviderAccount.objects.filter(pk=subject.id).first()
        return (account, None, "") if account else None
    other = subject.model.objects.select_related("provider_account").filter(pk=subject.id).first()
    return (other.provider_account, None, other.public_id) if other else None


def _build_row(
    raw: RawRequest, account: ProviderAccount, charge: Charge | None, subject_id: str = ""
) -> InboundWebhook:
    too_large = len(raw.body) > MAX_BODY
    headers = {name: value for name, value in raw.headers.items() if name not in _HEADERS_NOT_KEPT}
    return InboundWebhook(
        id=ids.new_uuid(),
        provider_account=account,
        charge=charge,
        subject_id=subject_id,
        topic=raw.topic[:16],
        method=raw.method[:8],
        path=f"/in/{raw.subject}/…{'/' if raw.topic else ''}{raw.topic}"[:200],
        query=redact({storable(name): storable(value) for name, value in raw.query.items()}),
        headers=headers,
        body=raw.body[:_KEPT_OF_TOO_LARGE] if too_large else raw.body,
        remote_addr=raw.remote_addr[:45],
        received_at=clock.now(),
    )


def _reject(provider: SupportsWebhooks, inbound: InboundWebhook, reason: str) -> WebhookResponse:
    inbound.state, inbound.reason = InboundWebhook.State.REJECTED, storable(reason, 500)
    inbound.processed_at = clock.now()
    inbound.save(force_insert=True)
    logger.warning("webhook %s rejected: %s", inbound.public_id, reason)
    return provider.webhook_response(accepted=False)

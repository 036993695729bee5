"""A provider that counts what it is asked to do, and whose messages prove nothing if one likes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from django.test import Client

from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.addresses import charge_callback_url
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.plugins import hookimpl
from majuu_core.providers import (
    FetchRequest,
    OutcomeUnknown,
    PaymentRequest,
    Result,
    ResultStatus,
    Trust,
    WebhookRequest,
)
from majuu_core.testing.factories import make_provider_account
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.inbound_processing import process_waiting
from tests.core.payments.support import Till, seconds

_METHOD = FakeProvider.info.payment_methods[0]


class Phone(FakeProvider):
    """Like M-Pesa: a prompt is never repeated, messages are unsigned, and nothing is found without its reference."""

    code = "phone"
    info = replace(FakeProvider.info, payment_methods=(replace(_METHOD, code="phone"),), replay_safe=False)
    prompts: Counter[str] = Counter()
    answer: Any = None  # what is raised or returned instead of the answer to a prompt
    truth: Any = None  # what is raised or returned instead of the answer to a question

    def sale(self, request: PaymentRequest) -> Result:
        type(self).prompts[request.reference] += 1
        result = super().sale(request)
        return _instead(type(self).answer, result)

    def fetch_payment(self, request: FetchRequest) -> Result:
        if request.provider_reference is None:
            return Result(status=ResultStatus.UNKNOWN)
        return _instead(type(self).truth, super().fetch_payment(request))

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        super().verify_webhook(request)
        return Trust.UNSIGNED


def _instead(told: Any, result: Result) -> Result:
    if isinstance(told, Exception):
        raise told
    return told(result) if told is not None else result


class Plugin:
    """Brings the provider."""

    @hookimpl
    def register_payment_providers(self) -> list[type[FakeProvider]]:
        return [Phone]


class Counterdesk(Till):
    """A till whose customers pay by ``phone`` or, signed, by ``mock``."""

    method = "phone"

    def __init__(self) -> None:
        super().__init__()
        self.signed_account = self.account
        self.account = make_provider_account(store=self.store, provider="phone")

    def start(self, intent: PaymentIntent, request_key: str = "") -> Charge:
        """Confirm, the whole rest."""
        choice = PaymentChoice(payment_method=self.method)
        return confirm_payment_intent(intent=intent, choice=choice, request_key=request_key)[1]

    def letter(self, charge: Charge) -> WebhookRequest:
        """What the provider would send about this charge now, whether we know its reference or not."""
        provider: Any = provider_for(charge.provider_account)
        request = PaymentRequest(
            idempotency_key=charge.public_id,
            reference=charge.public_id,
            amount=charge.amount,
            payment_method=self.method,
            payment_method_data={},
        )
        try:
            reference = FakeProvider.sale(provider, request).provider_reference
        except OutcomeUnknown:
            asked = FetchRequest(reference=charge.public_id, provider_reference=None, amount=charge.amount)
            reference = FakeProvider.fetch_payment(provider, asked).provider_reference
        made: WebhookRequest = provider.make_webhook(reference=charge.public_id, provider_reference=reference)
        return made

    def live_on(self, clock: Any, total: int = 95_000) -> None:
        """The worker runs for as long as the provider is asked at all."""
        end = clock.now() + seconds(total)
        while clock.now() < end:
            clock.advance(30 if end - clock.now() > seconds(total - 600) else 3600)
            process_waiting()
            run_due_follow_ups()


def deliver(charge: Charge, request: WebhookRequest, **changes: Any) -> Any:
    """Post a message to the charge's own address, as a provider would."""
    url = changes.get("url", charge_callback_url(charge.pk))
    headers = {name: value for name, value in request.headers.items() if name != "content-type"}
    return Client(raise_request_exception=False).generic(
        "POST",
        url.removeprefix("http://testserver"),
        changes.get("body", request.body),
        content_type="application/json",
        headers=headers,
    )

"""Giving money back at the till, and a provider with two ways of doing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.test import Client
from moneyed import Money

from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.addresses import refund_callback_url
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.plugins.manager import temporary_plugin
from majuu_core.plugins.markers import hookimpl
from majuu_core.providers import (
    Failure,
    FailureCode,
    FollowUpRequest,
    RefundQuestion,
    RefundRoute,
    Result,
    ResultStatus,
    WebhookRequest,
)
from majuu_core.testing.factories import make_provider_account
from majuu_core.testing.fake import FakeProvider
from tests.core.payments.support import Till


def give_back(till: Till, charge: Charge, amount: str | None = None, **details: Any) -> Refund:
    """Refund a charge by the service that the API uses."""
    details.setdefault("reason", "Wrong size")
    request_key = details.pop("request_key", "")
    money = None if amount is None else Money(amount, charge.currency)
    wanted = RefundDetails(charge=charge.public_id, amount=money, **details)
    return create_refund(store=till.store, livemode=False, details=wanted, request_key=request_key)[0]


def letter(till: Till, refund: Refund, **fields: Any) -> WebhookRequest:
    """What the mock provider would send about the refund now."""
    provider: Any = provider_for(till.account)
    made: WebhookRequest = provider.make_webhook(
        reference=fields.get("reference", refund.public_id),
        provider_reference=fields.get("provider_reference", refund.provider_reference),
        type="refund.updated",
    )
    return made


def deliver(refund: Refund, request: WebhookRequest) -> int:
    """Bring the provider's message to the refund's own address."""
    headers = {name: value for name, value in request.headers.items() if name != "content-type"}
    path = refund_callback_url(refund.pk).removeprefix("http://testserver")
    return Client().generic("POST", path, request.body, content_type="application/json", headers=headers).status_code


class TwoWayProvider(FakeProvider):
    """A mock with the two ways that M-Pesa has: undo all of a young payment, or send new money to a phone."""

    code = "twoway"
    refunds: list[FollowUpRequest] = []  # what was asked
    spent = False  # the customer has spent what a reversal would take

    def refund_routes(self, question: RefundQuestion) -> Sequence[RefundRoute]:
        young = question.now - question.paid_at <= timedelta(days=1)
        whole = question.amount == question.paid
        reason = "It is whole and less than a day old."
        if not whole:
            reason = "Only a whole payment can be reversed."
        elif not young:
            reason = "It is more than a day old."
        return [
            RefundRoute(method="reversal", possible=whole and young, reason=reason),
            RefundRoute(
                method="b2c",
                possible=question.amount.amount >= 10,
                reason="New money is sent to the phone." if question.amount.amount >= 10 else "10 is the least.",
                books_as="payout",
                needs=("phone",),
            ),
        ]

    def refund(self, request: FollowUpRequest) -> Result:
        self.refunds.append(request)
        if request.method == "reversal" and type(self).spent:
            failure = Failure(code=FailureCode.DECLINED, provider_code="R000001", message="It has been spent.")
            return Result(status=ResultStatus.FAILED, failure=failure)
        return super().refund(request)


@contextmanager
def two_ways(till: Till) -> Iterator[None]:
    """While the block runs, the till's account is one with two ways back."""
    TwoWayProvider.refunds.clear()
    ProviderAccount.objects.filter(pk=till.account.pk).update(is_active=False)
    with temporary_plugin(_TwoWays()):
        till.account = make_provider_account(store=till.store, provider=TwoWayProvider.code)
        yield


class _TwoWays:
    @hookimpl
    def register_payment_providers(self) -> list[type[TwoWayProvider]]:
        return [TwoWayProvider]

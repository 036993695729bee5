"""A provider that tells balances later, by webhook, as M-Pesa does; and one that has troubles of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.test import Client
from moneyed import Money

from majuu_core.common import clock
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import account_callback_url
from majuu_core.plugins import hookimpl
from majuu_core.providers import (
    AccountBalance,
    BalanceAnswer,
    BalanceQuery,
    Failure,
    FailureCode,
    ProviderEvent,
    QrCode,
    QrRequest,
    Result,
    ResultStatus,
    SelfCheck,
    Trust,
    WebhookRequest,
)
from majuu_core.testing.fake import FakeProvider

UTILITY = "Utility Account"


class Talker(FakeProvider):
    """``answers`` is what is raised or returned, one after the other, instead of an acknowledgement."""

    code = "talker"
    info = replace(FakeProvider.info, payment_methods=(replace(FakeProvider.info.payment_methods[0], code="talker"),))
    asked: list[BalanceQuery] = []
    answers: list[Any] = []
    trouble: Any = None  # raised by check_credentials and self_checks

    def check_credentials(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def request_balances(self, query: BalanceQuery) -> BalanceAnswer:
        type(self).asked.append(query)
        told = type(self).answers.pop(0) if type(self).answers else None
        if isinstance(told, Exception):
            raise told
        return told or BalanceAnswer(balances=None, provider_reference=f"AG_{len(type(self).asked)}")

    def self_checks(self, *, callback_url: str) -> Iterator[SelfCheck]:
        yield SelfCheck(name="Clock", state="warning", message="It is 40 s fast.")
        if isinstance(self.trouble, ZeroDivisionError):
            raise self.trouble

    def make_qr_code(self, request: QrRequest) -> QrCode:
        if self.trouble is not None:
            raise self.trouble
        return super().make_qr_code(request)

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        return Trust.CORRELATED

    def parse_webhook(self, request: WebhookRequest) -> list[ProviderEvent]:
        told = json.loads(request.body)
        failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code="21", message="Not allowed to ask.")
        failed = "lines" not in told and not told.get("takes_longer")
        status = ResultStatus.FAILED if failed else ResultStatus.SUCCEEDED
        return [
            ProviderEvent(
                event_id=told.get("id") or told["reference"],
                type="balance.reported",
                reference=None,
                provider_reference=told["reference"],
                result=Result(
                    status=ResultStatus.PENDING if told.get("takes_longer") else status,
                    failure=failure if failed else None,
                ),
                occurred_at=clock.now(),
                balances=tuple(
                    AccountBalance(name=name, current=Money(amount, "KES"), available=Money(amount, "KES"))
                    for name, amount in told.get("lines", {}).items()
                ),
            )
        ]


class TalkerPlugin:
    @hookimpl
    def register_payment_providers(self) -> list[type[FakeProvider]]:
        return [Talker]


def tell(account: ProviderAccount, reference: str, *, topic: str = "balance", **body: Any) -> Any:
    """What the provider sends to the account's own address."""
    path = account_callback_url(account.pk).removeprefix("http://testserver")
    content = json.dumps({"reference": reference, **body})
    return Client().post(f"{path}/{topic}", content, content_type="application/json")

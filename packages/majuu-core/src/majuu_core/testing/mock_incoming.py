"""Money that arrives at the mock provider by itself: its messages, and what it says when it is asked."""

from __future__ import annotations

import json
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from majuu_core.common.money import AmountError, format_amount, parse_amount
from majuu_core.providers import (
    Failure,
    FailureCode,
    IncomingMoney,
    ProviderEvent,
    Result,
    ResultStatus,
    WebhookRejected,
)

TYPE = "incoming.received"
RECEIVER = "MOCK-TILL"


class MoneyBody(BaseModel):
    """One payment on the wire."""

    model_config = ConfigDict(extra="ignore", strict=True)

    type: str = TYPE
    receipt: str = Field(min_length=1, max_length=64)
    amount: str
    currency: str
    occurred_at: str
    receiver: str = RECEIVER
    account_reference: str = ""
    payer_name: str = ""
    payer_phone: str = ""


def is_money(body: bytes) -> bool:
    """Whether a message is about money that arrived by itself."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("type") == TYPE


def write_money(money: IncomingMoney) -> bytes:
    """The message about it."""
    body = MoneyBody(
        receipt=money.receipt,
        amount=format_amount(money.amount),
        currency=money.amount.currency.code,
        occurred_at=money.occurred_at.isoformat(),
        receiver=money.receiver,
        account_reference=money.account_reference,
        payer_name=money.payer_name,
        payer_phone=money.payer_phone,
    )
    return json.dumps(body.model_dump()).encode()


def read_money(body: bytes) -> IncomingMoney:
    """The money a message is about. Raises WebhookRejected."""
    try:
        read = MoneyBody.model_validate_json(body)
        occurred_at = datetime.fromisoformat(read.occurred_at)
        if read.type != TYPE or occurred_at.tzinfo is None:
            raise ValueError("not about money, or without a time zone")
        amount = parse_amount(read.amount, read.currency)
    except (ValidationError, AmountError, ValueError) as problem:
        raise WebhookRejected(f"the body cannot be read: {type(problem).__name__}") from problem
    return IncomingMoney(
        receipt=read.receipt,
        amount=amount,
        occurred_at=occurred_at,
        receiver=read.receiver,
        account_reference=read.account_reference,
        payer_name=read.payer_name,
        payer_phone=read.payer_phone,
        channel="till",
        at_this_account=read.receiver == RECEIVER,
    )


def money_event(money: IncomingMoney) -> ProviderEvent:
    """The event of a message."""
    result = Result(
        status=ResultStatus.SUCCEEDED, receipt=money.receipt, amount=money.amount, occurred_at=money.occurred_at
    )
    return ProviderEvent(
        event_id=f"mockin_{money.receipt}",
        type=TYPE,
        reference=None,
        provider_reference=money.receipt,
        result=result,
        occurred_at=money.occurred_at,
        incoming=money,
    )


def told_of(receipt: str) -> Result:
    """What the mock provider says about a receipt: that it is good, unless it begins with GONE."""
    if receipt.startswith("GONE"):
        failure = Failure(code=FailureCode.DECLINED, provider_code="not_found", message="There is no such payment.")
        return Result(status=ResultStatus.FAILED, failure=failure)
    return Result(status=ResultStatus.SUCCEEDED, receipt=receipt)

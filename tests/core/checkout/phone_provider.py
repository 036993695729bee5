"""A provider of the normal kind: it sends a prompt to a phone and tells later what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel

from majuu_core.common import clock
from majuu_core.plugins import hookimpl
from majuu_core.providers import (
    Explanation,
    Failure,
    FailureCode,
    FetchRequest,
    InvalidPaymentData,
    MethodField,
    NextAction,
    PaymentMethodInfo,
    PaymentProvider,
    PaymentRequest,
    ProviderInfo,
    Result,
    ResultStatus,
    Violation,
)


class NoCredentials(BaseModel):
    """This provider needs none."""


def prompt_sent(request: PaymentRequest) -> Result:
    """A prompt is on the phone for 60 seconds."""
    phone = request.payment_method_data["phone"]
    action = NextAction(
        type="await_phone_prompt", data={"phone": phone}, expires_at=clock.now() + timedelta(seconds=60)
    )
    return Result(
        status=ResultStatus.REQUIRES_ACTION, provider_reference=f"ref-{request.reference}", next_action=action
    )


def paid(receipt: str | None = "TKL12AB34C") -> Result:
    return Result(status=ResultStatus.SUCCEEDED, receipt=receipt)


def failed(provider_code: str = "1032", code: FailureCode = FailureCode.CUSTOMER_CANCELED) -> Result:
    return Result(
        status=ResultStatus.FAILED,
        failure=Failure(code=code, provider_code=provider_code, message="[it failed] for shops only"),
    )


class PhoneProvider(PaymentProvider):
    """Answers a sale with ``on_sale``, or with a prompt, and every question with ``truth``."""

    code: ClassVar[str] = "phone"
    info: ClassVar[ProviderInfo] = ProviderInfo(
        display_name="Phone Money",
        payment_methods=(
            PaymentMethodInfo(
                code="phone_push",
                label="Phone Money",
                fields=(
                    MethodField(name="phone", kind="phone", label="Phone Money number"),
                    MethodField(name="note", kind="text", label="Note", required=False),
                ),
            ),
        ),
        currencies=frozenset({"KES"}),
        countries=frozenset({"KE"}),
    )
    credentials_schema: ClassVar[type[BaseModel]] = NoCredentials
    on_sale: ClassVar[Result | None] = None
    truth: ClassVar[Result] = Result(status=ResultStatus.PENDING)
    sent: ClassVar[list[PaymentRequest]] = []

    def check_credentials(self) -> None:
        return None

    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        digits = request.payment_method_data.get("phone", "").replace(" ", "")
        if not (digits.startswith("07") and len(digits) == 10 and digits.isdigit()):
            raise InvalidPaymentData(
                Violation(
                    code="phone_invalid",
                    message="This is not a phone number. Enter it as 0712 345 678.",
                    field="payment_method_data.phone",
                )
            )
        data = {**request.payment_method_data, "phone": "254" + digits[1:]}
        return replace(request, payment_method_data=data)

    def sale(self, request: PaymentRequest) -> Result:
        self.sent.append(request)
        return self.on_sale or prompt_sent(request)

    def fetch_payment(self, request: FetchRequest) -> Result:
        return self.truth

    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None:
        if provider_code != "1032":
            return None
        if language == "sw":
            return Explanation(text="Ulighairi ombi kwenye simu yako.", next_step="Lipa tena ukiwa tayari.")
        return Explanation(text="You cancelled the request on your phone.", next_step="Pay again when ready.")


class PhonePlugin:
    """Brings the provider in. A fresh class each time, so that tests do not share what it remembers."""

    def __init__(self) -> None:
        self.provider: type[PhoneProvider] = type("OnePhoneProvider", (PhoneProvider,), {"sent": []})

    @hookimpl
    def register_payment_providers(self) -> list[type[PhoneProvider]]:
        return [self.provider]

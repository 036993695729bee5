"""One account at Daraja as the modules here see it: its credentials, its client, and what every request shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from majuu_core.common.money import Money
from majuu_core.providers import RequestRejected, Violation
from majuu_core.providers.http import Answer
from majuu_mpesa import options
from majuu_mpesa.client import DarajaClient
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.fields import CURRENCY
from majuu_mpesa.security import SecurityError, security_credential

TIMEOUT_TOPIC = "timeout"
STATUS_TOPIC = "status"  # answers to status queries: a failed question says nothing about the money
CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a request needs. Keeps nothing between calls."""

    credentials: MpesaCredentials
    client: DarajaClient = field(repr=False)
    options: Mapping[str, str]
    livemode: bool

    def post(self, path: str, body: dict[str, Any], operation: str) -> Answer:
        """Send once; see DarajaClient.post."""
        return self.client.post(path, body, operation=operation)

    def initiator(self, name: str = "Initiator") -> dict[str, str]:
        """The operator and its encrypted password. B2C calls the first ``InitiatorName``."""
        if not self.credentials.has_initiator:
            raise RequestRejected(missing_initiator_text(), code=CONFIGURATION)
        try:
            credential = security_credential(self.credentials, self.options)
        except SecurityError as problem:
            raise RequestRejected(str(problem), code=CONFIGURATION) from problem
        return {name: self.credentials.initiator_name or "", "SecurityCredential": credential}

    def check_url(self, url: str) -> None:
        """Refuse to send what could not be answered: no address, or a plain one in live mode."""
        scheme = options.web_scheme(url)
        if scheme is None:
            raise RequestRejected("there is no address that M-Pesa could call back", code=CONFIGURATION)
        if self.livemode and scheme != "https":
            raise RequestRejected("in live mode the callback address must start with https://", code=CONFIGURATION)

    def result_urls(self, url: str, *, topic: str = "") -> dict[str, str]:
        """Where the result and the notice of a full queue go: ``url`` is one request's own address."""
        self.check_url(url)
        return {"ResultURL": with_topic(url, topic), "QueueTimeOutURL": with_topic(url, TIMEOUT_TOPIC)}


def with_topic(url: str, topic: str) -> str:
    """The address with a last part that says what it is for."""
    return f"{url.rstrip('/')}/{topic}" if topic else url


def missing_initiator_text() -> str:
    """What to do about an account that can only take payments."""
    return (
        "The account has no initiator. Enter the name of an API operator and its password (with Safaricom's "
        "certificate) or a ready security credential."
    )


def whole_shillings(money: Money, *, smallest: int, largest: int | None, what: str) -> list[Violation]:
    """The objections to an amount that Daraja is to move; ``what`` names the kind of payment in the text."""
    amount, currency = money.amount, money.currency.code
    if currency != CURRENCY:
        return [Violation(code="currency_unsupported", message=f"M-Pesa moves KES, not {currency}.", field="amount")]
    if not amount.is_finite() or amount != amount.to_integral_value():
        text = "M-Pesa moves whole shillings. Round the amount."
        return [Violation(code="amount_not_whole", message=text, field="amount")]
    if amount < smallest:
        text = f"The smallest amount for {what} is KES {smallest}."
        return [Violation(code="amount_too_small", message=text, field="amount")]
    if largest is not None and amount > largest:
        text = f"The largest amount for {what} is KES {largest}."
        return [Violation(code="amount_too_large", message=text, field="amount")]
    return []

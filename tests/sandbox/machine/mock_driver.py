"""The mock provider: signed callbacks, repeats that are safe, and every misfortune chosen by the amount."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from moneyed import Money
from pydantic import SecretStr

from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import charge_callback_url
from majuu_core.payments.models import Charge
from majuu_core.providers import FetchRequest, OutcomeUnknown, PaymentRequest, Result, ResultStatus, WebhookRequest
from majuu_core.testing import FakeProvider, MockCredentials, provider_context
from majuu_core.testing.mock_amounts import MAGIC_AMOUNTS, Behaviour, behaviour_for
from majuu_core.testing.mock_wire import created_at
from tests.sandbox.machine.drivers import Execution, Letter

SECRET = "the-secret-of-the-machine"


@dataclass(slots=True)
class Sale:
    """One payment the mock provider has begun."""

    charge: str
    amount: Money
    started_at: datetime
    told: ResultStatus | None = None

    @property
    def behaviour(self) -> Behaviour:
        return behaviour_for(self.amount)

    @property
    def ends_at(self) -> datetime | None:
        seconds = self.behaviour.seconds
        return None if seconds is None else self.started_at + timedelta(seconds=seconds)


class MockDriver:
    """Watches what the mock provider is asked to do, and sends its webhooks."""

    code = "mock"
    payment_method = "mock"
    currency = "KES"
    plugin: object = None
    forgeries: tuple[str, ...] = ("tampered", "unsigned", "wrong_secret", "other_charge", "nonsense")

    def open(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._sales: dict[str, Sale] = {}
        self._patched = ExitStack()
        real = FakeProvider.sale

        def sale(provider: FakeProvider, request: PaymentRequest) -> Result:
            try:
                result = real(provider, request)
            except OutcomeUnknown:
                self._begin(request)
                raise
            self._begin(request)
            return result

        self._patched.enter_context(mock.patch.object(FakeProvider, "sale", sale))

    def close(self) -> None:
        self._patched.close()

    def furnish(self, account: ProviderAccount) -> None:
        """Every charge has an address of its own."""

    def reset(self, seed: int) -> None:
        self._sales.clear()

    def credentials(self) -> dict[str, Any]:
        return {"secret": SECRET}

    def options(self) -> dict[str, Any]:
        return {}

    def amounts(self) -> SearchStrategy[int]:
        # Another currency is another set of books: that one is tested by itself.
        magic = [item.amount for item in MAGIC_AMOUNTS if item.misreported != "currency"]
        return st.sampled_from([100, 1500]) | st.sampled_from(magic)

    def customers(self) -> SearchStrategy[str]:
        return st.just("somebody")

    def faults(self) -> SearchStrategy[Any]:
        return st.none()

    def troubles(self) -> SearchStrategy[Any]:
        return st.none()

    def plan(self, customer: str, fault: Any) -> None:
        """The amount decides."""

    def cause(self, trouble: Any) -> None:
        """The amount decides."""

    def method_data(self, customer: str) -> dict[str, str]:
        return {}

    def run_due(self) -> None:
        """Everything follows from the time."""

    def next_due(self) -> datetime | None:
        ends = [sale.ends_at for sale in self._sales.values() if not self._is_over(sale)]
        return min((end for end in ends if end is not None), default=None)

    def collect(self) -> list[Letter]:
        letters = []
        for sale in self._sales.values():
            status = self._status(sale)
            if status is not sale.told and status is not ResultStatus.UNKNOWN:
                sale.told = status
                letters.append(_letter(sale.charge, self._webhook(sale)))
        return letters

    def stamp(self, letter: Letter) -> Letter:
        return replace(letter, headers=_headers(self._provider()._signed(letter.body)))

    def forge(self, charge: Charge, kind: str) -> Letter | None:
        sale = self._sales.get(charge.public_id)
        if kind == "other_charge":
            sale = next((other for other in self._sales.values() if other.charge != charge.public_id), None)
        if sale is None or self._status(sale) is ResultStatus.UNKNOWN:
            return None
        good = self._webhook(sale)
        forged = {
            "tampered": lambda: replace(good, body=good.body.replace(b'"amount": "', b'"amount": "9')),
            "unsigned": lambda: replace(good, headers={}),
            "wrong_secret": lambda: replace(good, headers={**good.headers, "mock-signature": "0" * 64}),
            "other_charge": lambda: good,
            "nonsense": lambda: replace(good, body=b'[{"id":'),
        }[kind]()
        return _letter(charge.public_id, forged, forged=True)

    def executions(self) -> list[Execution]:
        return [
            Execution(
                charge=sale.charge,
                reference=self._reference(sale) or "",
                is_open=not self._is_over(sale),
                taken=_reported(sale) if self._status(sale) is ResultStatus.SUCCEEDED else 0,
            )
            for sale in self._sales.values()
        ]

    def _begin(self, request: PaymentRequest) -> None:
        self._sales.setdefault(
            request.reference, Sale(request.reference, request.amount, created_at(request.reference))
        )

    def _is_over(self, sale: Sale) -> bool:
        return sale.ends_at is not None and self._now() >= sale.ends_at

    def _status(self, sale: Sale) -> ResultStatus:
        return sale.behaviour.after if self._is_over(sale) else sale.behaviour.before

    def _provider(self) -> FakeProvider:
        return FakeProvider(provider_context(MockCredentials(secret=SecretStr(SECRET))))

    def _reference(self, sale: Sale) -> str | None:
        """A repeat of the sale is a look-up; what was lost is found by our reference."""
        provider = self._provider()
        asked = FetchRequest(reference=sale.charge, provider_reference=None, amount=sale.amount)
        found = provider.fetch_payment(asked)
        if found.provider_reference is None and sale.behaviour.trouble is None:
            found = provider._start("sale", _request(sale))
        return found.provider_reference

    def _webhook(self, sale: Sale) -> WebhookRequest:
        reference = self._reference(sale)
        assert reference is not None
        return self._provider().make_webhook(reference=sale.charge, provider_reference=reference)


def _request(sale: Sale) -> PaymentRequest:
    return PaymentRequest(
        idempotency_key=sale.charge,
        reference=sale.charge,
        amount=sale.amount,
        payment_method="mock",
        payment_method_data={},
    )


def _reported(sale: Sale) -> int:
    return int(sale.amount.amount) - (sale.behaviour.misreported == "amount")


def _letter(charge: str, request: WebhookRequest, *, forged: bool = False) -> Letter:
    path = urlsplit(charge_callback_url(Charge.uuid_of(charge))).path
    return Letter(path, request.body, _headers(request), forged)


def _headers(request: WebhookRequest) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name != "content-type"}

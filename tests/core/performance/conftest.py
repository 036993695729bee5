"""A shop, a charge that waits, and the provider's callback for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.addresses import charge_callback_url
from majuu_core.payments.models import Charge
from majuu_core.providers import Result, ResultStatus
from majuu_core.testing.factories import make_api_key
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_wire import WebhookBody
from tests.core.api.support import Shop
from tests.core.payments.support import Till


@dataclass(frozen=True)
class Callback:
    """A signed message that says the charge succeeded."""

    path: str
    body: bytes
    headers: dict[str, str]

    def post(self) -> Any:
        """Send it as the provider would."""
        return Client(raise_request_exception=False).post(
            self.path, self.body, content_type="application/json", headers=self.headers
        )


@pytest.fixture
def till(transactional_db: None, virtual_clock: VirtualClock) -> Till:
    return Till()


@pytest.fixture
def shop(till: Till) -> Shop:
    return Shop(make_api_key(store=till.store).key)


@pytest.fixture
def waiting(till: Till) -> Callable[[], Charge]:
    """Makes charges whose provider has not said yet what became of them."""
    return lambda: till.pay_new("7724")[1]


@pytest.fixture
def paid(till: Till) -> Callable[[Charge], Callback]:
    """Makes the callback that says a charge was paid in full."""

    def make(charge: Charge) -> Callback:
        result = Result(
            status=ResultStatus.SUCCEEDED,
            provider_reference=charge.provider_reference,
            amount=Money("7724", "KES"),
            occurred_at=clock.now(),
        )
        body = WebhookBody.describe("payment.updated", charge.public_id, result).model_dump_json().encode()
        provider = provider_for(till.account)
        assert isinstance(provider, FakeProvider)
        stamp = str(int(clock.now().timestamp()))
        headers = {"mock-timestamp": stamp, "mock-signature": provider._signature(stamp, body)}
        return Callback(charge_callback_url(charge.pk).removeprefix("http://testserver"), body, headers)

    return make

"""What providers tell us: signed and unsigned, true and false, in any order. Every message ends somewhere visible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import account_callback_url, charge_callback_url, read_callback_path
from majuu_core.payments.models import Charge
from majuu_core.payments.settling import apply_result
from majuu_core.plugins import hookimpl
from majuu_core.providers import ProviderEvent, Result, ResultStatus, Trust, WebhookRejected, WebhookRequest
from majuu_core.testing.factories import make_provider_account
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.inbound_processing import RETRY_SECONDS, process_waiting
from majuu_core.webhooks.models import InboundEvent, InboundWebhook
from tests.core.payments.support import Till

pytestmark = pytest.mark.django_db


class Hearsay(FakeProvider):
    """Like the mock, but its messages prove nothing; a message may claim anything."""

    code = "hearsay"
    info = replace(FakeProvider.info, payment_methods=(replace(FakeProvider.info.payment_methods[0], code="hearsay"),))
    claims: dict[str, Any] = {}
    truth: Result | None = None

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        super().verify_webhook(request)
        return Trust.UNSIGNED

    def parse_webhook(self, request: WebhookRequest) -> list[ProviderEvent]:
        events = []
        for event in super().parse_webhook(request):
            claimed = replace(event.result, **self.claims.get("result", {}))
            events.append(replace(event, result=claimed, **self.claims.get("event", {})))
        return events

    def fetch_payment(self, request: Any) -> Result:
        return self.truth if self.truth is not None else super().fetch_payment(request)


class _Plugin:
    @hookimpl
    def register_payment_providers(self) -> list[type[FakeProvider]]:
        return [Hearsay]


@pytest.fixture
def till(virtual_clock: VirtualClock) -> Till:
    return Till()


@pytest.fixture
def hearsay(till: Till, temporary_plugin: Callable[[object], object]) -> Iterator[Till]:
    """A till whose account is at the provider whose messages are unsigned."""
    temporary_plugin(_Plugin())
    Hearsay.claims, Hearsay.truth = {}, None
    till.account = make_provider_account(store=till.store, provider="hearsay")
    yield till
    Hearsay.claims, Hearsay.truth = {}, None


def start(till: Till, amount: str) -> Charge:
    """A charge that is open, at the till's account."""
    from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent

    method = "hearsay" if till.account.provider == "hearsay" else "mock"
    intent = till.intent(amount)
    return confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method=method))[1]


def message(till: Till, charge: Charge) -> WebhookRequest:
    """What the provider would send about the charge now."""
    from majuu_core.merchants.provider_accounts import provider_for

    provider: Any = provider_for(till.account)
    assert charge.provider_reference is not None
    made: WebhookRequest = provider.make_webhook(
        reference=charge.public_id, provider_reference=charge.provider_reference
    )
    return made


def send(url: str, request: WebhookRequest, **changes: Any) -> Any:
    """Post it to our address as a provider would."""
    path = url.removeprefix("http://testserver")
    return Client().generic(
        "POST",
        path,
        changes.get("body", request.body),
        content_type="application/json",
        headers={name: value for name, value in request.headers.items() if name != "content-type"},
    )


def states() -> list[str]:
    return list(InboundWebhook.objects.order_by("received_at", "id").values_list("state", flat=True))


def test_a_signed_message_is_applied_at_once(till: Till, virtual_clock: VirtualClock) -> None:
    charge = start(till, "7723")
    virtual_clock.advance(3600)
    answer = send(charge_callback_url(charge.pk), message(till, charge))
    assert answer.status_code == 200
    charge.refresh_from_db()
    assert charge.status == "succeeded"
    inbound = InboundWebhook.objects.get()
    assert (inbound.state, inbound.trust, inbound.charge_id) == ("applied", "signed", charge.pk)
    assert till.books()["store_payable"] == (Decimal(7723), Decimal(0))


def test_an_accounts_address_finds_the_charge_by_reference(till: Till, virtual_clock: VirtualClock) -> None:
    charge = start(till, "7723")
    virtual_clock.advance(3600)
    send(account_callback_url(till.account.pk), message(till, charge))
    charge.refresh_from_db()
    assert (charge.status, states()) == ("succeeded", ["applied"])


def test_the_second_of_its_like_is_a_duplicate(till: Till, virtual_clock: VirtualClock) -> None:
    charge = start(till, "7723")
    virtual_clock.advance(3600)
    told = message(till, charge)
    for _ in range(3):
        assert send(charge_callback_url(charge.pk), told).status_code == 200
    assert sorted(states()) == ["applied", "duplicate", "duplicate"]
    assert InboundEvent.objects.count() == 1
    assert till.books()["store_payable"] == (Decimal(7723), Decimal(0))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"null", b"\xff", b'{"a": ' + b"[" * 60_000, b"x" * 300_000, b"y" * 1_100_000]
)
def test_a_body_that_cannot_be_read_is_kept_and_rejected(till: Till, body: bytes) -> None:
    charge = start(till, "7723")
    answer = send(charge_callback_url(charge.pk), message(till, charge), body=body)
    assert answer.status_code < 500
    inbound = InboundWebhook.objects.get()
    assert inbound.state == "rejected"
    assert inbound.reason
    charge.refresh_from_db()
    assert charge.status == "pending"


@pytest.mark.parametrize("spoil", ["kind", "subject", "secret", "swap"])
def test_a_foreign_address_is_nothing(till: Till, spoil: str) -> None:
    charge = start(till, "7723")
    good = charge_callback_url(charge.pk)
    head, subject, secret = good.rsplit("/", 2)
    wrong = {
        "kind": f"{head}/a{subject[1:]}/{secret}",
        "subject": f"{head}/{subject[:-1]}{'0' if subject[-1] != '0' else '1'}/{secret}",
        "secret": f"{head}/{subject}/{secret[:-1]}{'0' if secret[-1] != '0' else '1'}",
        "swap": f"{head}/{subject}/{account_callback_url(till.account.pk).rsplit('/', 1)[1]}",
    }[spoil]
    assert send(wrong, message(till, charge)).status_code == 404
    assert not InboundWebhook.objects.exists()
    assert read_callback_path(*good.rsplit("/", 2)[1:]) is not None


def test_no_word_that_m_pesa_forbids_can_be_spelt_in_an_address() -> None:
    from majuu_core.common.randomness import URL_SAFE_ALPHABET

    for word in ("m-pesa", "mpesa", "safaricom", "exe", "exec", "cmd", "sql", "query"):
        assert not set(word.replace("-", "")) <= set(URL_SAFE_ALPHABET)


def test_a_message_for_another_account_is_parked(till: Till, virtual_clock: VirtualClock) -> None:
    charge = start(till, "7723")
    other = Till()
    virtual_clock.advance(3600)
    told = message(till, charge)
    other.account.credentials = till.account.credentials
    stranger = make_provider_account(store=other.store, name="second")
    from majuu_core.merchants.provider_accounts import open_credentials, update_credentials

    secret = open_credentials(till.account).secret.get_secret_value()  # type: ignore[attr-defined]
    update_credentials(account=stranger, credentials={"secret": secret})
    send(account_callback_url(stranger.pk), told)
    charge.refresh_from_db()
    assert (charge.status, states()) == ("pending", ["parked"])


def test_an_unsigned_message_is_answered_and_waits_for_the_worker(hearsay: Till, virtual_clock: VirtualClock) -> None:
    charge = start(hearsay, "7723")
    virtual_clock.advance(3600)
    assert send(charge_callback_url(charge.pk), message(hearsay, charge)).status_code == 200
    charge.refresh_from_db()
    assert (charge.status, states()) == ("pending", ["received"])
    assert process_waiting() == 1
    charge.refresh_from_db()
    assert (charge.status, states()) == ("succeeded", ["applied"])
    assert process_waiting() == 0


def test_a_lie_about_success_is_parked_and_books_nothing(hearsay: Till, virtual_clock: VirtualClock) -> None:
    charge = start(hearsay, "7724")
    Hearsay.claims = {"result": {"status": ResultStatus.SUCCEEDED, "amount": Money(7724, "KES")}}
    Hearsay.truth = Result(status=ResultStatus.CANCELED)
    send(charge_callback_url(charge.pk), message(hearsay, charge))
    process_waiting()
    charge.refresh_from_db()
    inbound = InboundWebhook.objects.get()
    assert (charge.status, inbound.state) == ("pending", "parked")
    assert "canceled" in inbound.reason
    assert hearsay.books()["store_payable"] == (Decimal(0), Decimal(7724))


@pytest.mark.parametrize("janitor_first", [False, True])
def test_a_message_that_names_another_amount_is_parked_and_the_truth_is_booked(
    hearsay: Till, virtual_clock: VirtualClock, janitor_first: bool
) -> None:
    from majuu_core.payments.follow_ups import follow_up_charge

    charge = start(hearsay, "7723")
    virtual_clock.advance(3600)
    Hearsay.claims = {"result": {"amount": Money(1, "KES"), "receipt": "FORGED1234"}}
    Hearsay.truth = Result(status=ResultStatus.SUCCEEDED)
    if janitor_first:
        follow_up_charge(charge.pk)
    send(charge_callback_url(charge.pk), message(hearsay, charge))
    process_waiting()
    charge.refresh_from_db()
    assert (charge.status, charge.is_parked, charge.receipt, states()) == ("succeeded", False, None, ["parked"])
    assert hearsay.books() == {
        "provider_clearing": (Decimal(7723), Decimal(0)),
        "store_payable": (Decimal(7723), Decimal(0)),
    }


def test_the_truth_wins_over_a_message_that_says_failed(hearsay: Till, virtual_clock: VirtualClock) -> None:
    charge = start(hearsay, "7724")
    Hearsay.claims = {"result": {"status": ResultStatus.CANCELED}}
    Hearsay.truth = Result(status=ResultStatus.SUCCEEDED)
    send(charge_callback_url(charge.pk), message(hearsay, charge))
    process_waiting()
    charge.refresh_from_db()
    assert (charge.status, states()) == ("succeeded", ["applied"])


def test_a_message_the_provider_never_confirms_is_parked_in_the_end(hearsay: Till, virtual_clock: VirtualClock) -> None:
    charge = start(hearsay, "7724")
    Hearsay.claims = {"result": {"status": ResultStatus.SUCCEEDED}}
    send(charge_callback_url(charge.pk), message(hearsay, charge))
    looks = 0
    while states() == ["received"]:
        inbound = InboundWebhook.objects.get()
        assert inbound.next_attempt_at is not None
        if inbound.next_attempt_at > virtual_clock.now():
            virtual_clock.advance(inbound.next_attempt_at - virtual_clock.now())
        looks += process_waiting()
    assert states() == ["parked"]
    assert looks == len(RETRY_SECONDS) + 1


def test_a_reference_of_another_charge_is_parked(hearsay: Till, virtual_clock: VirtualClock) -> None:
    mine, other = start(hearsay, "7723"), start(hearsay, "7724")
    virtual_clock.advance(3600)
    send(charge_callback_url(other.pk), message(hearsay, mine))
    process_waiting()
    assert states() == ["parked"]
    other.refresh_from_db()
    assert other.status == "pending"


def test_a_late_receipt_reaches_a_charge_that_was_settled_by_asking(hearsay: Till, virtual_clock: VirtualClock) -> None:
    from majuu_core.payments.follow_ups import follow_up_charge

    charge = start(hearsay, "7723")
    virtual_clock.advance(3600)
    Hearsay.truth = Result(status=ResultStatus.SUCCEEDED)
    assert follow_up_charge(charge.pk) is True
    Hearsay.claims = {"result": {"receipt": "UKL1ABC234"}}
    Charge.objects.filter(pk=charge.pk).update(receipt=None)
    send(charge_callback_url(charge.pk), message(hearsay, charge))
    process_waiting()
    charge.refresh_from_db()
    assert (charge.receipt, states()) == ("UKL1ABC234", ["applied"])


def test_the_stored_path_and_headers_hold_no_secret(till: Till) -> None:
    charge = start(till, "7723")
    url = charge_callback_url(charge.pk)
    send(url, message(till, charge))
    inbound = InboundWebhook.objects.get()
    secret = url.rsplit("/", 1)[1]
    assert secret not in inbound.path
    assert all(secret not in str(value) for value in inbound.headers.values())


class Forgetful(FakeProvider):
    """Has to ask its provider to read some messages, which does not always answer."""

    code = "forgetful"
    answers: list[ProviderEvent | None] = []

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        return Trust.SIGNED

    def parse_webhook(self, request: WebhookRequest) -> list[ProviderEvent]:
        event = self.answers.pop(0)
        if event is None:
            raise WebhookRejected("the provider could not be asked whose the charge is")
        return [event]


class _ForgetfulPlugin:
    @hookimpl
    def register_payment_providers(self) -> list[type[FakeProvider]]:
        return [Forgetful]


def test_a_message_that_was_taken_is_not_refused_because_it_cannot_be_read_again(
    till: Till, virtual_clock: VirtualClock, temporary_plugin: Callable[[object], object]
) -> None:
    # given: a refund made in the dashboard is told before its payment
    temporary_plugin(_ForgetfulPlugin())
    ProviderAccount.objects.filter(pk=till.account.pk).update(is_active=False)
    till.account = make_provider_account(store=till.store, provider="forgetful")
    charge = start(till, "7721")
    letter = message(till, charge)
    told = ProviderEvent(
        event_id="e-1",
        type="refund.updated",
        reference=charge.public_id,
        provider_reference="refund-1",
        result=Result(status=ResultStatus.SUCCEEDED, amount=Money(7721, "KES")),
        occurred_at=virtual_clock.now(),
    )
    Forgetful.answers = [told, None, told]
    assert send(account_callback_url(till.account.pk), letter).status_code == 200
    assert states() == ["received"]
    # when: it cannot be read for a moment
    virtual_clock.advance(RETRY_SECONDS[0])
    assert process_waiting() == 1
    assert states() == ["received"]
    # then: it is read once more, when the payment is known
    apply_result(charge_id=charge.pk, result=Result(status=ResultStatus.SUCCEEDED, amount=charge.amount))
    virtual_clock.advance(RETRY_SECONDS[1])
    assert process_waiting() == 1
    assert states() == ["applied"]
    charge.refresh_from_db()
    assert charge.amount_refunded == Decimal(7721)

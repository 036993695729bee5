"""Methods that customers leave for later: saved, charged, removed, whatever the provider answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.events.models import Event
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.customers import CustomerDetails, create_customer
from majuu_core.payments.models import Charge, Customer, ProviderCall, SavedMethod
from majuu_core.payments.notices import Ending, Notice
from majuu_core.payments.saved_methods import (
    SavingDetails,
    apply_saved_method_event,
    get_saved_method,
    remove_method,
    run_due_savings,
    save_method,
    usable_method,
)
from majuu_core.plugins.markers import hookimpl
from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    NextAction,
    NotKnown,
    OutcomeUnknown,
    PaymentProvider,
    PaymentRequest,
    ProviderEvent,
    Result,
    ResultStatus,
    SavedMethodState,
    SavedMethodStatus,
    SaveMethodRequest,
    Trust,
)
from majuu_core.testing.factories import make_api_key, make_provider_account
from majuu_core.testing.fake import FakeProvider
from tests.core.payments.support import Till

S = SavedMethodStatus


def state(status: SavedMethodStatus, **fields: Any) -> SavedMethodState:
    fields.setdefault("provider_reference", "seti_1")
    if status is S.REQUIRES_ACTION:
        fields["next_action"] = NextAction(type="redirect", data={"url": "https://keeper.example/1"})
    if status is S.FAILED:
        fields["failure"] = Failure(code=FailureCode.DECLINED, provider_code="card_declined", message="No.")
    if status is S.ACTIVE:
        fields = {"method_reference": "card_1", "brand": "visa", "last4": "4242", "expires": "2030-04", **fields}
    return SavedMethodState(status=status, customer_reference="cust_1", **fields)


class Keeper(FakeProvider):
    """Keeps methods, and says what the test wants it to say."""

    code = "keeper"
    asked: ClassVar[list[object]] = []
    answers: ClassVar[list[SavedMethodState | Exception]] = []

    def _answer(self, question: object) -> SavedMethodState:
        self.asked.append(question)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def save_method(self, request: SaveMethodRequest) -> SavedMethodState:
        return self._answer(request)

    def fetch_saved_method(self, request: FetchRequest) -> SavedMethodState:
        return self._answer(request)

    def forget_method(self, state: SavedMethodState) -> SavedMethodState:
        return self._answer(state)

    def sale(self, request: PaymentRequest) -> Result:
        self.asked.append(request)
        return super().sale(replace(request, saved_method=""))  # what it keeps is the test's own


class Plugin:
    @hookimpl
    def register_payment_providers(self) -> list[type[PaymentProvider]]:
        return [Keeper]


@pytest.fixture
def keeper(till: Till, temporary_plugin: Callable[[object], object]) -> Till:
    temporary_plugin(Plugin())
    Keeper.asked, Keeper.answers = [], []
    ProviderAccount.objects.filter(pk=till.account.pk).update(is_active=False)
    till.account = make_provider_account(store=till.store, provider="keeper", name="Keeper")
    return till


@pytest.fixture
def customer(keeper: Till) -> Customer:
    details = CustomerDetails(reference="C-1", name="Asha", email="asha@example.com")
    return create_customer(store=keeper.store, livemode=False, details=details)


def save(customer: Customer, *answers: SavedMethodState | Exception, key: str = "") -> SavedMethod:
    Keeper.answers.extend(answers)
    return save_method(customer=customer, details=SavingDetails(payment_method="mock"), request_key=key)


def notice(till: Till, told: SavedMethodState, trust: Trust = Trust.SIGNED) -> Notice:
    event = ProviderEvent(
        event_id="evt_1",
        type="saved_method.updated",
        reference=told.reference or None,
        provider_reference=told.provider_reference,
        result=Result(status=ResultStatus.UNKNOWN),
        occurred_at=clock.now(),
        saved_method=told,
    )
    return Notice(account=till.account, event=event, trust=trust)


def test_a_method_is_saved_by_way_of_the_providers_page(keeper: Till, customer: Customer) -> None:
    # when
    saved = save(customer, state(S.REQUIRES_ACTION))
    assert keeper.books() == {}
    # then
    assert saved.next_action is not None
    assert (saved.status, saved.next_action["data"]) == ("requires_action", {"url": "https://keeper.example/1"})
    request = Keeper.asked[0]
    assert isinstance(request, SaveMethodRequest)
    assert (request.reference, request.customer, request.customer_email) == (
        saved.public_id,
        customer.public_id,
        "asha@example.com",
    )
    # and when the customer has finished
    verdict = apply_saved_method_event(notice(keeper, state(S.ACTIVE)))
    saved.refresh_from_db()
    assert verdict.ending is Ending.APPLIED
    assert (saved.status, saved.method_reference, str(saved), saved.expires) == (
        "active",
        "card_1",
        "visa …4242",
        "2030-04",
    )
    assert (saved.next_action, saved.follow_up_at) == (None, None)
    assert list(Event.objects.values_list("type", flat=True)) == ["saved_method.active"]
    assert apply_saved_method_event(notice(keeper, state(S.ACTIVE))).ending is Ending.DUPLICATE


def test_a_saved_method_pays_at_its_own_account(keeper: Till, customer: Customer) -> None:
    saved = save(customer, state(S.ACTIVE))
    make_provider_account(store=keeper.store, provider="mock", name="Other", priority=9)
    choice = PaymentChoice(payment_method="mock", saved_method=saved, customer_present=False)
    _, charge = confirm_payment_intent(intent=keeper.intent("100"), choice=choice)
    request = Keeper.asked[-1]
    assert isinstance(request, PaymentRequest)
    assert (request.saved_method, request.customer_reference, request.customer_present) == ("card_1", "cust_1", False)
    assert (charge.status, charge.provider_account_id, charge.saved_method_id) == (
        "succeeded",
        keeper.account.pk,
        saved.pk,
    )


def test_a_second_method_belongs_to_the_same_customer_there(keeper: Till, customer: Customer) -> None:
    save(customer, state(S.ACTIVE))
    save(customer, state(S.ACTIVE, provider_reference="seti_2"))
    second = Keeper.asked[1]
    assert isinstance(second, SaveMethodRequest)
    assert second.customer_reference == "cust_1"


def test_a_refusal_is_a_failed_saving_with_its_reason(keeper: Till, customer: Customer) -> None:
    saved = save(customer, state(S.FAILED))
    assert (saved.status, saved.failure_code, saved.provider_failure_code) == ("failed", "declined", "card_declined")
    with pytest.raises(Conflict) as refused:
        usable_method(store_id=keeper.store.pk, livemode=False, public_id=saved.public_id)
    assert refused.value.code == "saved_method_not_active"
    assert list(Event.objects.values_list("type", flat=True)) == ["saved_method.failed"]


def test_a_lost_answer_is_asked_about_and_given_up_after_a_day(
    keeper: Till, customer: Customer, virtual_clock: VirtualClock
) -> None:
    saved = save(customer, OutcomeUnknown("timed out"))
    assert saved.status == "pending"
    virtual_clock.advance(61)
    Keeper.answers = [state(S.REQUIRES_ACTION)]
    assert run_due_savings() == 1
    saved.refresh_from_db()
    assert (saved.status, saved.provider_reference) == ("requires_action", "seti_1")
    # nobody finishes it
    for _ in range(6):
        virtual_clock.advance(9 * 3600)
        Keeper.answers = [OutcomeUnknown("timed out")]
        run_due_savings()
    saved.refresh_from_db()
    assert (saved.status, saved.failure_code, saved.follow_up_at) == ("failed", "expired", None)
    # it was finished after all
    apply_saved_method_event(notice(keeper, state(S.ACTIVE, reference=saved.public_id)))
    saved.refresh_from_db()
    assert (saved.status, saved.failure_code) == ("active", "")


def test_a_provider_that_knows_nothing_of_a_saving_is_no_provider_that_is_silent(
    keeper: Till, customer: Customer, virtual_clock: VirtualClock
) -> None:
    saved = save(customer, OutcomeUnknown("timed out"))
    for seconds in (61, 300, 900, 3600, 6 * 3600):
        virtual_clock.advance(seconds)
        Keeper.answers = [NotKnown("no such saving, or not yet")]
        assert run_due_savings() == 1
    account = ProviderAccount.objects.get(pk=keeper.account.pk)
    assert (account.breaker, account.breaker_failures) == ("closed", 0)
    saved.refresh_from_db()
    assert (saved.status, saved.follow_up_at is None) == ("pending", False)


def test_a_message_that_proves_nothing_only_makes_us_ask(keeper: Till, customer: Customer) -> None:
    saved = save(customer, state(S.REQUIRES_ACTION))
    apply_saved_method_event(notice(keeper, state(S.ACTIVE), Trust.UNSIGNED))
    saved.refresh_from_db()
    assert (saved.status, saved.follow_up_at) == ("requires_action", clock.now())
    unknown = apply_saved_method_event(notice(keeper, state(S.ACTIVE, provider_reference="seti_9")))
    assert unknown.ending is Ending.PARKED


def test_a_method_is_removed_once_the_provider_confirms(keeper: Till, customer: Customer) -> None:
    saved = save(customer, state(S.ACTIVE))
    Keeper.answers = [OutcomeUnknown("timed out")]
    with pytest.raises(Conflict) as refused:
        remove_method(saved=saved)
    saved.refresh_from_db()
    assert (refused.value.code, saved.status) == ("saved_method_not_removed", "active")
    Keeper.answers = [state(S.REMOVED)]
    assert remove_method(saved=saved).status == "removed"
    saved.refresh_from_db()
    assert remove_method(saved=saved).status == "removed"
    with pytest.raises(Conflict):
        usable_method(store_id=keeper.store.pk, livemode=False, public_id=saved.public_id)
    apply_saved_method_event(notice(keeper, state(S.ACTIVE)))
    saved.refresh_from_db()
    assert saved.status == "removed"


def test_the_same_request_again_saves_once(keeper: Till, customer: Customer) -> None:
    first = save(customer, state(S.ACTIVE), key="k1")
    assert save(customer, key="k1").pk == first.pk
    assert SavedMethod.objects.count() == 1


def test_nobody_to_keep_it_and_card_numbers_are_refused(till: Till) -> None:
    customer = create_customer(store=till.store, livemode=False, details=CustomerDetails())
    with pytest.raises(Invalid) as refused:
        save_method(customer=customer, details=SavingDetails(payment_method="card"))
    assert refused.value.code == "payment_method_not_saveable"
    number = {"number": "4242 4242 4242 4242"}
    with pytest.raises(Invalid) as refused:
        save_method(customer=customer, details=SavingDetails(payment_method="mock", payment_method_data=number))
    assert (refused.value.code, refused.value.field) == ("card_number_refused", "payment_method_data.number")
    with pytest.raises(Invalid):
        confirm_payment_intent(
            intent=till.intent(), choice=PaymentChoice(payment_method="mock", payment_method_data=number)
        )
    assert (SavedMethod.objects.count(), Charge.objects.count(), ProviderCall.objects.count()) == (0, 0, 0)


def test_another_stores_method_is_not_found(keeper: Till, customer: Customer) -> None:
    saved = save(customer, state(S.ACTIVE))
    stranger = Till()
    with pytest.raises(NotFound):
        get_saved_method(store_id=stranger.store.pk, livemode=False, public_id=saved.public_id)
    with pytest.raises(NotFound):
        get_saved_method(store_id=keeper.store.pk, livemode=True, public_id=saved.public_id)


def test_over_the_api(keeper: Till) -> None:
    key = make_api_key(store=keeper.store).key
    client = Client(headers={"authorization": f"Bearer {key}"})

    def post(path: str, body: dict[str, Any], **headers: str) -> Any:
        return client.post(f"/api/v1{path}", body, content_type="application/json", headers=headers)

    made = post("/customers", {"reference": "C-7", "email": "asha@example.com"}).json()
    assert (made["object"], made["reference"]) == ("customer", "C-7")
    again = post("/customers", {"reference": "C-7"})
    assert (again.status_code, again.json()["code"]) == (409, "customer_reference_taken")
    Keeper.answers = [state(S.ACTIVE)]
    saved = post(f"/customers/{made['id']}/saved-methods", {"payment_method": "mock"}).json()
    assert (saved["status"], saved["brand"], saved["last4"], saved["customer"]) == (
        "active",
        "visa",
        "4242",
        made["id"],
    )
    assert "card_1" not in str(saved)
    intent = keeper.intent("100")
    paid = post(
        f"/payment-intents/{intent.public_id}/confirm", {"saved_method": saved["id"], "off_session": True}
    ).json()
    assert (paid["status"], paid["latest_charge"]["saved_method"]) == ("succeeded", saved["id"])
    neither = post(f"/payment-intents/{intent.public_id}/confirm", {})
    assert (neither.status_code, neither.json()["code"]) == (422, "payment_method_missing")
    Keeper.answers = [state(S.REMOVED)]
    assert post(f"/saved-methods/{saved['id']}/remove", {}).json()["status"] == "removed"
    listed = client.get(f"/api/v1/customers/{made['id']}/saved-methods").json()["data"]
    assert [item["status"] for item in listed] == ["removed"]
    assert client.get("/api/v1/customers?reference=C-7").json()["data"][0]["id"] == made["id"]


def test_lists_take_as_many_queries_for_many_rows(keeper: Till, customer: Customer) -> None:
    key = make_api_key(store=keeper.store).key
    client = Client(headers={"authorization": f"Bearer {key}"})

    def count() -> int:
        client.get(f"/api/v1/customers/{customer.public_id}/saved-methods")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/api/v1/customers/{customer.public_id}/saved-methods").status_code == 200
        return len(queries)

    save(customer, state(S.ACTIVE))
    one = count()
    for number in range(19):
        save(customer, state(S.ACTIVE, provider_reference=f"seti_x{number}"))
    assert count() == one

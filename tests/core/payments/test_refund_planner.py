"""The planner is pure: routes, choice, destination and the refusals that explain themselves."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from majuu_core.common.problems import Invalid
from majuu_core.payments.refund_planner import (
    ONLY_METHOD,
    RefundPlan,
    choose,
    make_plan,
    payer_phone,
    require_route,
    routes_of,
)
from majuu_core.providers import RefundQuestion, RefundRoute
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_harness import MockHarness
from tests.core.payments.refund_support import TwoWayProvider
from tests.core.testing.mutants.base import without

PAID_AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
QUESTION = RefundQuestion(
    amount=Money("1500", "KES"),
    paid=Money("1500", "KES"),
    refunded=Money(0, "KES"),
    paid_at=PAID_AT,
    now=PAID_AT + timedelta(hours=1),
    receipt="SAB12",
    provider_reference="mock_1",
    payer_phone="254712345678",
)
REVERSAL = RefundRoute(method="reversal", possible=True, reason="It is young.")
CLOSED = replace(REVERSAL, possible=False, reason="It is too old.")
PAYOUT = RefundRoute(method="b2c", possible=True, reason="New money.", books_as="payout", needs=("phone",))
PAYER = "254712345678"


def provider(**info: Any) -> Any:
    """The mock provider with other facts about itself."""
    made = type("Other", (FakeProvider,), {"info": replace(FakeProvider.info, **info)})
    return type("Harness", (MockHarness,), {"provider_class": made})().make_provider()


def plan(*routes: RefundRoute, **fields: Any) -> RefundPlan:
    fields.setdefault("payer", PAYER)
    money = Money("1500", "KES")
    return make_plan(routes=routes, amount=money, refundable=money, **fields)


def only(made: Any, question: RefundQuestion = QUESTION) -> RefundRoute:
    (route,) = routes_of(made, question)
    assert (route.method, route.books_as, route.needs) == (ONLY_METHOD, "reversal", ())
    return route


def test_a_plain_provider_has_one_way_and_says_why() -> None:
    route = only(provider())
    assert (route.possible, route.reason) == (True, "The provider gives the payment back the way it came.")


def test_a_provider_that_is_not_there_has_a_closed_way() -> None:
    route = only(None)
    assert not route.possible
    assert "not installed" in route.reason


def test_a_provider_without_refunds_says_so() -> None:
    made = without("refund", "fetch_refund")
    harness = MockHarness()
    route = only(made(harness.make_provider().context))
    assert (route.possible, route.reason) == (False, "Mock (test money) cannot give money back.")


def test_whole_payments_only() -> None:
    part = replace(QUESTION, amount=Money("1499.99", "KES"))
    assert only(provider(partial_refunds=False)).possible
    route = only(provider(partial_refunds=False), part)
    assert (route.possible, route.reason) == (
        False,
        "The provider gives back whole payments only, and this one was 1500.00.",
    )
    assert only(provider(partial_refunds=True), part).possible


@pytest.mark.parametrize(
    ("age", "possible"),
    [(timedelta(days=30), True), (timedelta(days=30, microseconds=1), False), (timedelta(0), True)],
)
def test_the_window_ends_to_the_moment(age: timedelta, possible: bool) -> None:
    route = only(provider(refund_window_days=30), replace(QUESTION, now=PAID_AT + age))
    assert route.possible is possible
    assert possible or route.reason == "The provider gives back payments of the last 30 days; this one is 30 days old."


def test_a_payment_that_the_provider_never_named_cannot_be_named_to_it() -> None:
    nameless = replace(QUESTION, receipt=None, provider_reference=None)
    assert not only(provider(), nameless).possible
    assert only(provider(), replace(nameless, receipt="SAB12")).possible


def test_a_provider_that_plans_is_asked() -> None:
    harness = type("Harness", (MockHarness,), {"provider_class": TwoWayProvider})()
    routes = routes_of(harness.make_provider(), replace(QUESTION, amount=Money("5", "KES")))
    assert [(route.method, route.possible) for route in routes] == [("reversal", False), ("b2c", False)]


def test_the_first_open_way_is_taken_and_the_others_are_shown() -> None:
    made = plan(CLOSED, PAYOUT, RefundRoute(method="voucher", possible=True, reason="Paper."))
    assert made.chosen == PAYOUT
    assert [route.method for route in made.alternatives] == ["voucher"]
    assert (made.rejected, made.reasons) == ((CLOSED,), "reversal: It is too old.")


def test_a_named_way_is_taken_before_the_first() -> None:
    made = plan(REVERSAL, PAYOUT, method="b2c")
    assert made.chosen == PAYOUT
    assert made.alternatives == (REVERSAL,)


def test_a_named_way_that_is_closed_is_not_replaced() -> None:
    made = plan(CLOSED, PAYOUT, method="reversal")
    assert made.chosen is None
    with pytest.raises(Invalid) as refusal:
        require_route(made, method="reversal")
    assert (refusal.value.code, refusal.value.field) == ("refund_method_closed", "method")
    assert refusal.value.message == "reversal is closed: It is too old. Open instead: b2c."


def test_an_unknown_way_names_the_known_ones() -> None:
    with pytest.raises(Invalid) as refusal:
        choose([REVERSAL, PAYOUT], method="cheque")
    assert (refusal.value.code, refusal.value.field) == ("refund_method_unknown", "method")
    assert "reversal, b2c" in refusal.value.message


def test_without_an_open_way_all_reasons_are_given() -> None:
    none = plan(CLOSED, replace(PAYOUT, possible=False, reason="10 is the least."))
    with pytest.raises(Invalid) as refusal:
        require_route(none)
    assert refusal.value.code == "refund_no_route"
    assert refusal.value.message == "No way back is open. reversal: It is too old. b2c: 10 is the least."


def test_the_payers_phone_is_filled_in() -> None:
    made = plan(CLOSED, PAYOUT, payer="+254 712-345 678")
    assert (made.destination, made.missing) == ({"phone": PAYER}, ())
    assert require_route(made) == PAYOUT


@pytest.mark.parametrize("payer", ["2547 ***** 678", "Jane Doe", "", hashlib.sha256(PAYER.encode()).hexdigest()])
def test_a_phone_that_is_not_known_must_be_given(payer: str) -> None:
    made = plan(PAYOUT, payer=payer)
    assert made.missing == ("phone",)
    with pytest.raises(Invalid) as refusal:
        require_route(made)
    assert (refusal.value.code, refusal.value.field) == ("refund_destination_missing", "destination.phone")
    given_phone = plan(PAYOUT, payer=payer, destination={"phone": "+254 712 345 678"})
    assert (given_phone.destination, given_phone.missing) == ({"phone": PAYER}, ())


@pytest.mark.parametrize("payer", ["2547 ***** 126", PAYER, hashlib.sha256(PAYER.encode()).hexdigest()])
def test_money_is_not_refunded_to_somebody_else(payer: str) -> None:
    with pytest.raises(Invalid) as refusal:
        plan(PAYOUT, payer=payer, destination={"phone": "254700000001"})
    assert (refusal.value.code, refusal.value.field) == ("refund_destination_not_payer", "destination.phone")


@pytest.mark.parametrize("phone", ["0712345678", "12345678", "2547123456789012", "twelve", "254 7*2 345 678"])
def test_a_phone_that_is_none_is_refused(phone: str) -> None:
    with pytest.raises(Invalid) as refusal:
        plan(PAYOUT, payer="", destination={"phone": phone})
    assert (refusal.value.code, refusal.value.field) == ("phone_invalid", "destination.phone")


def test_a_destination_that_the_way_does_not_take_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        plan(REVERSAL, PAYOUT, destination={"phone": PAYER})
    assert (refusal.value.code, refusal.value.field) == ("refund_destination_unknown", "destination.phone")


def test_a_closed_door_is_told_before_a_wrong_address() -> None:
    assert plan(CLOSED, destination={"phone": "nonsense"}).chosen is None


@given(payer=st.text(alphabet="0123456789 *+-()ab", max_size=70))
def test_a_payers_phone_is_digits_or_nothing(payer: str) -> None:
    phone = payer_phone(payer)
    assert phone == "" or (phone.isdigit() and 9 <= len(phone) <= 15 and phone[0] != "0")
    assert "*" not in payer or phone == ""


@given(
    routes=st.lists(
        st.builds(
            RefundRoute,
            method=st.sampled_from(["reversal", "b2c", "voucher"]),
            possible=st.booleans(),
            reason=st.just("Because."),
        ),
        unique_by=lambda route: route.method,
    )
)
def test_every_way_is_in_the_plan_exactly_once(routes: list[RefundRoute]) -> None:
    made = plan(*routes)
    shown = [*([made.chosen] if made.chosen else []), *made.alternatives, *made.rejected]
    assert sorted(route.method for route in shown) == sorted(route.method for route in routes)
    assert (made.chosen is None) is not any(route.possible for route in routes)

"""Above a limit a second person decides. The money is held meanwhile."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Denied, Invalid, Problem
from majuu_core.configuration import check_settings, payout_approval_limit
from majuu_core.events.models import Event
from majuu_core.merchants.models import ApiKey
from majuu_core.payments.models import Payout
from majuu_core.payments.payout_sending import send_due_payouts
from majuu_core.payments.payouts import approve_payout, cancel_payout, create_payout, reject_payout
from majuu_core.testing.factories import make_api_key, make_user
from tests.core.payments.payout_support import CHECKER, MAKER, Paymaster, audited, told

HELD = (Decimal(0), Decimal(60000))


@pytest.fixture
def waiting(paymaster: Paymaster) -> Payout:
    return paymaster.send("60000")


def row(payout: Payout) -> dict[str, Any]:
    values = Payout.objects.filter(pk=payout.pk).values().get()
    return {**values, "events": Event.objects.count()}


def test_above_the_limit_it_waits_with_the_money_held(paymaster: Paymaster, waiting: Payout) -> None:
    assert (waiting.status, waiting.send_at, waiting.follow_up_at) == ("requires_approval", None, None)
    assert paymaster.books() == HELD
    assert told(waiting) == ["payout.created", "payout.requires_approval"]
    assert send_due_payouts() == 0


def test_at_the_limit_it_goes(paymaster: Paymaster) -> None:
    assert paymaster.send("50000").status == "succeeded"
    assert paymaster.send("50000.01", "SAL-2").status == "requires_approval"


def test_a_second_person_lets_it_go(paymaster: Paymaster, waiting: Payout, virtual_clock: VirtualClock) -> None:
    """Given a payout that waits, when somebody else approves it, then a worker sends it, and both are on record."""
    with acting_as(CHECKER):
        approved = approve_payout(payout=waiting)
    assert (approved.status, approved.created_by, approved.approved_by) == ("pending", "user:901", "user:902")
    assert approved.approved_at == approved.send_at == virtual_clock.now()
    assert send_due_payouts() == 1
    waiting.refresh_from_db()
    assert (waiting.status, paymaster.books()) == ("succeeded", (Decimal(-60000), Decimal(0)))
    assert audited(waiting) == ["payout.created", "payout.approved", "payout.succeeded"]


def test_approving_twice_is_a_no_op(waiting: Payout) -> None:
    with acting_as(CHECKER):
        approve_payout(payout=waiting)
        before = row(waiting)
        approve_payout(payout=waiting)
    assert row(waiting) == before


@pytest.mark.parametrize(
    ("actor", "kind", "code"),
    [
        (MAKER, Conflict, "second_person_required"),
        (Actor(type="key", id="key_x"), Denied, "person_required"),
        (Actor(type="system"), Denied, "person_required"),
    ],
    ids=["the maker", "a key", "nobody"],
)
@pytest.mark.parametrize("decide", [approve_payout, reject_payout])
def test_nobody_else_decides(waiting: Payout, actor: Actor, kind: type[Problem], code: str, decide: Any) -> None:
    """Given the maker, a key or the system, when it decides, then it is refused and nothing has changed."""
    before = row(waiting)
    reason = {"reason": "not now"} if decide is reject_payout else {}
    with acting_as(actor), pytest.raises(kind) as refused:
        decide(payout=waiting, **reason)
    assert refused.value.code == code
    assert row(waiting) == before


def test_who_made_the_key_is_not_a_second_person(paymaster: Paymaster) -> None:
    """Given a payout asked for with somebody's key, then that person cannot approve it, and another can."""
    owner, other = make_user(), make_user()
    made = make_api_key(store=paymaster.store)
    ApiKey.objects.filter(pk=made.row.pk).update(created_by=owner)
    with acting_as(Actor(type="key", id=made.row.public_id)):
        payout = create_payout(store=paymaster.store, livemode=False, details=paymaster.details("60000"))
    with acting_as(Actor(type="user", id=str(owner.pk))), pytest.raises(Conflict):
        approve_payout(payout=payout)
    with acting_as(Actor(type="user", id=str(other.pk))):
        assert approve_payout(payout=payout).status == "pending"


def test_a_second_person_refuses_it(paymaster: Paymaster, waiting: Payout) -> None:
    with acting_as(CHECKER), pytest.raises(Invalid):
        reject_payout(payout=waiting, reason=" no ")
    with acting_as(CHECKER):
        rejected = reject_payout(payout=waiting, reason="Not this month")
    assert (rejected.status, rejected.failure_message) == ("canceled", "Refused: Not this month")
    assert (rejected.hold_id, paymaster.books()) == (None, (Decimal(0), Decimal(0)))
    assert told(waiting)[-1] == "payout.canceled"
    assert audited(waiting) == ["payout.created", "payout.rejected"]
    with acting_as(CHECKER), pytest.raises(Conflict) as refused:
        approve_payout(payout=waiting)
    assert refused.value.code == "payout_not_waiting"
    assert send_due_payouts() == 0


def test_whoever_asked_takes_it_back(paymaster: Paymaster, waiting: Payout) -> None:
    with acting_as(MAKER):
        assert cancel_payout(payout=waiting).status == "canceled"
        before = row(waiting)
        assert cancel_payout(payout=waiting).status == "canceled"
    assert (row(waiting), paymaster.books()) == (before, (Decimal(0), Decimal(0)))


def test_what_was_sent_cannot_be_taken_back(paymaster: Paymaster) -> None:
    payout = paymaster.send("1500")
    before = row(payout)
    with pytest.raises(Conflict) as refused:
        cancel_payout(payout=payout)
    assert (refused.value.code, row(payout)) == ("payout_not_waiting", before)


@pytest.mark.parametrize(
    ("setting", "currency", "limit"),
    [
        ({}, "KES", 50_000),
        ({}, "UGX", 0),
        ({"KES": 10, "*": None}, "KES", 10),
        ({"KES": 10, "*": None}, "UGX", None),
        ({"UGX": Decimal("2.5")}, "UGX", Decimal("2.5")),
        ({"UGX": 5}, "KES", 50_000),
        (None, "KES", None),
    ],
)
def test_the_limit_is_a_setting(settings: Any, setting: Any, currency: str, limit: Any) -> None:
    settings.MAJUU_PAYOUT_APPROVAL = setting
    assert payout_approval_limit(currency) == limit


@pytest.mark.parametrize("setting", [5, {"KES": -1}, {"KES": 1.5}, {"KES": True}, {"XXX": 1}, {"KES": Decimal("NaN")}])
def test_a_limit_that_cannot_be_used_is_found_at_start(settings: Any, setting: Any) -> None:
    settings.MAJUU_PAYOUT_APPROVAL = setting
    with pytest.raises(ImproperlyConfigured):
        payout_approval_limit("KES")
    assert [found.id for found in check_settings()] == ["majuu.E010"]


def test_without_a_limit_nothing_waits(paymaster: Paymaster, settings: Any) -> None:
    settings.MAJUU_PAYOUT_APPROVAL = None
    assert paymaster.send("60000").status == "succeeded"


def test_rows_that_wait_are_found_by_an_index() -> None:
    """The inbox of the console asks for them."""
    names = [index.name for index in Payout._meta.indexes if isinstance(index, models.Index)]
    assert "majuu_payout_to_approve" in names

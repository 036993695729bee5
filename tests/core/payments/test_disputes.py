"""Disputes in the books, on the payment and in the outbox; what is parked, and what lost messages are found by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.dispute_applying import UnfitDispute
from majuu_core.payments.dispute_hearing import apply_dispute_event, follow_up_dispute, run_due_disputes
from majuu_core.payments.dispute_pull import pull_all_disputes, pull_disputes
from majuu_core.payments.disputes import note_dispute
from majuu_core.payments.models import Alert, Charge, Dispute, DisputeWatch, PaymentIntent
from majuu_core.payments.notices import Ending, Notice
from majuu_core.providers import DisputeState, ProviderEvent, RequestRejected, Result, ResultStatus, Trust
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.models import InboundWebhook
from tests.core.payments.dispute_support import OPENED, disputed_at_mock, hear_of, tell, told
from tests.core.payments.refund_support import give_back
from tests.core.payments.support import Till

ZERO = Decimal(0)


def posted(till: Till) -> dict[str, Decimal]:
    return {kind: amounts[0] for kind, amounts in till.books().items()}


def types_of(dispute: Dispute) -> list[str]:
    rows = Event.objects.filter(object_id=dispute.public_id).order_by("pk")
    return list(rows.values_list("type", flat=True))


def test_worked_example_open_then_won(till: Till) -> None:
    """given KES 1,500 paid / when it is disputed, withdrawn and won / then all is as before, less the fee."""
    intent, charge = till.pay_new("1500")
    dispute = hear_of(till, told(charge, withdrawn="1500", fee="15")).dispute
    assert posted(till) == {
        "provider_clearing": Decimal(-15),
        "provider_fees": Decimal(15),
        "disputes_held": Decimal(1500),
        "disputes_reserve": Decimal(1500),
    }
    hear_of(till, told(charge, "won", hours=30, withdrawn="0", fee="15"))
    assert posted(till) == {
        "provider_clearing": Decimal(1485),
        "store_payable": Decimal(1500),
        "provider_fees": Decimal(15),
    }
    assert types_of(dispute) == [
        "dispute.created",
        "dispute.funds_withdrawn",
        "dispute.closed",
        "dispute.funds_reinstated",
    ]
    kinds = LedgerTransaction.objects.filter(reference=dispute.public_id).order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == ["dispute_withdrawn", "dispute_reinstated"]
    charge.refresh_from_db()
    intent.refresh_from_db()
    assert (charge.dispute_status, intent.is_disputed) == ("won", False)
    assert list(find_problems()) == []


def test_worked_example_partly_disputed_and_lost(till: Till) -> None:
    """given KES 1,500 paid / when 600 of it are disputed and lost / then the store has 900, and so has the provider."""
    intent, charge = till.pay_new("1500")
    dispute = hear_of(till, told(charge, amount="600", withdrawn="600", fee="15")).dispute
    charge.refresh_from_db()
    intent.refresh_from_db()
    assert (charge.dispute_status, intent.is_disputed) == ("open", True)
    hear_of(till, told(charge, "lost", hours=30, amount="600", withdrawn="600"))
    assert posted(till) == {
        "provider_clearing": Decimal(885),
        "store_payable": Decimal(900),
        "provider_fees": Decimal(15),
    }
    dispute.refresh_from_db()
    assert (dispute.status, dispute.withdrawn, dispute.fee, dispute.closed_at) == (
        "lost",
        Decimal(600),
        Decimal(15),
        OPENED + timedelta(hours=30),
    )
    charge.refresh_from_db()
    intent.refresh_from_db()
    assert (charge.dispute_status, intent.is_disputed) == ("lost", True)


def test_money_that_was_paid_out_already_becomes_a_debt(till: Till) -> None:
    """given all was refunded but 300 / when the whole payment is disputed / then the store owes, and it is parked."""
    _, charge = till.pay_new("1500")
    give_back(till, charge, "1200")
    applied = hear_of(till, told(charge, withdrawn="1500"))
    assert posted(till)["store_payable"] == Decimal(-1200)
    assert applied.parked
    assert applied.dispute.parked_reason.startswith("More is disputed, or has gone back, than this payment brought.")


def test_lost_then_won_and_won_then_lost(till: Till) -> None:
    _, charge = till.pay_new("1500")
    for hours, status, withdrawn in ((1, "lost", "1500"), (2, "won", "0"), (3, "lost", "1500"), (4, "won", "0")):
        hear_of(till, told(charge, status, hours=hours, withdrawn=withdrawn))
    assert posted(till) == {"provider_clearing": Decimal(1500), "store_payable": Decimal(1500)}
    hear_of(till, told(charge, "lost", hours=3, withdrawn="1500"))  # overtaken
    assert posted(till) == {"provider_clearing": Decimal(1500), "store_payable": Decimal(1500)}


def test_amount_and_fee_that_change_are_booked_as_differences(till: Till) -> None:
    _, charge = till.pay_new("1500")
    hear_of(till, told(charge, amount="400", withdrawn="400", fee="15"))
    hear_of(till, told(charge, hours=1, amount="500", withdrawn="500", fee="30"))
    hear_of(till, told(charge, "lost", hours=2, amount="300", withdrawn="300", fee="0"))
    assert posted(till) == {"provider_clearing": Decimal(1200), "store_payable": Decimal(1200)}
    dispute = Dispute.objects.get()
    assert (dispute.amount.amount, dispute.fee_money) == (Decimal(300), Money(0, "KES"))


def test_a_repetition_changes_nothing(till: Till) -> None:
    _, charge = till.pay_new("1500")
    dispute = hear_of(till, told(charge, withdrawn="1500")).dispute
    before = (LedgerTransaction.objects.count(), Event.objects.count(), AuditEntry.objects.count())
    hear_of(till, told(charge, withdrawn="1500"))
    assert (LedgerTransaction.objects.count(), Event.objects.count(), AuditEntry.objects.count()) == before
    again = Dispute.objects.get()
    assert again.updated_at == dispute.updated_at


def test_a_fee_in_another_currency_is_booked_in_it(till: Till) -> None:
    _, charge = till.pay_new("1500")
    hear_of(till, replace(told(charge, withdrawn="0"), fee=Money("20", "USD")))
    assert {kind: amounts[0] for kind, amounts in till.books("USD").items()} == {
        "provider_clearing": Decimal(-20),
        "provider_fees": Decimal(20),
    }
    assert posted(till) == {"provider_clearing": Decimal(1500), "store_payable": Decimal(1500)}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)), repeated=st.lists(st.integers(0, 4), max_size=2))
def test_any_order_of_one_disputes_states_ends_with_the_same_books(
    till: Till, order: list[int], repeated: list[int]
) -> None:
    number = Charge.objects.count()
    _, charge = till.pay_new("1000")
    before = posted(till)
    states = [
        told(charge, withdrawn="0", amount="800"),
        told(charge, hours=1, withdrawn="800", amount="800", fee="15"),
        told(charge, "under_review", hours=2, amount="900"),
        told(charge, "lost", hours=3, withdrawn="900", amount="900", fee="25"),
        told(charge, "won", hours=4, amount="900"),
    ]
    for index in [*order, *repeated]:
        hear_of(till, replace(states[index], provider_reference=f"disp_{number}"))
    after = posted(till)
    changed = {kind: after.get(kind, ZERO) - before.get(kind, ZERO) for kind in {*before, *after}}
    assert {kind: amount for kind, amount in changed.items() if amount} == {
        "provider_clearing": Decimal(-25),
        "provider_fees": Decimal(25),
    }
    assert list(find_problems()) == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"payment_reference": "pay_elsewhere"}, "No charge of this account is pay_elsewhere."),
        ({"amount": Money(0, "KES")}, "It names an amount below zero, or disputes nothing."),
        ({"withdrawn": Money(-1, "KES")}, "It names an amount below zero, or disputes nothing."),
        ({"withdrawn": Money(1, "USD")}, "It disputes KES and withdraws USD."),
        ({"provider_reference": ""}, "It has no reference of its own."),
    ],
)
def test_what_cannot_be_applied_writes_nothing(till: Till, fields: dict[str, Any], reason: str) -> None:
    _, charge = till.pay_new("1500")
    before = (LedgerTransaction.objects.count(), Event.objects.count())
    with pytest.raises(UnfitDispute, match=reason):
        hear_of(till, replace(told(charge), **fields))
    assert Dispute.objects.count() == 0
    assert (LedgerTransaction.objects.count(), Event.objects.count()) == before


def test_another_currency_than_the_charges_is_booked_and_parked(till: Till) -> None:
    _, charge = till.pay_new("1500")
    foreign = replace(told(charge), amount=Money("12", "USD"), withdrawn=Money("12", "USD"))
    applied = hear_of(till, foreign)
    assert applied.dispute.parked_reason == "It is in USD; the charge is in KES."
    assert till.books("USD")["disputes_held"] == (Decimal(12), ZERO)
    charge.refresh_from_db()
    with pytest.raises(Conflict) as refusal:  # nobody knows how much of it is left
        give_back(till, charge, "1")
    assert refusal.value.code == "charge_disputed"
    with pytest.raises(UnfitDispute, match="It was in USD, and is now in KES"):
        hear_of(till, told(charge, hours=1))


def test_taking_note_of_a_doubt_lasts_until_another_one(till: Till) -> None:
    _, charge = till.pay_new("1500")
    dispute = hear_of(till, told(charge, amount="1600", withdrawn="1600")).dispute
    with pytest.raises(Invalid):
        note_dispute(dispute=dispute, reason="no")
    assert note_dispute(dispute=dispute, reason="The bank added its costs.").is_parked is False
    assert hear_of(till, told(charge, "under_review", hours=1, amount="1600")).dispute.is_parked is False
    with pytest.raises(Conflict):
        note_dispute(dispute=dispute, reason="Once more, please.")


def test_disputed_money_is_not_refunded(till: Till) -> None:
    """given 600 of 1,500 are disputed / when refunding / then 900 may go back, and the rest after the dispute."""
    _, charge = till.pay_new("1500")
    hear_of(till, told(charge, amount="600"))  # an inquiry: nothing withdrawn yet
    before = LedgerTransaction.objects.count()
    for amount in ("901", "1500"):
        with pytest.raises(Conflict) as refusal:
            give_back(till, charge, amount)
        assert refusal.value.code == "charge_disputed"
        assert "Undisputed are 900.00" in refusal.value.message
    assert LedgerTransaction.objects.count() == before
    with pytest.raises(Invalid) as too_much:
        give_back(till, charge, "1501")
    assert too_much.value.code == "refund_amount_out_of_range"
    assert give_back(till, charge).amount == Money("900", "KES")
    with pytest.raises(Conflict):
        give_back(till, charge)
    hear_of(till, told(charge, "won", hours=5, amount="600", withdrawn="0"))
    assert give_back(till, charge).amount == Money("600", "KES")


def test_lost_money_stays_unrefundable(till: Till) -> None:
    _, charge = till.pay_new("1500")
    hear_of(till, told(charge, "lost", withdrawn="1500"))
    charge.refresh_from_db()
    with pytest.raises(Conflict) as refusal:
        give_back(till, charge)
    assert refusal.value.code == "charge_disputed"


def test_of_several_disputes_the_payment_shows_the_worst(till: Till) -> None:
    intent, charge = till.pay_new("1500")
    hear_of(till, told(charge, "won", amount="500", withdrawn="0"))
    hear_of(till, replace(told(charge, "lost", amount="500", withdrawn="500"), provider_reference="disp_2"))
    charge.refresh_from_db()
    assert charge.dispute_status == "lost"
    hear_of(till, replace(told(charge, amount="500"), provider_reference="disp_3"))
    charge.refresh_from_db()
    assert charge.dispute_status == "open"
    assert PaymentIntent.objects.get(pk=intent.pk).is_disputed is True


# Messages, questions and lists.


def event(state: DisputeState | None) -> ProviderEvent:
    return ProviderEvent(
        event_id="evt_1",
        type="dispute.updated",
        reference=None,
        provider_reference="disp_1" if state is None else state.provider_reference,
        result=Result(status=ResultStatus.UNKNOWN),
        occurred_at=OPENED,
        dispute=state,
    )


def test_a_signed_message_is_applied_and_an_unknown_payment_parks_it(till: Till, virtual_clock: VirtualClock) -> None:
    dispute = disputed_at_mock(till, virtual_clock)
    assert (dispute.status, dispute.withdrawn, dispute.fee) == ("needs_response", Decimal(7761), Decimal(15))
    stranger = replace(told(dispute.charge), payment_reference="pay_elsewhere", provider_reference="disp_9")
    verdict = apply_dispute_event(Notice(account=till.account, event=event(stranger), trust=Trust.SIGNED))
    assert (verdict.ending, verdict.reason) == (Ending.PARKED, "No charge of this account is pay_elsewhere.")
    assert apply_dispute_event(Notice(account=till.account, event=event(None), trust=Trust.SIGNED)).ending == "parked"
    assert Dispute.objects.count() == 1
    assert list(InboundWebhook.objects.values_list("state", flat=True)) == ["applied"]


def test_an_unsigned_message_is_only_a_hint(till: Till, virtual_clock: VirtualClock) -> None:
    dispute = disputed_at_mock(till, virtual_clock)
    lie = replace(told(dispute.charge, "lost", hours=24 * 900), provider_reference=dispute.provider_reference)
    verdict = apply_dispute_event(Notice(account=till.account, event=event(lie), trust=Trust.UNSIGNED))
    dispute.refresh_from_db()
    assert (verdict.ending, dispute.status) == (Ending.APPLIED, "needs_response")
    invented = replace(lie, provider_reference="disp_invented")
    verdict = apply_dispute_event(Notice(account=till.account, event=event(invented), trust=Trust.UNSIGNED))
    assert (verdict.ending, Dispute.objects.count()) == (Ending.WAITING, 1)


def test_a_deadline_that_passes_unheard_is_found_by_asking(till: Till, virtual_clock: VirtualClock) -> None:
    dispute = disputed_at_mock(till, virtual_clock)
    assert dispute.respond_by is not None
    assert dispute.follow_up_at == dispute.respond_by - timedelta(days=1)
    assert run_due_disputes() == 0
    virtual_clock.advance(timedelta(days=6))
    assert run_due_disputes() == 1
    dispute.refresh_from_db()
    assert (dispute.status, dispute.follow_up_at) == ("needs_response", dispute.respond_by + timedelta(hours=1))
    virtual_clock.advance(timedelta(days=1, hours=2))
    assert run_due_disputes() == 1
    over = Dispute.objects.get()
    assert (over.status, over.follow_up_at, over.closed_at) == ("expired", None, dispute.respond_by)
    assert posted(till) == {"provider_clearing": Decimal(-15), "provider_fees": Decimal(15)}
    dispute.charge.refresh_from_db()
    assert dispute.charge.dispute_status == "lost"


def test_an_inquiry_that_ends_took_nothing(till: Till, virtual_clock: VirtualClock) -> None:
    dispute = disputed_at_mock(till, virtual_clock, "7763")
    assert dispute.reserved == Decimal(7763)
    virtual_clock.advance(timedelta(days=8))
    assert tell(till, dispute.charge) == 200
    dispute.refresh_from_db()
    dispute.charge.refresh_from_db()
    assert (dispute.status, dispute.reserved, dispute.charge.dispute_status) == ("expired", ZERO, "won")
    assert posted(till) == {"provider_clearing": Decimal(7763), "store_payable": Decimal(7763)}


def test_a_provider_that_does_not_answer_is_asked_again(
    till: Till, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispute = disputed_at_mock(till, virtual_clock)

    def refuse(self: FakeProvider, request: object) -> DisputeState:
        raise RequestRejected("not today")

    monkeypatch.setattr(FakeProvider, "fetch_dispute", refuse)
    assert follow_up_dispute(dispute.pk) is False
    dispute.refresh_from_db()
    assert (dispute.follow_up_at, dispute.follow_up_count) == (clock.now() + timedelta(hours=1), 1)


def test_the_list_finds_what_messages_lost(till: Till, virtual_clock: VirtualClock) -> None:
    _, charge = till.pay_new("7762")
    virtual_clock.advance(60)
    assert pull_all_disputes() == 1
    assert Dispute.objects.get().charge_id == charge.pk
    assert DisputeWatch.objects.get().seen_until == clock.now()
    virtual_clock.advance(3600)
    assert pull_all_disputes() == 0


def test_a_listed_dispute_of_nobody_alarms_until_it_is_known(
    till: Till, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, charge = till.pay_new("1500")
    listed = [replace(told(charge), payment_reference="pay_elsewhere")]
    monkeypatch.setattr(FakeProvider, "list_disputes", lambda self, since: iter(listed))
    assert pull_disputes(till.account) == 0
    alert = Alert.objects.get(kind="dispute_unknown")
    assert "disp_1: No charge of this account is pay_elsewhere." in alert.detail
    listed[:] = [told(charge)]
    assert pull_disputes(till.account) == 1
    alert.refresh_from_db()
    assert alert.is_open is False


def test_a_list_that_breaks_off_does_not_move_the_watermark(
    till: Till, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, charge = till.pay_new("1500")

    def broken(self: FakeProvider, since: object) -> Any:
        yield told(charge)
        raise RequestRejected("the second page is gone")

    monkeypatch.setattr(FakeProvider, "list_disputes", broken)
    assert pull_all_disputes() == 0
    assert (Dispute.objects.count(), DisputeWatch.objects.count()) == (1, 0)

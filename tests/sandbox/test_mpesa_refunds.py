"""Giving M-Pesa money back, by reversal and by B2C: in the books as it was at the simulated Daraja."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common.problems import Invalid
from majuu_core.events.models import Event
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.refund_outcomes import resolve_refund
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_sim.daraja import SANDBOX_SHORTCODE, Shortcode
from tests.core.payments.incoming_support import claim
from tests.sandbox.daraja_office import AT_THE_START, CUSTOMER, TILL, Office, kinds_of

OpenOffice = Callable[..., Office]


def paid(office: Office, amount: str = "1500") -> Charge:
    """A customer who was asked and has paid."""
    charge = office.push(amount)
    office.play(2)
    charge.refresh_from_db()
    assert (charge.status, office.books()["store"]) == ("succeeded", Decimal(amount))
    return charge


def give_back(office: Office, charge: Charge, amount: str | None = None, **details: Any) -> Refund:
    money = None if amount is None else Money(amount, "KES")
    wanted = RefundDetails(charge=charge.public_id, amount=money, reason="Wrong size", **details)
    return create_refund(store=office.store, livemode=False, details=wanted)[0]


def after(refund: Refund) -> tuple[str, bool]:
    refund.refresh_from_db()
    return refund.status, refund.is_parked


def check_back(office: Office, charge: Charge, back: int) -> None:
    """So much has gone back: on charge and intent, in the books, and at Daraja."""
    charge.refresh_from_db()
    assert charge.amount_refunded == charge.payment_intent.amount_refunded == Decimal(back)
    left = charge.amount_received.amount - back
    assert office.books() == {"clearing": left, "unclaimed": Decimal(0), "store": left}
    assert office.moved() == left


def told(refund: Refund) -> Sequence[str]:
    return list(Event.objects.filter(object_id=refund.public_id).order_by("pk").values_list("type", flat=True))


@pytest.mark.parametrize("account", [{}, TILL])
def test_all_of_a_payment_is_reversed(open_office: OpenOffice, account: dict[str, str]) -> None:
    """Given a paid charge of a paybill or a till, then all of it goes back by undoing the payment at M-Pesa."""
    office = open_office(account=account)
    charge = paid(office)

    refund = give_back(office, charge)

    assert (refund.method, refund.books_as, refund.status) == ("reversal", "reversal", "pending")
    check_held(office, 1500)
    office.play(1)
    assert after(refund) == ("succeeded", False)
    movement = office.sim.movements()[-1]
    assert (movement.kind, movement.original_receipt, refund.receipt) == ("reversal", charge.receipt, movement.receipt)
    assert kinds_of(refund.public_id) == ["refund_reversal", "refund_reversal"]  # held, then posted
    assert told(refund) == ["refund.created", "refund.succeeded"]
    check_back(office, charge, 1500)


def check_held(office: Office, amount: int) -> None:
    """Nothing has left yet, and the store cannot spend it."""
    posted, held = office.paymaster.books()
    assert (posted, held) == (Decimal(1500), Decimal(amount))


def test_a_part_is_paid_out(office: Office) -> None:
    """Given a part, which no reversal can do, then new money goes to the phone, twice, and the books say so."""
    charge = paid(office)

    first = give_back(office, charge, "400")
    office.play(1)
    second = give_back(office, charge)
    office.play(1)

    assert (after(first), after(second)) == (("succeeded", False), ("succeeded", False))
    assert [(one.method, one.books_as, one.amount.amount) for one in (first, second)] == [
        ("b2c", "payout", Decimal(400)),
        ("b2c", "payout", Decimal(1100)),
    ]
    assert [(one.kind, one.msisdn) for one in office.sim.movements()[1:]] == [("b2c", CUSTOMER), ("b2c", CUSTOMER)]
    assert kinds_of(first.public_id) == ["refund_payout", "refund_payout"]
    assert "A reversal would undo all of it" in second.method_reason
    check_back(office, charge, 1500)
    with pytest.raises(Invalid, match="All of it has gone back"):
        give_back(office, charge, "10")


def test_claimed_paybill_money_goes_back(office: Office) -> None:
    """Given money that came by itself and paid an order, then it can be reversed by its receipt, too."""
    office.register()
    intent = office.intent()
    receipt = office.customer_pays()
    office.play()
    charge = Charge.objects.get(payment_intent=intent)
    assert charge.receipt == receipt

    refund = give_back(office, charge)
    office.play(1)

    assert (after(refund), refund.method) == (("succeeded", False), "reversal")
    check_back(office, charge, 1500)


def test_a_claimed_receipts_payer_is_paid_a_part(open_office: OpenOffice) -> None:
    """Given a payer whose number M-Pesa hid, when a part goes back, then the phone has to be entered, and is used."""
    office = open_office()
    office.register()
    intent = office.intent()
    receipt = office.customer_pays(account="?")
    office.play()
    claim(office.store, receipt, payment_intent=intent.public_id)
    charge = Charge.objects.get(payment_intent=intent)
    with pytest.raises(Invalid):
        give_back(office, charge, "500")
    assert (Refund.objects.count(), office.paymaster.books()) == (0, (Decimal(1500), Decimal(0)))

    refund = give_back(office, charge, "500", destination={"phone": "+254 712 345678"})
    office.play(1)

    assert (after(refund), refund.method) == (("succeeded", False), "b2c")
    check_back(office, charge, 500)


@pytest.mark.parametrize(
    ("fault", "code"),
    [("insufficient", "1"), ("unknown_transaction", "R000002"), ("not_permitted", "2028")],
)
def test_a_reversal_that_is_refused_names_the_other_way(office: Office, fault: str, code: str) -> None:
    """Given a reversal that Daraja cannot do, then the money is free again, and the other way is named and works."""
    charge = paid(office)
    office.sim.script(fault, operation="reversal")
    refund = give_back(office, charge)
    office.play(1)

    assert (after(refund), refund.provider_failure_code) == (("failed", False), code)
    assert 'Refund again with the method "b2c"' in refund.failure_message
    check_back(office, charge, 0)
    assert office.paymaster.books() == (Decimal(1500), Decimal(0))
    again = give_back(office, charge, method="b2c")
    office.play(1)
    assert after(again) == ("succeeded", False)
    check_back(office, charge, 1500)


def test_a_payment_that_was_reversed_before_is_a_persons_matter(office: Office) -> None:
    """Given a payment that somebody else has reversed, then ours is not called failed: it would be paid out again."""
    charge = paid(office)
    office.sim.script("already_reversed", operation="reversal")
    refund = give_back(office, charge)

    office.play(rounds=4, seconds=30)

    assert after(refund) == ("pending", True)
    assert "reversed before, by another request" in refund.parked_reason
    assert (refund.follow_up_at, told(refund)) == (None, ["refund.created", "refund.parked"])
    check_held(office, 1500)
    with pytest.raises(Invalid, match="All of it has gone back, or is on its way"):
        give_back(office, charge, "10", method="b2c")


@pytest.mark.parametrize(("amount", "method", "kind"), [(None, "reversal", "reversal"), ("600", "b2c", "b2c")])
def test_a_lost_result_is_asked_for(office: Office, amount: str | None, method: str, kind: str) -> None:
    """Given a result that never came, when the status is queried, then the refund ends as the money did, once."""
    charge = paid(office)
    refund = give_back(office, charge, amount)
    office.wait()  # lost

    office.play(rounds=4, seconds=30)

    assert (after(refund), refund.method) == (("succeeded", False), method)
    assert [one.kind for one in office.sim.movements()] == ["stk", kind]
    assert refund.receipt == office.sim.movements()[-1].receipt
    check_back(office, charge, int(refund.amount.amount))


@pytest.mark.parametrize(("amount", "paying"), [(None, SANDBOX_SHORTCODE), ("600", "600200")])
def test_payouts_from_a_shortcode_of_their_own(open_office: OpenOffice, amount: str | None, paying: str) -> None:
    """Given a separate B2C shortcode and a lost result, then each is asked where its money left."""
    codes = (Shortcode(number=SANDBOX_SHORTCODE), Shortcode(number="600200"))
    office = open_office(account={"b2c_shortcode": "600200"}, shortcodes=codes)
    charge = paid(office)
    refund = give_back(office, charge, amount)
    office.wait()  # lost

    office.play(rounds=4, seconds=30)

    assert after(refund) == ("succeeded", False)
    movement = office.sim.movements()[-1]
    assert (movement.shortcodes, refund.receipt) == ({paying}, movement.receipt)
    both = sum(office.sim.shortcode_balances(code.number)["utility"] for code in codes) - 2 * AT_THE_START
    assert office.books()["clearing"] == both == charge.amount_received.amount - refund.amount.amount


@pytest.mark.parametrize(
    ("operation", "fault", "moves"),
    [
        ("reversal", "duplicate", True),
        ("reversal", "queue_timeout", True),
        ("reversal", "initiator_wrong", False),
        ("b2c_payment", "duplicate", True),
        ("b2c_payment", "queue_timeout", True),
        ("b2c_payment", "initiator_wrong", False),
        ("b2c_payment", "accepted_5xx", True),  # by the id that was ours from the start
        ("b2c_payment", "timeout_after_commit", True),
    ],
)
def test_trouble_on_the_way(office: Office, operation: str, fault: str, moves: bool) -> None:
    """Given any trouble, when letters and questions are in, then refund, books and Daraja agree."""
    charge = paid(office)
    office.sim.script(fault, operation=operation)
    refund = give_back(office, charge, None if operation == "reversal" else "600")
    status = "succeeded" if moves else "failed"

    office.play(rounds=5, seconds=30)

    assert after(refund) == (status, False)
    check_back(office, charge, int(refund.amount.amount) if moves else 0)
    assert len(office.sim.movements()) == 1 + moves


@pytest.mark.parametrize(
    ("operation", "fault", "moved"),
    [
        ("reversal", "accepted_5xx", True),  # M-Pesa's id was in the answer that got lost
        ("reversal", "timeout_after_commit", True),
        ("reversal", "refuse_before_commit", False),
        ("b2c_payment", "refuse_before_commit", False),
    ],
)
def test_what_nobody_can_know_waits_for_a_person(office: Office, operation: str, fault: str, moved: bool) -> None:
    """Given an answer without which Daraja cannot be asked, then nothing is sent twice or given free, and a person
    settles it by the statement."""
    charge = paid(office)
    office.sim.script(fault, operation=operation)
    refund = give_back(office, charge, None if operation == "reversal" else "600")
    held = int(refund.amount.amount)

    office.play(rounds=8, seconds=60)
    office.play(rounds=27, seconds=3600)

    assert after(refund) == (refund.status, True)
    assert refund.status in ("pending", "unknown")
    check_held(office, held)
    assert len(office.sim.movements()) == 1 + moved
    resolve_refund(refund=refund, succeeded=moved, reason="By the statement of the day.")
    assert after(refund) == ("succeeded" if moved else "failed", False)
    check_back(office, charge, held if moved else 0)


def test_a_forged_result_changes_nothing(office: Office) -> None:
    """Given somebody who learnt the address, then ids that Daraja never gave are not believed, and the truth is."""
    charge = paid(office)
    office.sim.script("insufficient", operation="reversal")
    refund = give_back(office, charge)
    [(url, body)] = office.wait()
    forged = json.loads(body)
    ids = {"OriginatorConversationID": "12345-6789012-1", "ConversationID": "AG_20260105_12345678901234567890"}
    forged["Result"] |= {"ResultCode": "0", "ResultDesc": "Success", "TransactionID": "UA5FORGED1", **ids}

    office.deliver([(url, json.dumps(forged).encode())])

    assert after(refund) == ("pending", False)
    check_held(office, 1500)
    office.deliver([(url, body)])
    assert after(refund) == ("failed", False)
    check_back(office, charge, 0)

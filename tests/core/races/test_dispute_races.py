"""Disputes against refunds, and one dispute told by many at once: never more goes back than came (promise P7)."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.events.models import Event
from majuu_core.payments.dispute_applying import AppliedDispute
from majuu_core.payments.dispute_evidence import save_texts
from majuu_core.payments.disputes import accept_dispute, submit_evidence
from majuu_core.payments.models import Dispute, Refund
from majuu_core.testing.fake import FakeProvider
from tests.core.payments.dispute_support import disputed_at_mock, hear_of, told
from tests.core.payments.refund_support import give_back
from tests.core.payments.support import Till
from tests.core.races.threads import answers, at_once

pytestmark = pytest.mark.postgresql


@pytest.mark.parametrize("repetition", range(5))
def test_a_refund_against_the_dispute_that_arrives(till: Till, repetition: int) -> None:
    """Whoever is first wins: a refund that is late is refused, a dispute that is late is booked and parked."""
    _, charge = till.pay_new("1000")
    works: list[Any] = [partial(give_back, till, charge, "600")] * 2
    works.insert(repetition % 3, partial(hear_of, till, told(charge, amount="600", withdrawn="600")))
    results = at_once(works)
    refunds = [result for result in results if isinstance(result, Refund)]
    refused = [result for result in results if isinstance(result, (Conflict, Invalid))]
    assert len(refunds) + len(refused) == 2
    assert {problem.code for problem in refused} <= {"charge_disputed", "refund_amount_out_of_range"}
    dispute = Dispute.objects.get()
    assert len(refunds) <= 1
    assert dispute.is_parked is bool(refunds)  # only when the money had gone already, and a person hears of it
    expected = Decimal(400) - sum(refund.amount.amount for refund in refunds)
    assert till.books().get("store_payable", (Decimal(0),))[0] == expected


def test_sixteen_tell_of_one_dispute(till: Till) -> None:
    _, charge = till.pay_new("1000")
    state = told(charge, withdrawn="1000", fee="15")
    made = answers(at_once([partial(hear_of, till, state) for _ in range(16)]))
    assert all(isinstance(item, AppliedDispute) for item in made)
    assert len({item.dispute.pk for item in made}) == Dispute.objects.count() == 1
    assert [item.before for item in made].count("") == 1
    assert Event.objects.filter(type="dispute.created").count() == 1
    assert till.books()["disputes_held"] == (Decimal(1000), Decimal(0))


def test_states_in_any_order_at_once(till: Till) -> None:
    _, charge = till.pay_new("1000")
    states = [
        told(charge, withdrawn="1000", fee="15"),
        told(charge, "under_review", hours=1),
        told(charge, "lost", hours=2, withdrawn="1000"),
        told(charge, "won", hours=3, withdrawn="0"),
    ]
    answers(at_once([partial(hear_of, till, state) for state in [*states, *reversed(states)]]))
    assert Dispute.objects.get().status == "won"
    assert till.books() == {
        "provider_clearing": (Decimal(985), Decimal(0)),
        "store_payable": (Decimal(1000), Decimal(0)),
        "provider_fees": (Decimal(15), Decimal(0)),
    }


def test_one_of_many_answers_is_sent(till: Till, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    dispute = disputed_at_mock(till, virtual_clock)
    save_texts(dispute=dispute, texts={"explanation": "Delivered."})
    sent: list[str] = []
    submit, accept = FakeProvider.submit_evidence, FakeProvider.accept_dispute

    def counted(original: Any) -> Any:
        def call(self: FakeProvider, request: Any) -> Any:
            sent.append(request.idempotency_key)
            return original(self, request)

        return call

    monkeypatch.setattr(FakeProvider, "submit_evidence", counted(submit))
    monkeypatch.setattr(FakeProvider, "accept_dispute", counted(accept))
    works: list[Any] = [partial(submit_evidence, dispute=dispute)] * 4
    works += [partial(accept_dispute, dispute=dispute, confirmed=True)] * 4
    results = at_once(works)
    assert {type(item) for item in results} <= {Dispute, Conflict}
    dispute.refresh_from_db()
    if dispute.status == "accepted":
        assert sent[-1].endswith(":accept")
    assert 1 <= len(sent) <= 2  # what is under review may still be given up
    assert (dispute.submitting_at, dispute.accepting_at) == (None, None)

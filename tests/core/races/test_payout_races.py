"""Payouts at the same moment: a debt is paid once, and no money is spent twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransfer
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.models import Payout, PayoutBatch
from majuu_core.payments.payout_batches import approve_batch, create_batch, preview_csv
from majuu_core.payments.payout_sending import run_due_payout_questions, send_due_payouts
from majuu_core.payments.payouts import approve_payout, cancel_payout, reject_payout
from majuu_core.providers import NotSent
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.inbound import receive_webhook
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_core.webhooks.models import InboundWebhook
from tests.core.payments.payout_support import MAKER, Paymaster, told
from tests.core.races.threads import answers, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("custodian")]


@pytest.fixture
def paymaster(transactional_db: None, virtual_clock: VirtualClock) -> Iterator[Paymaster]:
    """A store that sends from its own account. Whatever the race did, the books are in order afterwards."""
    yield Paymaster()
    assert list(find_problems()) == []


@pytest.fixture
def pool(transactional_db: None, virtual_clock: VirtualClock) -> Iterator[Paymaster]:
    """A store whose 5,000 lie on the platform's account."""
    yield Paymaster(pooled=True, funds="5000")
    assert list(find_problems()) == []


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the provider was told to pay, by payout."""
    seen: Counter[str] = Counter()
    lock, original = threading.Lock(), FakeProvider.payout

    def payout(self: FakeProvider, request: Any) -> Any:
        with lock:
            seen[request.reference] += 1
        return original(self, request)

    monkeypatch.setattr(FakeProvider, "payout", payout)
    return seen


def test_sixteen_identical_payouts_are_one(paymaster: Paymaster, calls: Counter[str]) -> None:
    """Given one debt asked for by 16 threads, then there is one row, one call, one amount; all get the same payout."""
    found = answers(at_once([partial(paymaster.send, "1500", "SAL-1")] * 16))
    payout = Payout.objects.get()
    assert {row.pk for row in found} == {payout.pk}
    assert calls == {payout.public_id: 1}
    assert (payout.status, paymaster.books()) == ("succeeded", (Decimal(-1500), Decimal(0)))
    assert told(payout) == ["payout.created", "payout.succeeded"]


def test_one_reference_with_other_content_is_refused_to_all_but_one(paymaster: Paymaster, calls: Counter[str]) -> None:
    results = at_once([partial(paymaster.send, str(1000 + number), "SAL-1") for number in range(16)])
    refused = [result for result in results if isinstance(result, Conflict)]
    assert ([problem.code for problem in refused], Payout.objects.count()) == (["payout_reference_used"] * 15, 1)
    assert sum(calls.values()) == 1


def test_pooled_money_covers_five_of_sixteen(pool: Paymaster, calls: Counter[str]) -> None:
    """Given a balance of 5,000 and 16 payouts of 1,000 at once, then exactly 5 leave."""
    results = at_once([partial(pool.send, "1000", f"SAL-{number}") for number in range(16)])
    refused = [result.code for result in results if isinstance(result, Conflict)]
    assert refused == ["insufficient_funds"] * 11
    assert list(Payout.objects.values_list("status", flat=True)) == ["succeeded"] * 5
    assert (sum(calls.values()), pool.books()) == (5, (Decimal(0), Decimal(0)))


def test_held_money_covers_nothing_else(pool: Paymaster) -> None:
    """Given payouts whose outcome is open, then what they hold cannot be spent by others at the same moment."""
    pool.fund_more("7721")
    results = at_once([partial(pool.send, "7721", f"SAL-{number}") for number in range(8)])
    assert sum(isinstance(result, Conflict) for result in results) == 7
    assert pool.books() == (Decimal(12721), Decimal(7721))


def test_sixteen_identical_pooled_payouts_are_one(pool: Paymaster, calls: Counter[str]) -> None:
    """Given money for one only, then nobody is told that it is not covered: all get the one."""
    found = answers(at_once([partial(pool.send, "5000", "SAL-1")] * 16))
    assert ({row.pk for row in found}, sum(calls.values())) == ({Payout.objects.get().pk}, 1)


def test_workers_send_a_batch_once(paymaster: Paymaster, calls: Counter[str]) -> None:
    """Given 40 queued payouts and 8 workers, then each is sent by one of them, once."""
    table = "reference,amount,phone\n" + "".join(f"R{number},10,0712345678\n" for number in range(40))
    preview = preview_csv(store=paymaster.store, livemode=False, content=table.encode())
    create_batch(store=paymaster.store, livemode=False, preview=preview)
    taken = answers(at_once([partial(send_due_payouts, 40)] * 8))
    assert sum(taken) == 40
    assert (len(calls), set(calls.values())) == (40, {1})
    assert paymaster.books() == (Decimal(-400), Decimal(0))


def test_the_same_batch_at_once_is_stored_once(paymaster: Paymaster) -> None:
    previews = [
        preview_csv(store=paymaster.store, livemode=False, content=b"reference,amount,phone\nA,10,07\nB,10,07\n")
        for _ in range(8)
    ]
    works = [partial(create_batch, store=paymaster.store, livemode=False, preview=preview) for preview in previews]
    results = at_once(works)
    refused = [result.code for result in results if isinstance(result, Conflict)]
    assert refused == ["payout_batch_repeated"] * 7
    assert (PayoutBatch.objects.count(), Payout.objects.count()) == (1, 2)
    assert paymaster.books() == (Decimal(0), Decimal(20))


def decide(payout: Payout, number: int) -> str:
    """One of sixteen people, each of whom approves or refuses."""
    with acting_as(Actor(type="user", id=str(1000 + number))):
        if number % 2:
            return reject_payout(payout=payout, reason="Not this one").status
        return approve_payout(payout=payout).status


def test_approving_and_refusing_at_once_ends_as_one_of_both(paymaster: Paymaster, calls: Counter[str]) -> None:
    """Given 16 people who decide at the same moment, then one of them does, and the money follows that decision."""
    payout = paymaster.send("60000")
    results = at_once([partial(decide, payout, number) for number in range(16)])
    decided = [result for result in results if isinstance(result, str)]
    assert len(decided) == 1
    assert [result.code for result in results if isinstance(result, Conflict)] == ["payout_not_waiting"] * 15
    send_due_payouts()
    payout.refresh_from_db()
    if decided == ["pending"]:
        assert (payout.status, sum(calls.values()), paymaster.books()[0]) == ("succeeded", 1, Decimal(-60000))
    else:
        assert (payout.status, sum(calls.values()), paymaster.books()[0]) == ("canceled", 0, Decimal(0))
    resolved = LedgerTransfer.objects.exclude(pending=None).count()
    assert resolved == 1


def test_approving_a_batch_while_a_row_is_taken_back(paymaster: Paymaster, calls: Counter[str]) -> None:
    table = "reference,amount,phone\n" + "".join(f"R{number},9000,0712345678\n" for number in range(10))
    with acting_as(MAKER):
        preview = preview_csv(store=paymaster.store, livemode=False, content=table.encode())
        batch = create_batch(store=paymaster.store, livemode=False, preview=preview)
    rows = list(batch.payouts.order_by("pk"))

    def approve() -> int:
        with acting_as(Actor(type="user", id="902")):
            return approve_batch(batch=batch)

    def take_back(payout: Payout) -> int:
        return int(cancel_payout(payout=payout).status == "canceled")

    works: list[Callable[[], int]] = [approve, approve, *(partial(take_back, row) for row in rows[:4])]
    results: list[int | Exception] = at_once(works)
    assert sum(result for result in results if isinstance(result, int)) == 10
    while send_due_payouts():
        pass
    assert set(Payout.objects.values_list("status", flat=True)) <= {"succeeded", "canceled"}
    assert sum(calls.values()) == Payout.objects.filter(status="succeeded").count()


def test_a_message_its_repetitions_and_questions_at_once_book_it_once(
    paymaster: Paymaster, virtual_clock: VirtualClock
) -> None:
    """Given a pending payout, when its message comes four times and workers ask, then its money is booked once."""
    payout = paymaster.send("7721")
    virtual_clock.advance(11)
    raw = paymaster.webhook(payout)
    works: list[Callable[[], object]] = [partial(receive_webhook, raw)] * 4
    answers(at_once(works + [run_due_payout_questions] * 4))
    virtual_clock.advance(61)
    process_waiting()
    payout.refresh_from_db()
    assert (payout.status, paymaster.books()) == ("succeeded", (Decimal(-7721), Decimal(0)))
    # A message names no receipt. If it came first, a question that was under way adds it, and the shop hears of that.
    added = Event.objects.get(type="payout.succeeded").data["payout"]["receipt"] != payout.receipt
    assert told(payout) == ["payout.created", "payout.succeeded", *(["payout.updated"] if added else [])]
    assert set(InboundWebhook.objects.values_list("state", flat=True)) <= {"applied", "duplicate"}


def test_workers_retry_what_never_left_one_at_a_time(
    paymaster: Paymaster, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def away(self: FakeProvider, request: Any) -> Any:
        tries.append(request.reference)
        raise NotSent("away")

    monkeypatch.setattr(FakeProvider, "payout", away)
    paymaster.send("1500")
    virtual_clock.advance(15)
    assert sum(answers(at_once([send_due_payouts] * 8))) == 1
    assert len(tries) == 2

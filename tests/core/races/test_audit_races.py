"""Workers that seal, and payments that write entries, at the same moment: nothing twice, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from majuu_core.audit import sealing
from majuu_core.audit.models import AuditEntry, AuditSeal
from majuu_core.audit.records import database_records
from majuu_core.audit.sealing import seal_entries, unsealed_entries
from tests.core.audit.trail import MERCHANTS, seal_all, write, wrong
from tests.core.races.threads import Rendezvous, answers, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def in_order() -> dict[str, list[int]]:
    chains: dict[str, list[int]] = {}
    for name, sequence in AuditSeal.objects.order_by("sequence").values_list("chain", "sequence"):
        chains.setdefault(name, []).append(sequence)
    return chains


def test_two_workers_that_picked_the_same_entries_make_one_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """given a worker stopped between picking and locking / when another seals the same / then it adds nothing twice."""
    for number in range(6):
        write(MERCHANTS[number % 2], number)
    meeting, original = Rendezvous(), sealing.chain_of  # type: ignore[attr-defined]
    stopped: list[bool] = []

    def stop_once(merchant_id: Any) -> str:
        if not stopped:
            stopped.append(True)
            meeting.stop_here()
        return original(merchant_id)

    monkeypatch.setattr(sealing, "chain_of", stop_once)

    def second() -> int:
        assert meeting.reached.wait(20)
        done = seal_entries()
        meeting.go_on.set()
        return done

    assert answers(at_once([seal_entries, second])) == [0, 6]
    assert in_order() == {"platform": [1, 2, 3], str(MERCHANTS[1]): [1, 2, 3]}
    assert wrong(database_records()) == []


def test_workers_seal_while_entries_come_in() -> None:
    """given two workers and two writers / when all run at once / then the chains have no gap, no fork, and all rows."""

    def writer(start: int) -> int:
        for number in range(40):
            with transaction.atomic():
                for merchant_id in MERCHANTS:
                    write(merchant_id, start + number)
        return 120

    def worker() -> int:
        return sum(seal_entries() for _ in range(40))

    works: list[Callable[[], int]] = [worker, partial(writer, 0), worker, partial(writer, 100)]
    done = answers(at_once(works))
    assert done[0] + done[2] + seal_all() == AuditEntry.objects.count() == 240
    assert {name: numbers == list(range(1, 81)) for name, numbers in in_order().items()} == {
        "platform": True,
        str(MERCHANTS[1]): True,
        str(MERCHANTS[2]): True,
    }
    assert unsealed_entries().count() == 0
    assert wrong(database_records()) == []


def test_a_worker_never_waits_for_a_payment(monkeypatch: pytest.MonkeyPatch) -> None:
    """given a payment that holds its transaction open / when sealed / then the others at once, and its entry later."""
    meeting = Rendezvous()

    def payment() -> int:
        with transaction.atomic():
            write(None, 1)
            meeting.stop_here()
        return 1

    def worker() -> int:
        assert meeting.reached.wait(20)
        write(None, 2)
        done = seal_entries()
        meeting.go_on.set()
        return done

    assert answers(at_once([payment, worker])) == [1, 1]
    assert seal_entries() == 1
    rows = AuditSeal.objects.order_by("sequence").select_related("entry")
    assert [seal.entry.object_id for seal in rows] == ["mer_2", "mer_1"]
    assert wrong(database_records()) == []

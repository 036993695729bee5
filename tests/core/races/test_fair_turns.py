"""A provider that hangs holds up its own questions, not those of the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.db import connections

from majuu_core.common.clock import VirtualClock
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.models import Charge
from majuu_core.providers import Trust
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_core.webhooks.models import InboundWebhook
from tests.core.payments.support import Till
from tests.core.races.test_payment_races import PENDING_AMOUNT, deliver, letter

pytestmark = pytest.mark.postgresql
THREADS, PATIENCE = 4, 30
FETCH: Callable[..., Any] = FakeProvider.fetch_payment


class Line:
    """The line to one account: dead until somebody mends it. Counts who waits on it."""

    def __init__(self, till: Till) -> None:
        self._account = till.account.public_id
        self._mended = threading.Event()
        self._lock = threading.Lock()
        self.waiting = self.most = 0

    def ask(self, provider: FakeProvider, request: Any) -> Any:
        if provider.context.account_id == self._account:
            with self._lock:
                self.waiting += 1
                self.most = max(self.most, self.waiting)
            assert self._mended.wait(PATIENCE)
            with self._lock:
                self.waiting -= 1
        return FETCH(provider, request)

    def mend(self) -> None:
        self._mended.set()


def working(work: Callable[[], int], until: threading.Event) -> list[threading.Thread]:
    """Threads of a worker: each looks for work again and again."""

    def run() -> None:
        try:
            while not until.is_set():
                if not work():
                    until.wait(0.05)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    return threads


def wait_for(condition: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(condition() or pause.wait(0.05) for _ in range(PATIENCE * 20))


def asked(till: Till) -> int:
    return Charge.objects.filter(provider_account=till.account, follow_up_count__gt=0).count()


@pytest.fixture
def tills(till: Till) -> tuple[Till, Till]:
    return till, Till()


def test_questions_to_other_accounts_go_on(tills: tuple[Till, Till], virtual_clock: VirtualClock) -> None:
    """given more due questions to a dead account than there are threads / then the other account's are all asked."""
    dead, alive = tills
    for till, count in ((dead, 8), (alive, 5)):
        for _ in range(count):
            till.pay_new(PENDING_AMOUNT)
    virtual_clock.advance(11)
    line, stop = Line(dead), threading.Event()
    with mock.patch.object(FakeProvider, "fetch_payment", lambda self, request: line.ask(self, request)):
        threads = working(run_due_follow_ups, stop)
        try:
            assert wait_for(lambda: asked(alive) == 5)
            assert (line.most, asked(dead)) == (2, 0)
        finally:
            line.mend()
        assert wait_for(lambda: asked(dead) == 8)
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert line.most == 2


def test_messages_from_other_accounts_are_worked_on(tills: tuple[Till, Till], virtual_clock: VirtualClock) -> None:
    """The same for unsigned callbacks, which are believed only after asking."""
    dead, alive = tills
    line, stop = Line(dead), threading.Event()
    with mock.patch.object(FakeProvider, "verify_webhook", return_value=Trust.UNSIGNED):
        for till, count in ((dead, 6), (alive, 3)):
            for _ in range(count):
                charge = till.pay_new(PENDING_AMOUNT)[1]
                deliver(charge, letter(till, charge))
    virtual_clock.advance(3600)
    Charge.objects.update(follow_up_at=None)
    applied = InboundWebhook.objects.filter(provider_account=alive.account, state="applied")
    with mock.patch.object(FakeProvider, "fetch_payment", lambda self, request: line.ask(self, request)):
        threads = working(process_waiting, stop)
        try:
            assert wait_for(lambda: applied.count() == 3)
            assert line.most == 2
        finally:
            line.mend()
        everything = InboundWebhook.objects.filter(state="received")
        assert wait_for(lambda: not everything.exists())
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert line.most == 2

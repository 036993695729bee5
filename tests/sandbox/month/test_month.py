"""The month is closed: every mishap that was put in is found, and nothing that was not."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.ledger.verification import find_problems
from majuu_core.reports.closing import close_day
from majuu_core.reports.models import Close, Mismatch, Settlement, SettlementLine
from majuu_core.reports.uploads import import_settlement, stage_statement
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_sim.daraja import SANDBOX_PASSKEY
from tests.sandbox.month.books import Books, Mishaps, receipt_of
from tests.sandbox.month.world import DAYS, PAYBILL, MonthAtMpesa

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
COUNT, OUTSIDE, POSTED_TWICE = 10_000, 20, 10
COUNT_ELSEWHERE = 2_500  # the mishaps are the same, and so are the statements that find them
MISHAPS = Mishaps(
    lost=40,
    invented=24,
    wrong_amount=24,
    not_booked=16,
    booked_wrong=8,
    recorded_twice=16,
    wrong_fee=8,
    nameless=120,
    silent=60,
)
CREDENTIALS = {
    "consumer_key": "k" * 20,
    "consumer_secret": "s" * 20,
    "shortcode": PAYBILL,
    "passkey": SANDBOX_PASSKEY,
}


def make_account():
    return make_provider_account(store=make_store(), provider="mpesa", credentials=CREDENTIALS)


def found() -> Counter[tuple[str, str]]:
    return Counter(
        (row.kind, row.receipt or row.object_id) for row in Mismatch.objects.exclude(state=Mismatch.State.RESOLVED)
    )


def close_all(account) -> None:
    for number in range(-1, DAYS + 1):
        close_day(account=account, day=date(2026, 1, 1) + timedelta(days=number))


@pytest.mark.parametrize("seed", [20261125])
def test_every_mishap_of_a_month_is_found_and_no_other(seed: int) -> None:
    # given 10,000 movements at M-Pesa, some of which the provider posted twice or people made in the portal
    count = COUNT if connection.vendor == "sqlite" else COUNT_ELSEWHERE
    mpesa = MonthAtMpesa(seed, count - POSTED_TWICE, OUTSIDE)
    mpesa.play()
    labels = {("missing_here", one.receipt) for one in mpesa.movements if one.kind in ("deposit", "withdrawal")}
    truth = list(mpesa.movements)
    account = make_account()
    books = Books(account, account.store, random.Random(seed))
    books.write(truth, MISHAPS)
    healthy = {one.receipt for one in truth if one.kind in ("stk", "c2b")} - {receipt for _, receipt in books.labels}
    for receipt in random.Random(seed).sample(sorted(healthy - set(books.nameless.values())), POSTED_TWICE):
        mpesa.post_again(next(one for one in truth if one.receipt == receipt))
        labels.add(("duplicate", receipt))
    labels |= books.labels
    assert len(mpesa.movements) == count
    assert len(labels) == 40 + 24 + 24 + 16 + 8 + 16 + 8 + OUTSIDE + POSTED_TWICE
    with use_clock(VirtualClock(datetime(2026, 2, 2, 9, tzinfo=UTC))):
        # when the month's statement is uploaded and every day is closed
        staged = stage_statement(
            account=account,
            chunks=[mpesa.statement().encode()],
            name="january.csv",
            first_day=date(2025, 12, 31),
            last_day=date(2026, 2, 1),
        )
        assert (staged.unreadable_rows, staged.changed_lines) == (0, 0)
        import_settlement(settlement=staged)
        close_all(account)
        # then the labels are found, each once, and nothing else
        assert found() == Counter(dict.fromkeys(labels, 1))
        closes = Close.objects.filter(provider_account=account)
        assert {close.has_statement for close in closes} == {True}
        assert sum(close.totals["not_covered"] for close in closes) == 0
        # and receipts that nobody had told are where they belong
        assert {charge: receipt_of(charge) for charge in books.nameless} == books.nameless
        # and every line has ended
        assert not SettlementLine.objects.filter(outcome="").exists()
        # and the events that never came are told
        silent = sum(close.totals["events_lost"] for close in closes)
        assert silent == len(books.silent)
        assert list(find_problems()) == []
        # and the same again changes nothing
        rows = list(Mismatch.objects.order_by("pk").values("pk", "state", "here", "there", "opened_at"))
        again = stage_statement(account=account, chunks=[mpesa.statement().encode()], name="again.csv")
        assert again.pk == staged.pk
        close_all(account)
        assert list(Mismatch.objects.order_by("pk").values("pk", "state", "here", "there", "opened_at")) == rows
    assert Settlement.objects.count() == 1

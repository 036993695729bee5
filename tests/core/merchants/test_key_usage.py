"""Requests by day: gathered, added to the database, read back; and quotas that end at the very number."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from pytest_django import DjangoAssertNumQueries

from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.database.counting import add_to_counters
from majuu_core.merchants import key_usage
from majuu_core.merchants.api_keys import rotate_api_key, update_api_key
from majuu_core.merchants.key_quota import MOST_TAKEN, QuotaTakings, used_of_quota
from majuu_core.merchants.key_usage import DayUsage, UsageBuffer, usage_by_day, used_in_month
from majuu_core.merchants.models import ApiKey, ApiKeyMonth, ApiKeyUsage
from majuu_core.testing.factories import make_api_key

pytestmark = pytest.mark.django_db

JANUARY_5 = date(2026, 1, 5)


def count(buffer: UsageBuffer, row: ApiKey, number: int = 1, *, refused: bool = False) -> list[bool]:
    return [buffer.add(row.pk, now=clock.now(), refused=refused) for _ in range(number)]


def stored() -> list[tuple[date, int, int]]:
    return list(ApiKeyUsage.objects.order_by("day").values_list("day", "requests", "refused"))


def test_it_is_time_to_write_at_first_and_then_every_five_seconds(virtual_clock: VirtualClock) -> None:
    buffer, row = UsageBuffer(), make_api_key().row
    assert count(buffer, row) == [True]
    buffer.write()
    assert count(buffer, row, 3) == [False] * 3
    virtual_clock.advance(4)
    assert count(buffer, row) == [False]
    virtual_clock.advance(1)
    assert count(buffer, row) == [True]
    buffer.write()
    virtual_clock.advance(60)
    assert count(buffer, row) == [True]  # after a quiet minute nobody waits for the next request


def test_writing_adds_in_one_query_a_key(
    virtual_clock: VirtualClock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    buffer, row = UsageBuffer(), make_api_key().row
    for _ in range(2):
        count(buffer, row, 20)
        count(buffer, row, 3, refused=True)
        with django_assert_num_queries(1):
            buffer.write()
    with django_assert_num_queries(0):
        buffer.write()
    assert stored() == [(JANUARY_5, 40, 6)]


def test_two_processes_add_up(virtual_clock: VirtualClock) -> None:
    row = make_api_key().row
    buffers = [UsageBuffer(), UsageBuffer()]
    for buffer in buffers:
        count(buffer, row, 5)
    for buffer in buffers:
        buffer.write()
    assert stored() == [(JANUARY_5, 10, 0)]


def test_a_day_is_one_of_the_projects_time_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Africa/Nairobi"
    buffer, row = UsageBuffer(), make_api_key().row
    for moment in (datetime(2026, 1, 5, 20, 59, tzinfo=UTC), datetime(2026, 1, 5, 21, 0, tzinfo=UTC)):
        buffer.add(row.pk, now=moment)
    buffer.write()
    assert stored() == [(date(2026, 1, 5), 1, 0), (date(2026, 1, 6), 1, 0)]


def test_what_cannot_be_written_is_kept(virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer, row = UsageBuffer(), make_api_key().row
    count(buffer, row, 4)

    def down(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(key_usage, "add_to_counters", down)
        buffer.write()
    count(buffer, row, 1)
    assert stored() == []
    buffer.write()
    assert stored() == [(JANUARY_5, 5, 0)]


def test_counters_of_other_rows_stay(virtual_clock: VirtualClock) -> None:
    first, second = make_api_key().row, make_api_key().row
    for row, number in ((first, 2), (second, 3), (first, 4)):
        unique = {"api_key_id": row.pk, "day": JANUARY_5}
        add_to_counters(ApiKeyUsage, unique=unique, add={"requests": number, "refused": 0})
    found = dict(ApiKeyUsage.objects.values_list("api_key_id", "requests"))
    assert found == {first.pk: 6, second.pk: 3}


def test_days_without_use_are_shown_too(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    row, other = make_api_key().row, make_api_key().row
    for day, requests in ((3, 5), (5, 7), (6, 9)):
        ApiKeyUsage.objects.create(api_key=row, day=date(2026, 1, day), requests=requests, refused=1)
    ApiKeyUsage.objects.create(api_key=other, day=date(2026, 1, 4), requests=100)
    with django_assert_num_queries(1):
        found = usage_by_day(api_key_id=row.pk, first=date(2026, 1, 3), last=JANUARY_5)
    assert found == [
        DayUsage(day=date(2026, 1, 3), requests=5, refused=1),
        DayUsage(day=date(2026, 1, 4), requests=0, refused=0),
        DayUsage(day=date(2026, 1, 5), requests=7, refused=1),
    ]
    assert used_in_month(api_key_ids=[row.pk, other.pk], month=date(2026, 1, 1)) == 121
    assert used_in_month(api_key_ids=[row.pk], month=date(2026, 2, 1)) == 0


@pytest.mark.parametrize("days", [-1, 366])
def test_a_period_has_its_bounds(days: int) -> None:
    with pytest.raises(ValueError, match="366"):
        usage_by_day(api_key_id=make_api_key().row.pk, first=JANUARY_5, last=JANUARY_5 + timedelta(days=days))


# --- Quotas ----------------------------------------------------------------------------------------------------------
def use(takings: QuotaTakings, row: ApiKey, number: int) -> int:
    """How many of so many requests were let in."""
    quota = row.monthly_quota
    assert quota is not None
    first = row.first_key_id or row.pk
    return sum(takings.use_one(first_key_id=first, quota=quota, now=clock.now()).allowed for _ in range(number))


def test_a_quota_ends_at_its_number(virtual_clock: VirtualClock) -> None:
    row = make_api_key(monthly_quota=250).row
    assert use(QuotaTakings(), row, 300) == 250
    assert ApiKeyMonth.objects.get().used == 250


def test_two_processes_never_let_in_more(virtual_clock: VirtualClock) -> None:
    row = make_api_key(monthly_quota=5_000).row
    ours, theirs = QuotaTakings(), QuotaTakings()
    allowed = sum(use(takings, row, 100) for _ in range(40) for takings in (ours, theirs))
    assert 5_000 - MOST_TAKEN <= allowed <= 5_000


def test_most_requests_ask_nobody(
    virtual_clock: VirtualClock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row, takings = make_api_key(monthly_quota=10_000).row, QuotaTakings()
    use(takings, row, 1)
    with django_assert_num_queries(0):
        assert use(takings, row, MOST_TAKEN - 1) == MOST_TAKEN - 1


def test_a_process_that_ends_gives_back_what_it_did_not_use(virtual_clock: VirtualClock) -> None:
    row, takings = make_api_key(monthly_quota=10_000).row, QuotaTakings()
    use(takings, row, MOST_TAKEN + 3)
    assert used_of_quota(row) == 2 * MOST_TAKEN
    takings.give_back()
    assert used_of_quota(row) == MOST_TAKEN + 3
    takings.give_back()
    assert use(QuotaTakings(), row, 1) == 1
    assert used_of_quota(row) == 2 * MOST_TAKEN + 3


def test_who_is_over_is_refused_without_a_query(
    virtual_clock: VirtualClock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row, takings = make_api_key(monthly_quota=1).row, QuotaTakings()
    use(takings, row, 2)
    with django_assert_num_queries(0):
        assert use(takings, row, 50) == 0


def test_the_state_says_what_is_left(virtual_clock: VirtualClock) -> None:
    row, takings = make_api_key(monthly_quota=3).row, QuotaTakings()
    found = [takings.use_one(first_key_id=row.pk, quota=3, now=clock.now()) for _ in range(4)]
    assert [(state.allowed, state.remaining) for state in found] == [(True, 2), (True, 1), (True, 0), (False, 0)]
    assert {state.limit for state in found} == {3}
    left = datetime(2026, 2, 1, tzinfo=UTC) - virtual_clock.now()
    assert {state.reset_seconds for state in found} == {int(left.total_seconds())}


def test_a_new_month_begins_in_the_projects_time_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Africa/Nairobi"
    row, takings = make_api_key(monthly_quota=2).row, QuotaTakings()
    with clock.use_clock(VirtualClock(datetime(2026, 1, 31, 20, 59, 59, tzinfo=UTC))) as virtual:
        assert use(takings, row, 5) == 2
        assert isinstance(virtual, VirtualClock)
        virtual.advance(1)
        assert use(takings, row, 5) == 2


def test_a_rotated_key_goes_on_with_the_quota_of_its_line(virtual_clock: VirtualClock) -> None:
    old, takings = make_api_key(monthly_quota=10), QuotaTakings()
    assert use(takings, old.row, 6) == 6
    new = rotate_api_key(api_key=old.row, overlap=timedelta(days=1))
    assert use(takings, new.row, 6) == 4
    assert used_of_quota(new.row) == used_of_quota(old.row) == 10


def test_two_keys_of_a_line_with_different_quotas_use_no_more_than_is_asked_for(virtual_clock: VirtualClock) -> None:
    old, takings = make_api_key(monthly_quota=10_000), QuotaTakings()
    new = rotate_api_key(api_key=old.row, overlap=timedelta(days=1)).row
    new = update_api_key(api_key=new, monthly_quota=20_000)
    for _ in range(10):
        assert use(takings, old.row, 1) == use(takings, new, 1) == 1
    takings.give_back()
    assert used_of_quota(new) == 20


def test_a_quota_given_later_counts_what_was_used_before(virtual_clock: VirtualClock) -> None:
    row = make_api_key().row
    ApiKeyUsage.objects.create(api_key=row, day=JANUARY_5, requests=8)
    ApiKeyUsage.objects.create(api_key=row, day=date(2025, 12, 31), requests=90)
    row = update_api_key(api_key=row, monthly_quota=10)
    assert used_of_quota(row) == 8
    assert use(QuotaTakings(), row, 5) == 2


def test_a_higher_quota_holds_at_once(virtual_clock: VirtualClock) -> None:
    row, takings = make_api_key(monthly_quota=2).row, QuotaTakings()
    assert use(takings, row, 5) == 2
    row = update_api_key(api_key=row, monthly_quota=4)
    assert use(takings, row, 5) == 2

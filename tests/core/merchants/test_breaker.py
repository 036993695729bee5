"""The circuit breaker: opens after silence, lets one probe through, closes on an answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.breaker import (
    FAILURES_TO_OPEN,
    admit,
    close_breaker,
    record_answer,
    record_silence,
    seconds_closed_to_calls,
)
from majuu_core.merchants.models import ProviderAccount
from majuu_core.testing.factories import make_provider_account


@pytest.fixture
def account(db: None, virtual_clock: VirtualClock) -> ProviderAccount:
    return make_provider_account()


def fresh(account: ProviderAccount) -> ProviderAccount:
    """The account as another process reads it."""
    return ProviderAccount.objects.get(pk=account.pk)


def fail(account: ProviderAccount, times: int) -> None:
    for _ in range(times):
        record_silence(account, "timed out")


def test_it_opens_with_the_fifth_silence_in_a_row(account: ProviderAccount) -> None:
    fail(account, FAILURES_TO_OPEN - 1)
    assert admit(fresh(account))
    fail(account, 1)
    other = fresh(account)
    assert (other.breaker, other.breaker_reason, admit(other)) == ("open", "timed out", False)
    assert seconds_closed_to_calls(other) == 30
    assert AuditEntry.objects.filter(action="provider_account.paused").count() == 1


def test_an_answer_in_between_begins_anew(account: ProviderAccount) -> None:
    fail(account, FAILURES_TO_OPEN - 1)
    record_answer(account)
    fail(account, FAILURES_TO_OPEN - 1)
    assert fresh(account).breaker == "closed"


def test_answers_of_a_healthy_account_write_nothing(account: ProviderAccount, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert admit(account)
        record_answer(account)


def test_after_the_pause_one_caller_probes(account: ProviderAccount, virtual_clock: VirtualClock) -> None:
    fail(account, FAILURES_TO_OPEN)
    virtual_clock.advance(30)
    first, second = fresh(account), fresh(account)
    assert (admit(first), admit(second)) == (True, False)
    assert not admit(fresh(account))
    record_answer(first)
    after = fresh(account)
    assert (after.breaker, after.breaker_failures, after.breaker_until, admit(after)) == ("closed", 0, None, True)
    assert AuditEntry.objects.filter(action="provider_account.resumed").count() == 1


def test_each_probe_without_answer_doubles_the_pause_up_to_ten_minutes(
    account: ProviderAccount, virtual_clock: VirtualClock
) -> None:
    fail(account, FAILURES_TO_OPEN)
    pauses = []
    for _ in range(7):
        pauses.append(seconds_closed_to_calls(fresh(account)))
        virtual_clock.advance(pauses[-1])
        probing = fresh(account)
        assert admit(probing)
        record_silence(probing, "timed out")
    assert pauses == [30, 60, 120, 240, 480, 600, 600]


def test_a_probe_that_died_gives_its_turn_back(account: ProviderAccount, virtual_clock: VirtualClock) -> None:
    fail(account, FAILURES_TO_OPEN)
    virtual_clock.advance(30)
    assert admit(fresh(account))
    virtual_clock.advance(59)
    assert not admit(fresh(account))
    virtual_clock.advance(1)
    assert admit(fresh(account))


def test_a_straggler_that_fails_while_it_is_open_moves_nothing(account: ProviderAccount) -> None:
    fail(account, FAILURES_TO_OPEN)
    until = fresh(account).breaker_until
    fail(fresh(account), 1)
    assert fresh(account).breaker_until == until == clock.now() + timedelta(seconds=30)


def test_many_that_were_under_way_when_it_opened_make_no_pause_longer(
    account: ProviderAccount, virtual_clock: VirtualClock
) -> None:
    fail(account, FAILURES_TO_OPEN + 20)
    virtual_clock.advance(30)
    probing = fresh(account)
    assert admit(probing)
    record_silence(probing, "timed out")
    assert seconds_closed_to_calls(fresh(account)) == 60


def test_a_person_may_end_the_pause(account: ProviderAccount) -> None:
    fail(account, FAILURES_TO_OPEN)
    assert close_breaker(account=account).breaker == "closed"
    assert admit(fresh(account))


def test_reasons_hold_no_secrets(account: ProviderAccount) -> None:
    for _ in range(FAILURES_TO_OPEN):
        record_silence(account, "refused: Authorization: Bearer abc123secretabc123secret")
    assert "abc123secret" not in fresh(account).breaker_reason

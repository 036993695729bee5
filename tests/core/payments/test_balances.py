"""Balances: asked once a period, told now or later, believed only where we asked, watched against a limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.alerts import open_alerts
from majuu_core.payments.balances import (
    ANSWER_WITHIN,
    give_up_unanswered,
    request_balances,
    request_due_balances,
)
from majuu_core.payments.models import Alert, BalanceLine, BalanceSnapshot
from majuu_core.providers import BalanceAnswer, InvalidCredentials, OutcomeUnknown
from majuu_core.testing.factories import make_provider_account
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_core.webhooks.models import InboundWebhook
from majuu_core.webhooks.watching import watch
from tests.core.payments.talker import UTILITY, Talker, tell

pytestmark = pytest.mark.django_db
Status = BalanceSnapshot.Status


def the_webhook() -> InboundWebhook:
    process_waiting()
    return InboundWebhook.objects.latest("pk")


def lines(snapshot: BalanceSnapshot) -> list[tuple[str, str, Decimal, Decimal | None]]:
    return list(snapshot.lines.order_by("pk").values_list("name", "currency", "current", "available"))


def test_balances_told_at_once_are_written_down(virtual_clock: VirtualClock, db: None) -> None:
    """given a provider that answers at once / when it is asked / then every account it named is there."""
    snapshot = request_balances(account=make_provider_account())

    assert (snapshot.status, snapshot.reported_at) == (Status.REPORTED, virtual_clock.now())
    assert lines(snapshot) == [
        ("Main", "KES", Decimal(50000), Decimal(50000)),
        ("Payouts", "KES", Decimal(20000), Decimal(12500)),
    ]
    assert list(AuditEntry.objects.filter(object_id=snapshot.public_id).values_list("action", flat=True)) == [
        "balance_snapshot.requested",
        "balance_snapshot.reported",
    ]


def test_balances_told_later_belong_to_the_question_that_asked(talker: ProviderAccount) -> None:
    """given an acknowledged question / when the answer comes by webhook / then it is taken, once."""
    snapshot = request_balances(account=talker)
    assert (snapshot.status, snapshot.provider_reference) == (Status.REQUESTED, "AG_1")
    assert Talker.asked[0].reference == snapshot.public_id
    assert Talker.asked[0].webhook_url.endswith("/balance")

    assert tell(talker, "AG_1", lines={UTILITY: "900.50"}).status_code == 200
    assert the_webhook().state == "applied"
    snapshot.refresh_from_db()
    assert snapshot.status == Status.REPORTED
    assert lines(snapshot) == [(UTILITY, "KES", Decimal("900.5"), Decimal("900.5"))]

    tell(talker, "AG_1", id="another", lines={UTILITY: "1.00"})
    assert the_webhook().state == "duplicate"
    assert lines(snapshot) == [(UTILITY, "KES", Decimal("900.5"), Decimal("900.5"))]


@pytest.mark.parametrize("reference", ["AG_9", ""])
def test_a_report_nobody_asked_for_is_parked(talker: ProviderAccount, reference: str) -> None:
    """given a question / when somebody reports under another reference / then a person decides."""
    request_balances(account=talker)
    tell(talker, reference, id="x", lines={UTILITY: "1.00"})

    assert the_webhook().state == "parked"
    assert BalanceLine.objects.count() == 0
    assert BalanceSnapshot.objects.get().status == Status.REQUESTED


def test_a_report_for_another_account_is_parked(talker: ProviderAccount) -> None:
    """given a question of one account / when its answer comes to another account's address / then it is not taken."""
    request_balances(account=talker)
    other = make_provider_account(provider="talker", name="Other")
    tell(other, "AG_1", lines={UTILITY: "1.00"})

    assert the_webhook().state == "parked"
    assert BalanceLine.objects.count() == 0


def test_an_answer_before_its_acknowledgement_waits(talker: ProviderAccount, virtual_clock: VirtualClock) -> None:
    """given an answer that overtakes the acknowledgement / when both are written / then the answer is applied."""
    snapshot = BalanceSnapshot.objects.create(provider_account=talker, livemode=False)
    tell(talker, "AG_7", lines={UTILITY: "5.00"})
    assert the_webhook().state == "received"

    BalanceSnapshot.objects.filter(pk=snapshot.pk).update(provider_reference="AG_7")
    virtual_clock.advance(timedelta(seconds=5))
    assert the_webhook().state == "applied"
    assert BalanceSnapshot.objects.get().status == Status.REPORTED


def test_a_refused_question_fails_with_its_reason(talker: ProviderAccount) -> None:
    """given a question / when the provider reports a failure / then the snapshot has failed and says why."""
    snapshot = request_balances(account=talker)
    tell(talker, "AG_1")

    assert the_webhook().state == "applied"
    snapshot.refresh_from_db()
    assert (snapshot.status, snapshot.message) == (Status.FAILED, "Not allowed to ask.")


def test_a_notice_that_it_takes_longer_decides_nothing(talker: ProviderAccount) -> None:
    """given a question / when a notice comes before the answer / then the question stays open until the answer."""
    snapshot = request_balances(account=talker)
    tell(talker, "AG_1", id="notice", takes_longer=True)
    assert the_webhook().state == "applied"
    snapshot.refresh_from_db()
    assert snapshot.status == Status.REQUESTED
    tell(talker, "AG_1", lines={UTILITY: "5.00"})
    assert the_webhook().state == "applied"
    snapshot.refresh_from_db()
    assert snapshot.status == Status.REPORTED


def test_an_answer_that_names_no_account_is_a_failure(talker: ProviderAccount) -> None:
    """given a question / when the answer is good and empty / then the snapshot has failed: nothing is not nought."""
    snapshot = request_balances(account=talker)
    tell(talker, "AG_1", lines={})
    assert the_webhook().state == "applied"
    snapshot.refresh_from_db()
    assert (snapshot.status, snapshot.message) == (Status.FAILED, "The provider named no account.")


def test_no_answer_is_a_failure_and_a_late_one_is_taken(talker: ProviderAccount, virtual_clock: VirtualClock) -> None:
    """given a question nobody answers for an hour / when the answer comes after all / then it counts."""
    snapshot = request_balances(account=talker)
    virtual_clock.advance(ANSWER_WITHIN)
    assert give_up_unanswered() == 0
    virtual_clock.advance(timedelta(seconds=1))
    assert (give_up_unanswered(), give_up_unanswered()) == (1, 0)
    snapshot.refresh_from_db()
    assert (snapshot.status, snapshot.message) == (Status.FAILED, "The provider never answered.")

    tell(talker, "AG_1", lines={UTILITY: "5.00"})
    assert the_webhook().state == "applied"
    snapshot.refresh_from_db()
    assert (snapshot.status, snapshot.message) == (Status.REPORTED, "")


@pytest.mark.parametrize(
    ("told", "message", "health"),
    [
        (OutcomeUnknown("no answer: ReadTimeout"), "no answer: ReadTimeout", "unchecked"),
        (InvalidCredentials("wrong key"), "The provider refused the account's credentials.", "unhealthy"),
        (RuntimeError("a bug"), "a bug", "unchecked"),
        (BalanceAnswer(balances=None), "The provider gave no reference under which it will answer.", "unchecked"),
    ],
)
def test_a_question_without_answer_says_why(talker: ProviderAccount, told: Any, message: str, health: str) -> None:
    """given a provider in trouble / when it is asked / then the snapshot has failed and nothing is raised."""
    Talker.answers = [told]
    snapshot = request_balances(account=talker)

    assert (snapshot.status, snapshot.message) == (Status.FAILED, message)
    talker.refresh_from_db()
    assert talker.health == health


def test_a_provider_that_does_not_tell_is_not_asked(talker: ProviderAccount) -> None:
    """given an account at a provider without balances / when asked for / then it is refused."""
    talker.provider = "gone"
    with pytest.raises(Conflict, match="does not tell balances"):
        request_balances(account=talker)
    assert BalanceSnapshot.objects.count() == 0


def test_every_account_is_asked_once_a_period(talker: ProviderAccount, virtual_clock: VirtualClock) -> None:
    """given two accounts, one switched off / when the worker looks often / then one question an hour is asked."""
    make_provider_account(provider="talker", name="Off", store=talker.store)
    ProviderAccount.objects.filter(name="Off").update(is_active=False)

    assert [request_due_balances() for _ in range(3)] == [1, 0, 0]
    virtual_clock.advance(timedelta(minutes=61))
    assert [request_due_balances() for _ in range(2)] == [1, 0]
    assert [query.reference for query in Talker.asked] == [
        snapshot.public_id for snapshot in BalanceSnapshot.objects.order_by("pk")
    ]


@pytest.mark.parametrize(("minutes", "asked"), [(0, 0), (5, 12), (60, 1)])
def test_the_setting_says_how_often(
    talker: ProviderAccount, virtual_clock: VirtualClock, settings: Any, minutes: int, asked: int
) -> None:
    """given MAJUU_BALANCE_MINUTES / when an hour passes / then that many questions were asked."""
    settings.MAJUU_BALANCE_MINUTES = minutes
    for _ in range(60):
        request_due_balances()
        virtual_clock.advance(timedelta(minutes=1))
    assert len(Talker.asked) == asked


def test_two_workers_ask_once(talker: ProviderAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    """given a worker that saw the account as due / when another one was faster / then it is asked once."""
    from majuu_core.payments import balances

    first = balances._ask_for_period
    seen: list[int] = []

    def overtaken(account: ProviderAccount, start: Any) -> int:
        seen.append(first(account, start))  # the other worker
        return first(account, start)

    monkeypatch.setattr(balances, "_ask_for_period", overtaken)
    assert request_due_balances() == 0
    assert seen == [1]
    assert len(Talker.asked) == 1


# --- Limits ----------------------------------------------------------------------------------------------------------


def report(account: ProviderAccount, virtual_clock: VirtualClock, **amounts: str) -> None:
    virtual_clock.advance(timedelta(minutes=1))
    request_balances(account=account)
    tell(account, f"AG_{len(Talker.asked)}", lines={name.replace("_", " "): amount for name, amount in amounts.items()})
    assert the_webhook().state == "applied"


def test_each_fall_below_the_limit_is_one_alert(
    talker: ProviderAccount, virtual_clock: VirtualClock, settings: Any
) -> None:
    """given a limit of 1000 / when the balance falls, stays, rises and falls again / then two alerts, one now open."""
    settings.MAJUU_LOW_BALANCE = {"talker/KES": {UTILITY: 1000}}
    settings.MAJUU_ALERT_EMAILS = ["ops@example.com"]

    report(talker, virtual_clock, Utility_Account="1000.00")
    assert Alert.objects.count() == 0  # at the limit is not below it
    for amount in ("999.99", "999.00", "10.00"):
        report(talker, virtual_clock, Utility_Account=amount)
        watch()
    assert Alert.objects.count() == 1
    assert len(mail.outbox) == 1

    report(talker, virtual_clock, Utility_Account="5000.00")
    assert open_alerts().count() == 0
    report(talker, virtual_clock, Utility_Account="999.50")
    watch()
    assert Alert.objects.count() == 2
    alert = open_alerts().get()
    assert (alert.kind, alert.subject) == ("low_balance", f"{talker.public_id}/KES/{UTILITY}")
    assert alert.title == "Low balance: Paybill, Utility Account"
    assert alert.detail.startswith("KES 999.50 can be spent; the limit is 1,000.00.")
    assert [letter.subject for letter in mail.outbox] == ["Majuu: Low balance: Paybill, Utility Account"] * 2


def test_a_plain_limit_is_about_all_that_can_be_spent(
    talker: ProviderAccount, virtual_clock: VirtualClock, settings: Any
) -> None:
    """given one limit for everything / when charges are below zero / then they make nothing smaller."""
    settings.MAJUU_LOW_BALANCE = {"talker/KES": "1000"}
    report(talker, virtual_clock, Working="400.00", Utility="600.00", Charges="-300.00")
    assert open_alerts().count() == 0
    report(talker, virtual_clock, Working="400.00", Utility="599.99", Charges="-300.00")
    assert open_alerts().get().title == "Low balance: Paybill, all accounts"


def test_an_accounts_own_limit_stands_in_for_the_providers(
    talker: ProviderAccount, virtual_clock: VirtualClock, settings: Any
) -> None:
    """given a limit for the account and one for the provider / when reported / then the account's counts."""
    settings.MAJUU_LOW_BALANCE = {"talker/KES": "1000", f"{talker.public_id}/KES": "10"}
    report(talker, virtual_clock, Utility="500.00")
    assert open_alerts().count() == 0


def test_an_account_missing_from_the_report_says_nothing(
    talker: ProviderAccount, virtual_clock: VirtualClock, settings: Any
) -> None:
    """given a limit for the utility account / when the report leaves it out / then nobody is alarmed."""
    settings.MAJUU_LOW_BALANCE = {"talker/KES": {UTILITY: 1000}}
    report(talker, virtual_clock, Working="1.00")
    assert Alert.objects.count() == 0


def test_a_limit_that_is_lifted_clears_its_alert(
    talker: ProviderAccount, virtual_clock: VirtualClock, settings: Any
) -> None:
    """given an open alert / when the limit is taken out of the settings / then the next look clears it."""
    settings.MAJUU_LOW_BALANCE = {"talker/KES": "1000"}
    report(talker, virtual_clock, Utility="1.00")
    settings.MAJUU_LOW_BALANCE = {}
    assert watch() == 1
    alert = Alert.objects.get()
    assert (alert.open_key, alert.cleared_at) == (None, virtual_clock.now())


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_sixteen_workers_ask_each_account_once(temporary_plugin: Callable[[object], object]) -> None:
    """given sixteen workers at the same moment / when balances are due / then each account was asked once."""
    from tests.core.payments.talker import TalkerPlugin
    from tests.core.races.threads import answers, at_once

    temporary_plugin(TalkerPlugin())
    asked: list[str] = []
    guard = threading.Lock()

    def note(self: FakeProvider, query: Any) -> BalanceAnswer:
        with guard:
            asked.append(query.reference)
        return BalanceAnswer(balances=None, provider_reference=f"AG_{query.reference}")

    accounts = [make_provider_account(provider="talker") for _ in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Talker, "request_balances", note)
        done = answers(at_once([request_due_balances] * 16))

    assert sum(done) == len(accounts)
    assert len(asked) == len(set(asked)) == len(accounts)
    assert BalanceSnapshot.objects.count() == len(accounts)

"""What staff are told of: once, until it is over. No callbacks, refused credentials, no decisions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import deactivate_provider_account, record_health
from majuu_core.payments.alerts import Trouble, keep_alerts, mail_new_alerts, open_alerts, raise_alert
from majuu_core.payments.captures import capture_payment_intent
from majuu_core.payments.models import Alert, Charge, PaymentIntent, ProviderCall
from majuu_core.testing.factories import make_provider_account
from majuu_core.webhooks.models import InboundWebhook
from majuu_core.webhooks.watching import watch
from tests.core.payments.support import Till

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(virtual_clock: VirtualClock, db: None) -> Till:
    return Till()


def start_charge(till: Till, *, status: int = 200) -> Charge:
    """A charge that the provider took on over HTTP."""
    _, charge = till.pay_new()
    ProviderCall.objects.create(
        provider_account=till.account,
        charge=charge,
        operation="push",
        method="POST",
        url="https://provider.example/push",
        status=status,
        started_at=clock.now(),
        duration_ms=5,
    )
    return charge


def callback(till: Till, **fields: Any) -> InboundWebhook:
    return InboundWebhook.objects.create(
        method="POST",
        path="/in/x/…",
        body=b"{}",
        remote_addr="196.201.214.200",
        **{"provider_account": till.account, "state": "applied", **fields},
    )


def kinds() -> list[tuple[str, str]]:
    return sorted(open_alerts().values_list("kind", "subject"))


def silence(till: Till) -> list[tuple[str, str]]:
    return [("callback_silence", till.account.public_id)]


# --- Silence ---------------------------------------------------------------------------------------------------------


def test_payments_without_callbacks_alarm_after_fifteen_minutes(till: Till, virtual_clock: VirtualClock) -> None:
    """given three payments taken on / when no callback comes for 15 minutes / then one alert, until one comes."""
    for _ in range(3):
        start_charge(till)
    virtual_clock.advance(timedelta(minutes=14, seconds=59))
    assert (watch(), kinds()) == (0, [])
    virtual_clock.advance(timedelta(seconds=1))
    watch()
    assert kinds() == silence(till)
    assert watch() == 0
    detail = open_alerts().get().detail
    assert detail.startswith("3 payments since ")
    assert f"majuu_check_account {till.account.public_id} --callback" in detail

    virtual_clock.advance(timedelta(minutes=1))
    callback(till)
    assert (watch(), kinds()) == (1, [])
    assert Alert.objects.count() == 1


def test_silence_is_not_over_because_nobody_pays(till: Till, virtual_clock: VirtualClock) -> None:
    """given an alert of silence / when hours pass without payments / then it stays until a callback comes."""
    for _ in range(3):
        start_charge(till)
    virtual_clock.advance(timedelta(minutes=20))
    watch()
    for _ in range(6):
        virtual_clock.advance(timedelta(hours=1))
        watch()
        assert kinds() == silence(till)
    callback(till)
    virtual_clock.advance(timedelta(hours=1))
    watch()
    assert kinds() == []


@pytest.mark.parametrize(
    "case",
    ["two payments", "customers are still busy", "never answered", "no HTTP", "a callback since", "off", "set to 0"],
)
def test_what_is_no_silence(till: Till, virtual_clock: VirtualClock, settings: Any, case: str) -> None:
    """given payments / when what is missing says nothing / then nobody is alarmed."""
    if case == "set to 0":
        settings.MAJUU_CALLBACK_SILENCE = 0
    for _ in range(2 if case == "two payments" else 3):
        if case == "no HTTP":
            till.pay_new()
        else:
            start_charge(till, status=500 if case == "never answered" else 200)
    if case == "a callback since":
        callback(till)
    if case == "off":
        deactivate_provider_account(account=till.account)
    virtual_clock.advance(timedelta(minutes=1 if case == "customers are still busy" else 16))
    watch()
    assert kinds() == []


@pytest.mark.parametrize("fields", [{"topic": "selftest"}, {"state": "rejected"}])
def test_our_own_test_and_refused_messages_do_not_end_the_silence(
    till: Till, virtual_clock: VirtualClock, fields: dict[str, str]
) -> None:
    """given silence / when only a self-test or a refused message arrives / then it is still silence."""
    for _ in range(3):
        start_charge(till)
    virtual_clock.advance(timedelta(minutes=16))
    callback(till, **fields)
    watch()
    assert kinds() == silence(till)
    refused = "1 were refused at the door" in open_alerts().get().detail
    assert refused is (fields.get("state") == "rejected")


def test_one_accounts_callbacks_say_nothing_about_another(till: Till, virtual_clock: VirtualClock) -> None:
    """given two accounts / when only the other one is called back / then the silent one is named."""
    other = Till()
    for _ in range(3):
        start_charge(till)
        start_charge(other)
    virtual_clock.advance(timedelta(minutes=10))
    callback(other)
    virtual_clock.advance(timedelta(minutes=6))
    watch()
    assert kinds() == silence(till)


def test_looking_costs_the_same_for_one_account_and_twenty(till: Till, virtual_clock: VirtualClock) -> None:
    """given accounts that are in order / when looked at / then the queries do not grow with them."""

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            watch()
        return len(asked)

    start_charge(till)
    one = queries()
    for _ in range(20):
        start_charge(Till())
    assert queries() == one


# --- Credentials and decisions ---------------------------------------------------------------------------------------


def test_refused_credentials_alarm_until_they_are_taken(till: Till, virtual_clock: VirtualClock) -> None:
    """given a healthy account / when its credentials are refused, then taken / then one alert, raised and cleared."""
    record_health(account=till.account, healthy=False, message="wrong key")
    watch()
    assert kinds() == [("unhealthy", till.account.public_id)]
    assert "The provider said: wrong key." in open_alerts().get().detail
    record_health(account=till.account, healthy=True)
    assert (watch(), kinds()) == (1, [])
    entries = AuditEntry.objects.filter(object_id=Alert.objects.get().public_id).order_by("pk")
    assert list(entries.values_list("action", "store_id")) == [
        ("alert.raised", till.store.pk),
        ("alert.cleared", till.store.pk),
    ]


def test_what_is_parked_for_a_day_alarms_by_table_and_mode(till: Till, virtual_clock: VirtualClock) -> None:
    """given a parked payment and messages / when a day has passed / then each table has one alert; decided, none."""
    till.pay_new("7751")  # the provider names another amount
    callback(till, state="parked")
    callback(till, state="parked", provider_account=None)
    virtual_clock.advance(timedelta(hours=23, minutes=59))
    watch()
    assert kinds() == []
    virtual_clock.advance(timedelta(minutes=2))
    watch()
    assert kinds() == [
        ("parked", "charges/test"),
        ("parked", "payments/test"),
        ("parked", "webhooks/live"),  # for no account that we know: it may be about real money
        ("parked", "webhooks/test"),
    ]
    InboundWebhook.objects.update(state="applied")
    Charge.objects.update(is_parked=False)
    PaymentIntent.objects.update(is_parked=False)
    watch()
    assert kinds() == []


# --- Alerts ----------------------------------------------------------------------------------------------------------


def trouble(account: ProviderAccount | None = None, subject: str = "thing") -> Trouble:
    return Trouble(subject=subject, title="Trouble", detail="Do this.", livemode=False, account=account)


def test_an_alert_is_raised_once_and_again_after_it_was_over() -> None:
    """given an open alert / when the same is seen / then nothing; when it was over and comes back / then a new one."""
    assert raise_alert(kind="parked", trouble=trouble()) is True
    assert raise_alert(kind="parked", trouble=trouble()) is False
    assert raise_alert(kind="parked", trouble=trouble(subject="Thing")) is True  # texts compare letter by letter
    assert keep_alerts(kind="parked", troubles=()) == 2
    assert keep_alerts(kind="parked", troubles=[trouble()]) == 1
    assert keep_alerts(kind="parked", troubles=[trouble()]) == 0
    assert Alert.objects.count() == 3
    assert AuditEntry.objects.filter(action="alert.raised").count() == 3
    assert AuditEntry.objects.filter(action="alert.cleared").count() == 2


def test_one_letter_tells_of_all_new_alerts(settings: Any, virtual_clock: VirtualClock) -> None:
    """given two alerts / when mail is sent twice / then one letter with both, to everybody in the setting."""
    settings.MAJUU_ALERT_EMAILS = ["a@example.com", "b@example.com"]
    raise_alert(kind="parked", trouble=trouble(subject="x"))
    virtual_clock.advance(timedelta(seconds=1))
    raise_alert(kind="parked", trouble=trouble(subject="y"))

    assert (mail_new_alerts(), mail_new_alerts()) == (2, 0)
    (letter,) = mail.outbox
    assert letter.to == ["a@example.com", "b@example.com"]
    assert letter.subject == "Majuu: Trouble and 1 more"
    assert letter.body.count("Do this.") == 2
    assert letter.body.endswith("What is open now: http://testserver/console/\n")


def test_admins_are_written_to_without_the_setting(settings: Any) -> None:
    """given ADMINS as Django wants them / when there is an alert / then they get the letter."""
    settings.ADMINS = [("Asha", "asha@example.com")]
    raise_alert(kind="parked", trouble=trouble())
    assert mail_new_alerts() == 1
    assert mail.outbox[0].to == ["asha@example.com"]


@pytest.mark.parametrize("problem", [OSError("down"), RuntimeError("an error of the mail service's own package")])
def test_a_letter_that_cannot_be_sent_is_tried_again(
    settings: Any, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    """given a mail server that is down / when it works again / then the letter is sent, once."""
    settings.MAJUU_ALERT_EMAILS = ["a@example.com"]
    raise_alert(kind="parked", trouble=trouble())
    with monkeypatch.context() as patch:
        patch.setattr("majuu_core.payments.alerts.send_mail", lambda *args: (_ for _ in ()).throw(problem))
        assert mail_new_alerts() == 0
    assert (mail_new_alerts(), len(mail.outbox)) == (1, 1)


def test_what_is_over_before_it_was_told_is_not_written_about(settings: Any) -> None:
    """given an alert that is over / when mail is sent / then nobody is written to."""
    settings.MAJUU_ALERT_EMAILS = ["a@example.com"]
    raise_alert(kind="parked", trouble=trouble())
    keep_alerts(kind="parked", troubles=())
    assert (mail_new_alerts(), len(mail.outbox)) == (0, 0)


def test_an_alert_keeps_to_the_mode_of_its_account() -> None:
    """given a test account / when an alert says live / then the database refuses it."""
    from django.db import DatabaseError, transaction

    with pytest.raises(DatabaseError), transaction.atomic():
        Alert.objects.create(
            kind="parked", subject="x", livemode=True, provider_account=make_provider_account(), title="t", detail="d"
        )
    assert Alert.objects.count() == 0


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_sixteen_workers_one_raises_and_one_writes(settings: Any) -> None:
    """given sixteen workers that see one trouble / when they raise, mail and clear at once / then each happens once."""
    from tests.core.races.threads import answers, at_once

    settings.MAJUU_ALERT_EMAILS = ["a@example.com"]
    account = make_provider_account()
    found = [trouble(account)]
    assert sum(answers(at_once([lambda: keep_alerts(kind="parked", troubles=found)] * 16))) == 1
    assert sum(answers(at_once([mail_new_alerts] * 16))) == 1
    assert sum(answers(at_once([lambda: keep_alerts(kind="parked", troubles=())] * 16))) == 1
    assert Alert.objects.count() == 1
    assert AuditEntry.objects.filter(action__startswith="alert.").count() == 2


def test_an_authorization_alarms_a_day_before_it_lapses(till: Till, virtual_clock: VirtualClock) -> None:
    """given money held for a week / when a day is left / then one alert, until it is captured."""
    intent, charge = till.pay(till.intent("1500", capture_method="manual"))
    Charge.objects.filter(pk=charge.pk).update(capture_before=virtual_clock.now() + timedelta(days=7))
    watch()
    assert kinds() == []
    virtual_clock.advance(timedelta(days=6))
    Charge.objects.filter(pk=charge.pk).update(follow_up_at=virtual_clock.now() + timedelta(days=1, minutes=1))
    watch()
    assert kinds() == [("lapsing", charge.public_id)]
    assert "Capture it, or cancel the payment intent." in open_alerts().get().detail
    capture_payment_intent(intent=intent)
    watch()
    assert kinds() == []

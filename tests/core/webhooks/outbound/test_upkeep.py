"""Warning about failing endpoints, disabling them after five days, and tidying up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.events.models import Event
from majuu_core.merchants.models import Membership, Store
from majuu_core.testing.factories import make_user
from majuu_core.webhooks import outbound_upkeep
from majuu_core.webhooks.deliverer import deliver_due
from majuu_core.webhooks.dispatch import dispatch_due
from majuu_core.webhooks.endpoints import Created, disable_webhook_endpoint, rotate_secret
from majuu_core.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookSecret
from majuu_core.webhooks.outbound_upkeep import has_overdue, look_after_endpoints, notify_failing, purge_attempts
from tests.core.webhooks.outbound.conftest import MakeEvent
from tests.core.webhooks.outbound.receiver import Receiver, Reply

HOUR = timedelta(hours=1)
STEP = 4  # hours from one event to the next


@pytest.fixture
def owners(store: Store) -> None:
    for email, role in (
        ("amina@duka.example", Membership.Role.OWNER),
        ("baraka@duka.example", Membership.Role.OWNER),
        ("dev@duka.example", Membership.Role.DEVELOPER),
    ):
        Membership.objects.create(merchant=store.merchant, user=make_user(email=email), role=role)


def the_endpoint() -> WebhookEndpoint:
    return WebhookEndpoint.objects.get()


def live_for(hours: int, clock: VirtualClock, make_event: MakeEvent) -> None:
    """An event every four hours, and the worker's work."""
    for _ in range(hours // STEP):
        make_event()
        dispatch_due()
        deliver_due()
        look_after_endpoints()
        clock.advance(STEP * HOUR)


@pytest.mark.usefixtures("owners")
def test_mail_to_the_owners_at_24_hours_and_disabled_after_five_days(
    virtual_clock: VirtualClock, receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given an endpoint that only fails / when five days pass / then a letter after one day, and the end after five."""
    receiver.default = Reply(status=500)

    live_for(24, virtual_clock, make_event)
    assert mail.outbox == []
    live_for(STEP, virtual_clock, make_event)
    assert sorted(address for letter in mail.outbox for address in letter.to) == [
        "amina@duka.example",
        "baraka@duka.example",
    ]
    assert created.endpoint.url in mail.outbox[0].body
    live_for(92, virtual_clock, make_event)
    assert (the_endpoint().status, len(mail.outbox)) == ("enabled", 2)
    live_for(STEP, virtual_clock, make_event)

    endpoint = the_endpoint()
    assert (endpoint.status, endpoint.disabled_reason) == ("disabled", "It failed for five days without one success.")
    assert endpoint.failing_since is not None
    assert endpoint.disabled_at is not None
    assert endpoint.disabled_at - endpoint.failing_since == timedelta(days=5)
    assert len(mail.outbox) == 4
    assert "switched off" in mail.outbox[-1].subject
    assert AuditEntry.objects.filter(action="webhook_endpoint.disabled").count() == 1
    assert not WebhookDelivery.objects.filter(state="pending").exists()
    assert Event.objects.filter(type="payment_intent.succeeded").count() == 31  # every event is kept


@pytest.mark.usefixtures("owners")
def test_one_success_in_five_days_keeps_the_endpoint(
    virtual_clock: VirtualClock, receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given an endpoint that fails but for one message a day / when six days pass / then no letter, and enabled."""
    for _ in range(6):
        receiver.default = Reply(status=500)
        live_for(20, virtual_clock, make_event)
        receiver.default = Reply(status=200)
        live_for(STEP, virtual_clock, make_event)

    assert the_endpoint().status == "enabled"
    assert mail.outbox == []


@pytest.mark.usefixtures("owners")
def test_one_failure_long_ago_is_not_five_days_of_failure(
    virtual_clock: VirtualClock, receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given one failure and then silence / when ten days pass / then nothing happens: nothing failed since."""
    receiver.default = Reply(status=500)
    live_for(STEP, virtual_clock, make_event)
    virtual_clock.advance(timedelta(days=10))

    assert look_after_endpoints() == 0
    assert (the_endpoint().status, mail.outbox) == ("enabled", [])


@pytest.mark.usefixtures("owners")
def test_a_letter_that_cannot_be_sent_is_tried_again(
    virtual_clock: VirtualClock, created: Created, monkeypatch: pytest.MonkeyPatch
) -> None:
    """given a mail server that is away / when the notice fails and later works / then it is sent once."""
    now = virtual_clock.now()
    WebhookEndpoint.objects.update(failing_since=now - timedelta(days=1), last_failure_at=now)

    def refuse(*arguments: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(outbound_upkeep, "send_mail", refuse)
        assert notify_failing() == 0
    assert the_endpoint().notice_sent_at is None

    assert (notify_failing(), notify_failing()) == (1, 0)
    assert len(mail.outbox) == 2


def test_without_an_owner_the_endpoint_is_still_looked_after(virtual_clock: VirtualClock, created: Created) -> None:
    """given a merchant without owners / when its endpoint fails / then the notice counts as given."""
    now = virtual_clock.now()
    WebhookEndpoint.objects.update(failing_since=now - timedelta(days=1), last_failure_at=now)

    assert notify_failing() == 1
    assert (the_endpoint().notice_sent_at, mail.outbox) == (now, [])


def test_deliveries_that_came_back_to_a_disabled_endpoint_are_canceled(
    virtual_clock: VirtualClock, created: Created, make_event: MakeEvent
) -> None:
    """given a delivery that was under way when its endpoint was disabled / when it came back / then it is canceled."""
    make_event()
    dispatch_due()
    WebhookDelivery.objects.update(state="sending")
    disable_webhook_endpoint(endpoint=created.endpoint, reason="test")
    WebhookDelivery.objects.update(state="pending")

    assert (look_after_endpoints(), look_after_endpoints()) == (1, 0)
    assert WebhookDelivery.objects.get().state == "canceled"


def test_secrets_whose_rotation_is_over_are_removed(virtual_clock: VirtualClock, created: Created) -> None:
    """given a rotation / when its overlap ends / then the old secret is deleted, the new one stays."""
    rotate_secret(endpoint=created.endpoint)
    virtual_clock.advance(timedelta(hours=24) - timedelta(seconds=1))
    assert look_after_endpoints() == 0
    virtual_clock.advance(1)

    assert look_after_endpoints() == 1
    assert WebhookSecret.objects.get().expires_at is None


def test_attempts_are_kept_thirty_days(virtual_clock: VirtualClock, created: Created, make_event: MakeEvent) -> None:
    """given attempts of 29, 30 and 31 days ago / when purged / then only the oldest is gone, the delivery stays."""
    make_event()
    dispatch_due()
    delivery, now = WebhookDelivery.objects.get(), virtual_clock.now()
    for number, days in enumerate((29, 30, 31), start=1):
        WebhookAttempt.objects.create(delivery=delivery, number=number, created_at=now - timedelta(days=days))

    assert (purge_attempts(), purge_attempts()) == (1, 0)
    assert sorted(WebhookAttempt.objects.values_list("number", flat=True)) == [1, 2]
    assert WebhookDelivery.objects.exists()


def test_overdue_work_is_noticed_unless_the_endpoint_asked_for_a_pause(
    virtual_clock: VirtualClock, created: Created, make_event: MakeEvent
) -> None:
    """given a delivery nobody sends / when a minute has passed / then it is overdue, but not during a pause."""
    make_event()
    dispatch_due()
    virtual_clock.advance(59)
    assert not has_overdue(timedelta(minutes=1))
    virtual_clock.advance(1)
    assert has_overdue(timedelta(minutes=1))

    WebhookEndpoint.objects.update(throttled_until=virtual_clock.now() + HOUR)

    assert not has_overdue(timedelta(minutes=1))

"""The delivery table under several workers: claims, results that come late, workers that die."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from majuu_core.common.clock import VirtualClock
from majuu_core.events.payloads import body_of
from majuu_core.merchants.models import Store
from majuu_core.webhooks.dispatch import dispatch_due
from majuu_core.webhooks.endpoints import (
    create_webhook_endpoint,
    delete_webhook_endpoint,
    disable_webhook_endpoint,
    rotate_secret,
    update_webhook_endpoint,
)
from majuu_core.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from majuu_core.webhooks.outbound import LEASE, Answer, Job, Result, judge
from majuu_core.webhooks.outbound_store import LOST, DeliveryStore, endpoint_news
from tests.core.webhooks.outbound.conftest import MakeEvent
from tests.core.webhooks.outbound.test_outcomes import make_job

OK = Answer(status=200, duration_ms=12)
FAILED = Answer(status=500, error="", duration_ms=12)


@pytest.fixture
def endpoint(virtual_clock: VirtualClock, store: Store) -> WebhookEndpoint:
    return create_webhook_endpoint(store=store, livemode=False, url="https://shop.example/hook").endpoint


@pytest.fixture
def waiting(endpoint: WebhookEndpoint, make_event: MakeEvent, virtual_clock: VirtualClock) -> list[WebhookDelivery]:
    """Three deliveries, due one second after the other, the last of them now."""
    for _ in range(3):
        make_event()
        dispatch_due()
        virtual_clock.advance(1)
    return list(WebhookDelivery.objects.order_by("next_attempt_at"))


def finish(job: Job, answer: Answer, clock: VirtualClock) -> Result:
    return judge(job, answer, started_at=clock.now())


def claim(endpoint: WebhookEndpoint, count: int = 50) -> list[Job]:
    return DeliveryStore().claim([(endpoint.pk, count)])


def test_a_claim_fixes_the_attempt_number_and_the_lease(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given three due deliveries / when two are claimed / then they are the oldest, numbered, leased and complete."""
    jobs = claim(endpoint, 2)

    assert {job.delivery_id for job in jobs} == {waiting[0].pk, waiting[1].pk}
    assert {job.number for job in jobs} == {1}
    events = {delivery.event.public_id: delivery.event for delivery in waiting}
    for job in jobs:
        assert job.body == body_of(events[job.message_id])
        assert (job.url, len(job.keys), job.is_failing) == ("https://shop.example/hook", 1, False)
    for delivery in WebhookDelivery.objects.filter(pk__in=[job.delivery_id for job in jobs]):
        assert (delivery.state, delivery.attempts, delivery.next_attempt_at) == ("sending", 1, None)
        assert delivery.leased_until == virtual_clock.now() + LEASE


def test_nothing_is_claimed_twice(endpoint: WebhookEndpoint, waiting: list[WebhookDelivery]) -> None:
    """given all deliveries are claimed / when another worker asks / then there is nothing."""
    assert len(claim(endpoint)) == 3
    assert claim(endpoint) == []
    assert DeliveryStore().find_endpoints() == []


def test_what_is_not_due_is_neither_found_nor_claimed(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given deliveries due in an hour / when a worker looks before and after / then it finds them afterwards only."""
    WebhookDelivery.objects.update(next_attempt_at=virtual_clock.now() + timedelta(hours=1))
    store = DeliveryStore()
    assert (store.find_endpoints(), store.claim([(endpoint.pk, 5)])) == ([], [])

    virtual_clock.advance(timedelta(hours=1))

    assert store.find_endpoints() == [endpoint.pk]
    assert len(store.claim([(endpoint.pk, 5)])) == 3


@pytest.mark.parametrize("how", ["disabled", "archived", "paused"])
def test_endpoints_that_are_closed_are_neither_found_nor_claimed(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock, how: str
) -> None:
    """given due deliveries of an endpoint that is disabled, deleted or paused / when a worker looks / then nothing."""
    if how == "paused":
        WebhookEndpoint.objects.update(throttled_until=virtual_clock.now() + timedelta(seconds=1))
    else:
        WebhookEndpoint.objects.update(status=how)

    assert DeliveryStore().find_endpoints() == []
    assert claim(endpoint) == []
    assert WebhookDelivery.objects.filter(state="pending", attempts=0).count() == 3


def test_each_endpoint_gives_no_more_than_was_asked_for(
    store: Store, endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], make_event: MakeEvent
) -> None:
    """given two endpoints with work / when one and two are asked for / then that many come of each."""
    other = create_webhook_endpoint(store=store, livemode=False, url="https://other.example/hook").endpoint
    for _ in range(4):
        make_event()
    dispatch_due()

    jobs = DeliveryStore().claim([(endpoint.pk, 1), (other.pk, 2)])

    assert Counter(job.endpoint_id for job in jobs) == {endpoint.pk: 1, other.pk: 2}
    assert sorted(DeliveryStore().find_endpoints()) == sorted([endpoint.pk, other.pk])


def test_results_are_written_with_their_log(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given three attempts, two good and one bad / when written, twice / then the rows say so, once."""
    store = DeliveryStore()
    first, second, third = store.claim([(endpoint.pk, 5)])
    virtual_clock.advance(2)
    results = [
        finish(first, OK, virtual_clock),
        finish(second, Answer(status=200, body="ok", duration_ms=3), virtual_clock),
        finish(third, Answer(error="no answer within 15 seconds", duration_ms=15000), virtual_clock),
    ]

    store.record(results)
    store.record(results)

    states = {row.pk: (row.state, row.attempts, row.response_status) for row in WebhookDelivery.objects.all()}
    assert states == {
        first.delivery_id: ("succeeded", 1, 200),
        second.delivery_id: ("succeeded", 1, 200),
        third.delivery_id: ("pending", 1, None),
    }
    assert not WebhookDelivery.objects.exclude(leased_until=None).exists()
    log = {row.delivery_id: (row.number, row.response_body, row.error) for row in WebhookAttempt.objects.all()}
    assert log == {
        first.delivery_id: (1, "", ""),
        second.delivery_id: (1, "ok", ""),
        third.delivery_id: (1, "", "no answer within 15 seconds"),
    }
    assert WebhookAttempt.objects.filter(created_at=virtual_clock.now()).count() == 3


def test_a_dead_workers_deliveries_go_back_and_keep_their_log(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given a worker that died after its claim / when the lease ends / then others continue with the next number."""
    store = DeliveryStore()
    (job,) = store.claim([(endpoint.pk, 1)])
    virtual_clock.advance(LEASE - timedelta(seconds=1))
    assert store.recover() == 0
    virtual_clock.advance(1)

    assert (store.recover(), store.recover()) == (1, 0)

    delivery = WebhookDelivery.objects.get(pk=job.delivery_id)
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("pending", 1, LOST)
    again = {item.delivery_id: item.number for item in claim(endpoint)}
    assert again[job.delivery_id] == 2
    assert WebhookAttempt.objects.get().error == LOST


def test_a_result_that_comes_after_the_lease_ended_still_counts_while_nobody_else_has_it(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given a worker that was slow to write / when its delivery was only put back / then its success is taken."""
    store = DeliveryStore()
    (job,) = store.claim([(endpoint.pk, 1)])
    virtual_clock.advance(LEASE)
    store.recover()

    store.record([finish(job, OK, virtual_clock)])

    assert WebhookDelivery.objects.get(pk=job.delivery_id).state == "succeeded"
    attempt = WebhookAttempt.objects.get()
    assert (attempt.number, attempt.response_status, attempt.error) == (1, 200, "")


def test_a_late_result_cannot_undo_what_another_worker_does(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given a delivery that another worker has taken over / when the first writes its failure / then only the log."""
    store = DeliveryStore()
    (job,) = store.claim([(endpoint.pk, 1)])
    virtual_clock.advance(LEASE)
    store.recover()
    second = next(item for item in claim(endpoint) if item.delivery_id == job.delivery_id)
    store.record([finish(second, OK, virtual_clock)])

    store.record([finish(job, FAILED, virtual_clock)])

    delivery = WebhookDelivery.objects.get(pk=job.delivery_id)
    assert (delivery.state, delivery.attempts, delivery.response_status) == ("succeeded", 2, 200)
    log = dict(WebhookAttempt.objects.values_list("number", "response_status"))
    assert log == {1: 500, 2: 200}


def test_released_deliveries_use_their_number_again(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given claimed deliveries that were never sent / when released / then they are as before, due at once."""
    store = DeliveryStore()
    jobs = store.claim([(endpoint.pk, 2)])

    store.release(jobs)
    store.release([])

    assert WebhookDelivery.objects.filter(state="pending", attempts=0, leased_until=None).count() == 3
    assert {job.number for job in store.claim([(endpoint.pk, 5)])} == {1}


def test_releasing_what_another_took_over_changes_nothing(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given a job whose lease ended and that another worker has / when the first releases it / then nothing happens."""
    store = DeliveryStore()
    (job,) = store.claim([(endpoint.pk, 1)])
    virtual_clock.advance(LEASE)
    store.recover()
    claim(endpoint)

    store.release([job])

    delivery = WebhookDelivery.objects.get(pk=job.delivery_id)
    assert (delivery.state, delivery.attempts) == ("sending", 2)


def test_a_delivery_lost_at_its_last_attempt_is_sent_once_more(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given a worker that died during attempt ten / when it is recovered / then there is an eleventh, the last."""
    WebhookDelivery.objects.update(attempts=9)
    store = DeliveryStore()
    (job,) = store.claim([(endpoint.pk, 1)])
    assert job.number == 10
    virtual_clock.advance(LEASE)
    store.recover()

    again = next(item for item in claim(endpoint) if item.delivery_id == job.delivery_id)
    store.record([finish(again, FAILED, virtual_clock)])

    delivery = WebhookDelivery.objects.get(pk=job.delivery_id)
    assert (again.number, delivery.state) == (11, "failed")


def test_changes_of_the_endpoint_are_seen_by_the_next_claim(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery]
) -> None:
    """given a worker that knows an endpoint / when its address and secret change / then the next claim has the new."""
    store = DeliveryStore()
    (before,) = store.claim([(endpoint.pk, 1)])
    update_webhook_endpoint(endpoint=endpoint, url="https://new.example/hook")
    rotate_secret(endpoint=endpoint, overlap=timedelta(0))

    (after,) = store.claim([(endpoint.pk, 1)])

    assert after.url == "https://new.example/hook"
    assert len(before.keys) == len(after.keys) == 1
    assert before.keys != after.keys


def test_an_old_secret_ends_in_memory_too(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given a rotation that a worker remembers / when the overlap ends / then it signs with the new secret only."""
    rotate_secret(endpoint=endpoint, overlap=timedelta(minutes=5))
    store = DeliveryStore()
    (during,) = store.claim([(endpoint.pk, 1)])
    virtual_clock.advance(timedelta(minutes=5))

    (after,) = store.claim([(endpoint.pk, 1)])

    assert len(during.keys) == 2
    assert after.keys == during.keys[:1]


def test_results_of_a_deleted_endpoint_do_no_harm(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given a request under way / when its endpoint is deleted meanwhile / then its result is still written."""
    store = DeliveryStore()
    (job,) = store.claim([(endpoint.pk, 1)])
    delete_webhook_endpoint(endpoint=endpoint)

    store.record([finish(job, OK, virtual_clock)])

    assert WebhookDelivery.objects.get(pk=job.delivery_id).state == "succeeded"
    assert disable_webhook_endpoint(endpoint=endpoint, reason="test") is False


def test_failing_since_is_the_first_failure_and_a_success_in_the_group_clears_it(
    endpoint: WebhookEndpoint, waiting: list[WebhookDelivery], virtual_clock: VirtualClock
) -> None:
    """given failures over an hour / when a group holds a success and a failure / then the endpoint is not failing."""
    store = DeliveryStore()
    begun = virtual_clock.now()
    (job,) = store.claim([(endpoint.pk, 1)])
    store.record([finish(job, FAILED, virtual_clock)])
    virtual_clock.advance(timedelta(hours=1))
    (job,) = store.claim([(endpoint.pk, 1)])
    store.record([finish(job, FAILED, virtual_clock)])

    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.last_failure_at) == (begun, virtual_clock.now())
    jobs = store.claim([(endpoint.pk, 5)])
    assert all(job.is_failing for job in jobs)
    store.record([finish(jobs[0], OK, virtual_clock), finish(jobs[1], FAILED, virtual_clock)])

    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.last_failure_at, endpoint.notice_sent_at) == (None, None, None)


def test_news_of_one_endpoint_are_joined(virtual_clock: VirtualClock) -> None:
    """given several results of an endpoint / when joined / then any success counts and the longest pause stays."""
    job = make_job()
    answers = [
        Answer(status=429, retry_after="60"),
        Answer(status=200),
        Answer(status=503, retry_after="300"),
        Answer(status=500),
    ]

    (news,) = endpoint_news([finish(job, answer, virtual_clock) for answer in answers])

    assert news.succeeded
    assert news.pause_until == virtual_clock.now() + timedelta(seconds=300)


@pytest.mark.postgresql
def test_on_postgresql_each_step_is_one_statement_whatever_its_size(
    endpoint: WebhookEndpoint, make_event: MakeEvent, virtual_clock: VirtualClock
) -> None:
    """given one delivery, then forty / when found, claimed and written / then each takes one statement."""
    store = DeliveryStore()
    store._keys.clear()
    for count in (1, 40):
        for _ in range(count):
            make_event()
        dispatch_due()
        counts = []
        with CaptureQueriesContext(connection) as captured:
            store.find_endpoints()
            counts.append(len(captured))
            jobs = store.claim([(endpoint.pk, 50)])
            counts.append(len(captured))
            store.record([finish(job, OK, virtual_clock) for job in jobs])
            counts.append(len(captured))
        assert len(jobs) == count
        # The very first claim also reads the endpoint's secret.
        assert counts == ([1, 3, 4] if count == 1 else [1, 2, 3])


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_time_never_have_the_same_attempt(
    virtual_clock: VirtualClock, store: Store, make_event: MakeEvent
) -> None:
    """given 300 deliveries / when four workers claim and write at once / then each attempt had one worker."""
    endpoint = create_webhook_endpoint(store=store, livemode=False, url="https://shop.example/hook").endpoint
    for _ in range(300):
        make_event()
    dispatch_due()
    taken: list[tuple[object, int]] = []

    def work() -> None:
        mine = DeliveryStore()
        try:
            while jobs := mine.claim([(endpoint.pk, 7)]):
                taken.extend((job.delivery_id, job.number) for job in jobs)
                mine.record([finish(job, OK, virtual_clock) for job in jobs])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == len(set(taken)) == 300
    assert WebhookDelivery.objects.filter(state="succeeded", attempts=1).count() == 300
    assert WebhookAttempt.objects.count() == 300

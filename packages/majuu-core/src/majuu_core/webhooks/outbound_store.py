"""The delivery table as the deliverer uses it: find work, claim it, write what came of it.

The number of an attempt is fixed by the claim, in the same update that takes the lease. A result counts only while the
delivery still has that number, so nothing that a worker writes late can undo what another did since.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db import connections, router, transaction
from django.db.models import F, Min, Q

from majuu_core.common import clock, ids
from majuu_core.common.crypto import DecryptionError
from majuu_core.events.models import Event
from majuu_core.events.payloads import event_body, represent_moment
from majuu_core.webhooks import outbound_postgresql
from majuu_core.webhooks.endpoints import SigningKey, disable_webhook_endpoint, open_secrets
from majuu_core.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookSecret
from majuu_core.webhooks.outbound import GONE, LEASE, Job, Result, State

LOST = "the worker ended before the answer was recorded"
_RECOVER_AT_ONCE = 500
Want = tuple[uuid.UUID, int]  # an endpoint, and how many of its deliveries may be taken


class Claimed(NamedTuple):
    """What the claim learned about one delivery, in one row."""

    delivery_id: uuid.UUID
    endpoint_id: uuid.UUID
    number: int
    event_id: uuid.UUID
    type: str
    timestamp: str
    livemode: bool
    object_id: str
    data: Mapping[str, Any]
    url: str
    endpoint_version: str  # another one after every change of the endpoint or its secrets
    is_failing: bool


@dataclass(frozen=True, slots=True)
class EndpointNews:
    """What a group of results means for one endpoint."""

    endpoint_id: uuid.UUID
    succeeded: bool
    at: datetime
    pause_until: datetime | None


class DeliveryStore:
    """One worker's access to the table. It remembers opened secrets, so only one thread at a time may claim."""

    def __init__(self) -> None:
        self._using = router.db_for_write(WebhookDelivery)
        self._keys: dict[uuid.UUID, tuple[str, list[SigningKey]]] = {}

    @property
    def _is_postgresql(self) -> bool:
        return connections[self._using].vendor == "postgresql"

    def find_endpoints(self) -> list[uuid.UUID]:
        """The enabled endpoints that have something due and have not asked for a pause."""
        now = clock.now()
        if self._is_postgresql:
            return outbound_postgresql.find_endpoints(connections[self._using], now)
        due = (
            WebhookDelivery.objects.filter(state=State.PENDING)
            .values("endpoint_id")
            .annotate(at=Min("next_attempt_at"))
        )
        waiting = [row["endpoint_id"] for row in due if row["at"] <= now]
        return list(_open_endpoints(now).filter(pk__in=waiting).values_list("pk", flat=True)) if waiting else []

    def claim(self, wants: Sequence[Want]) -> list[Job]:
        """Take due deliveries, at most so many of each endpoint, the longest due first."""
        now = clock.now()
        if self._is_postgresql:
            rows = outbound_postgresql.claim(connections[self._using], wants, now, now + LEASE)
            claimed = [Claimed._make(row) for row in rows]
        else:
            claimed = _claim_one_by_one(wants, now, now + LEASE)
        self._load_keys(claimed)
        return [self._job(row, now) for row in claimed]

    def record(self, results: Sequence[Result]) -> None:
        """Write results, together. Writing the same ones again changes nothing: repeat it after an error."""
        news = endpoint_news(results)
        if self._is_postgresql:
            outbound_postgresql.record(connections[self._using], results, news)
        else:
            _record_one_by_one(results, news, self._using)
        gone = {result.job.endpoint_id for result in results if result.answer.status == GONE}
        for endpoint in WebhookEndpoint.objects.filter(pk__in=gone) if gone else ():
            disable_webhook_endpoint(endpoint=endpoint, reason="It answered 410 Gone.")

    def release(self, jobs: Iterable[Job]) -> None:
        """Give back claimed deliveries that were never sent; their number may be used again."""
        mine = [Q(pk=job.delivery_id, attempts=job.number) for job in jobs]
        if mine:
            WebhookDelivery.objects.filter(reduce(or_, mine), state=State.SENDING).update(
                state=State.PENDING, attempts=F("attempts") - 1, next_attempt_at=clock.now(), leased_until=None
            )

    def recover(self) -> int:
        """Put deliveries whose worker died back into the queue. The receiver may get the message twice, never not."""
        now, recovered = clock.now(), 0
        expired = WebhookDelivery.objects.filter(state=State.SENDING, leased_until__lte=now)
        for pk, number, seen in expired.values_list("pk", "attempts", "leased_until")[:_RECOVER_AT_ONCE]:
            with transaction.atomic(using=self._using):
                same = WebhookDelivery.objects.filter(pk=pk, state=State.SENDING, attempts=number, leased_until=seen)
                if same.update(state=State.PENDING, next_attempt_at=now, leased_until=None, last_error=LOST):
                    lost = WebhookAttempt(delivery_id=pk, number=number, error=LOST, created_at=now)
                    WebhookAttempt.objects.bulk_create([lost], ignore_conflicts=True)
                    recovered += 1
        return recovered

    def _load_keys(self, claimed: Iterable[Claimed]) -> None:
        stale = {
            row.endpoint_id: row.endpoint_version
            for row in claimed
            if row.endpoint_id not in self._keys or self._keys[row.endpoint_id][0] != row.endpoint_version
        }
        if not stale:
            return
        sealed: dict[uuid.UUID, list[tuple[str, datetime | None]]] = {endpoint: [] for endpoint in stale}
        for secret in WebhookSecret.objects.filter(endpoint_id__in=stale).order_by("-pk"):  # the newest signs first
            sealed[secret.endpoint_id].append((secret.sealed, secret.expires_at))
        for endpoint, version in stale.items():
            public_id = ids.encode_id(WebhookEndpoint.id_prefix, endpoint)
            try:
                self._keys[endpoint] = (version, open_secrets(public_id, sealed[endpoint]))
            except (DecryptionError, ValueError):
                self._keys[endpoint] = (version, [])  # fails this endpoint's attempts, not everybody's

    def _job(self, row: Claimed, now: datetime) -> Job:
        keys = tuple([key for key, ends in self._keys[row.endpoint_id][1] if ends is None or ends > now])
        message_id = ids.encode_id(Event.id_prefix, row.event_id)
        return Job(
            delivery_id=row.delivery_id,
            endpoint_id=row.endpoint_id,
            number=row.number,
            message_id=message_id,
            body=event_body(
                message_id=message_id,
                type=row.type,
                timestamp=row.timestamp,
                livemode=row.livemode,
                object_id=row.object_id,
                data=row.data,
            ),
            url=row.url,
            keys=keys,
            claimed_at=now,
            is_failing=row.is_failing,
        )


def endpoint_news(results: Iterable[Result]) -> list[EndpointNews]:
    """One line per endpoint. A success among failures counts: the endpoint is not failing continuously."""
    found: dict[uuid.UUID, EndpointNews] = {}
    for result in results:
        endpoint = result.job.endpoint_id
        before = found.get(endpoint)
        succeeded = result.answer.is_success or (before is not None and before.succeeded)
        pauses = [pause for pause in (before and before.pause_until, result.pause_until) if pause]
        found[endpoint] = EndpointNews(endpoint, succeeded, clock.now(), max(pauses, default=None))
    return sorted(found.values(), key=lambda news: news.endpoint_id)


def _open_endpoints(now: datetime) -> Any:
    return WebhookEndpoint.objects.filter(
        Q(throttled_until__isnull=True) | Q(throttled_until__lte=now), status=WebhookEndpoint.Status.ENABLED
    )


def _claim_one_by_one(wants: Sequence[Want], now: datetime, until: datetime) -> list[Claimed]:
    taken: list[uuid.UUID] = []
    still_open = set(_open_endpoints(now).filter(pk__in=[want[0] for want in wants]).values_list("pk", flat=True))
    for endpoint, slots in wants:
        if endpoint not in still_open:
            continue
        due = WebhookDelivery.objects.filter(endpoint_id=endpoint, state=State.PENDING, next_attempt_at__lte=now)
        for pk, attempts in due.order_by("next_attempt_at", "pk").values_list("pk", "attempts")[:slots]:
            same = WebhookDelivery.objects.filter(pk=pk, state=State.PENDING, attempts=attempts)
            taken += [pk] * same.update(
                state=State.SENDING, attempts=attempts + 1, leased_until=until, next_attempt_at=None
            )
    found = WebhookDelivery.objects.select_related("event", "endpoint").in_bulk(taken)
    return [_claimed(found[pk]) for pk in taken]


def _claimed(delivery: WebhookDelivery) -> Claimed:
    event, endpoint = delivery.event, delivery.endpoint
    return Claimed(
        delivery_id=delivery.pk,
        endpoint_id=endpoint.pk,
        number=delivery.attempts,
        event_id=event.pk,
        type=event.type,
        timestamp=represent_moment(event.created_at),
        livemode=event.livemode,
        object_id=event.object_id,
        data=event.data,
        url=endpoint.url,
        endpoint_version=endpoint.updated_at.isoformat(),
        is_failing=endpoint.failing_since is not None,
    )


def _record_one_by_one(results: Sequence[Result], news: Sequence[EndpointNews], using: str) -> None:
    with transaction.atomic(using=using):
        for result in results:
            WebhookDelivery.objects.filter(
                pk=result.job.delivery_id, attempts=result.job.number, state__in=[State.SENDING, State.PENDING]
            ).update(
                state=result.state,
                next_attempt_at=result.next_attempt_at,
                leased_until=None,
                response_status=result.answer.status,
                last_error=result.answer.error,
                finished_at=result.finished_at,
            )
        WebhookAttempt.objects.bulk_create([_attempt(result) for result in results], **_overwrite(using))
        for item in news:
            _write_news(item)


def _attempt(result: Result) -> WebhookAttempt:
    return WebhookAttempt(
        delivery_id=result.job.delivery_id,
        number=result.job.number,
        response_status=result.answer.status,
        response_body=result.answer.body,
        error=result.answer.error,
        duration_ms=result.answer.duration_ms,
        created_at=result.started_at,
    )


def _overwrite(using: str) -> dict[str, Any]:
    # What really came back replaces the note that the worker was lost.
    options: dict[str, Any] = {
        "update_conflicts": True,
        "update_fields": ["response_status", "response_body", "error", "duration_ms", "created_at"],
    }
    if connections[using].features.supports_update_conflicts_with_target:
        options["unique_fields"] = ["delivery", "number"]
    return options


def _write_news(news: EndpointNews) -> None:
    endpoint = WebhookEndpoint.objects.filter(pk=news.endpoint_id)
    if news.pause_until is not None:
        endpoint.update(throttled_until=news.pause_until)
    if news.succeeded:
        endpoint.filter(failing_since__isnull=False).update(
            failing_since=None, last_failure_at=None, notice_sent_at=None
        )
    else:
        endpoint.filter(failing_since__isnull=True).update(failing_since=news.at)
        endpoint.update(last_failure_at=news.at)

"""The deliverer's hot statements for PostgreSQL: one round trip each, whatever the size of the group."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from django.db.backends.base.base import BaseDatabaseWrapper

from majuu_core.events.models import Event
from majuu_core.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from majuu_core.webhooks.outbound import Result

if TYPE_CHECKING:
    from majuu_core.webhooks.outbound_store import EndpointNews, Want

_DELIVERY = WebhookDelivery._meta.db_table
_ENDPOINT = WebhookEndpoint._meta.db_table
_ATTEMPT = WebhookAttempt._meta.db_table
_EVENT = Event._meta.db_table

# Walks the index from one endpoint to the next instead of through everybody's backlog.
_FIND = f"""
WITH RECURSIVE waiting (endpoint_id, due_at) AS (
  (SELECT endpoint_id, next_attempt_at FROM {_DELIVERY}
    WHERE state = 'pending' ORDER BY endpoint_id, next_attempt_at LIMIT 1)
  UNION ALL
  SELECT following.endpoint_id, following.next_attempt_at FROM waiting CROSS JOIN LATERAL (
    SELECT endpoint_id, next_attempt_at FROM {_DELIVERY}
      WHERE state = 'pending' AND endpoint_id > waiting.endpoint_id
      ORDER BY endpoint_id, next_attempt_at LIMIT 1) following
)
SELECT endpoint.id FROM waiting JOIN {_ENDPOINT} endpoint ON endpoint.id = waiting.endpoint_id
 WHERE waiting.due_at <= %s AND endpoint.status = 'enabled'
   AND (endpoint.throttled_until IS NULL OR endpoint.throttled_until <= %s)
"""  # noqa: S608 - the names of our own tables

_CLAIM = f"""
WITH picked AS MATERIALIZED (
  SELECT one.id FROM unnest(%s::uuid[], %s::int[]) AS want (endpoint_id, slots)
    JOIN {_ENDPOINT} endpoint ON endpoint.id = want.endpoint_id AND endpoint.status = 'enabled'
     AND (endpoint.throttled_until IS NULL OR endpoint.throttled_until <= %s)
   CROSS JOIN LATERAL (
    SELECT id FROM {_DELIVERY}
     WHERE endpoint_id = want.endpoint_id AND state = 'pending' AND next_attempt_at <= %s
     ORDER BY next_attempt_at LIMIT want.slots FOR UPDATE SKIP LOCKED) one
), taken AS (
  UPDATE {_DELIVERY} delivery
     SET state = 'sending', attempts = delivery.attempts + 1, leased_until = %s, next_attempt_at = NULL
    FROM picked WHERE delivery.id = picked.id
  RETURNING delivery.id, delivery.endpoint_id, delivery.attempts, delivery.event_id
)
SELECT taken.id, taken.endpoint_id, taken.attempts, event.id, event.type,
       to_char(event.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       event.livemode, event.object_id, event.data::text,
       endpoint.url, endpoint.updated_at::text, endpoint.failing_since IS NOT NULL
  FROM taken JOIN {_EVENT} event ON event.id = taken.event_id
  JOIN {_ENDPOINT} endpoint ON endpoint.id = taken.endpoint_id
"""  # noqa: S608 - the names of our own tables

_RECORD = f"""
WITH result AS MATERIALIZED (
  SELECT * FROM json_to_recordset(%s::json)
      AS result (delivery_id uuid, number int, state text, next_attempt_at timestamptz, finished_at timestamptz,
                 status int, body text, error text, duration_ms int, started_at timestamptz)
), written AS (
  UPDATE {_DELIVERY} delivery
     SET state = result.state, next_attempt_at = result.next_attempt_at, leased_until = NULL,
         response_status = result.status, last_error = result.error, finished_at = result.finished_at
    FROM result
   WHERE delivery.id = result.delivery_id AND delivery.attempts = result.number
     AND delivery.state IN ('sending', 'pending')
), logged AS (
  INSERT INTO {_ATTEMPT} (delivery_id, number, response_status, response_body, error, duration_ms, created_at)
  SELECT delivery_id, number, status, body, error, duration_ms, started_at FROM result
  ON CONFLICT (delivery_id, number) DO UPDATE
    SET response_status = excluded.response_status, response_body = excluded.response_body, error = excluded.error,
        duration_ms = excluded.duration_ms, created_at = excluded.created_at
), news AS MATERIALIZED (
  SELECT * FROM unnest(%s::uuid[], %s::boolean[], %s::timestamptz[], %s::timestamptz[])
      AS news (endpoint_id, succeeded, at, pause_until)
), locked AS MATERIALIZED (
  SELECT endpoint.id FROM {_ENDPOINT} endpoint JOIN news ON news.endpoint_id = endpoint.id
   WHERE NOT news.succeeded OR news.pause_until IS NOT NULL OR endpoint.failing_since IS NOT NULL
   ORDER BY endpoint.id FOR NO KEY UPDATE OF endpoint
)
UPDATE {_ENDPOINT} endpoint
   SET failing_since = CASE WHEN news.succeeded THEN NULL ELSE COALESCE(endpoint.failing_since, news.at) END,
       last_failure_at = CASE WHEN news.succeeded THEN NULL ELSE news.at END,
       notice_sent_at = CASE WHEN news.succeeded THEN NULL ELSE endpoint.notice_sent_at END,
       throttled_until = COALESCE(news.pause_until, endpoint.throttled_until)
  FROM locked JOIN news ON news.endpoint_id = locked.id
 WHERE endpoint.id = locked.id
"""  # noqa: S608 - the names of our own tables


def find_endpoints(connection: BaseDatabaseWrapper, now: datetime) -> list[uuid.UUID]:
    """The enabled endpoints with something due."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [now, now])
        return [row[0] for row in cursor.fetchall()]


def claim(
    connection: BaseDatabaseWrapper, wants: Sequence[Want], now: datetime, until: datetime
) -> Iterator[tuple[Any, ...]]:
    """Take deliveries and return everything that is needed to send them."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [[want[0] for want in wants], [want[1] for want in wants], now, now, until])
        rows = cursor.fetchall()
    return ((*row[:8], orjson.loads(row[8]), *row[9:]) for row in rows)


def record(connection: BaseDatabaseWrapper, results: Sequence[Result], news: Sequence[EndpointNews]) -> None:
    """Write results, their log and what they mean for the endpoints."""
    # One text: dumping ten arrays costs Python more than reading it costs the database.
    rows = orjson.dumps([_row(result) for result in results]).decode()
    about: list[list[Any]] = [
        [item.endpoint_id for item in news],
        [item.succeeded for item in news],
        [item.at for item in news],
        [item.pause_until for item in news],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [rows, *about])


def _row(result: Result) -> dict[str, Any]:
    job, answer = result.job, result.answer
    return {
        "delivery_id": job.delivery_id,
        "number": job.number,
        "state": result.state,
        "next_attempt_at": result.next_attempt_at,
        "finished_at": result.finished_at,
        "status": answer.status,
        "body": answer.body,
        "error": answer.error,
        "duration_ms": answer.duration_ms,
        "started_at": result.started_at,
    }

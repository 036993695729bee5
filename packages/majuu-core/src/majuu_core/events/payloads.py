"""What a shop receives for an event. The bytes depend on the stored event alone, so every attempt sends the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from majuu_core.events.models import Event

MAX_BODY_BYTES = 20_000  # the Standard Webhooks specification asks to stay below 20 kB


def event_body(
    *, message_id: str, type: str, timestamp: str, livemode: bool, object_id: str, data: Mapping[str, Any]
) -> bytes:
    """Compact JSON: ``id``, ``type``, ``timestamp``, ``livemode``, ``data``.

    Data that would make the message larger than 20 kB is left out: then ``data`` is
    ``{"id": <what it is about>, "truncated": true}``, and the shop reads the rest from the API.
    """
    message = {
        "id": message_id,
        "type": type,
        "timestamp": timestamp,
        "livemode": livemode,
        "data": data,
    }
    try:
        body = orjson.dumps(message)
    except TypeError:  # whole numbers beyond 64 bits and lone surrogates, which only the standard library writes
        body = json.dumps(message, separators=(",", ":")).encode()
    if len(body) < MAX_BODY_BYTES:
        return body
    return orjson.dumps({**message, "data": {"id": object_id, "truncated": True}})


def represent_moment(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def body_of(event: Event) -> bytes:
    """The message of a stored event."""
    return event_body(
        message_id=event.public_id,
        type=event.type,
        timestamp=represent_moment(event.created_at),
        livemode=event.livemode,
        object_id=event.object_id,
        data=event.data,
    )

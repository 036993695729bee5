"""The message a shop receives."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.events.models import Event
from majuu_core.events.payloads import MAX_BODY_BYTES, body_of, represent_moment
from majuu_core.events.services import build_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=50),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


def make(data: object) -> Event:
    return build_event(
        store_id=uuid.uuid4(), livemode=True, type="charge.failed", object_id="ch_1", data={"charge": data}
    )


def test_the_message_is_compact_json_with_five_fields() -> None:
    """given an event / when its message is made / then it is exactly this."""
    event = make({"amount": "1500.00", "note": "Asante – 😀"})
    event.created_at = datetime(2026, 1, 5, 9, 0, 0, 123999, tzinfo=UTC)

    assert (
        body_of(event)
        == (
            f'{{"id":"{event.public_id}","type":"charge.failed","timestamp":"2026-01-05T09:00:00.123Z","livemode":true,'
            '"data":{"charge":{"amount":"1500.00","note":"Asante – 😀"}}}'
        ).encode()
    )


@given(data=JSON)
def test_any_data_comes_through_and_always_as_the_same_bytes(data: object) -> None:
    """given any JSON / when the message is made twice / then the bytes agree and hold the data, or its pointer."""
    event = make(data)

    body = body_of(event)

    assert body == body_of(event)
    assert len(body) < MAX_BODY_BYTES
    assert orjson.loads(body)["data"] == {"charge": data}


@pytest.mark.parametrize(("extra", "truncated"), [(0, False), (1, True)])
def test_the_limit_is_twenty_kilobytes(extra: int, truncated: bool) -> None:
    """given a message of 19,999 and of 20,000 bytes / when made / then only the second is a pointer."""
    room = MAX_BODY_BYTES - 1 - len(body_of(make("")))

    data = orjson.loads(body_of(make("x" * (room + extra))))["data"]

    assert ("truncated" in data) is truncated
    if truncated:
        assert data == {"id": "ch_1", "truncated": True}


@pytest.mark.parametrize("value", [2**70, "\ud800"])
def test_what_the_fast_writer_cannot_write_still_arrives(value: object) -> None:
    """given a number beyond 64 bits or half a surrogate pair / when made / then the message holds it exactly."""
    assert json.loads(body_of(make(value)))["data"] == {"charge": value}


def test_moments_are_utc_with_milliseconds() -> None:
    """given a time in Nairobi / when written / then it is the same moment in UTC."""
    nairobi = timezone(timedelta(hours=3))

    assert represent_moment(datetime(2026, 1, 5, 12, 0, tzinfo=nairobi)) == "2026-01-05T09:00:00.000Z"


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 1, 999, 1000, 123456, 999999])
def test_the_database_writes_moments_the_same_way(microsecond: int) -> None:
    """given PostgreSQL formats the time in the claim / when compared / then it agrees with Python to the digit."""
    from django.db import connection

    moment = datetime(2026, 1, 5, 9, 0, 0, microsecond, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT to_char(%s::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')""", [moment]
        )
        assert cursor.fetchone()[0] == represent_moment(moment)

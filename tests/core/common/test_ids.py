"""Public ids: reversible, ordered by time, strict about their form."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common import ids, randomness
from majuu_core.common.clock import VirtualClock, use_clock

MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9999, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
PREFIXES = st.from_regex(r"[a-z]{1,6}(_[a-z]{1,4})?", fullmatch=True)


@given(value=st.uuids(), prefix=PREFIXES)
def test_encode_and_decode_are_inverse(value: uuid.UUID, prefix: str) -> None:
    encoded = ids.encode_id(prefix, value)
    assert ids.decode_id(prefix, encoded) == value
    assert len(encoded) == len(prefix) + 27


@given(first=st.uuids(), second=st.uuids())
def test_public_ids_sort_like_their_uuids(first: uuid.UUID, second: uuid.UUID) -> None:
    assert (ids.encode_id("pi", first) < ids.encode_id("pi", second)) == (first < second)


@given(moment=MOMENTS)
def test_new_uuid_is_a_version_7_of_the_clock_s_millisecond(moment: datetime) -> None:
    with use_clock(VirtualClock(moment)):
        value = ids.new_uuid()
    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert value.int >> 80 == milliseconds


@given(moment=MOMENTS, later=st.integers(min_value=1, max_value=10**9))
def test_new_uuids_are_ordered_by_time(moment: datetime, later: int) -> None:
    virtual = VirtualClock(min(moment, datetime(9000, 1, 1, tzinfo=UTC)))
    with use_clock(virtual):
        first = ids.new_uuid()
        virtual.advance(timedelta(milliseconds=later))
        assert first < ids.new_uuid()


def test_new_uuids_rise_within_one_millisecond() -> None:
    """given a clock that stands still / then the order of the ids is the order in which they were made."""
    with use_clock(VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))):
        made = [ids.new_uuid() for _ in range(5_000)]
    assert made == sorted(set(made))
    assert all(value.version == 7 and value.variant == uuid.RFC_4122 for value in made)


def test_threads_share_the_sequence() -> None:
    made: list[list[uuid.UUID]] = [[] for _ in range(4)]

    def make(into: list[uuid.UUID]) -> None:
        for _ in range(1_000):
            into.append(ids.new_uuid())

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(into == sorted(into) for into in made)
    assert len({value for into in made for value in into}) == 4_000


def test_new_uuids_differ_within_one_millisecond() -> None:
    with use_clock(VirtualClock()):
        assert len({ids.new_uuid() for _ in range(1000)}) == 1000


def test_seeded_ids_repeat() -> None:
    with use_clock(VirtualClock()):
        with randomness.seeded_ids(7):
            first = [ids.new_uuid() for _ in range(3)]
        with randomness.seeded_ids(7):
            assert [ids.new_uuid() for _ in range(3)] == first


def test_a_known_id_has_a_known_form() -> None:
    value = uuid.UUID("019c0f4e-6c00-7abc-8def-0123456789ab")
    assert ids.encode_id("pi", uuid.UUID(int=0)) == "pi_" + "0" * 26
    assert ids.encode_id("pi", uuid.UUID(int=2**128 - 1)) == "pi_7" + "z" * 25
    assert ids.decode_id("pi", ids.encode_id("pi", value)) == value


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "pi_",
        "pi",
        "ch_" + "0" * 26,
        "pi_" + "0" * 25,
        "pi_" + "0" * 27,
        "pi_" + "0" * 25 + "u",  # not in the alphabet
        "PI_" + "0" * 26,
        "pi_" + "0" * 25 + "A",
        "pi_8" + "0" * 25,  # more than 128 bits
        "pi_" + "٠" * 26,  # digits, but not ours
        " pi_" + "0" * 26,
        "pi_" + "0" * 26 + "\n",
    ],
)
def test_decode_refuses_other_forms(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a pi_ id"):
        ids.decode_id("pi", wrong)


@given(text=st.text(max_size=40))
def test_decode_accepts_only_what_encode_writes(text: str) -> None:
    try:
        value = ids.decode_id("pi", text)
    except ValueError:
        return
    assert ids.encode_id("pi", value) == text

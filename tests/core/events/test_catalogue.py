"""The kinds of events, and patterns over them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common.problems import Invalid
from majuu_core.events.catalogue import CORE_EVENT_TYPES, check_patterns, event_types, matches
from majuu_core.plugins import EventType, hookimpl
from tests.core.events.documented import documented_types, written_types


class Parcels:
    """A plugin with an event of its own."""

    @hookimpl
    def register_event_types(self) -> list[EventType]:
        return [EventType(name="parcel.shipped", description="A parcel left the warehouse.")]


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        ([], True),
        (["*"], True),
        (["payment_intent.succeeded"], True),
        (["payment_intent.*"], True),
        (["charge.*", "payment_intent.succeeded"], True),
        (["charge.*"], False),
        (["payment_intent.created"], False),
        (["payment.*"], False),
        (["payment_intent.succeeded.*"], False),
    ],
)
def test_patterns(patterns: list[str], wanted: bool) -> None:
    """given patterns / when a succeeded intent is matched / then groups match at the dot only."""
    assert matches(patterns, "payment_intent.succeeded") is wanted


@given(patterns=st.lists(st.sampled_from([item.name for item in CORE_EVENT_TYPES]), max_size=5))
def test_plain_patterns_match_exactly_what_they_name(patterns: list[str]) -> None:
    """given any list of types / when each known type is matched / then those listed match, or all when none is."""
    for item in CORE_EVENT_TYPES:
        assert matches(patterns, item.name) is (not patterns or item.name in patterns)


def test_plugins_types_can_be_subscribed_to(temporary_plugin: Callable[[object], object]) -> None:
    """given a plugin's event type / when an endpoint asks for it / then that is refused before, taken after loading."""
    with pytest.raises(Invalid):
        check_patterns(["parcel.shipped"])

    temporary_plugin(Parcels())

    assert check_patterns(["parcel.*", "parcel.shipped", "parcel.*"]) == ["parcel.*", "parcel.shipped"]
    assert event_types()["parcel.shipped"].description == "A parcel left the warehouse."


def test_every_type_is_named_once_and_described() -> None:
    """given core's types / when listed / then names are unique and each says when it is sent."""
    assert len(event_types()) >= len(CORE_EVENT_TYPES) == len({item.name for item in CORE_EVENT_TYPES})
    assert all(item.description.endswith(".") for item in CORE_EVENT_TYPES)


def test_every_type_that_core_writes_is_in_the_catalogue() -> None:
    """given core's source / when the event types it writes are collected / then the catalogue has each, and no more."""
    assert written_types() == {item.name for item in CORE_EVENT_TYPES}


def test_the_reference_page_lists_every_type_with_its_description() -> None:
    """given docs/reference/events.md / when its table is read / then it is the catalogue, word for word."""
    assert documented_types() == {item.name: item.description for item in CORE_EVENT_TYPES}

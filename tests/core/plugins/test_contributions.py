"""What plugins hand in is checked when it is made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from majuu_core.plugins import (
    ApiRouter,
    AuditAction,
    DemoData,
    EventHandler,
    EventType,
    HealthCheck,
    HealthReport,
    Objection,
    PeriodicTask,
    Permission,
)
from majuu_core.plugins.contributions import dotted_path, import_function
from majuu_core.providers import Violation


def sample_task() -> str:
    return "done"


@pytest.mark.parametrize("name", ["", "shipped", "Parcel.shipped", "parcel.", ".shipped", "parcel shipped", "a..b"])
@pytest.mark.parametrize(
    "make",
    [
        lambda name: EventType(name=name, description="x"),
        lambda name: EventHandler(name=name, event_types=frozenset({"*"}), function=sample_task),
        lambda name: PeriodicTask(name=name, every=timedelta(minutes=1), function=sample_task),
        lambda name: HealthCheck(name=name, label="x", function=lambda: HealthReport(healthy=True)),
        lambda name: AuditAction(code=name, label="x"),
        lambda name: Permission(code=name, label="x"),
        lambda name: DemoData(name=name, load=lambda: None),
    ],
)
def test_names_are_lower_case_words_joined_by_dots(make: Callable[[str], Any], name: str) -> None:
    with pytest.raises(ValueError, match="lower-case words joined by dots"):
        make(name)


def test_a_function_is_known_by_its_path() -> None:
    task = PeriodicTask(name="parcels.track", every=timedelta(minutes=10), function=sample_task)

    assert task.path == f"{__name__}.sample_task"
    assert task.minutes == 10
    assert PeriodicTask(name="a.b", every=timedelta(hours=1), function="json.dumps").path == "json.dumps"


def test_a_path_leads_back_to_the_function() -> None:
    import json

    handler = EventHandler(name="a.b", event_types=frozenset({"x.y"}), function="json.dumps")

    assert import_function("json.dumps") is json.dumps
    assert handler.resolve() is json.dumps
    assert EventHandler(name="a.b", event_types=frozenset({"x.y"}), function=sample_task).resolve() is sample_task


@pytest.mark.parametrize("function", [lambda: None, "dumps", "json.", "json dumps"])
def test_a_function_that_cannot_be_found_again_is_refused(function: Any) -> None:
    with pytest.raises(ValueError, match="cannot be imported by name"):
        dotted_path(function)


@pytest.mark.parametrize("every", [timedelta(0), timedelta(seconds=30), timedelta(seconds=90), timedelta(minutes=-5)])
def test_a_task_runs_at_whole_minutes(every: timedelta) -> None:
    with pytest.raises(ValueError, match="whole minutes"):
        PeriodicTask(name="a.b", every=every, function=sample_task)


def test_a_handler_hears_its_events_only() -> None:
    some = EventHandler(name="a.b", event_types=frozenset({"refund.succeeded"}), function=sample_task)
    every = EventHandler(name="a.c", event_types=frozenset({"*"}), function=sample_task)

    assert some.handles("refund.succeeded") is True
    assert some.handles("refund.failed") is False
    assert every.handles("refund.failed") is True


def test_a_handler_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="names no event types"):
        EventHandler(name="a.b", event_types=frozenset(), function=sample_task)


@pytest.mark.parametrize("prefix", ["", "parcels", "/", "/Parcels", "//x"])
def test_an_api_prefix_begins_with_a_slash(prefix: str) -> None:
    with pytest.raises(ValueError, match="start with a slash"):
        ApiRouter(prefix, object())


def test_a_violation_is_an_objection() -> None:
    objection: Objection = Violation(code="too_much", message="Too much.", field="amount")

    assert (objection.code, objection.message, objection.field) == ("too_much", "Too much.", "amount")

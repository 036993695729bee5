"""A process that dies at a chosen point, and other things that happen in the middle of a call."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock


class Killed(BaseException):
    """The process is gone. No ``except Exception`` sees this, and nothing is cleaned up."""


@dataclass(frozen=True, slots=True)
class Point:
    """Just before, or just after, a function runs, as one of our modules knows it."""

    name: str
    module: str
    function: str
    after: bool = False

    def __str__(self) -> str:
        return self.name


_CHARGES, _FOLLOW_UPS = "majuu_core.payments.charges", "majuu_core.payments.follow_ups"
_SETTLING = "majuu_core.payments.settling"
_INBOUND, _PROCESSING = "majuu_core.webhooks.inbound", "majuu_core.webhooks.inbound_processing"

CONFIRMING: tuple[Point, ...] = (
    Point("before the charge is written", _CHARGES, "_start_charge"),
    Point("inside the first transaction", _CHARGES, "_audit_start", after=True),
    Point("after the first transaction", _CHARGES, "_start_charge", after=True),
    Point("before the call", _CHARGES, "take_money"),
    Point("after the call", _CHARGES, "take_money", after=True),
    Point("before the second transaction", _CHARGES, "apply_result"),
    Point("inside the second transaction", _SETTLING, "add_plan", after=True),
    Point("after the second transaction", _CHARGES, "apply_result", after=True),
)
ASKING: tuple[Point, ...] = (
    Point("after a charge is claimed", _FOLLOW_UPS, "_claim", after=True),
    Point("before the question", _FOLLOW_UPS, "ask"),
    Point("after the question", _FOLLOW_UPS, "ask", after=True),
    Point("inside the transaction", _SETTLING, "add_plan", after=True),
    Point("after the transaction", _FOLLOW_UPS, "apply_result", after=True),
)
HEARING: tuple[Point, ...] = (
    Point("before a message is kept", _INBOUND, "_build_row"),
    Point("before a signed message is applied at once", _INBOUND, "apply_at_once"),
    Point("after a signed message is applied at once", _INBOUND, "apply_at_once", after=True),
    Point("before a signed message is worked on", _INBOUND, "process_signed"),
    Point("after a signed message is worked on", _INBOUND, "process_signed", after=True),
)
WORKING: tuple[Point, ...] = (
    Point("before a message is worked on", _PROCESSING, "process_inbound"),
    Point("before the truth is asked", _PROCESSING, "ask"),
    Point("after the truth is asked", _PROCESSING, "ask", after=True),
    Point("before it is applied", _PROCESSING, "apply_result"),
    Point("inside the transaction", _SETTLING, "add_plan", after=True),
    Point("after it is applied", _PROCESSING, "apply_result", after=True),
    Point("before the message is closed", _PROCESSING, "finish"),
    Point("after the message is closed", _PROCESSING, "finish", after=True),
)


@contextmanager
def killed_at(point: Point | None) -> Iterator[list[str]]:
    """The process dies when it first comes to the point; whoever opened the block goes on as the next process.

    Gives a list that names the point once somebody has died there.
    """
    deaths: list[str] = []
    if point is None:
        yield deaths
        return

    def die(real: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        if point.after:
            real(*args, **kwargs)
        deaths.append(point.name)
        raise Killed(point.name)

    try:
        with instead_of(point.module, point.function, die):
            yield deaths
    except Killed:
        pass


@contextmanager
def before_the_answer_is_stored(happening: Callable[[], object]) -> Iterator[None]:
    """Something happens between a provider's answer and our second transaction."""

    def first(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        happening()
        return real(*args, **kwargs)

    with instead_of(_CHARGES, "apply_result", first):
        yield


@contextmanager
def instead_of(module: str, function: str, replacement: Callable[..., Any]) -> Iterator[None]:
    home = importlib.import_module(module)
    real = getattr(home, function)
    with mock.patch.object(home, function, lambda *args, **kwargs: replacement(real, *args, **kwargs)):
        yield

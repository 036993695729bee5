"""What plugins hand in through hooks: small frozen values, checked when they are made.

A wrong name or a function that cannot be found again fails at start, where the author sees it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any, ClassVar, Protocol

from majuu_core.common.money import Money

_DOTTED_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_DOTTED_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_PREFIX = re.compile(r"/[a-z0-9][a-z0-9_/-]*")


def _check_name(kind: str, name: str) -> None:
    if not _DOTTED_NAME.fullmatch(name):
        raise ValueError(f"{kind} {name!r}: use lower-case words joined by dots, such as 'parcel.shipped'")


def dotted_path(function: str | Callable[..., Any]) -> str:
    """Where a function can be imported from. Raises ValueError for lambdas and functions inside functions."""
    if isinstance(function, str):
        path = function
    else:
        path = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"
    if not _DOTTED_PATH.fullmatch(path):
        raise ValueError(f"{path!r} cannot be imported by name: give a module-level function or its dotted path")
    return path


def import_function(path: str) -> Callable[..., Any]:
    """The function at a dotted path. Raises ImportError or AttributeError when there is none."""
    module, _, name = path.rpartition(".")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One kind of event a shop may subscribe to; the webhook catalogue and its documentation list them."""

    name: str  # "payment_intent.succeeded": what it is about, then what happened
    description: str  # one sentence: when it is sent
    schema: Mapping[str, Any] = field(default_factory=dict)  # JSON Schema of the event's data object

    def __post_init__(self) -> None:
        _check_name("event type", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHandler:
    """A function that reacts to events. Each handler runs from the outbox, in its own transaction and retry budget.

    ``function`` takes the event. It may be called twice for one event, so it must be safe to repeat. ``event_types``
    holds names, or ``"*"`` for all.
    """

    name: str  # unique and never renamed: what was handled is recorded under it
    event_types: frozenset[str]
    function: str | Callable[..., Any]

    def __post_init__(self) -> None:
        _check_name("event handler", self.name)
        dotted_path(self.function)
        if not self.event_types:
            raise ValueError(f"event handler {self.name!r} names no event types")

    @property
    def path(self) -> str:
        return dotted_path(self.function)

    def handles(self, event_type: str) -> bool:
        """True when the handler wants events of this type."""
        return "*" in self.event_types or event_type in self.event_types

    def resolve(self) -> Callable[..., Any]:
        """The function itself."""
        return import_function(self.function) if isinstance(self.function, str) else self.function


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicTask:
    """Work done again and again in the background. It must be safe when two workers run it at once."""

    name: str
    every: timedelta  # whole minutes: the scheduler looks once a minute
    function: str | Callable[..., Any]

    def __post_init__(self) -> None:
        _check_name("periodic task", self.name)
        dotted_path(self.function)
        if self.every < timedelta(minutes=1) or self.every % timedelta(minutes=1):
            raise ValueError(f"periodic task {self.name!r} runs every {self.every}: use whole minutes, at least one")

    @property
    def path(self) -> str:
        return dotted_path(self.function)

    @property
    def minutes(self) -> int:
        return self.every // timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """What a health check found. ``detail`` says in one sentence what is wrong; it never holds a secret."""

    healthy: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """A question the health page asks. An exception counts as unhealthy."""

    name: str
    label: str
    function: Callable[[], HealthReport]

    def __post_init__(self) -> None:
        _check_name("health check", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditAction:
    """Something people do that the audit log records. ``sentence`` may name fields of the entry's data in braces.

    ``personal`` names fields of its changes that speak of a person: they are encrypted, and can be erased.
    """

    code: str  # "refund.created"
    label: str
    sentence: str = ""
    personal: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _check_name("audit action", self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A permission the role editor offers."""

    code: str  # "payments.refund"
    label: str

    def __post_init__(self) -> None:
        _check_name("permission", self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuItem:
    """An entry in the console's menu. ``url_name`` is a URL name, reversed when the menu is drawn."""

    title: str
    url_name: str
    icon: str = ""
    group: str = ""
    permission: str = ""  # a permission code; empty: everyone who may see the console
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A card on the console's first page."""

    title: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    order: int = 100


@dataclass(frozen=True, slots=True)
class ConsoleAdmin:
    """A model and the admin class that shows it in the console."""

    model: type[object]
    admin_class: type[object]


@dataclass(frozen=True, slots=True)
class ApiRouter:
    """A Ninja router, attached under ``/api/v1`` and the prefix before the API is first used."""

    prefix: str  # "/parcels"
    router: object

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError(f"API prefix {self.prefix!r}: start with a slash, as in '/parcels'")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoData:
    """A function that fills a sandbox with examples. It must be safe to run twice."""

    name: str
    load: Callable[[], None]
    order: int = 100

    def __post_init__(self) -> None:
        _check_name("demo data", self.name)


class ReportView(Protocol):
    """A report as the console lists it."""

    code: ClassVar[str]


class RateSource(Protocol):
    """A place exchange rates come from."""

    code: ClassVar[str]

    def get_rates(self, *, base: str, at: datetime) -> Mapping[str, Decimal]:
        """How much of each currency one unit of ``base`` buys."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FxQuote:
    """An exchange promised until a time."""

    amount: Money  # what is given
    converted: Money  # what is received for it
    rate: Decimal  # converted = amount times rate, rounded to the currency
    source: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedName:
    """Somebody on a sanctions list who resembles a person or a business. ``score``: 0 to 100, the same name."""

    list_code: str  # which list: "UN", "OFAC-SDN"
    entry_id: str  # the list's own number of the entry
    name: str  # the name on the list that resembles most
    score: int
    explanation: str = ""  # in one line, why
    details: str = ""  # birth dates and countries, for people to compare

    def __post_init__(self) -> None:
        if not self.list_code or not self.entry_id or not self.name or not 0 <= self.score <= 100:
            raise ValueError("a listed name has a list, an entry, a name and a score from 0 to 100")


class Objection(Protocol):
    """Why a request may not go on. ``majuu_core.providers.Violation`` is one."""

    @property
    def code(self) -> str: ...

    @property
    def message(self) -> str: ...

    @property
    def field(self) -> str: ...

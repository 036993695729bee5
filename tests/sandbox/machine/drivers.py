"""What the machine must be able to do with a provider: make it misbehave, read its own books, carry its callbacks.

A provider package joins the machine with a driver of its own; nothing else here knows its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from hypothesis.strategies import SearchStrategy

from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.models import Charge


@dataclass(frozen=True, slots=True)
class Letter:
    """One callback on its way to us, as its sender wrote it. ``forged`` ones the provider never sent."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    forged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Something the provider really began for one of our charges. ``charge`` is the charge's public id.

    ``is_open`` while the customer may still pay. ``taken`` is the money that moved, in whole units; 0 for none.
    ``lies`` when its status query, or a message that it signed, contradicts what happened. ``claimed`` are other
    amounts that its signed messages name. ``nameless``: what it tells may name our id alone and never its own.
    ``findable``: it can be asked by our id. ``marks`` say what kind of payment it was.
    """

    charge: str
    reference: str
    is_open: bool
    taken: int
    lies: bool = False
    claimed: frozenset[int] = frozenset()
    nameless: bool = False
    findable: bool = False
    marks: frozenset[str] = frozenset()


class ProviderDriver(Protocol):
    """One provider whose other side is in our hands."""

    code: str
    payment_method: str
    currency: str
    plugin: object  # brings the provider, where it is not installed
    forgeries: tuple[str, ...]

    def open(self, now: Callable[[], datetime]) -> None:
        """Start the other side, once. Its time is ours."""

    def close(self) -> None:
        """End it."""

    def furnish(self, account: ProviderAccount) -> None:
        """The account that pays here has been made: its address is known from now on."""

    def reset(self, seed: int) -> None:
        """Forget everything; the same seed gives the same run."""

    def credentials(self) -> dict[str, Any]:
        """Of the account that pays here."""

    def options(self) -> dict[str, Any]:
        """What stands under MAJUU_PROVIDERS for this provider."""

    def amounts(self) -> SearchStrategy[int]:
        """What an intent may cost, in whole units."""

    def customers(self) -> SearchStrategy[str]:
        """Who may pay."""

    def faults(self) -> SearchStrategy[Any]:
        """How the next payment may go."""

    def troubles(self) -> SearchStrategy[Any]:
        """What may go wrong besides payments: tokens, status queries."""

    def plan(self, customer: str, fault: Any) -> None:
        """The customer's next payment goes like this."""

    def cause(self, trouble: Any) -> None:
        """Let something go wrong now."""

    def method_data(self, customer: str) -> dict[str, str]:
        """What the customer enters."""

    def run_due(self) -> None:
        """Let happen what is due by now."""

    def next_due(self) -> datetime | None:
        """When it is worth looking again; None when the other side has nothing planned any more."""

    def collect(self) -> list[Letter]:
        """The callbacks it has sent since the last look."""

    def stamp(self, letter: Letter) -> Letter:
        """A genuine callback as its sender would send it at this moment: one that dates its signature signs anew."""

    def forge(self, charge: Charge, kind: str) -> Letter | None:
        """A callback nobody sent; ``kind`` is one of ``forgeries``. None when this cannot be forged now."""

    def executions(self) -> list[Execution]:
        """All it ever did for us."""

"""What plugins hand in about people, by the hook register_personal_data: how to find a person's data and erase it.

A person is what they are known by. Core asks every source what it holds about them, its own first; exports what was
found; and erases what nothing obliges it to keep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What one person is known by. Addresses are lower-case; ``phones`` holds every usual spelling of each number."""

    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    user_ids: frozenset[str] = frozenset()
    customer_ids: frozenset[str] = frozenset()  # public ids, cus_…


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalRecord:
    """One row that speaks of the person.

    ``id`` names it for good (a public id): the audit trail's keys go by it. ``data`` is what an export shows, as JSON
    can hold it. A row with a ``hold`` stops the whole erasure; one with ``keep_until`` in the future, or a
    ``keep_reason`` alone, stays as it is; one that ``follows`` another stays as long as that does.
    """

    id: str
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)
    hold: str = ""
    keep_until: datetime | None = None
    keep_reason: str = ""
    follows: str = ""


Find = Callable[[Identity, frozenset[str]], Iterable[PersonalRecord]]
Erase = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """One source of data about people.

    ``find`` is given the person and the ids that the sources before it found, for rows that belong to those. ``erase``
    is given ids that ``find`` named, inside a transaction, and returns how many rows it changed: it takes out what is
    personal and leaves what must stay, amounts first of all. Both are safe to repeat.
    """

    name: str  # "payments.intents"
    label: str
    find: Find
    erase: Erase

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"personal data {self.name!r}: use lower-case words joined by dots, such as 'parcels.boxes'"
            )

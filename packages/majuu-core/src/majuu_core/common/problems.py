"""What goes wrong because of what somebody asked for: a stable code, a sentence that says what to do, and the field.

The API turns these into problem+json, the console and checkout into messages. Faults of ours are ordinary exceptions.
"""

from __future__ import annotations


class Problem(Exception):
    """Base of all refusals. Nothing was changed when one is raised."""

    def __init__(self, code: str, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


class Invalid(Problem):
    """The request is understood but cannot be carried out as it is."""


class NotFound(Problem):
    """There is no such thing here, or it belongs to somebody else: the answer is the same."""


class Conflict(Problem):
    """The present state does not allow it, or somebody was first."""

    def __init__(self, code: str, message: str, *, field: str = "", retry_after: int | None = None) -> None:
        super().__init__(code, message, field=field)
        self.retry_after = retry_after


class Denied(Problem):
    """Known, but not allowed to do this."""


class Unauthenticated(Problem):
    """Not known: no key, or one that does not open anything."""


class TooMany(Problem):
    """Too often, or more than was agreed. ``retry_after``: seconds after which it is worth another try."""

    def __init__(self, code: str, message: str, *, retry_after: int) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after

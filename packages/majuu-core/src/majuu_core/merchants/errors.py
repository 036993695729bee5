"""Why a service of this room refused. Texts say what to do and never repeat a secret."""

from __future__ import annotations

from collections.abc import Sequence

from majuu_core.common.problems import Conflict, Invalid
from majuu_core.providers.types import Violation


class InvalidInput(Invalid):
    """Fields that cannot be accepted, all of them at once: ``violations`` name each field."""

    def __init__(self, *violations: Violation) -> None:
        first = violations[0]
        super().__init__(first.code, "; ".join(item.message for item in violations), field=first.field)
        self.violations: Sequence[Violation] = violations


class ActionRefused(Conflict):
    """The state of things forbids it: a live key for a merchant that is not approved, say."""


class CredentialsUnreadable(Exception):
    """Stored credentials do not open, or the provider wants others by now. Enter them again."""


class KeyRefused(Exception):
    """An API key that does not open the door. The subclasses say why; ``code`` is stable."""

    code = "key_refused"


class KeyUnknown(KeyRefused):
    """Not a key, or not one of ours."""

    code = "key_unknown"


class KeyRevoked(KeyRefused):
    """It was revoked."""

    code = "key_revoked"


class KeyExpired(KeyRefused):
    """Its time is over."""

    code = "key_expired"


class TokenExpired(KeyRefused):
    """An access token of an OAuth client, and its time is over."""

    code = "token_expired"


class AddressNotAllowed(KeyRefused):
    """The key may not be used from there."""

    code = "address_not_allowed"


class StoreInactive(KeyRefused):
    """Its store is switched off."""

    code = "store_inactive"


class MerchantSuspended(KeyRefused):
    """A live key, and its merchant is suspended."""

    code = "merchant_suspended"


class MerchantNotApproved(KeyRefused):
    """A live key, and its merchant is not approved."""

    code = "merchant_not_approved"

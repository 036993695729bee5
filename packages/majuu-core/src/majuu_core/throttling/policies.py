"""The table of what is limited, and ``MAJUU_RATE_LIMITS``, by which a site chooses other numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONGEST_WINDOW = timedelta(days=7)
HIGHEST_COUNT = 100_000


class WhenDown(Enum):
    """What happens while the shared counter (Redis) does not answer."""

    COUNT_HERE = "each process counts on its own"
    ALLOW = "everything is allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """At most ``count`` within any ``window``, for each key that is counted under this name. ``count`` None: no limit.

    ``window`` is in whole seconds.
    """

    name: str
    count: int | None
    window: timedelta
    counts: str
    when_down: WhenDown = WhenDown.COUNT_HERE

    @property
    def seconds(self) -> int:
        """The window in seconds."""
        return int(self.window.total_seconds())


# Many phones of one mobile network share one address: limits by address alone have to be generous.
POLICIES: Mapping[str, Policy] = MappingProxyType(
    {
        policy.name: policy
        for policy in (
            Policy(
                name="secret_key",
                count=600,
                window=MINUTE,
                counts="API requests of one secret key or OAuth client, unless the key has a limit of its own",
                when_down=WhenDown.ALLOW,
            ),
            Policy(
                name="publishable_key",
                count=120,
                window=MINUTE,
                counts="API requests of one publishable key from one address",
                when_down=WhenDown.ALLOW,
            ),
            Policy(
                name="refused_key", count=60, window=MINUTE, counts="API requests from one address whose key is refused"
            ),
            Policy(
                name="refused_address_audit",
                count=1,
                window=HOUR,
                counts="audit entries about one key used from one address that is not allowed",
            ),
            Policy(name="token_address", count=60, window=MINUTE, counts="refused OAuth clients from one address"),
            Policy(
                name="token_client",
                count=10,
                window=MINUTE,
                counts="wrong secrets sent for one OAuth client from one address",
            ),
            Policy(
                name="client_tokens",
                count=60,
                window=MINUTE,
                counts="access tokens granted to one OAuth client",
                when_down=WhenDown.ALLOW,
            ),
            Policy(
                name="refused_client_audit",
                count=1,
                window=HOUR,
                counts="audit entries about wrong secrets for one OAuth client from one address",
            ),
            Policy(name="receipt_store", count=30, window=10 * MINUTE, counts="unknown receipts one store names"),
            Policy(name="receipt_store_day", count=300, window=DAY, counts="unknown receipts one store names in a day"),
            Policy(
                name="receipt_again",
                count=1,
                window=DAY,
                counts="how often one unknown receipt of one store counts for the two above",
            ),
            Policy(name="prompt_address", count=60, window=10 * MINUTE, counts="payments tried from one address"),
            Policy(name="prompt_store", count=600, window=MINUTE, counts="payments tried on one store's pages"),
            Policy(name="sign_in_address", count=60, window=10 * MINUTE, counts="sign-ins tried from one address"),
            Policy(
                name="sign_in_account",
                count=10,
                window=10 * MINUTE,
                counts="sign-ins tried for one account from one address",
            ),
            Policy(
                name="sign_in_account_day",
                count=50,
                window=DAY,
                counts="sign-ins tried for one account from one address",
            ),
            Policy(
                name="sign_in_account_anywhere",
                count=100,
                window=HOUR,
                counts="sign-ins tried for one account from browsers that never signed in to it",
            ),
            Policy(name="second_factor", count=10, window=10 * MINUTE, counts="codes tried for one account"),
            Policy(name="register_address", count=20, window=HOUR, counts="registrations from one address"),
            Policy(name="password_reset_address", count=20, window=HOUR, counts="password resets from one address"),
            Policy(name="password_reset_account", count=5, window=HOUR, counts="password resets of one account"),
            Policy(name="phone_code_address", count=20, window=HOUR, counts="codes by text message from one address"),
            Policy(name="phone_code_account", count=5, window=HOUR, counts="codes by text message for one account"),
            Policy(
                name="phone_code_account_day",
                count=10,
                window=DAY,
                counts="codes by text message for one account in a day",
            ),
            Policy(name="phone_code_phone", count=3, window=HOUR, counts="codes by text message to one number"),
            Policy(
                name="phone_code_phone_day", count=6, window=DAY, counts="codes by text message to one number in a day"
            ),
            Policy(
                name="phone_code_tries", count=20, window=HOUR, counts="codes of text messages tried for one account"
            ),
            Policy(name="invitation_sender", count=50, window=DAY, counts="invitations one person sends"),
            Policy(name="invitation_address", count=5, window=DAY, counts="invitations to one e-mail address"),
        )
    }
)


def policy(name: str) -> Policy:
    """The policy of this name as the site has it. Raises KeyError for an unknown name, ImproperlyConfigured."""
    known = POLICIES[name]
    given = _given()
    return _changed(known, given[name]) if name in given else known


def check_rate_limits(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.E010: ``MAJUU_RATE_LIMITS`` that cannot be used."""
    try:
        for name in POLICIES:
            policy(name)
    except ImproperlyConfigured as problem:
        return [Error(str(problem), hint="See docs/how-to/rate-limits.md.", id="majuu.E010")]
    return []


def _given() -> Mapping[str, Any]:
    given = getattr(settings, "MAJUU_RATE_LIMITS", {})
    if not given and isinstance(given, Mapping):
        return given
    if not isinstance(given, Mapping) or not set(given) <= set(POLICIES):
        names = ", ".join(sorted(POLICIES))
        raise ImproperlyConfigured(f"MAJUU_RATE_LIMITS must be a dictionary whose keys are among {names}.")
    return given


def _changed(known: Policy, value: object) -> Policy:
    match value:
        case None:
            return replace(known, count=None)
        case (int(count), timedelta() as window) if count is not True and _is_usable(count, window):
            return replace(known, count=count, window=window)
    raise ImproperlyConfigured(
        f"MAJUU_RATE_LIMITS[{known.name!r}] must be a number from 1 to {HIGHEST_COUNT} and a timedelta of whole "
        "seconds up to 7 days, such as (600, timedelta(minutes=1)), or None."
    )


def _is_usable(count: int, window: timedelta) -> bool:
    whole = not window.microseconds and timedelta(0) < window <= LONGEST_WINDOW
    return whole and 1 <= count <= HIGHEST_COUNT

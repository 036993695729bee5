"""Every address of the project, and whether anybody is signed in there.

A new address fails test_sign_in_paths.py until it is listed: as a way in, with the name of its start in
test_sign_in_paths.py (or the test that shows its second factor), or as signing nobody in, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver


@dataclass(frozen=True, slots=True)
class WayIn:
    """An address that ends in a session, and the tests that show that the second factor comes first.

    ``starts`` are functions in test_sign_in_paths.py, or ``<module>::<test>`` for a way that is tested elsewhere.
    """

    starts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NobodyIn:
    """An address at which nobody is signed in."""

    reason: str


Said = WayIn | NobodyIn

_SHOWS = NobodyIn("Shows a page; its form goes elsewhere or does not exist.")
_OWN = NobodyIn("For people who are signed in, past their second factor if they have one.")
_SECOND = NobodyIn("Sets up or removes a second factor of somebody who has proved who they are.")
_TOKEN = NobodyIn("Knows access tokens only; a session is neither read nor made.")

PATHS: dict[str, Said] = {
    # --- accounts: getting in
    "accounts/login/": WayIn(("password", "user_name")),
    "accounts/login/code/": NobodyIn("Sends a code by e-mail; signs in at the next address."),
    "accounts/login/code/confirm/": WayIn(("code_by_email",)),
    "accounts/otp/": WayIn(("password", "user_name")),
    "accounts/signup/": NobodyIn("Makes an account that is closed until its address is confirmed."),
    "accounts/confirm-email/": _SHOWS,
    "accounts/^confirm-email/(?P<key>[-:\\w]+)/$": WayIn(("email_confirmation",)),
    "accounts/password/reset/": NobodyIn("Sends a link by e-mail."),
    "accounts/password/reset/done/": _SHOWS,
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": WayIn(("password_reset",)),
    "accounts/password/reset/key/done/": _SHOWS,
    "accounts/inactive/": _SHOWS,
    "accounts/logout/": NobodyIn("Signs out."),
    "accounts/3rdparty/login/cancelled/": _SHOWS,
    "accounts/3rdparty/login/error/": _SHOWS,
    "accounts/3rdparty/signup/": NobodyIn("Makes an account that is closed until its address is confirmed."),
    # allauth's dummy provider, which stands for every provider: they all end in the same flow.
    "accounts/dummy/login/": NobodyIn("Goes to the other site."),
    "accounts/dummy/authenticate/": WayIn(("other_site", "other_site_with_the_address")),
    # --- accounts: one's own
    "accounts/": _OWN,
    "accounts/confirm/": WayIn(("older_session",)),
    "accounts/reauthenticate/": _OWN,
    "accounts/email/": _OWN,
    "accounts/password/change/": _OWN,
    "accounts/password/set/": _OWN,
    "accounts/3rdparty/": _OWN,
    "accounts/second-factor/": _SECOND,
    "accounts/second-factor/set-up/": _SECOND,
    "accounts/second-factor/set-up/app/": _SECOND,
    "accounts/second-factor/set-up/app/picture/": _SECOND,
    "accounts/second-factor/set-up/key/": _SECOND,
    "accounts/second-factor/backup-codes/": _SECOND,
    "accounts/second-factor/remove/": _SECOND,
    # --- console
    "console/login/": WayIn(("console",)),
    # --- API
    "api/v1/auth/register": NobodyIn("Makes an account that is closed until its address is confirmed."),
    "api/v1/auth/verify-email": NobodyIn("Confirms an address; signs nobody in."),
    "api/v1/auth/login": WayIn(("tests/core/api/test_sign_in.py::test_no_tokens_without_the_second_factor",)),
    "api/v1/auth/second-factor": WayIn(("tests/core/api/test_sign_in.py::test_no_tokens_without_the_second_factor",)),
    "api/v1/auth/refresh": WayIn(("tests/core/api/test_sign_in.py::test_a_session_older_than_the_device_gets_none",)),
    "api/v1/auth/logout": NobodyIn("Signs out."),
    "api/v1/auth/password-reset": NobodyIn("Sends a link by e-mail."),
    "api/v1/auth/password-reset/confirm": NobodyIn("Sets a password; signs nobody in."),
    "api/v1/user/profile": _TOKEN,
    "api/v1/user/sessions": _TOKEN,
    "api/v1/user/sessions/<session_id>": _TOKEN,
    "api/v1/user/merchants": _TOKEN,
    "api/v1/user/payments": _TOKEN,
    "api/v1/user/phone/code": _TOKEN,
    "api/v1/user/phone/verify": _TOKEN,
    # --- OAuth
    "oauth/token": NobodyIn("Trades an OAuth client's secret for its access token; no person and no session."),
    # --- sandbox
    "": NobodyIn("The sandbox's first page."),
    "favicon.ico": NobodyIn("A picture."),
}

# Whole parts of the project, by what their addresses begin with. Longer beginnings win; PATHS win over all of them.
PARTS: dict[str, Said] = {
    "console/": NobodyIn("Every page stands behind the console's gate: tests/core/console/test_pages.py."),
    "dashboard/": NobodyIn("For people who are signed in already: tests/core/dashboard/test_access.py."),
    "api/v1/": NobodyIn("Knows API keys only; a session is neither read nor made."),
    "pay/": NobodyIn("Pages of customers, who have no account there; a token in the address opens one payment."),
    "^in/": NobodyIn("Messages of providers."),
}
# Within a part, addresses that may sign in: each of them has to stand in PATHS.
NAMED_EACH = ("api/v1/auth/", "api/v1/user/", "api/v1/oauth", "oauth/")


def said_of(route: str) -> Said | None:
    """What is listed for an address; None when nothing is."""
    if route in PATHS:
        return PATHS[route]
    if route.startswith(NAMED_EACH):
        return None
    found = [part for part in PARTS if route.startswith(part)]
    return PARTS[max(found, key=len)] if found else None


def routes_of(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every address below these patterns, as they are written."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes_of(pattern.url_patterns, route)
        else:
            assert isinstance(pattern, URLPattern)
            yield route

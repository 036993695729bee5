"""Signing in as people do, in the browser: password, then the code of an app."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress

from majuu_core.testing.factories import PASSWORD
from majuu_core.testing.people import enrol, totp_code


def make_reachable(user: Any) -> Any:
    """Give the user a confirmed address and a second factor."""
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    return user.totpdevice_set.first() or enrol(user)


def sign_in_on(visitor: Any, user: Any, path: str) -> None:
    """Open a page that needs it, and go through both steps of signing in."""
    device = make_reachable(user)
    visitor.open(path)
    visitor.page.fill("input[name=login]", user.get_username())
    visitor.page.fill("input[name=password]", PASSWORD)
    visitor.page.click("button[type=submit]")
    visitor.page.wait_for_selector("input[name=code]")
    visitor.page.fill("input[name=code]", totp_code(device))
    visitor.page.click("button[type=submit]")

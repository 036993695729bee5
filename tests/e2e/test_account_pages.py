"""The account's pages in a browser: they fit, work under their Content-Security-Policy, and a security key signs in."""

from __future__ import annotations

import re
from base64 import b32decode

import pytest
from django.core import mail
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from two_factor.plugins.webauthn.models import WebauthnDevice

from majuu_core.common import clock
from majuu_core.testing.factories import PASSWORD, make_user
from tests.core.console.world import make_staff
from tests.e2e.signing_in import make_reachable, sign_in_on

looks = pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
NEW = "four unrelated words here"


def look_at(visitor, name: str) -> None:
    visitor.page.wait_for_load_state("networkidle")
    assert visitor.fits(), name
    visitor.picture(name)
    assert visitor.complaints == []


@looks
def test_pages_for_everybody(width, dark, visit) -> None:
    look = f"{width}-{'dark' if dark else 'light'}"
    visitor = visit(width=width, dark=dark)
    pages = {
        "login": "login/",
        "signup": "signup/",
        "login-code": "login/code/",
        "reset": "password/reset/",
        "reset-done": "password/reset/done/",
        "bad-link": "confirm-email/nonsense/",
        "inactive": "inactive/",
        "sent": "confirm-email/",
        "other-site": "dummy/login/",
        "canceled": "3rdparty/login/cancelled/",
    }
    for name, path in pages.items():
        visitor.open(f"/accounts/{path}")
        look_at(visitor, f"account-{name}-{look}")
    visitor.open("/accounts/login/")
    visitor.page.fill("input[name=login]", "nobody@duka.example")
    visitor.page.fill("input[name=password]", "wrong password")
    visitor.page.click("button[type=submit]")
    visitor.page.wait_for_selector("[role=alert]")
    look_at(visitor, f"account-login-wrong-{look}")


@looks
def test_pages_of_one_s_own(width, dark, visit) -> None:
    look, user = f"{width}-{'dark' if dark else 'light'}", make_user()
    make_reachable(user)
    visitor = visit(width=width, dark=dark)
    sign_in_on(visitor, user, "/accounts/")
    visitor.page.wait_for_selector("text=Your account")
    pages = {
        "own": "",
        "email": "email/",
        "password": "password/change/",
        "sites": "3rdparty/",
        "confirm": "confirm/",
        "devices": "second-factor/",
        "set-up": "second-factor/set-up/",
        "set-up-app": "second-factor/set-up/app/",
        "set-up-key": "second-factor/set-up/key/",
        "codes": "second-factor/backup-codes/",
        "logout": "logout/",
    }
    for name, path in pages.items():
        visitor.open(f"/accounts/{path}")
        look_at(visitor, f"account-{name}-{look}")
    visitor.open("/accounts/second-factor/backup-codes/")
    visitor.page.click("button[type=submit]")
    visitor.page.wait_for_selector(".codes")
    look_at(visitor, f"account-codes-made-{look}")


def test_from_registration_to_the_second_factor(visit) -> None:
    visitor = visit(width=360)
    visitor.open("/accounts/signup/")
    visitor.page.fill("input[name=email]", "new@duka.example")
    visitor.page.fill("input[name=password1]", NEW)
    visitor.page.click("button[type=submit]")
    visitor.page.wait_for_selector("text=Look into your mail")
    link = re.search(r"http://\S+(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body))
    assert link is not None
    visitor.open(link[1])
    visitor.page.click("button[type=submit]")
    visitor.page.wait_for_selector("input[name=login]")
    visitor.page.fill("input[name=login]", "new@duka.example")
    visitor.page.fill("input[name=password]", NEW)
    visitor.page.click("button[type=submit]")
    visitor.page.wait_for_selector("text=Register your business")
    visitor.open("/accounts/")
    visitor.page.wait_for_selector("text=Your account")
    visitor.page.click("text=Second factor")
    visitor.page.click("text=Set up one")
    visitor.page.click("text=Authenticator app")
    visitor.page.wait_for_load_state("networkidle")
    assert visitor.page.evaluate("document.querySelector('.qr').naturalWidth > 0")
    key = visitor.page.inner_text("code").replace(" ", "")
    visitor.page.fill("input[name=code]", code_for(key))
    visitor.page.click("button[type=submit]")
    visitor.page.wait_for_selector("text=Make ten codes")
    assert TOTPDevice.objects.get().user.email == "new@duka.example"
    assert visitor.complaints == []


def test_a_security_key_is_set_up_and_signs_in(visit) -> None:
    visitor, user = visit(width=1280), make_staff(superuser=True)
    make_reachable(user)
    authenticator = visitor.page.context.new_cdp_session(visitor.page)
    authenticator.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}
    authenticator.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in_on(visitor, user, "/accounts/second-factor/set-up/key/")
    visitor.page.fill("input[name=name]", "Blue key")
    visitor.page.click("text=Use a security key")
    visitor.page.wait_for_selector("text=Make ten codes")
    key = WebauthnDevice.objects.get()
    assert (key.user, key.name, key.confirmed) == (user, "Blue key", True)
    visitor.open("/accounts/logout/")
    visitor.page.click("button[type=submit]")
    visitor.page.wait_for_selector("input[name=login]")
    visitor.page.fill("input[name=login]", user.email)
    visitor.page.fill("input[name=password]", PASSWORD)
    visitor.page.click("button[type=submit]")
    visitor.page.wait_for_selector("text=Use a security key")
    visitor.picture("account-challenge-key")
    visitor.page.click("text=Use a security key")
    visitor.page.wait_for_selector("#attention")
    key.refresh_from_db()
    assert key.sign_count > 0
    assert visitor.complaints == []


def code_for(key: str) -> str:
    """What an app with this key shows."""
    totp = TOTP(b32decode(key))
    totp.time = clock.SystemClock().now().timestamp()
    return f"{totp.token():06d}"

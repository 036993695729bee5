"""People who sign in, for tests: with a second factor, as the console and the dashboard want them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY, devices_for_user
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from majuu_core.accounts.step_up import SESSION_KEY
from majuu_core.common import clock


def enrol(user: Any) -> TOTPDevice:
    """Give the user a confirmed authenticator app."""
    return TOTPDevice.objects.create(user=user, name="default", confirmed=True)


def totp_code(device: TOTPDevice) -> str:
    """A code the device accepts now. A code works once, so the one after a used code is that of the next step.

    Two codes are to be had within one step of 30 seconds; failures that made the device wait are forgotten.
    """
    device.refresh_from_db()
    device.throttle_reset()
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = clock.SystemClock().now().timestamp()  # django-otp's own clock
    ahead = max(0, device.last_t + 1 - totp.t())
    totp.time += ahead * device.step
    return str(totp.token()).zfill(device.digits)


def sign_in(client: Client, user: Any, *, verified: bool = True, fresh: bool = True) -> None:
    """Sign the user in as if they had just shown their second factor; one is made for who has none.

    ``verified`` False: only past the password. ``fresh`` False: the second factor was shown long ago.
    """
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if not verified:
        return
    device = next(iter(devices_for_user(user)), None) or enrol(user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session[SESSION_KEY] = int(clock.now().timestamp()) if fresh else 0
    session.save()

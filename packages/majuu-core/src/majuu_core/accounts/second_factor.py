"""Second factors of a person: checking codes, adding and removing devices, backup codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django_otp import devices_for_user, verify_token
from django_otp.models import Device, ThrottlingMixin
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from two_factor.plugins.webauthn.models import WebauthnDevice

from majuu_core.common import crypto, randomness
from majuu_core.configuration import encryption_keys

BACKUP_CODES = 10
# After this many wrong codes a device waits no longer than before: 2 ** 9 seconds, not quite nine minutes.
MOST_FAILURES = 10
# Codes are written down by hand: what looks alike counts as the same.
_LOOKALIKES = str.maketrans("oil", "011")
_LONGEST_APP_CODE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A device as its owner sees it."""

    id: str
    name: str
    kind: str
    last_used_at: Any


def verify_code(user: Any, code: str) -> Device | None:
    """The user's device that accepts this code, or None.

    A few digits are a code of an app, anything else is a backup code, so that a mistyped one makes only its own device
    wait. A code works once. After a wrong one its device waits 1, 2, 4, … seconds, and accepts nothing meanwhile.
    """
    tidy = "".join(code.split()).replace("-", "").lower()
    if not tidy:
        return None
    is_app_code = tidy.isdecimal() and len(tidy) <= _LONGEST_APP_CODE
    for device in devices_for_user(user):
        if isinstance(device, TOTPDevice if is_app_code else StaticDevice):
            token = tidy if is_app_code else _stored(device, tidy)
            if found := verify_token(user, device.persistent_id, token):
                return found
            _wait_no_longer(device)
    return None


def _stored(device: StaticDevice, code: str) -> str:
    """How the database knows a backup code: as a keyed hash, by whichever master key it was made with."""
    hashes = [_hash_of(code, key) for key in encryption_keys()]
    found: str | None = device.token_set.filter(token__in=hashes).values_list("token", flat=True).first()
    return found or hashes[0]


def _hash_of(code: str, master_key: str) -> str:
    return crypto.keyed_hash(master_key, "backup-code", code.translate(_LOOKALIKES).encode())[:8].hex()


def _wait_no_longer(device: ThrottlingMixin) -> None:
    """Keep somebody who knows the password from closing the account for days with wrong codes."""
    type(device).objects.filter(pk=device.pk, throttling_failure_count__gt=MOST_FAILURES).update(
        throttling_failure_count=MOST_FAILURES
    )


def own_devices(user: Any) -> list[Shown]:
    """Apps and security keys of a user, oldest first. Backup codes are not among them."""
    apps = [
        Shown(id=device.persistent_id, name=device.name, kind="Authenticator app", last_used_at=device.last_used_at)
        for device in TOTPDevice.objects.filter(user=user, confirmed=True).order_by("pk")
    ]
    keys = [
        Shown(id=device.persistent_id, name=device.name, kind="Security key", last_used_at=device.last_used_at)
        for device in WebauthnDevice.objects.filter(user=user, confirmed=True).order_by("pk")
    ]
    return apps + keys


def add_app(user: Any, *, key: str, name: str, last_step: int) -> TOTPDevice:
    """A confirmed authenticator app. ``key`` in hexadecimal; codes up to ``last_step`` are used up."""
    device: TOTPDevice = TOTPDevice.objects.create(
        user=user, key=key, name=name or "Authenticator app", confirmed=True, last_t=last_step
    )
    return device


def remove_device(user: Any, device_id: str, *, keep_one: bool) -> bool:
    """Remove an app or a security key; with the last one the backup codes go too. False when there is no such device.

    With ``keep_one`` the last device stays, and nothing is removed.
    """
    with transaction.atomic():
        locked = _lock(user)
        known = {device.id for device in own_devices(locked)}
        if device_id not in known or (keep_one and len(known) == 1):
            return False
        device = Device.from_persistent_id(device_id)
        if device is None:
            return False
        device.delete()
        if len(known) == 1:
            StaticDevice.objects.filter(user=locked).delete()
    return True


def make_backup_codes(user: Any) -> list[str]:
    """New codes; the old ones stop working. Each works once: ``a1b2-c3d4-f5g6``, 56 random bits."""
    codes = [randomness.encode_url_safe(randomness.secret_bytes(7)) for _ in range(BACKUP_CODES)]
    master_key = encryption_keys()[0]
    with transaction.atomic():
        _lock(user)
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name="backup", confirmed=True)
        for code in codes:
            device.token_set.create(token=_hash_of(code, master_key))
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def _lock(user: Any) -> Any:
    """The user's row, locked: what follows is done by one request at a time."""
    return get_user_model()._default_manager.select_for_update().get(pk=user.pk)


def backup_codes_left(user: Any) -> int:
    """How many backup codes are unused."""
    return sum(device.token_set.count() for device in StaticDevice.objects.filter(user=user, confirmed=True))


def reset_second_factor(user: Any) -> int:
    """Take every device of a user away, for somebody who lost them. The number of devices."""
    devices = list(devices_for_user(user, confirmed=None))
    for device in devices:
        device.delete()
    return len(devices)

"""Security keys and passkeys as a second factor: WebAuthn, with the devices of two_factor's plugin."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from two_factor.plugins.webauthn.models import WebauthnDevice
from two_factor.plugins.webauthn.utils import (
    make_credential_creation_options,
    make_credential_request_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.parse_authentication_credential_json import parse_authentication_credential_json
from webauthn.helpers.structs import PublicKeyCredentialRpEntity, PublicKeyCredentialUserEntity

from majuu_core.common import clock

ASKED, MADE = "majuu_security_key_asked", "majuu_security_key_made"
_WRONG = (WebAuthnException, ValueError, KeyError, TypeError)


def has_security_key(user: Any) -> bool:
    """Whether the user may be asked for a security key."""
    return bool(WebauthnDevice.objects.filter(user=user, confirmed=True).exists())


def options_to_ask(request: HttpRequest, user: Any) -> str:
    """What the browser is asked, as JSON; the challenge in it is kept in the session and answered once."""
    handles = WebauthnDevice.objects.filter(user=user, confirmed=True).values_list("key_handle", flat=True)
    options, request.session[ASKED] = make_credential_request_options(_site(request), allowed_credential_ids=handles)
    return str(options)


def verify_answer(request: HttpRequest, user: Any, answer: str) -> WebauthnDevice | None:
    """The user's key that gave this answer to the session's challenge, or None. A challenge is good for one answer."""
    challenge = request.session.pop(ASKED, None)
    if not challenge:
        return None
    try:
        handle = parse_authentication_credential_json(answer).id
        with transaction.atomic():
            keys = WebauthnDevice.objects.select_for_update().filter(user=user, confirmed=True)
            device = keys.filter(key_handle=handle).first()
            if device is None:
                return None
            device.sign_count = verify_authentication_response(
                device.public_key, device.sign_count, _site(request), _origin(request), challenge, answer
            )
            device.last_used_at = clock.now()
            device.save(update_fields=["sign_count", "last_used_at"])
    except _WRONG:
        return None
    return device


def options_to_make(request: HttpRequest, user: Any) -> str:
    """What the browser is asked to make a new key, as JSON; the challenge in it is kept in the session."""
    name = user.get_username()
    person = PublicKeyCredentialUserEntity(
        id=hashlib.sha256(f"majuu:{user.pk}".encode()).digest(), name=name, display_name=user.get_full_name() or name
    )
    handles = WebauthnDevice.objects.filter(user=user).values_list("key_handle", flat=True)
    options, request.session[MADE] = make_credential_creation_options(
        person, _site(request), excluded_credential_ids=handles
    )
    return str(options)


def add_security_key(request: HttpRequest, user: Any, answer: str, name: str) -> WebauthnDevice | None:
    """The new key of this user, when the answer fits the session's challenge; None otherwise."""
    challenge = request.session.pop(MADE, None)
    if not challenge:
        return None
    site = _site(request)
    try:
        public_key, handle, count = verify_registration_response(site.id, _origin(request), challenge, answer)
    except _WRONG:
        return None
    if WebauthnDevice.objects.filter(key_handle=handle).exists():
        return None
    return WebauthnDevice.objects.create(
        user=user, name=name or "Security key", public_key=public_key, key_handle=handle, sign_count=count
    )


def _site(request: HttpRequest) -> PublicKeyCredentialRpEntity:
    host = request.get_host()
    bare = host.rpartition(":")[0] or host
    return PublicKeyCredentialRpEntity(
        id=getattr(settings, "TWO_FACTOR_WEBAUTHN_RP_ID", None) or bare,
        name=getattr(settings, "TWO_FACTOR_WEBAUTHN_RP_NAME", bare),
    )


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"

"""Webhook endpoints: where a shop wants to hear from us, and the secrets its messages are signed with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q

from majuu_core import configuration
from majuu_core.audit.services import record_entry
from majuu_core.common import clock
from majuu_core.common.addresses import is_public_address, literal_address
from majuu_core.common.crypto import Cipher
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.events.catalogue import ENDPOINT_DISABLED, TEST_EVENT, check_patterns
from majuu_core.events.models import Event
from majuu_core.events.services import build_event
from majuu_core.merchants.models import Store
from majuu_core.webhooks import signing
from majuu_core.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookSecret

MAX_ENDPOINTS = 20  # per store and mode: every event is sent to each of them
MAX_URL_LENGTH = 500
MAX_DESCRIPTION_LENGTH = 255
ROTATION_OVERLAP = timedelta(hours=24)
_MAX_OVERLAP = timedelta(days=7)
SigningKey = tuple[bytes, datetime | None]  # the key, and when it ends
_LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa")


@dataclass(frozen=True, slots=True)
class Created:
    """A new endpoint, or one with a new secret. The secret is never shown again."""

    endpoint: WebhookEndpoint
    secret: str

    def __repr__(self) -> str:
        return f"Created({self.endpoint.public_id})"


def create_webhook_endpoint(
    *, store: Store, livemode: bool, url: str, event_types: Sequence[str] = (), description: str = ""
) -> Created:
    """Add an endpoint. No event types means all of them.

    Raises Invalid (``url_invalid``, ``url_not_https``, ``url_private``, ``url_too_long``, ``event_type_unknown``,
    ``description_too_long``) and Conflict (``endpoints_too_many``).
    """
    endpoint = WebhookEndpoint(
        store=store,
        livemode=livemode,
        url=check_url(url, livemode=livemode),
        event_types=check_patterns(event_types),
        description=_checked_description(description),
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    secret = signing.new_secret()
    with transaction.atomic():
        Store.objects.select_for_update().get(pk=store.pk)  # so that two requests cannot pass the limit together
        if _current(store, livemode).count() >= MAX_ENDPOINTS:
            raise Conflict("endpoints_too_many", f"A store has at most {MAX_ENDPOINTS} endpoints. Delete one first.")
        endpoint.save(force_insert=True)
        _add_secret(endpoint, secret)
        _record(endpoint, "webhook_endpoint.created", {"url": [None, endpoint.url]})
    return Created(endpoint, secret)


def update_webhook_endpoint(
    *,
    endpoint: WebhookEndpoint,
    url: str | None = None,
    event_types: Sequence[str] | None = None,
    description: str | None = None,
) -> WebhookEndpoint:
    """Change what is given; None leaves a field as it is. Raises as ``create_webhook_endpoint`` does."""
    wanted: dict[str, Any] = {}
    if url is not None:
        wanted["url"] = check_url(url, livemode=endpoint.livemode)
    if event_types is not None:
        wanted["event_types"] = check_patterns(event_types)
    if description is not None:
        wanted["description"] = _checked_description(description)
    with transaction.atomic():
        locked = _lock(endpoint)
        changes = {name: [getattr(locked, name), value] for name, value in wanted.items()}
        changes = {name: change for name, change in changes.items() if change[0] != change[1]}
        if changes:
            _write(locked, {name: change[1] for name, change in changes.items()})
            _record(locked, "webhook_endpoint.updated", changes)
    return locked


def delete_webhook_endpoint(*, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Archive the endpoint: nothing is sent to it any more, its secrets are gone, its log stays. Repeating is fine."""
    with transaction.atomic():
        locked = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        if locked.status != WebhookEndpoint.Status.ARCHIVED:
            _write(locked, {"status": WebhookEndpoint.Status.ARCHIVED, "disabled_at": clock.now()})
            locked.secrets.all().delete()
            cancel_waiting(endpoint=locked, reason="the endpoint was deleted")
            _record(locked, "webhook_endpoint.deleted", {"url": [locked.url, None]})
    return locked


def rotate_secret(*, endpoint: WebhookEndpoint, overlap: timedelta = ROTATION_OVERLAP) -> Created:
    """Make a new secret. Until ``overlap`` has passed, messages carry the signatures of both, the new one first.

    ``overlap`` is at most seven days; zero ends the old secret at once. Raises Invalid (``overlap_invalid``).
    """
    if not timedelta(0) <= overlap <= _MAX_OVERLAP:
        raise Invalid("overlap_invalid", "The old secret may stay valid for 0 hours to 7 days.", field="overlap")
    secret, ends = signing.new_secret(), clock.now() + overlap
    with transaction.atomic():
        locked = _lock(endpoint)
        locked.secrets.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=ends)).update(expires_at=ends)
        locked.secrets.filter(expires_at__lte=clock.now()).delete()
        _add_secret(locked, secret)
        _write(locked, {})  # a worker that has the old secrets in memory notices the new time
        _record(locked, "webhook_endpoint.secret_rotated", {"old_secret_ends": [None, ends.isoformat()]})
    return Created(locked, secret)


def enable_webhook_endpoint(*, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Send to it again, with a clean slate. What happened meanwhile can be replayed. Repeating is fine."""
    with transaction.atomic():
        locked = _lock(endpoint)
        if locked.status != WebhookEndpoint.Status.ENABLED:
            before = locked.status
            _write(
                locked,
                {
                    "status": WebhookEndpoint.Status.ENABLED,
                    "disabled_reason": "",
                    "disabled_at": None,
                    "failing_since": None,
                    "last_failure_at": None,
                    "notice_sent_at": None,
                    "throttled_until": None,
                },
            )
            _record(locked, "webhook_endpoint.updated", {"status": [before, locked.status]})
    return locked


def disable_webhook_endpoint(*, endpoint: WebhookEndpoint, reason: str) -> bool:
    """Send nothing to it any more. What was waiting is canceled; every event is kept and can be replayed.

    Other endpoints of the store that want it get ``webhook_endpoint.disabled``. False when it was not enabled.
    """
    with transaction.atomic():
        locked = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        if locked.status != WebhookEndpoint.Status.ENABLED:
            return False
        _write(
            locked,
            {
                "status": WebhookEndpoint.Status.DISABLED,
                "disabled_reason": reason[:255],
                "disabled_at": clock.now(),
            },
        )
        cancel_waiting(endpoint=locked, reason="the endpoint is disabled")
        _record(locked, "webhook_endpoint.disabled", {"reason": [None, locked.disabled_reason]})
        _event(locked, ENDPOINT_DISABLED).save(force_insert=True)
    return True


def send_test_event(*, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send ``webhook_endpoint.test`` to this endpoint alone. Raises Conflict (``endpoint_disabled``)."""
    with transaction.atomic():
        locked = _lock(endpoint)
        if locked.status != WebhookEndpoint.Status.ENABLED:
            raise Conflict("endpoint_disabled", "The endpoint is disabled. Enable it first.")
        event = _event(locked, TEST_EVENT)
        event.dispatched_at = clock.now()  # goes to this one only, so the dispatcher has nothing to do
        event.save(force_insert=True)
        return WebhookDelivery.objects.create(event=event, endpoint=locked, next_attempt_at=clock.now())


def cancel_waiting(*, endpoint: WebhookEndpoint, reason: str) -> int:
    """Cancel what waits for this endpoint. What is on its way right now is recorded when it returns."""
    return WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDelivery.State.PENDING).update(
        state=WebhookDelivery.State.CANCELED, next_attempt_at=None, finished_at=clock.now(), last_error=reason[:300]
    )


def represent_endpoint(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """The endpoint as plain JSON values, without its secret."""
    return {
        "id": endpoint.public_id,
        "object": "webhook_endpoint",
        "livemode": endpoint.livemode,
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": endpoint.event_types,
        "status": endpoint.status,
        "disabled_reason": endpoint.disabled_reason or None,
    }


def check_url(url: str, *, livemode: bool) -> str:
    """The address as it will be called. Raises Invalid and says what is wrong with it.

    https is required; in test mode http is taken too where the sandbox setting allows private addresses. Names are
    resolved and checked again at every connection, so this look is for people, not for safety.
    """
    sandbox = configuration.allow_private_webhook_addresses()
    if len(url) > MAX_URL_LENGTH:
        raise _refused("url_too_long", f"The address must not be longer than {MAX_URL_LENGTH} characters.")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _refused("url_invalid", "The address may hold no spaces, backslashes or characters beyond ASCII.")
    try:
        parsed = urlsplit(url)
        host, port = parsed.hostname, parsed.port
    except ValueError:
        raise _refused("url_invalid", "This is no address. Send one such as https://shop.example/webhooks.") from None
    if parsed.scheme not in {"http", "https"} or not host or port == 0:
        raise _refused("url_invalid", "Send a full address such as https://shop.example/webhooks.")
    if parsed.username is not None or parsed.password is not None:
        raise _refused("url_invalid", "The address must hold no user name or password: every message is signed.")
    if "#" in url:
        raise _refused("url_invalid", "The address must hold no part after #: it is never sent.")
    if parsed.scheme == "http" and (livemode or not sandbox):
        raise _refused("url_not_https", "The address must begin with https://.")
    if not sandbox and _is_local(host):
        raise _refused("url_private", "The address must be on the public internet.")
    return url


def _is_local(host: str) -> bool:
    address = literal_address(host)
    if address is not None:
        return not is_public_address(address)
    name = host.rstrip(".").lower()
    return "." not in name or any(name == local or name.endswith("." + local) for local in _LOCAL_NAMES)


def _refused(code: str, message: str) -> Invalid:
    return Invalid(code, message, field="url")


def _checked_description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION_LENGTH:
        message = f"The description must not be longer than {MAX_DESCRIPTION_LENGTH} characters."
        raise Invalid("description_too_long", message, field="description")
    return text


def secret_cipher() -> Cipher:
    """What signing secrets are encrypted with, each bound to its endpoint's public id."""
    return Cipher(configuration.encryption_keys(), "webhook-secret")


def open_secrets(endpoint_id: str, sealed: Iterable[tuple[str, datetime | None]]) -> list[SigningKey]:
    """Signing keys with the time each ends, from sealed secrets."""
    cipher = secret_cipher()
    return [(signing.key_of(cipher.decrypt(text, bound_to=endpoint_id).decode()), ends) for text, ends in sealed]


def _add_secret(endpoint: WebhookEndpoint, secret: str) -> None:
    sealed = secret_cipher().encrypt(secret.encode(), bound_to=endpoint.public_id)
    WebhookSecret.objects.create(endpoint=endpoint, sealed=sealed, created_at=clock.now())


def _current(store: Store, livemode: bool) -> Any:
    return WebhookEndpoint.objects.filter(store=store, livemode=livemode).exclude(
        status=WebhookEndpoint.Status.ARCHIVED
    )


def _lock(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    locked = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    if locked.status == WebhookEndpoint.Status.ARCHIVED:
        raise Conflict("endpoint_deleted", "The endpoint was deleted.")
    return locked


def _write(endpoint: WebhookEndpoint, values: Mapping[str, Any]) -> None:
    # Strictly later than before, because workers recognise a changed endpoint by this time.
    changed = max(clock.now(), endpoint.updated_at + timedelta(microseconds=1))
    for name, value in values.items():
        setattr(endpoint, name, value)
    endpoint.updated_at = changed
    endpoint.save(update_fields=[*values, "updated_at"])


def _record(endpoint: WebhookEndpoint, action: str, changes: Mapping[str, Any]) -> None:
    record_entry(
        action=action,
        object_id=endpoint.public_id,
        merchant_id=endpoint.store.merchant_id,
        store_id=endpoint.store_id,
        changes=changes,
    )


def _event(endpoint: WebhookEndpoint, type: str) -> Event:
    return build_event(
        store_id=endpoint.store_id,
        livemode=endpoint.livemode,
        type=type,
        object_id=endpoint.public_id,
        data={"webhook_endpoint": represent_endpoint(endpoint)},
    )

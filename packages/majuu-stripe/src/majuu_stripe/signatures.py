"""Whether a message is Stripe's: signature over the bytes as they came, age, and the mode it belongs to."""

from __future__ import annotations

import json
from typing import Any

from majuu_core.common import clock
from majuu_core.providers import Trust, WebhookRejected, WebhookRequest
from majuu_stripe.account import Account
from majuu_stripe.fields import Obj

HEADER = "stripe-signature"
TOLERANCE_SECONDS = 300
_LONGEST_HEADER = 4000


def verify(account: Account, request: WebhookRequest) -> Trust:
    """SIGNED, or WebhookRejected with what is wrong. Any of the account's secrets will do."""
    secrets = [secret.get_secret_value() for secret in account.credentials.webhook_secrets]
    if not secrets:
        raise WebhookRejected("this account has no signing secret: enter the endpoint's whsec_… in its credentials")
    header = request.headers.get(HEADER, "")
    if not header or len(header) > _LONGEST_HEADER or not header.isascii():
        raise WebhookRejected("there is no usable Stripe-Signature header")
    if not any(_is_signed(request.body, header, secret) for secret in secrets):
        raise WebhookRejected("the signature fits none of this account's signing secrets")
    # By our own clock: the SDK's check reads the machine's.
    age = clock.now().timestamp() - _signed_at(header)
    if abs(age) > TOLERANCE_SECONDS:
        raise WebhookRejected(f"the message was signed {int(age)} seconds ago, by this machine's clock")
    read_event(account, request)
    return Trust.SIGNED


def read_event(account: Account, request: WebhookRequest) -> Obj:
    """The event in a message. Raises WebhookRejected for anything else, and for one of the other mode."""
    event = _decoded(request.body)
    if not isinstance(event, dict) or event.get("object") != "event" or not isinstance(event.get("data"), dict):
        raise WebhookRejected("the body is no Stripe event")
    if not (_is_text(event.get("id")) and _is_text(event.get("type")) and isinstance(event.get("created"), int)):
        raise WebhookRejected("the event has no id, type or time")
    if not isinstance(event["data"].get("object"), dict):
        raise WebhookRejected("the event holds no object")
    if event.get("livemode") is not account.livemode:
        mode = "live" if account.livemode else "test"
        raise WebhookRejected(f"the event is not of {mode} mode: the endpoint belongs to another account")
    return event


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookRejected("the body cannot be read") from None


def _is_signed(body: bytes, header: str, secret: str) -> bool:
    import stripe

    try:
        return bool(stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None))
    except (stripe.SignatureVerificationError, ValueError, OverflowError):
        return False


def _signed_at(header: str) -> int:
    """The first time in a header whose signature was right; the SDK reads the same one."""
    found = next((part[2:] for part in header.split(",") if part.startswith("t=")), "")
    try:
        return int(found)
    except ValueError:
        raise WebhookRejected("the signature has no time") from None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255

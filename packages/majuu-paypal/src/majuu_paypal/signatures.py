"""Proof that a message is PayPal's: the signature over its raw bytes, or PayPal's own word when it is asked.

What cannot be verified because PayPal cannot be reached now is not refused: it is UNSIGNED, and core asks for the
truth before it applies anything. A message that fails its test is refused.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from majuu_core.common import clock
from majuu_core.providers import ProviderError, RequestRejected, Trust, WebhookRejected, WebhookRequest
from majuu_paypal.answers import body_of
from majuu_paypal.certificates import Unreachable, signer_key
from majuu_paypal.client import PaypalClient
from majuu_paypal.credentials import PaypalCredentials
from majuu_paypal.fields import moment, text
from majuu_paypal.options import Verification, origin
from majuu_paypal.webhook_ids import webhook_ids

VERIFY_PATH = "/v1/notifications/verify-webhook-signature"
ALGORITHM = "SHA256withRSA"
_FUTURE = timedelta(minutes=10)  # clocks that disagree
_NAMES = {
    "transmission_id": "paypal-transmission-id",
    "transmission_time": "paypal-transmission-time",
    "transmission_sig": "paypal-transmission-sig",
    "cert_url": "paypal-cert-url",
    "auth_algo": "paypal-auth-algo",
}
_LONGEST_HEADER = 1_000


def verify(
    client: PaypalClient, request: WebhookRequest, *, credentials: PaypalCredentials, settings: Verification
) -> Trust:
    """SIGNED for a message of PayPal's to this app's webhook, UNSIGNED when PayPal cannot be asked.

    Raises WebhookRejected for everything else: another webhook's message, another sender's, a changed or an old one.
    """
    if request.method.upper() != "POST":
        raise WebhookRejected(f"PayPal sends messages by POST, not by {request.method[:10]}")
    told = _headers(request.headers)
    _check_time(told["transmission_time"], settings.tolerance)
    if told["auth_algo"] != ALGORITHM:
        raise WebhookRejected(f"signatures are made with {ALGORITHM} only")
    try:
        if origin(told["cert_url"]) not in settings.certificate_origins:
            raise WebhookRejected("the certificate is not on PayPal's host")
        ids = webhook_ids(client, credentials)
        check = _check_online if settings.online else _check_offline
        genuine = check(client, request.body, told, ids, settings)
    except Unreachable:
        return Trust.UNSIGNED
    if not genuine:
        raise WebhookRejected("the signature is not PayPal's for this message and this webhook id")
    return Trust.SIGNED


def signed_text(transmission_id: str, transmission_time: str, webhook_id: str, body: bytes) -> bytes:
    """What PayPal signs: with the CRC-32 of the raw bytes as a decimal number."""
    return f"{transmission_id}|{transmission_time}|{webhook_id}|{zlib.crc32(body)}".encode()


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    found = {name: headers.get(header, "").strip() for name, header in _NAMES.items()}
    missing = [_NAMES[name] for name, value in found.items() if not value]
    if missing:
        raise WebhookRejected(f"the message is not signed: {', '.join(missing)} is missing")
    if any(len(value) > _LONGEST_HEADER for value in found.values()):
        raise WebhookRejected("a header of the signature is too long")
    return found


def _check_time(told: str, tolerance: timedelta) -> None:
    sent_at = moment({"time": told}, "time")
    if sent_at is None:
        raise WebhookRejected("the time of sending cannot be read")
    age = clock.now() - sent_at
    if age > tolerance:
        raise WebhookRejected("the message was sent too long ago")
    if age < -_FUTURE:
        raise WebhookRejected("the message was sent in the future; is this machine's clock right?")


def _check_offline(
    client: PaypalClient, body: bytes, told: Mapping[str, str], ids: Sequence[str], settings: Verification
) -> bool:
    key = signer_key(told["cert_url"], http=client.http, cache=client.cache, settings=settings, now=clock.now())
    try:
        signature = base64.b64decode(told["transmission_sig"], validate=True)
    except ValueError:
        return False
    texts = (signed_text(told["transmission_id"], told["transmission_time"], one, body) for one in ids)
    return any(_verifies(key, signature, message) for message in texts)


def _verifies(key: RSAPublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _check_online(
    client: PaypalClient, body: bytes, told: Mapping[str, str], ids: Sequence[str], settings: Verification
) -> bool:
    """Ask PayPal. The message goes there byte for byte: written anew it would have another checksum."""
    try:  # one whole JSON object, so that it cannot close its place in ours and add to it
        if not isinstance(json.loads(body), dict):
            return False
    except (ValueError, RecursionError):
        return False
    try:
        return any(_confirms(client, body, {**told, "webhook_id": one}) for one in ids)
    except RequestRejected:
        return False  # headers that PayPal itself cannot read
    except ProviderError as problem:
        raise Unreachable(str(problem)) from problem


def _confirms(client: PaypalClient, body: bytes, claim: Mapping[str, str]) -> bool:
    head = json.dumps(dict(claim))[:-1]
    content = head.encode() + b', "webhook_event": ' + body.strip() + b"}"
    answer = client.post_bytes(
        VERIFY_PATH, content, "application/json", operation="verify_webhook", shown=f"{head}, …}}"
    )
    return text(body_of(answer), "verification_status") == "SUCCESS"

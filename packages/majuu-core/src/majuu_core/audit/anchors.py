"""Anchors: the heads of all chains, signed, and taken to places that whoever changes this database cannot reach.

An anchor is a line of JSON: ``{"anchor": {…}, "signature": "…"}``. Ed25519 (RFC 8032) signs the canonical spelling of
what stands under ``anchor``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import IntegrityError, transaction

from majuu_core.audit.configuration import anchor_settings, signing_keys
from majuu_core.audit.encoding import canonical, moment_text
from majuu_core.audit.models import AuditAnchor
from majuu_core.audit.sealing import read_heads
from majuu_core.common import clock
from majuu_core.database.errors import is_unique_violation

_FORMAT = b"majuu-audit-anchor-1\n"


def public_key_text(key: Ed25519PrivateKey) -> str:
    """The public key of a signing key: 64 hexadecimal digits."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def own_public_keys() -> tuple[str, ...]:
    """The public keys of this site, newest first."""
    return tuple(public_key_text(key) for key in signing_keys())


def is_signed_by(body: bytes, signature: str, public_keys: tuple[str, ...]) -> bool:
    """Whether one of these keys signed the body of an anchor."""
    for key in public_keys:
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), _FORMAT + body)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def anchor_record(anchor: AuditAnchor) -> dict[str, Any]:
    """An anchor as it stands in files, e-mails and exports. A body that is no JSON any more is given as it is."""
    try:
        body: Any = json.loads(anchor.body)
    except ValueError:
        body = anchor.body
    return {"anchor": body, "signature": anchor.signature}


def anchor_line(anchor: AuditAnchor) -> str:
    """The line of JSON, without its end."""
    return canonical(anchor_record(anchor)).decode()


def latest_anchor() -> AuditAnchor | None:
    """The last one made, if any."""
    return AuditAnchor.objects.order_by("-number").first()


def make_due_anchor() -> AuditAnchor | None:
    """Make an anchor if it is time for one and something was sealed since the last."""
    last = latest_anchor()
    if last is not None and clock.now() < last.made_at + anchor_settings().every:
        return None
    return make_anchor()


def make_anchor() -> AuditAnchor | None:
    """Sign the heads as they are now, and keep them.

    None when nothing was sealed since the last anchor, or another worker was faster.
    """
    last, heads = latest_anchor(), read_heads()
    sealed = sum(head.sequence for head in heads)
    if not sealed or (last is not None and last.sealed == sealed):
        return None
    key, now = signing_keys()[0], clock.now()
    body = canonical(
        {
            "number": last.number + 1 if last is not None else 1,
            "made_at": moment_text(now),
            "sealed": sealed,
            "heads": [[head.chain, head.sequence, head.hash] for head in heads],
            "key": public_key_text(key),
        }
    )
    anchor = AuditAnchor(
        number=json.loads(body)["number"],
        made_at=now,
        sealed=sealed,
        body=body.decode(),
        signature=key.sign(_FORMAT + body).hex(),
    )
    return anchor if _add(anchor) else None


def _add(anchor: AuditAnchor) -> bool:
    """False when the number is taken."""
    try:
        with transaction.atomic():
            anchor.save(force_insert=True)
    except IntegrityError as problem:
        if is_unique_violation(problem):
            return False
        raise
    return True


def body_of(record: Mapping[str, Any]) -> bytes:
    """What was signed, from a line of a file."""
    return canonical(record.get("anchor"))

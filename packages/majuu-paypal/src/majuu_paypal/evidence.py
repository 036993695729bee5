"""What a seller may say in a dispute, as PayPal takes it: one JSON part and the files, in a multipart body."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from majuu_core.providers import EvidenceField, EvidenceFile, EvidenceRequest, InvalidPaymentData, Violation

_TYPES = ("application/pdf", "image/jpeg", "image/png", "image/gif")
_MAX_FILE, _MAX_ALL = 10_000_000, 50_000_000
_LONGEST_NOTES = 2_000
_CARRIER = re.compile(r"[0-9A-Z_]{1,255}")
_TRACKING = "PROOF_OF_FULFILLMENT"
_REFUND = "PROOF_OF_REFUND"
_OTHER = "OTHER"

_FILES = {
    "PROOF_OF_FULFILLMENT": "Proof that it was sent or done",
    "PROOF_OF_DELIVERY_SIGNATURE": "Proof of delivery with a signature",
    "PROOF_OF_RECEIPT_COPY": "Copy of the receipt or invoice",
    "PROOF_OF_REFUND": "Proof that the money was given back",
    "RETURN_POLICY": "Return policy",
    "OTHER": "Something else",
}
FIELDS: tuple[EvidenceField, ...] = (
    EvidenceField(
        name="notes", kind="text", label="What happened", hint="PayPal reads this first.", max_length=_LONGEST_NOTES
    ),
    EvidenceField(
        name="carrier_name",
        kind="text",
        label="Carrier",
        hint="PayPal's word for it, such as DHL, FEDEX or OTHER.",
        max_length=255,
    ),
    EvidenceField(name="tracking_number", kind="text", label="Tracking number", max_length=255),
    EvidenceField(
        name="refund_id", kind="text", label="Refund", hint="PayPal's id of a refund that was made.", max_length=255
    ),
    *(
        EvidenceField(name=name, kind="file", label=label, content_types=_TYPES, max_bytes=_MAX_FILE)
        for name, label in _FILES.items()
    ),
)
_TEXTS = {field.name: field.max_length for field in FIELDS if field.kind == "text"}


def check(request: EvidenceRequest) -> None:
    """Raise InvalidPaymentData with every objection, naming the fields."""
    violations = [*_text_violations(request), *_file_violations(request.files)]
    if not request.submit:
        message = "PayPal keeps no drafts. Send the evidence with submit when it is complete."
        violations.append(_violation("evidence_draft_unsupported", message, "submit"))
    elif not request.texts and not request.files:
        message = "Send notes, a tracking number, a refund or a file."
        violations.append(_violation("evidence_missing", message, "texts"))
    if violations:
        raise InvalidPaymentData(*violations)


def multipart(document: dict[str, Any], files: Sequence[EvidenceFile] = ()) -> tuple[bytes, str]:
    """The body and its content type: the document as the part ``input``, then the files."""
    written = json.dumps(document, separators=(",", ":")).encode()
    digest = hashlib.sha256(written)
    for file in files:
        digest.update(file.content)
    boundary = f"majuu-{digest.hexdigest()[:40]}"
    parts = [_part('name="input"', "application/json", written)]
    for number, file in enumerate(files, start=1):
        parts.append(_part(f'name="file{number}"; filename="{_file_name(file)}"', file.content_type, file.content))
    start = f"--{boundary}\r\n".encode()
    body = b"".join(start + part for part in parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def document(request: EvidenceRequest) -> dict[str, Any]:
    """The evidence as PayPal's JSON: one entry a kind, the notes with the first."""
    texts = {name: value.strip() for name, value in request.texts.items() if value.strip()}
    entries: dict[str, dict[str, Any]] = {}
    if "tracking_number" in texts:
        tracking = {"carrier_name": texts.get("carrier_name", "OTHER"), "tracking_number": texts["tracking_number"]}
        entries[_TRACKING] = {"evidence_info": {"tracking_info": [tracking]}}
    if "refund_id" in texts:
        entries[_REFUND] = {"evidence_info": {"refund_ids": [texts["refund_id"]]}}
    for file in request.files:
        entries.setdefault(file.field, {}).setdefault("documents", []).append({"name": _file_name(file)})
    if not entries:
        entries[_OTHER] = {}
    evidences = [{"evidence_type": kind, **entry} for kind, entry in entries.items()]
    if "notes" in texts:
        evidences[0]["notes"] = texts["notes"]
    return {"evidences": evidences}


def _text_violations(request: EvidenceRequest) -> list[Violation]:
    found = []
    for name, value in request.texts.items():
        field = name
        if name not in _TEXTS:
            known = ", ".join(_TEXTS)
            found.append(_violation("evidence_unknown", f"PayPal takes {known}, not {name[:40]}.", field))
        elif len(value) > _TEXTS[name]:
            found.append(_violation("evidence_too_long", f"At most {_TEXTS[name]} characters.", field))
    carrier = request.texts.get("carrier_name", "").strip()
    if carrier and not _CARRIER.fullmatch(carrier):
        message = "Use PayPal's word for the carrier, such as DHL, FEDEX or OTHER."
        found.append(_violation("carrier_unknown", message, "carrier_name"))
    if carrier and not request.texts.get("tracking_number", "").strip():
        message = "A carrier without a tracking number proves nothing. Enter the number."
        found.append(_violation("tracking_number_missing", message, "tracking_number"))
    return found


def _file_violations(files: Sequence[EvidenceFile]) -> list[Violation]:
    found = []
    for file in files:
        field = file.field
        if file.field not in _FILES:
            message = f"PayPal takes files as {', '.join(_FILES)}, not {file.field[:40]}."
            found.append(_violation("evidence_unknown", message, field))
        if file.content_type not in _TYPES:
            found.append(_violation("file_type_unsupported", "Send a PDF, JPEG, PNG or GIF.", field))
        if not 0 < len(file.content) <= _MAX_FILE:
            found.append(_violation("file_too_large", "A file has 1 byte to 10 MB.", field))
    if sum(len(file.content) for file in files) > _MAX_ALL:
        found.append(_violation("file_too_large", "All files together have 50 MB at most.", "files"))
    return found


def _part(disposition: str, content_type: str, content: bytes) -> bytes:
    head = f"Content-Disposition: form-data; {disposition}\r\nContent-Type: {content_type}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def _file_name(file: EvidenceFile) -> str:
    """The name without anything that could end the header it stands in."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", file.name)[-100:].lstrip(".") or "file"


def _violation(code: str, message: str, field: str) -> Violation:
    return Violation(code=code, message=message, field=field)

"""What a store says in a dispute: texts and files, kept as drafts until they are submitted.

Which fields there are is the provider's business (``ProviderInfo.evidence_fields``). A file is what its first bytes
say, whatever its name is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from majuu_core.audit.services import record_entry
from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.common.redaction import contains_card_number
from majuu_core.common.storable import storable
from majuu_core.merchants.people import acting_person
from majuu_core.payments.locks import lock_dispute
from majuu_core.payments.models import Dispute, DisputeEvidence
from majuu_core.payments.representation import represent_time
from majuu_core.providers import EvidenceField, operations
from majuu_core.providers.installed import installed_providers

LARGEST_FILE = 5 * 1024 * 1024
MOST_FILES = 10
_TEXT, _FILE = DisputeEvidence.Kind.TEXT, DisputeEvidence.Kind.FILE
# What a file begins with, and what it then is.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)


def evidence_fields(dispute: Dispute) -> tuple[EvidenceField, ...]:
    """What its provider takes; () when it takes nothing here, or its package is not installed any more."""
    providers, code = installed_providers(), dispute.provider_account.provider
    if code not in providers or "submit_evidence" not in operations(providers.get(code)):
        return ()
    return providers.get(code).info.evidence_fields


def save_texts(*, dispute: Dispute, texts: Mapping[str, str]) -> Dispute:
    """Keep these texts as drafts; the others stay. An empty text removes its field.

    Raises Invalid for a field the provider does not know and for a text it would not take, Conflict when it is too
    late; nothing is kept then.
    """
    known = {item.name: item for item in evidence_fields(dispute) if item.kind == _TEXT.value}
    cleaned = {name: _checked_text(known, name, text) for name, text in texts.items()}
    with transaction.atomic():
        row = lock_dispute(dispute.pk)
        require_answerable(row, clock.now())
        before = {item.field: item for item in row.evidence.filter(kind=_TEXT)}
        changed = sorted(
            name for name, text in cleaned.items() if text != (before[name].text if name in before else "")
        )
        for name in changed:
            _save_text(row, before.get(name), name, cleaned[name])
        if changed:
            _audit(row, "evidence_saved", {"fields": changed})
    return row


def add_file(*, dispute: Dispute, field: str, name: str, content: bytes) -> DisputeEvidence:
    """Keep a file as a draft. The same content in the same field again is the file that is there.

    Raises Invalid for one the provider would not take, Conflict when it is too late.
    """
    wanted = next((item for item in evidence_fields(dispute) if item.kind == _FILE.value and item.name == field), None)
    if wanted is None:
        raise _unknown_field(field, [item.name for item in evidence_fields(dispute) if item.kind == _FILE.value])
    content_type, digest = _checked_file(wanted, content), hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        row = lock_dispute(dispute.pk)
        require_answerable(row, clock.now())
        files = list(row.evidence.filter(kind=_FILE).defer("content"))
        same = next((item for item in files if item.field == field and item.content_hash == digest), None)
        if same is not None:
            return same
        if len(files) >= MOST_FILES:
            raise Invalid("evidence_too_many_files", f"At most {MOST_FILES} files: remove one first.", field="file")
        kept = DisputeEvidence.objects.create(
            dispute=row,
            kind=_FILE,
            field=field,
            name=storable(name.replace("\\", "/").rpartition("/")[2], 200) or "file",
            content_type=content_type,
            content=content,
            size=len(content),
            content_hash=digest,
            created_by=acting_person()[:80],
        )
        _audit(row, "evidence_saved", {"fields": [field], "file": kept.public_id, "sha256": digest})
    return kept


def remove_file(*, dispute: Dispute, file_id: str) -> None:
    """Take a draft file away. Raises NotFound, Conflict when it is too late."""
    with transaction.atomic():
        row = lock_dispute(dispute.pk)
        require_answerable(row, clock.now())
        kept = get_file(dispute=row, file_id=file_id)
        _audit(row, "evidence_removed", {"fields": [kept.field], "file": file_id, "sha256": kept.content_hash})
        kept.delete()


def get_file(*, dispute: Dispute, file_id: str) -> DisputeEvidence:
    """A file of this dispute. Raises NotFound."""
    try:
        return dispute.evidence.get(pk=DisputeEvidence.uuid_of(file_id), kind=_FILE)
    except (ValueError, DisputeEvidence.DoesNotExist):
        raise NotFound("evidence_not_found", "There is no such file in this dispute.") from None


def represent_evidence(dispute: Dispute) -> dict[str, Any]:
    """Drafts and what can be said, as the API shows them. Files come without their content."""
    kept = list(dispute.evidence.defer("content").order_by("pk"))
    now = clock.now()
    return {
        "object": "dispute_evidence",
        "dispute": dispute.public_id,
        "open": refusal(dispute, now) is None,
        "texts": {item.field: item.text for item in kept if item.kind == _TEXT},
        "files": [represent_file(item) for item in kept if item.kind == _FILE],
        "fields": [_represent_field(item) for item in evidence_fields(dispute)],
        "respond_by": represent_time(dispute.respond_by),
        "submitted_at": represent_time(dispute.evidence_submitted_at),
    }


def represent_file(kept: DisputeEvidence) -> dict[str, Any]:
    """A file as the API shows it."""
    return {
        "id": kept.public_id,
        "object": "dispute_file",
        "field": kept.field,
        "name": kept.name,
        "content_type": kept.content_type,
        "size": kept.size,
        "sha256": kept.content_hash,
        "created_at": represent_time(kept.created_at),
    }


def require_answerable(dispute: Dispute, now: datetime) -> None:
    """Raise Conflict when nothing can be sent (any more, or again): it says what to do."""
    found = refusal(dispute, now)
    if found is not None:
        raise found


def refusal(dispute: Dispute, now: datetime) -> Conflict | None:
    """Why nothing can be sent now; None when it can."""
    if not dispute.is_open:
        state = dispute.get_status_display().lower()
        return Conflict("dispute_closed", f"The dispute is {state}: nothing can be sent. Appeal at the provider.")
    if dispute.submitting_at is not None or dispute.accepting_at is not None:
        text = "Something was just sent, and its answer is awaited. Look again in a minute."
        return Conflict("dispute_busy", text, retry_after=60)
    if dispute.status == Dispute.Status.UNDER_REVIEW:
        text = "It is under review: evidence cannot be changed any more. Wait for the decision."
        return Conflict("dispute_under_review", text)
    if dispute.respond_by is not None and now >= dispute.respond_by:
        text = f"The time to answer ended at {represent_time(dispute.respond_by)}. Wait for the decision."
        return Conflict("dispute_deadline_passed", text)
    if dispute.evidence_submitted_at is not None and dispute.told_at <= dispute.evidence_submitted_at:
        text = "Evidence was submitted, and the provider asked for no more. Wait for the decision."
        return Conflict("evidence_already_submitted", text)
    return None


def sniff(content: bytes) -> str:
    """The media type that the first bytes say: PDF, PNG or JPEG; "" for anything else."""
    return next((media_type for magic, media_type in _MAGIC if content.startswith(magic)), "")


def _checked_text(known: Mapping[str, EvidenceField], name: str, text: str) -> str:
    if name not in known:
        raise _unknown_field(name, list(known))
    text = text.strip()
    if len(text) > known[name].max_length:
        raise Invalid("evidence_too_long", f"At most {known[name].max_length} characters.", field=name)
    if "\0" in text or storable(text) != text:
        raise Invalid("parameter_invalid", "Text must not contain NUL characters or halves of characters.", field=name)
    if contains_card_number(text):
        raise Invalid("card_number_refused", "This looks like a card number. Take it out.", field=name)
    return text


def _checked_file(wanted: EvidenceField, content: bytes) -> str:
    most = min(wanted.max_bytes or LARGEST_FILE, LARGEST_FILE)
    if not content:
        raise Invalid("evidence_file_empty", "The file is empty.", field="file")
    if len(content) > most:
        text = f"The file has {len(content)} bytes; at most {most} are taken. Make it smaller or split it."
        raise Invalid("evidence_file_too_large", text, field="file")
    content_type = sniff(content)
    taken = wanted.content_types or tuple(media_type for _, media_type in _MAGIC)
    if not content_type or content_type not in taken:
        names = ", ".join(sorted({media_type for _, media_type in _MAGIC} & set(taken)))
        raise Invalid(
            "evidence_file_type", f"The file is none of: {names}. Its content counts, not its name.", field="file"
        )
    return content_type


def _unknown_field(name: str, known: list[str]) -> Invalid:
    names = ", ".join(known) or "none"
    return Invalid(
        "evidence_field_unknown", f"The provider takes no {name[:64]!r} here. It takes: {names}.", field=name[:64]
    )


def _save_text(dispute: Dispute, before: DisputeEvidence | None, name: str, text: str) -> None:
    if before is None:
        DisputeEvidence.objects.create(
            dispute=dispute, kind=_TEXT, field=name, text=text, created_by=acting_person()[:80]
        )
    elif text:
        before.text, before.updated_at = text, clock.now()
        before.save(update_fields=["text", "updated_at"])
    else:
        before.delete()


def _audit(dispute: Dispute, action: str, changes: dict[str, Any]) -> None:
    record_entry(
        action=f"dispute.{action}",
        object_id=dispute.public_id,
        merchant_id=dispute.store.merchant_id,
        store_id=dispute.store_id,
        changes=changes,
    )


def _represent_field(item: EvidenceField) -> dict[str, Any]:
    is_file = item.kind == _FILE.value
    return {
        "name": item.name,
        "kind": item.kind,
        "label": item.label,
        "hint": item.hint,
        "max_length": None if is_file else item.max_length,
        "content_types": list(item.content_types) if is_file else [],
        "max_bytes": min(item.max_bytes or LARGEST_FILE, LARGEST_FILE) if is_file else None,
    }

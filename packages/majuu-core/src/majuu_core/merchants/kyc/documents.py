"""Documents of a case: looked at, cleaned, encrypted, kept; and opened for reviewers, each look written down."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from majuu_core.audit.services import current_actor
from majuu_core.common import ids
from majuu_core.common.crypto import DecryptionError
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.common.storable import storable
from majuu_core.merchants.errors import InvalidInput
from majuu_core.merchants.kyc import storage
from majuu_core.merchants.kyc.configuration import largest_document
from majuu_core.merchants.kyc.images import clean_image
from majuu_core.merchants.kyc.pdf import check_pdf
from majuu_core.merchants.kyc.sealing import open_file_key, seal_file_key
from majuu_core.merchants.kyc.steps import lock_case, record_case_entry
from majuu_core.merchants.kyc.transitions import check_editable
from majuu_core.merchants.kyc_models import KycCase, KycDocument, KycPerson
from majuu_core.plugins.manager import collect
from majuu_core.providers.types import Violation

MOST_DOCUMENTS = 60
_PDF = "application/pdf"
# What a file begins with, and what it then is.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", _PDF),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)


class DocumentUnreadable(Exception):
    """The file is gone or was changed: a backup has to be looked for."""


@sensitive_variables("content", "cleaned", "key")
def add_document(
    *, case: KycCase, kind: str, name: str, content: bytes, person: KycPerson | None = None
) -> KycDocument:
    """Keep a file: PDF, JPEG or PNG by its bytes, whatever its name says. The acting user is its uploader.

    Raises Invalid (``kyc_file_…``, ``kyc_picture_…``, ``kyc_pdf_…``), InvalidInput, ActionRefused
    (``kyc_not_editable``), and what a plugin's ``scan_upload`` objects to or fails with; nothing is kept then.
    """
    _check_kind(case, kind, person)
    content_type, cleaned = clean(content)
    document = KycDocument(
        id=ids.new_uuid(),
        case=case,
        person=person,
        kind=kind,
        name=_plain_name(name),
        content_type=content_type,
        size=len(cleaned),
        sha256=hashlib.sha256(cleaned).hexdigest(),
        uploaded_by=_acting_user(),
    )
    check_editable(case)
    _scan(document.name, content)
    key = storage.new_file_key()
    document.file_key = seal_file_key(document, key)
    # Before the transaction: the place may be across a network. Without its row the file is noise.
    document.storage_name = storage.write_file(cleaned, key=key, bound_to=document.public_id)
    try:
        with transaction.atomic():
            _insert(document)
    except BaseException:
        storage.delete_file(document.storage_name)
        raise
    return document


def clean(content: bytes) -> tuple[str, bytes]:
    """The media type that the bytes say, and the bytes to keep: pictures drawn anew, PDFs looked through.

    Raises Invalid.
    """
    most = largest_document()
    if not content:
        raise Invalid("kyc_file_empty", "The file is empty.", field="file")
    if len(content) > most:
        message = f"The file is larger than {most // 1024 // 1024} MB. Make it smaller or split it."
        raise Invalid("kyc_file_too_large", message, field="file")
    content_type = next((kind for magic, kind in _MAGIC if content.startswith(magic)), "")
    if content_type == _PDF:
        check_pdf(content)
        return content_type, content
    if content_type:
        return content_type, clean_image(content, content_type)
    message = "Only PDF, JPEG and PNG are taken; the content counts, not the name."
    if content[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        message = "This is a HEIC picture, as iPhones make them. Send it as JPEG, or a screenshot of it."
    raise Invalid("kyc_file_type", message, field="file")


def remove_document(*, document: KycDocument) -> None:
    """Take a file back. What a reviewer may have seen is kept, marked as withdrawn; else it is gone for good.

    Raises ActionRefused (``kyc_not_editable``). Removing it again changes nothing.
    """
    with transaction.atomic():
        case = lock_case(document.case)
        check_editable(case)
        row = KycDocument.objects.filter(pk=document.pk).exclude(state=KycDocument.State.WITHDRAWN).first()
        if row is None:
            return
        if case.submitted_at is not None and row.created_at <= case.submitted_at:
            row.state = KycDocument.State.WITHDRAWN
            row.save(update_fields=["state"])
        else:
            name = row.storage_name
            row.delete()
            transaction.on_commit(lambda: storage.delete_file(name))
        record_case_entry(case, "document_removed", {"document": document.public_id, "sha256": row.sha256})


def view_document(*, document: KycDocument) -> bytes:
    """The bytes, for somebody who may see them; the look is in the audit trail before they are handed out.

    Raises DocumentUnreadable.
    """
    record_case_entry(document.case, "document_viewed", {"document": document.public_id})
    try:
        key = open_file_key(document)
        return storage.read_file(document.storage_name, key=key, bound_to=document.public_id)
    except (OSError, DecryptionError):
        raise DocumentUnreadable(f"The file of {document.public_id} cannot be read.") from None


def _check_kind(case: KycCase, kind: str, person: KycPerson | None) -> None:
    if kind not in KycDocument.Kind.values:
        raise InvalidInput(Violation(code="invalid_choice", message="There is no such kind.", field="kind"))
    if kind == KycDocument.Kind.IDENTITY and person is None:
        message = "Say whose identity document it is."
        raise InvalidInput(Violation(code="required", message=message, field="person"))
    if person is not None and (person.case_id != case.pk or person.removed_at is not None):
        message = "This person is not in the case."
        raise InvalidInput(Violation(code="invalid_choice", message=message, field="person"))


def _scan(name: str, content: bytes) -> None:
    """Let plugins look at what was uploaded, as it was. No transaction is open: they may ask a service."""
    for objection in collect("scan_upload", content=content, name=name):
        raise Invalid(objection.code, objection.message, field="file")


def _insert(document: KycDocument) -> None:
    case = lock_case(document.case)
    check_editable(case)
    kept = case.documents.exclude(state=KycDocument.State.WITHDRAWN)
    if kept.filter(kind=document.kind, person=document.person, sha256=document.sha256).exists():
        raise Conflict("kyc_file_exists", "This very file is there already.", field="file")
    if case.documents.count() >= MOST_DOCUMENTS:
        raise Conflict("kyc_too_many_files", f"A case holds at most {MOST_DOCUMENTS} files.", field="file")
    document.save(force_insert=True)
    record_case_entry(
        case,
        "document_added",
        {"document": document.public_id, "kind": document.kind, "sha256": document.sha256},
    )


def _plain_name(name: str) -> str:
    return storable(name.replace("\\", "/").rpartition("/")[2].replace("\0", ""), 200).strip() or "file"


def _acting_user() -> Any:
    actor = current_actor()
    if actor.type != "user" or not actor.id.isdecimal():
        return None
    return get_user_model()._default_manager.filter(pk=int(actor.id)).first()

"""What Stripe takes as evidence in a dispute, and what is wrong with evidence before it is sent."""

from __future__ import annotations

from collections.abc import Iterator

from majuu_core.common.redaction import contains_card_number
from majuu_core.providers import EvidenceField, EvidenceFile, EvidenceRequest, InvalidPaymentData, Violation

CONTENT_TYPES = ("application/pdf", "image/jpeg", "image/png")
MOST_BYTES = 4_500_000  # of all files together
MOST_CHARACTERS = 150_000  # of all texts together
LONGEST_TEXT = 20_000

_TEXTS: tuple[tuple[str, str, str], ...] = (
    ("product_description", "Product or service", "What was sold, in a few sentences."),
    ("customer_name", "Customer's name", ""),
    ("customer_email_address", "Customer's e-mail address", ""),
    ("customer_purchase_ip", "IP address of the purchase", ""),
    ("billing_address", "Billing address", ""),
    ("service_date", "Date of the service", "When it was given or began, in a readable form."),
    ("shipping_address", "Shipping address", "As complete as possible."),
    ("shipping_carrier", "Carrier", "Several are separated by commas."),
    ("shipping_date", "Date of shipping", ""),
    ("shipping_tracking_number", "Tracking number", "Several are separated by commas."),
    ("access_activity_log", "Activity log", "That the customer used what was bought: times, addresses, downloads."),
    ("cancellation_policy_disclosure", "How the cancellation policy was shown", "Before the purchase."),
    ("cancellation_rebuttal", "Why the purchase was not canceled", ""),
    ("refund_policy_disclosure", "How the refund policy was shown", "Before the purchase."),
    ("refund_refusal_explanation", "Why no refund is due", ""),
    ("duplicate_charge_id", "The other charge", "Stripe's id of the charge that looks like a duplicate."),
    ("duplicate_charge_explanation", "Why it is no duplicate", ""),
    ("uncategorized_text", "Anything else", ""),
)
_FILES: tuple[tuple[str, str, str], ...] = (
    ("receipt", "Receipt", "Or another message that told the customer of the charge."),
    ("customer_communication", "Messages with the customer", ""),
    ("customer_signature", "Customer's signature", ""),
    ("shipping_documentation", "Proof of shipping", "Such as the carrier's proof of delivery."),
    ("service_documentation", "Proof of the service", "Such as a signed contract or work order."),
    ("cancellation_policy", "Cancellation policy", "As the customer saw it."),
    ("refund_policy", "Refund policy", "As the customer saw it."),
    ("duplicate_charge_documentation", "Receipt of the other charge", ""),
    ("uncategorized_file", "Anything else", ""),
)
FIELDS: tuple[EvidenceField, ...] = (
    *(
        EvidenceField(name=name, kind="text", label=label, hint=hint, max_length=LONGEST_TEXT)
        for name, label, hint in _TEXTS
    ),
    *(
        EvidenceField(name=name, kind="file", label=label, hint=hint, content_types=CONTENT_TYPES, max_bytes=MOST_BYTES)
        for name, label, hint in _FILES
    ),
)
_KIND = {field.name: field.kind for field in FIELDS}
_STARTS = {"application/pdf": b"%PDF-", "image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}


def check_evidence(request: EvidenceRequest) -> None:
    """Raise InvalidPaymentData with every objection, each naming its field."""
    violations = [*_text_violations(request), *_file_violations(request)]
    if not request.texts and not request.files and not request.submit:
        violations.append(_violation("evidence_empty", "Send at least one text or file.", ""))
    if violations:
        raise InvalidPaymentData(*violations)


def _text_violations(request: EvidenceRequest) -> Iterator[Violation]:
    for name, value in request.texts.items():
        if _KIND.get(name) != "text":
            yield _violation("evidence_unknown", f"Stripe takes no text called {name[:60]}.", name)
        elif len(value) > LONGEST_TEXT:
            yield _violation("evidence_too_long", f"Shorten it to {LONGEST_TEXT} characters.", name)
        elif contains_card_number(value):
            yield _violation("card_number_refused", "Take the card number out of the text.", name)
    if sum(map(len, request.texts.values())) > MOST_CHARACTERS:
        yield _violation("evidence_too_long", f"All texts together may have {MOST_CHARACTERS} characters.", "")


def _file_violations(request: EvidenceRequest) -> Iterator[Violation]:
    for file in request.files:
        yield from _objections_to(file)
    names = [file.field for file in request.files]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield _violation("evidence_repeated", "One file each: join them into one PDF.", name)
    if sum(len(file.content) for file in request.files) > MOST_BYTES:
        yield _violation("evidence_too_large", "All files together may have 4.5 MB.", "")


def _objections_to(file: EvidenceFile) -> Iterator[Violation]:
    if _KIND.get(file.field) != "file":
        yield _violation("evidence_unknown", f"Stripe takes no file called {file.field[:60]}.", file.field)
    elif file.content_type not in CONTENT_TYPES:
        yield _violation("evidence_type", "Send a PDF, JPEG or PNG.", file.field)
    elif not file.content.startswith(_STARTS[file.content_type]):
        yield _violation("evidence_type", f"The file is not what it says: {file.content_type}.", file.field)


def _violation(code: str, message: str, field: str) -> Violation:
    return Violation(code=code, message=message, field=field or "evidence")

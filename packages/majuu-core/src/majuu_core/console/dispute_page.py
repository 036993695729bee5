"""What a dispute's page shows besides its facts: how urgent it is, the evidence and its form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import localtime

from majuu_core import configuration
from majuu_core.common import clock
from majuu_core.common.problems import Invalid
from majuu_core.console.cells import money_text
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.selectors import balance
from majuu_core.payments.dispute_evidence import LARGEST_FILE, add_file, evidence_fields, refusal, save_texts
from majuu_core.payments.exchange import is_exchanged
from majuu_core.payments.models import Dispute, DisputeEvidence

ANSWER, ACCEPT = "majuu_payments.change_dispute", "majuu_payments.accept_dispute"
_TEXT = DisputeEvidence.Kind.TEXT


def dispute_context(request: HttpRequest, row: Dispute) -> dict[str, Any]:
    """Everything the template needs besides facts and timeline."""
    may_write = request.user.has_perm(ANSWER)
    may_answer = may_write and refusal(row, clock.now()) is None
    kept = list(row.evidence.defer("content").order_by("pk"))
    fields = evidence_fields(row)
    labels = {item.name: item.label for item in fields}
    texts = {item.field: item.text for item in kept if item.kind == _TEXT}
    idle = row.submitting_at is None and row.accepting_at is None
    notice, more, urgent = _notice(row)
    return {
        "majuu_notice": notice,
        "majuu_notice_more": more,
        "majuu_is_urgent": urgent,
        "majuu_may_answer": may_answer,
        "majuu_may_submit": may_answer and bool(kept),
        "majuu_may_accept": row.is_open and idle and request.user.has_perm(ACCEPT),
        "majuu_fields": [_field(item, texts.get(item.name, "")) for item in fields],
        "majuu_texts": [(labels.get(name, name), text) for name, text in texts.items()],
        "majuu_files": [_file(row, item, labels) for item in kept if item.kind != _TEXT],
        "majuu_amount": money_text(row.amount),
        "majuu_addresses": {name: action_address(row, name) for name in ("evidence", "submit", "accept")},
    }


def save_form(request: HttpRequest, row: Dispute) -> None:
    """Keep what the form holds. Raises the services' refusals; texts are kept even when a file is refused."""
    sent = request.POST
    texts = {
        item.name: sent[f"text-{item.name}"]
        for item in evidence_fields(row)
        if item.kind == _TEXT.value and f"text-{item.name}" in sent
    }
    if texts:
        save_texts(dispute=row, texts=texts)
    for name, upload in request.FILES.items():
        if name.startswith("file-") and isinstance(upload, UploadedFile):
            _keep_file(row, name.removeprefix("file-"), upload)


def download(kept: DisputeEvidence) -> HttpResponse:
    """A file of evidence, to be saved and never to be shown by the browser itself."""
    answer = HttpResponse(bytes(kept.content or b""), content_type="application/octet-stream")
    suffix = kept.content_type.rpartition("/")[2].replace("jpeg", "jpg")
    answer.headers["Content-Disposition"] = f'attachment; filename="{kept.public_id}.{suffix}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def store_debt(row: Dispute) -> str:
    """What the store owes because more was taken than it has left; "" when nothing."""
    exchanged = is_exchanged(row.charge) and row.currency == row.charge.currency
    currency = row.charge.payment_intent.currency if exchanged else row.currency
    account = AccountRef(AccountKind.STORE_PAYABLE, row.store.public_id, currency, row.livemode)
    posted = balance(account).posted
    return money_text(-posted) if posted.amount < 0 else ""


def action_address(row: Dispute, name: str) -> str:
    """Where a form of this dispute's page leads."""
    return reverse(f"console:majuu_payments_dispute_{name}", args=[row.public_id])


def _keep_file(row: Dispute, field: str, upload: UploadedFile[bytes]) -> None:
    if (upload.size or 0) > LARGEST_FILE:
        raise Invalid("evidence_file_too_large", "A file has at most 5 MB. Make it smaller or split it.", field="file")
    add_file(dispute=row, field=field, name=upload.name or "", content=upload.read())


def _notice(row: Dispute) -> tuple[str, str, bool]:
    """How urgent it is, in a line, what that means, and whether to shout."""
    now = clock.now()
    if row.status != Dispute.Status.NEEDS_RESPONSE:
        return "", "", False
    found = refusal(row, now)
    if found is not None:
        return "Nothing can be sent now", found.message, False
    if row.respond_by is None:
        return "Needs an answer", "The provider names no deadline: answer soon.", True
    left = row.respond_by - now
    text = f"Answer by {localtime(row.respond_by):%A, %d %B %Y, %H:%M %Z}"
    days = f"{left.days} days" if left >= timedelta(days=2) else f"{int(left.total_seconds() // 3600)} hours"
    urgent = left <= timedelta(days=configuration.dispute_warning_days())
    return text, f"{days} are left. Without an answer the customer keeps the money.", urgent


def _field(item: Any, value: str) -> dict[str, Any]:
    return {
        "name": item.name,
        "kind": item.kind,
        "label": item.label,
        "hint": item.hint,
        "max_length": item.max_length,
        "content_types": item.content_types,
        "max_bytes": min(item.max_bytes or LARGEST_FILE, LARGEST_FILE),
        "value": value,
    }


def _file(row: Dispute, kept: DisputeEvidence, labels: dict[str, str]) -> dict[str, Any]:
    names = [row.public_id, kept.public_id]
    return {
        "name": kept.name,
        "label": labels.get(kept.field, kept.field),
        "content_type": kept.content_type,
        "size": kept.size,
        "address": reverse("console:majuu_payments_dispute_file", args=names),
        "remove": reverse("console:majuu_payments_dispute_file_remove", args=names),
    }

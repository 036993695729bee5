"""Disputes: what customers take back through their bank or the provider, and the store's answer."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import acting, require
from majuu_core.api.idempotency import run_once, run_once_atomically
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response, problem_response
from majuu_core.api.schemas import Page, ProblemOut
from majuu_core.api.v1.disputes_schemas import AcceptIn, DisputeFileOut, DisputeOut, EvidenceIn, EvidenceOut
from majuu_core.common.problems import Invalid
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.payments.charges import get_charge
from majuu_core.payments.dispute_events import represent_dispute
from majuu_core.payments.dispute_evidence import (
    LARGEST_FILE,
    add_file,
    remove_file,
    represent_evidence,
    represent_file,
    save_texts,
)
from majuu_core.payments.disputes import accept_dispute, get_dispute, submit_evidence
from majuu_core.payments.intents import get_payment_intent
from majuu_core.payments.models import Dispute

router = Router(tags=["Disputes"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut}
_FORM_AROUND_FILE = 16 * 1024  # the other parts of the form
_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["field", "file"],
                    "properties": {
                        "field": {"type": "string", "description": "A file field of the evidence."},
                        "file": {"type": "string", "format": "binary"},
                    },
                }
            }
        },
    }
}


@router.get(
    "",
    response={200: Page[DisputeOut], **_PROBLEMS},
    operation_id="list_disputes",
    summary="List disputes",
    url_name="disputes",
)
def list_disputes(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    status: str | None = Query(None, description="Only this status, such as needs_response."),
    charge: str | None = Query(None, description="Only disputes of this charge."),
    payment_intent: str | None = Query(None, description="Only disputes of this intent's charges."),
) -> HttpResponse:
    """Newest first."""
    caller = require(request, "disputes:read")
    rows = Dispute.objects.select_related("charge__payment_intent").filter(
        store_id=caller.store_id, livemode=caller.livemode
    )
    if status is not None:
        rows = rows.filter(status=status)
    if charge is not None:
        rows = rows.filter(charge=get_charge(store_id=caller.store_id, livemode=caller.livemode, public_id=charge))
    if payment_intent is not None:
        intent = get_payment_intent(store_id=caller.store_id, livemode=caller.livemode, public_id=payment_intent)
        rows = rows.filter(charge__payment_intent=intent)
    return json_response(request, 200, paginate(rows, limit=limit, cursor=cursor, represent=represent_dispute))


@router.get(
    "/{dispute_id}",
    response={200: DisputeOut, **_PROBLEMS},
    operation_id="get_dispute",
    summary="Retrieve a dispute",
    url_name="dispute",
)
def retrieve(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """One dispute."""
    caller = require(request, "disputes:read")
    return json_response(request, 200, represent_dispute(_dispute(caller, dispute_id)))


@router.get(
    "/{dispute_id}/evidence",
    response={200: EvidenceOut, **_PROBLEMS},
    operation_id="get_dispute_evidence",
    summary="Retrieve the evidence of a dispute",
    url_name="dispute_evidence",
)
def retrieve_evidence(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """The drafts, and the fields that the provider takes."""
    caller = require(request, "disputes:read")
    return json_response(request, 200, represent_evidence(_dispute(caller, dispute_id)))


@router.post(
    "/{dispute_id}/evidence",
    response={200: EvidenceOut, **_PROBLEMS},
    operation_id="save_dispute_evidence",
    summary="Save evidence texts",
    url_name="dispute_evidence",
)
def save_evidence(request: HttpRequest, dispute_id: str, body: EvidenceIn) -> HttpResponse:
    """Keep texts as drafts. Nothing goes to the provider before it is submitted."""
    caller = require(request, "disputes:write")

    def work() -> tuple[int, Any]:
        dispute = _dispute(caller, dispute_id)
        return 200, represent_evidence(save_texts(dispute=dispute, texts=body.texts))

    with acting(request):
        return run_once_atomically(request, caller, work)


@router.post(
    "/{dispute_id}/files",
    response={201: DisputeFileOut, 413: ProblemOut, **_PROBLEMS},
    operation_id="add_dispute_file",
    summary="Add an evidence file",
    url_name="dispute_files",
    openapi_extra=_UPLOAD,
)
def add_evidence_file(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """Upload a PDF, PNG or JPEG of at most 5 MB as a draft. Its content counts, not its name.

    The same content in the same field again is the file that is there already, so this needs no Idempotency-Key.
    """
    caller = require(request, "disputes:write")
    dispute = _dispute(caller, dispute_id)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_FILE + _FORM_AROUND_FILE:
        return problem_response(request, 413, "evidence_file_too_large", "A file has at most 5 MB.", param="file")
    if request.content_type != "multipart/form-data":
        raise Invalid("parameter_invalid", "Send a form (multipart/form-data) with `field` and `file`.", field="file")
    upload = request.FILES.get("file")
    if upload is None:
        raise Invalid("parameter_missing", "Send the file in the form field `file`.", field="file")
    field = request.POST.get("field", "").replace("\0", "")
    with acting(request):
        kept = add_file(dispute=dispute, field=field, name=upload.name or "", content=upload.read())
    return json_response(request, 201, represent_file(kept))


@router.delete(
    "/{dispute_id}/files/{file_id}",
    response={204: None, **_PROBLEMS},
    operation_id="remove_dispute_file",
    summary="Remove an evidence file",
    url_name="dispute_file",
)
def remove_evidence_file(request: HttpRequest, dispute_id: str, file_id: str) -> HttpResponse:
    """Take a draft file away."""
    caller = require(request, "disputes:write")
    with acting(request):
        remove_file(dispute=_dispute(caller, dispute_id), file_id=file_id)
    response = json_response(request, 204, None)
    response.content = b""
    return response


@router.post(
    "/{dispute_id}/submit",
    response={200: DisputeOut, **_PROBLEMS},
    operation_id="submit_dispute_evidence",
    summary="Submit the evidence",
    url_name="dispute_submit",
)
def submit(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """Send all drafts to the provider. They cannot be changed afterwards.

    The status says whether the provider has them: ``under_review``, or still ``needs_response`` when its answer was
    lost and it knows of none; submit again then.
    """
    caller = require(request, "disputes:write")

    def work(request_key: str) -> tuple[int, Any]:
        return 200, represent_dispute(submit_evidence(dispute=_dispute(caller, dispute_id)))

    with acting(request):
        return run_once(request, caller, work)


@router.post(
    "/{dispute_id}/accept",
    response={200: DisputeOut, **_PROBLEMS},
    operation_id="accept_dispute",
    summary="Accept a dispute",
    url_name="dispute_accept",
)
def accept(request: HttpRequest, dispute_id: str, body: AcceptIn) -> HttpResponse:
    """Give in: the customer keeps the money. Send ``confirm: true``; it cannot be taken back."""
    caller = require(request, "disputes:write")

    def work(request_key: str) -> tuple[int, Any]:
        dispute = _dispute(caller, dispute_id)
        done = accept_dispute(dispute=dispute, confirmed=body.confirm, reason=body.reason)
        return 200, represent_dispute(done)

    with acting(request):
        return run_once(request, caller, work)


def _dispute(caller: KeyIdentity, public_id: str) -> Dispute:
    return get_dispute(store_id=caller.store_id, livemode=caller.livemode, public_id=public_id)

"""Payouts: money sent out, one by one or as a table."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from ninja.params.functions import Query
from pydantic import ValidationError as BodyError

from majuu_core.api.auth import acting, require, store_of
from majuu_core.api.idempotency import run_once, run_once_atomically
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response, problem_response, request_id
from majuu_core.api.schemas import Page, ProblemOut
from majuu_core.api.v1.payouts_schemas import (
    PayoutBatchIn,
    PayoutBatchOut,
    PayoutBatchPreviewOut,
    PayoutIn,
    PayoutOut,
)
from majuu_core.audit.exports import record_export
from majuu_core.common.money import parse_amount
from majuu_core.common.problems import Invalid
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.payments.models import Payout, PayoutBatch
from majuu_core.payments.payout_batches import (
    BatchPreview,
    batch_as_csv,
    create_batch,
    get_batch,
    preview_csv,
    preview_rows,
    represent_batches,
    represent_preview,
)
from majuu_core.payments.payout_records import represent_payout
from majuu_core.payments.payouts import PayoutDetails, cancel_payout, create_payout, get_payout

router = Router(tags=["Payouts"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut}
# Its rows are described where one payout is; the table itself is not Ninja's to read.
_ROWS = PayoutBatchIn.model_json_schema(ref_template="#/components/schemas/{model}")
_ROWS.pop("$defs")
_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
            "application/json": {"schema": _ROWS},
        },
    }
}


@router.post(
    "",
    response={201: PayoutOut, **_PROBLEMS},
    operation_id="create_payout",
    summary="Send money",
    url_name="payouts",
)
def create(request: HttpRequest, body: PayoutIn) -> HttpResponse:
    """Send money to somebody. The status says what happened; the webhook tells the rest.

    ``requires_approval``: it is above the limit, and a second person has to approve it in the console. ``unknown``: the
    provider gave no answer; never send it again under another reference, its outcome will be found out. The same
    reference with the same content returns the payout that exists, for ever; with other content it is refused.
    """
    caller = require(request, "payouts:write")

    def work(request_key: str) -> tuple[int, Any]:
        payout = create_payout(
            store=store_of(caller), livemode=caller.livemode, details=_details(body), request_key=request_key
        )
        return 201, represent_payout(payout)

    with acting(request):
        return run_once(request, caller, work)


@router.get(
    "",
    response={200: Page[PayoutOut], **_PROBLEMS},
    operation_id="list_payouts",
    summary="List payouts",
    url_name="payouts",
)
def list_payouts(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    status: str | None = Query(None, description="Only this status."),
    reference: str | None = Query(None, description="Only this reference."),
    batch: str | None = Query(None, description="Only those of this batch."),
) -> HttpResponse:
    """Newest first."""
    caller = require(request, "payouts:read")
    rows = Payout.objects.filter(store_id=caller.store_id, livemode=caller.livemode)
    if status is not None:
        rows = rows.filter(status=status)
    if reference is not None:
        rows = rows.filter(reference=reference)
    if batch is not None:
        rows = rows.filter(batch=_batch(caller, batch))
    return json_response(request, 200, paginate(rows, limit=limit, cursor=cursor, represent=represent_payout))


@router.post(
    "/batches",
    response={201: PayoutBatchOut, 200: PayoutBatchPreviewOut, **_PROBLEMS},
    operation_id="create_payout_batch",
    summary="Send money to many",
    url_name="payout_batches",
    openapi_extra=_UPLOAD,
)
def create_payout_batch(
    request: HttpRequest,
    dry_run: bool = Query(False, description="Only say what would happen."),
    name: str = Query("", max_length=200, description="What you call this batch."),
) -> HttpResponse:
    """Upload a CSV file (as the body, or as the form field ``file``) or JSON rows.

    With ``dry_run`` the answer is a preview: sums, how many need approval, and errors by row and column. Without it,
    one wrong row refuses all of them and nothing is stored. The same content again is refused.
    """
    caller = require(request, "payouts:write")
    if dry_run:
        return json_response(request, 200, represent_preview(_preview(request, caller, name)))

    def work() -> tuple[int, Any]:
        preview = _preview(request, caller, name)
        if preview.errors:
            raise _RowsRefused(preview)
        batch = create_batch(store=store_of(caller), livemode=caller.livemode, preview=preview)
        return 201, represent_batches([batch])[0]

    with acting(request):
        try:
            return run_once_atomically(request, caller, work)
        except _RowsRefused as refused:
            return _refuse_rows(request, refused.preview)


@router.get(
    "/batches",
    response={200: Page[PayoutBatchOut], **_PROBLEMS},
    operation_id="list_payout_batches",
    summary="List payout batches",
    url_name="payout_batches",
)
def list_batches(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
) -> HttpResponse:
    """Newest first."""
    caller = require(request, "payouts:read")
    rows = PayoutBatch.objects.filter(store_id=caller.store_id, livemode=caller.livemode)
    page = paginate(rows, limit=limit, cursor=cursor, represent=lambda batch: batch)  # type: ignore[arg-type,return-value]
    page["data"] = represent_batches(page["data"])
    return json_response(request, 200, page)


@router.get(
    "/batches/{batch_id}",
    response={200: PayoutBatchOut, **_PROBLEMS},
    operation_id="get_payout_batch",
    summary="Retrieve a payout batch",
    url_name="payout_batch",
)
def retrieve_batch(request: HttpRequest, batch_id: str) -> HttpResponse:
    """One batch, and how many of its payouts have each status."""
    caller = require(request, "payouts:read")
    return json_response(request, 200, represent_batches([_batch(caller, batch_id)])[0])


@router.get(
    "/batches/{batch_id}/results",
    response={200: str, **_PROBLEMS},
    operation_id="export_payout_batch",
    summary="Export a payout batch",
    url_name="payout_batch_results",
)
def export(request: HttpRequest, batch_id: str) -> HttpResponseBase:
    """Its payouts as they now stand, as CSV that no spreadsheet takes for formulas."""
    caller = require(request, "payouts:read")
    batch = _batch(caller, batch_id)
    with acting(request):
        record_export(
            report="payout_batch",
            form="csv",
            rows=batch.rows,
            about=batch.public_id,
            merchant_id=caller.merchant_id,
            store_id=caller.store_id,
        )
    response = StreamingHttpResponse(batch_as_csv(batch), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{batch.public_id}.csv"'
    response["Request-Id"] = request_id(request)
    response["Cache-Control"] = "no-store"
    return response


@router.get(
    "/{payout_id}",
    response={200: PayoutOut, **_PROBLEMS},
    operation_id="get_payout",
    summary="Retrieve a payout",
    url_name="payout",
)
def retrieve(request: HttpRequest, payout_id: str) -> HttpResponse:
    """One payout."""
    caller = require(request, "payouts:read")
    payout = get_payout(store_id=caller.store_id, livemode=caller.livemode, public_id=payout_id)
    return json_response(request, 200, represent_payout(payout))


@router.post(
    "/{payout_id}/cancel",
    response={200: PayoutOut, **_PROBLEMS},
    operation_id="cancel_payout",
    summary="Cancel a payout",
    url_name="payout_cancel",
)
def cancel(request: HttpRequest, payout_id: str) -> HttpResponse:
    """Take back a payout that waits for approval. What was approved cannot be taken back."""
    caller = require(request, "payouts:write")

    def work() -> tuple[int, Any]:
        payout = get_payout(store_id=caller.store_id, livemode=caller.livemode, public_id=payout_id)
        return 200, represent_payout(cancel_payout(payout=payout))

    with acting(request):
        return run_once_atomically(request, caller, work)


def _details(body: PayoutIn) -> PayoutDetails:
    return PayoutDetails(
        amount=parse_amount(body.amount, body.currency),
        reference=body.reference,
        destination=body.destination,
        purpose=body.purpose,
        description=body.description,
        metadata=body.metadata,
        provider=body.provider,
    )


def _batch(caller: KeyIdentity, public_id: str) -> PayoutBatch:
    return get_batch(store_id=caller.store_id, livemode=caller.livemode, public_id=public_id)


def _preview(request: HttpRequest, caller: KeyIdentity, name: str) -> BatchPreview:
    store, body = store_of(caller), request.body  # read before Django parses a form
    with acting(request):
        if request.content_type == "application/json":
            return _preview_json(store, caller, body, name)
        upload = request.FILES.get("file") if request.content_type == "multipart/form-data" else None
        if request.content_type == "multipart/form-data" and upload is None:
            raise Invalid("parameter_missing", "Send the file in the form field `file`.", field="file")
        content = upload.read() if upload is not None else body
        shown = name or (upload.name if upload is not None and upload.name else "")
        return preview_csv(store=store, livemode=caller.livemode, content=content, name=shown)


def _preview_json(store: Any, caller: KeyIdentity, body: bytes, name: str) -> BatchPreview:
    try:
        given = PayoutBatchIn.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError:
        raise Invalid("json_invalid", "The body is not valid JSON.") from None
    except BodyError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Invalid("parameter_invalid", f"{where}: {first['msg']}", field=where) from None
    if b"\\u0000" in body:
        raise Invalid("parameter_invalid", "Text must not contain NUL characters.")
    rows = [_details(row) for row in given.payouts]
    content = orjson.dumps([row.model_dump() for row in given.payouts], option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(content).hexdigest()
    shown = given.name or name
    return preview_rows(store=store, livemode=caller.livemode, rows=rows, content_hash=digest, name=shown)


class _RowsRefused(Invalid):
    """Rows of an upload that cannot be paid."""

    def __init__(self, preview: BatchPreview) -> None:
        super().__init__("payout_batch_invalid", "Some rows cannot be paid.")
        self.preview = preview


def _refuse_rows(request: HttpRequest, preview: BatchPreview) -> HttpResponse:
    first = preview.errors[0]
    repeated = next((error for error in preview.errors if error.code == "payout_batch_repeated"), None)
    if repeated is not None:
        return problem_response(request, 409, repeated.code, repeated.message)
    where = f"Row {first.row}: " if first.row else ""
    text = f"{len(preview.errors)} errors; nothing was stored. {where}{first.message}"
    errors = [
        {"param": f"{error.row}.{error.column}", "code": error.code, "message": error.message}
        for error in preview.errors[:100]
    ]
    return problem_response(request, 422, "payout_batch_invalid", text, param=first.column, errors=errors)

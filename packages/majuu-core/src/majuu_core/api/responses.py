"""JSON out: one writer, one shape for errors, a Request-Id on everything."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from majuu_core.api.messages import in_swahili
from majuu_core.common import ids

PROBLEM_TYPE = "application/problem+json"


def request_id(request: HttpRequest) -> str:
    """The id of this request: made once, sent back in the Request-Id header and kept in the audit trail."""
    found = getattr(request, "majuu_request_id", "")
    if not found:
        found = ids.encode_id("req", ids.new_uuid())
        request.majuu_request_id = found  # type: ignore[attr-defined]
    return str(found)


def json_response(request: HttpRequest, status: int, payload: Any) -> HttpResponse:
    """A JSON answer."""
    return raw_json_response(request, status, orjson.dumps(payload))


def raw_json_response(request: HttpRequest, status: int, body: bytes | str) -> HttpResponse:
    """An answer whose body is JSON already."""
    response = HttpResponse(body, status=status, content_type="application/json")
    response["Request-Id"] = request_id(request)
    response["Cache-Control"] = "no-store"
    return response


def problem_response(
    request: HttpRequest,
    status: int,
    code: str,
    detail: str,
    *,
    param: str = "",
    errors: list[dict[str, str]] | None = None,
    retry_after: int | None = None,
) -> HttpResponse:
    """A refusal as RFC 9457 problem+json, with our code, the field it is about, and both languages."""
    payload: dict[str, Any] = {
        "type": f"urn:majuu:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "param": param or None,
        "request_id": request_id(request),
        "messages": {"en": detail, "sw": in_swahili(code)},
    }
    if errors:
        payload["errors"] = errors
    response = raw_json_response(request, status, orjson.dumps(payload))
    response["Content-Type"] = PROBLEM_TYPE
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="majuu"'
    return response

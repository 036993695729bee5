"""Every exception of the API becomes problem+json here, and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from majuu_core.api.responses import problem_response
from majuu_core.common.money import AmountError
from majuu_core.common.problems import Conflict, Denied, Invalid, NotFound, Problem, TooMany, Unauthenticated
from majuu_core.merchants.errors import ActionRefused, InvalidInput

logger = logging.getLogger("majuu.api")
_STATUS: tuple[tuple[type[Problem], int], ...] = (
    (Unauthenticated, 401),
    (Denied, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Invalid, 422),
    (TooMany, 429),
    (Problem, 400),
)
_LOCATIONS = ("body", "query", "path", "header", "form")
_CODES = {"missing": "parameter_missing", "extra_forbidden": "parameter_unknown"}


def install_error_handlers(api: NinjaAPI) -> None:
    """Teach an API to answer every exception as problem+json."""
    handlers: Sequence[tuple[type[Exception], Any]] = (
        (Problem, _problem),
        (AmountError, _amount),
        (InvalidInput, _invalid_input),
        (ActionRefused, _refused),
        (ValidationError, _validation),
        (AuthenticationError, _unauthenticated),
        (HttpError, _http_error),
        (Http404, _not_found),
        (Exception, _internal),
    )
    for kind, handler in handlers:
        api.add_exception_handler(kind, handler)


def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    status = next(status for kind, status in _STATUS if isinstance(problem, kind))
    retry_after = getattr(problem, "retry_after", None)
    return problem_response(
        request, status, problem.code, problem.message, param=problem.field, retry_after=retry_after
    )


def _amount(request: HttpRequest, problem: AmountError) -> HttpResponse:
    field = "currency" if problem.code == "currency_unknown" else "amount"
    return problem_response(request, 422, problem.code, str(problem), param=field)


def _invalid_input(request: HttpRequest, problem: InvalidInput) -> HttpResponse:
    first = problem.violations[0]
    return problem_response(request, 422, first.code, first.message, param=first.field)


def _refused(request: HttpRequest, problem: ActionRefused) -> HttpResponse:
    return problem_response(request, 409, problem.code, str(problem))


def _validation(request: HttpRequest, problem: ValidationError) -> HttpResponse:
    errors = [
        {"param": _param(item.get("loc", ())), "code": _CODES.get(str(item.get("type")), "parameter_invalid")}
        | {"message": str(item.get("msg", ""))}
        for item in problem.errors
    ]
    first = errors[0]
    text = f"{first['param']}: {first['message']}" if first["param"] else first["message"]
    return problem_response(request, 422, first["code"], text, param=first["param"], errors=errors)


def _param(location: Sequence[Any]) -> str:
    """Where the fault is, as the caller wrote it: without "body", the argument's name and type variants."""
    parts = [str(part) for part in location]
    if parts and parts[0] in _LOCATIONS:
        parts = parts[2:] if parts[0] in ("body", "form") else parts[1:]
    return ".".join(part for part in parts if not part.startswith(("function-", "lax-or-strict", "constrained-")))


def _unauthenticated(request: HttpRequest, problem: AuthenticationError) -> HttpResponse:
    text = "Send your secret key as `Authorization: Bearer sk_…` or in `X-API-KEY`."
    return problem_response(request, 401, "authentication_required", text)


def _http_error(request: HttpRequest, problem: HttpError) -> HttpResponse:
    if isinstance(problem.__cause__, Problem):  # what our parser found wrong, wrapped by Ninja
        return _problem(request, problem.__cause__)
    if problem.status_code == HTTPStatus.BAD_REQUEST:
        return problem_response(request, 400, "json_invalid", "The body is not valid JSON.")
    return problem_response(request, problem.status_code, "request_refused", str(problem))


def _not_found(request: HttpRequest, problem: Http404) -> HttpResponse:
    return problem_response(request, 404, "not_found", "There is nothing at this address.")


def _internal(request: HttpRequest, problem: Exception) -> HttpResponse:
    logger.error("request failed", exc_info=problem)
    text = "Something went wrong on our side. Send the request again with the same Idempotency-Key."
    return problem_response(request, 500, "internal_error", text)

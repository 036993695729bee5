"""Checks bodies against PayPal's official OpenAPI files, when a folder with them is given.

Needs ``jsonschema`` (``pip install majuu-sim[schema]``). A wrong request is refused with 400; a wrong answer of our own
is kept in :attr:`SpecChecker.mistakes`, because it is the simulator that is wrong.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from majuu_sim.paypal import refusals

FILES = (
    "paypal_checkout_orders_v2.json",
    "paypal_payments_payment_v2.json",
    "paypal_customer_disputes_v1.json",
    "paypal_payments_payouts_batch_v1.json",
    "paypal_notifications_webhooks_v1.json",
)


class NoSpecs(ValueError):
    """The folder has none of the files, or jsonschema is missing."""


@dataclass(frozen=True, slots=True)
class _Operation:
    method: str
    path: re.Pattern[str]
    request: Any  # a validator, or None
    required: bool
    responses: dict[str, Any]  # status → validator


@dataclass(slots=True)
class SpecChecker:
    """Validates what goes in and out; does nothing without a folder."""

    folder: Path | None
    mistakes: list[str] = field(default_factory=list)  # our own wrong answers
    checked: set[str] = field(default_factory=set)  # "POST /v2/… 201": the answers that were right
    _operations: list[_Operation] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Load the files; NoSpecs when that is not possible."""
        if self.folder is not None:
            self._operations = _load(Path(self.folder))

    def check_request(self, request: web.Request, data: Any) -> None:
        """Refusal for a body the specification does not allow."""
        operation = self._find(request)
        if operation is None or operation.request is None or (not data and not operation.required):
            return
        errors = sorted(operation.request.iter_errors(data), key=lambda one: list(one.absolute_path))
        if not errors:
            return
        details = [
            {
                **refusals.detail("INVALID_PARAMETER_SYNTAX", "/" + "/".join(map(str, one.absolute_path))),
                "description": one.message[:500],
            }
            for one in errors[:10]
        ]
        raise refusals.Refusal(400, details=details)

    def check_response(self, request: web.Request, response: web.StreamResponse) -> None:
        """Note an answer the specification does not allow."""
        operation = self._find(request)
        if operation is None or not isinstance(response, web.Response) or response.content_type != "application/json":
            return
        validator = operation.responses.get(str(response.status), operation.responses.get("default"))
        if validator is None or not response.body:
            return
        data = json.loads(bytes(response.body))  # type: ignore[arg-type]
        where = f"{request.method} {request.path} {response.status}"
        found = [f"{where}: {list(one.absolute_path)} {one.message[:300]}" for one in validator.iter_errors(data)]
        self.mistakes += found
        if not found:
            self.checked.add(f"{operation.method} {operation.path.pattern} {response.status}")

    def _find(self, request: web.Request) -> _Operation | None:
        for operation in self._operations:
            if operation.method == request.method and operation.path.fullmatch(request.path):
                return operation
        return None


def _load(folder: Path) -> list[_Operation]:
    paths = [folder / name for name in FILES if (folder / name).is_file()]
    if not paths:
        raise NoSpecs(f"{folder} holds none of PayPal's specifications ({', '.join(FILES)})")
    return [operation for path in paths for operation in _operations_of(json.loads(path.read_text(encoding="utf-8")))]


def _operations_of(spec: dict[str, Any]) -> list[_Operation]:
    validator_for = _validators(spec)
    found = []
    for path, methods in spec["paths"].items():
        pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))
        for method, operation in methods.items():
            if method not in ("get", "post", "patch", "delete"):
                continue
            body = operation.get("requestBody", {})
            responses = {
                status: validator_for(_without_issues(schema))
                for status, answer in operation["responses"].items()
                if (schema := _schema_of(answer)) is not None
            }
            found.append(
                _Operation(
                    method.upper(), pattern, validator_for(_schema_of(body)), bool(body.get("required")), responses
                )
            )
    return found


def _schema_of(part: dict[str, Any]) -> Any:
    return (part.get("content") or {}).get("application/json", {}).get("schema")


def _without_issues(schema: Any) -> Any:
    """An error's shape without the list of issues beside it: that list is known to be incomplete."""
    parts = schema.get("allOf") or []
    return parts[0] if parts and "/error_" in str(parts[0].get("$ref")) else schema


def _validators(spec: dict[str, Any]) -> Any:
    try:
        from jsonschema import Draft4Validator
    except ImportError as error:
        raise NoSpecs("checking against the specifications needs jsonschema: install majuu-sim[schema]") from error

    def make(schema: Any) -> Any:
        # References are to "#/components/…", so the components must lie in the same document.
        return None if schema is None else Draft4Validator({"allOf": [schema], "components": spec["components"]})

    return make

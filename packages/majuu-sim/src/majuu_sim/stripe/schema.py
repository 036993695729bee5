"""Checks requests against Stripe's own OpenAPI file, where one is at hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from majuu_sim.stripe import errors
from majuu_sim.stripe.errors import Obj, StripeRefusal

# Newer than the oldest file that is used (2023-08). A name counts at any depth.
NEWER = frozenset(
    "excluded_payment_method_types payment_details hooks managed_payments customer_account origin_context"
    " adaptive_pricing wallet_options branding_settings name_collection permissions integration_identifier"
    " optional_items saved_payment_method_options allow_redisplay enhanced_evidence allow_redirects"
    " payment_method_data".split()
)
NEWER_AT = {("GET", "/v1/checkout/sessions"): frozenset({"created", "status"})}
_WHOLE = re.compile(r"-?\d+")


class RequestSchemas:
    """The request schemas of every address of a file; without a file, nothing is checked."""

    def __init__(self, path: str | None) -> None:
        """Read the file at ``path``; ValueError when that cannot be done or jsonschema is not installed."""
        self._schemas: dict[tuple[str, str], Obj] = {}
        self._validators: dict[tuple[str, str], Any] = {}
        if path:
            self._read(Path(path))

    def _read(self, path: Path) -> None:
        try:
            from jsonschema import Draft202012Validator
        except ImportError as error:
            raise ValueError("checking requests needs jsonschema: pip install jsonschema") from error
        try:
            paths = json.loads(path.read_bytes())["paths"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is no OpenAPI file: {error}") from error
        for place, item in paths.items():
            for method, operation in item.items():
                schema = _schema_of(method, operation)
                if schema is not None:
                    name = method.upper(), re.sub(r"\{[^}]+\}", "{id}", place)
                    self._schemas[name] = schema
                    self._validators[name] = Draft202012Validator(schema)

    @property
    def known(self) -> frozenset[tuple[str, str]]:
        """The methods and paths that are checked."""
        return frozenset(self._schemas)

    def check(self, method: str, path: str, params: Obj) -> None:
        """A refusal when the schema does not allow the parameters."""
        schema = self._schemas.get((method, path))
        if schema is None:
            return
        data = _coerce(
            _without_newer(params, NEWER_AT.get((method, path), frozenset())), schema, self._validators[method, path]
        )
        for problem in self._validators[method, path].iter_errors(data):
            raise _refusal(problem)


def _schema_of(method: str, operation: Obj) -> Obj | None:
    if method == "get":
        queries = [one for one in operation.get("parameters", []) if one["in"] == "query"]
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {one["name"]: one["schema"] for one in queries},
        }
    if method != "post":
        return None
    body: Obj = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
    return body.get("schema")


def _without_newer(value: Any, also: frozenset[str] = frozenset()) -> Any:
    if isinstance(value, dict):
        return {key: _without_newer(part) for key, part in value.items() if key not in NEWER | also}
    return [_without_newer(part) for part in value] if isinstance(value, list) else value


def _coerce(value: Any, schema: Obj, validator: Any) -> Any:
    """Text as the schema's kind of value, where it can be that."""
    if "anyOf" in schema:
        for one in schema["anyOf"]:
            made = _coerce(value, one, validator)
            if validator.evolve(schema=one).is_valid(made):
                return made
        return value
    kind = schema.get("type")
    if kind == "array" and isinstance(value, list):
        return [_coerce(part, schema.get("items", {}), validator) for part in value]
    if kind == "object" and isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties")
        rest = other if isinstance(other, dict) else {}
        return {key: _coerce(part, known.get(key, rest), validator) for key, part in value.items()}
    return _scalar(value, kind)


def _scalar(value: Any, kind: str | None) -> Any:
    if not isinstance(value, str):
        return value
    if kind == "integer" and _WHOLE.fullmatch(value):
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    if kind == "number":
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _refusal(problem: Any) -> StripeRefusal:
    place = [str(step) for step in problem.absolute_path]
    param = place[0] + "".join(f"[{step}]" for step in place[1:]) if place else ""
    if problem.validator == "additionalProperties":
        known = problem.schema.get("properties", {})
        extra = sorted(set(problem.instance) - set(known))[0]
        return errors.unknown_parameter(f"{param}[{extra}]" if param else extra)
    if problem.validator == "required":
        lacking = sorted(set(problem.validator_value) - set(problem.instance))[0]
        return errors.missing(f"{param}[{lacking}]" if param else lacking)
    if problem.validator == "type" and problem.validator_value == "integer":
        return errors.invalid(param, f"Invalid integer: {problem.instance}", "parameter_invalid_integer")
    return errors.invalid(param, f"Invalid {param or 'request'}: {problem.message[:200]}")

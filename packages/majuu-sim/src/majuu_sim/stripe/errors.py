"""Refusals in Stripe's shape: type, code, message, param, and the object they are about."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]

INVALID = "invalid_request_error"
CARD = "card_error"
DOCS = "https://stripe.com/docs/error-codes/"


class StripeRefusal(Exception):
    """What the API answers instead of doing what was asked."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID,
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        began: bool = True,
        **extra: Any,
    ) -> None:
        """``began``: the endpoint had begun to work, so the answer is kept for the Idempotency-Key."""
        super().__init__(message)
        self.status = status
        self.began = began
        self.error: Obj = {"type": kind, "message": message}
        if code is not None:
            self.error |= {"code": code, "doc_url": f"{DOCS}{code.replace('_', '-')}"}
        if param is not None:
            self.error["param"] = param
        if decline_code is not None:
            self.error["decline_code"] = decline_code
        self.error |= {name: value for name, value in extra.items() if value is not None}

    def body(self) -> Obj:
        """The JSON of the answer."""
        return {"error": self.error}


def unknown_parameter(param: str) -> StripeRefusal:
    """A parameter the endpoint does not have."""
    return StripeRefusal(
        400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param, began=False
    )


def missing(param: str) -> StripeRefusal:
    """A parameter the endpoint needs."""
    return StripeRefusal(400, f"Missing required param: {param}.", code="parameter_missing", param=param, began=False)


def invalid(param: str, message: str, code: str | None = None) -> StripeRefusal:
    """A parameter with a value that cannot be."""
    return StripeRefusal(400, message, code=code, param=param, began=False)


def no_such(kind: str, object_id: str, param: str = "id", status: int = 404) -> StripeRefusal:
    """An id nobody has, or another account's."""
    name = "checkout.session" if kind == "checkout.session" else kind
    return StripeRefusal(
        status, f"No such {name}: '{object_id}'", code="resource_missing", param=param, began=status != 404
    )


def bad_key(key: str | None) -> StripeRefusal:
    """No secret key, or one that nobody has."""
    if not key:
        message = "You did not provide an API key. You need to provide your API key in the Authorization header."
    else:
        shown = f"{key[:8]}{'*' * 12}{key[-4:]}" if len(key) > 16 else "*" * len(key)
        message = f"Invalid API Key provided: {shown}"
    return StripeRefusal(401, message, began=False)


def server_error() -> StripeRefusal:
    """Stripe itself failed."""
    return StripeRefusal(
        500,
        "An unknown error occurred; the request may or may not have been carried out.",
        kind="api_error",
        began=False,
    )


def rate_limited() -> StripeRefusal:
    """Too many requests."""
    return StripeRefusal(
        429,
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        began=False,
    )


def lock_timeout() -> StripeRefusal:
    """Another request is working on the same object."""
    return StripeRefusal(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is currently accessing"
        " it.",
        code="lock_timeout",
        began=False,
    )


def key_expired() -> StripeRefusal:
    """The secret key has been rolled."""
    return StripeRefusal(401, "Expired API Key provided", code="api_key_expired", began=False)


def key_in_use(key: str) -> StripeRefusal:
    """The Idempotency-Key's first request is still being worked on."""
    return StripeRefusal(
        409,
        f"There is currently another in-progress request using this Idempotent Key: {key}. Please try again later.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
        began=False,
    )


def key_reused(key: str) -> StripeRefusal:
    """The Idempotency-Key came with other parameters before."""
    return StripeRefusal(
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a"
        f" key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
        began=False,
    )
